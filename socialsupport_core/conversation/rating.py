"""What a customer answers to the question how it went: a verdict of a matter, and no new contact with us."""

from dataclasses import dataclass

from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.guidance.rating import CHOICE, Verdict, verdict_in
from socialsupport_core.model import Interaction
from socialsupport_core.store import Tx, conversations, log, ratings
from socialsupport_core.store.conversations import Leg, ThreadOf
from socialsupport_core.store.identity import Node
from socialsupport_core.store.ratings import Asked


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    asked: Asked
    leg: Leg | None
    """Where it was asked, if nothing but the verdict is said: it belongs there, and takes nothing up again."""

    def note(self, tx: Tx, leg: Leg, seq: int, at: int) -> None:
        value, alone = self.verdict.value, self.leg is not None
        ratings.answered(tx, leg.tenant, self.asked.conversation, seq, value, alone=alone)
        data = {"value": value, "interaction": str(seq), "agent": self.asked.agent}
        log.publish(tx, leg.tenant, "conversation.rated", at, data, conversation=leg.conversation)


def answering(
    tx: Tx, tenant: str, thread: ThreadOf, node: Node, interaction: Interaction, at: int, conduct: Conduct
) -> Answer | None:
    """Costs a tenant that does not ask nothing, and one that does a look-up for what may be a verdict."""
    spoken = interaction.direction == "inbound" and not interaction.author.is_bot and not interaction.attachments
    if not conduct.guidance.rating.enabled or thread.visibility != "private" or not spoken:
        return None
    verdict = verdict_in(interaction.text, interaction.choice)
    asked = ratings.open_in(tx, tenant, thread.channel, thread.id, node.number, at) if verdict else None
    if verdict is None or asked is None:
        return None
    leg, pressed = conversations.leg(tx, asked.leg), (interaction.choice or "").startswith(CHOICE)
    if leg is None or not (pressed or _is_last(tx, leg)):
        return None
    return Answer(verdict, asked, leg if verdict.alone else None)


def _is_last(tx: Tx, leg: Leg) -> bool:
    """Nothing was taken up since: a digit may answer many another question."""
    found = conversations.get(tx, leg.tenant, leg.conversation)
    newest = conversations.newest_in_thread(tx, leg.tenant, leg.channel, leg.thread) or leg
    return found is not None and found.status == "resolved" and newest.conversation == leg.conversation
