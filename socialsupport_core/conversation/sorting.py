"""How a conversation stands after each message: what kind of contact waits, how urgent, and until when."""

import json
from typing import NamedTuple

from socialsupport_core.contract import Verdict
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.guidance import Guidance
from socialsupport_core.guidance.triage import gravest, most_urgent
from socialsupport_core.model import Interaction
from socialsupport_core.store import Tx, conversations, log, standing, waiting
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.identity import Node
from socialsupport_core.store.interactions import Key
from socialsupport_core.store.standing import Standing


class Word(NamedTuple):
    """What a customer has said. Without a verdict only the time counts."""

    node: Node
    interaction: Interaction
    at: int
    received_at: int
    verdict: Verdict | None = None
    written: str | None = None
    """The verdict as JSON."""
    settled: bool = False
    """It needs no answer, as what only says how it went."""


def heard(tx: Tx, leg: Leg, word: Word, conduct: Conduct) -> None:
    """Costs no statement of its own. What needs no answer leaves nobody waiting; whoever waits goes on as before."""
    at, verdict = word.at, word.verdict
    one = conversations.get(tx, leg.tenant, leg.conversation)
    assert one is not None
    before = one.standing
    waits = not (word.settled or word.interaction.attended)
    since = waiting.waiting_with(one, at)
    stands = before
    if verdict is not None and at > (one.answered_at or 0) and (waits or one.waiting_since is None):
        stands = _with(one, verdict, word, noise=_is_noise(one, word.node, verdict, conduct.guidance))
    if waits and since is not None and not stands.noise:
        stands = _timed(stands, since, word.received_at, leg, conduct.guidance)
    waiting.customer_spoke(tx, leg, at, stands, needs_answer=waits)
    if verdict is not None and stands.noise != before.noise:
        publish(tx, leg, at, verdict, noise=stands.noise)


def publish(tx: Tx, leg: Leg, at: int, verdict: Verdict, *, noise: bool, agent: str | None = None) -> None:
    data = {"kind": verdict.kind, "noise": noise, "reasons": list(verdict.reasons), "by": verdict.by}
    if agent:
        data["agent"] = agent
    log.publish(tx, leg.tenant, "conversation.triaged", at, data, conversation=leg.conversation)


def _is_noise(one: Conversation, node: Node, verdict: Verdict, guidance: Guidance) -> bool:
    """A matter of support stays one, whatever is said in it; an agent's word about the sender goes before the rules."""
    if node.wanted is not None:
        return not node.wanted and verdict.kind != "complaint"
    if not one.standing.noise and one.standing.kind is not None:
        return False
    return verdict.kind in guidance.triage.noise


def _with(one: Conversation, verdict: Verdict, word: Word, *, noise: bool) -> Standing:
    """One message more in the contact that waits, or the first of a new one."""
    fresh = one.waiting_since is None or (one.standing.noise and not noise)
    stands = Standing() if fresh else one.standing
    return added(stands, verdict, word.written or verdict.to_json(), word.interaction, noise)


def added(stands: Standing, verdict: Verdict, written: str, interaction: Interaction, noise: bool) -> Standing:
    """The gravest of the contact stands for it, with its reasons."""
    followers = (interaction.reach.followers or 0) if interaction.reach else 0
    if stands.kind is None or stands.urgency is None:
        return Standing(verdict.kind, verdict.urgency, noise, max(stands.reach, followers), written, *stands[5:])
    kind = gravest(verdict.kind, stands.kind)  # type: ignore[arg-type]
    urgency = most_urgent(verdict.urgency, stands.urgency)  # type: ignore[arg-type]
    tells = kind != stands.kind or urgency != stands.urgency
    told = written if tells else stands.triage
    return Standing(kind, urgency, noise, max(stands.reach, followers), told, *stands[5:])


def _timed(stands: Standing, since: int, received_at: int, leg: Leg, guidance: Guidance) -> Standing:
    """Until when it is to be answered: on the channel where that is soonest. What was warned of before stays so.

    Nobody is warned of what was overdue when it came, such as history that is read back.
    """
    due_at = guidance.due(since, leg.channel, leg.network, stands.urgency)
    if due_at is None or (stands.due_at is not None and stands.due_at <= due_at):
        return stands
    return Standing(*stands[:5], due_at, guidance.warned(since, due_at) if received_at < due_at else None)


def edited(tx: Tx, tenant: str, key: Key, leg: Leg | None, verdict: Verdict | None) -> None:
    """The message says something else now. What an agent has said of it stands."""
    if verdict is None or leg is None:
        return
    if standing.judge_anew(tx, tenant, key, verdict.to_json()):
        one = conversations.get(tx, tenant, leg.conversation)
        assert one is not None
        recount(tx, one)


def recount(tx: Tx, one: Conversation) -> None:
    """Its legs are others now: what was said since somebody waits."""
    if one.waiting_since is None:
        return
    found = standing.verdicts_since(tx, one.tenant, one.id, one.waiting_since)
    stands, noise = Standing(), bool(found)
    for written, data in found:
        verdict = Verdict.model_validate_json(written)
        noise = noise and verdict.is_noise
        stands = added(stands, verdict, written, Interaction.model_validate_json(data), noise)
    kept_out = noise and one.standing.noise
    due_at, alert_at = one.standing.due_at, one.standing.alert_at
    conversations.stand(tx, one, stands._replace(noise=kept_out, due_at=due_at, alert_at=alert_at))


def language_of(stands: Standing) -> str | None:
    found: str | None = json.loads(stands.triage).get("language") if stands.triage else None
    return found


def senders(tx: Tx, one: Conversation) -> list[int]:
    """The accounts on whose words it stands."""
    return sorted({leg.node for leg in conversations.legs(tx, one.tenant, one.id)})
