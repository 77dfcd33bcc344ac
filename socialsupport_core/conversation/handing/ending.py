"""Nobody is waited for any more: the customer never came, or what was offered is taken back."""

from socialsupport_core.conversation import answering
from socialsupport_core.conversation.handoff import home, publish_handed_off
from socialsupport_core.store import Tx, handoffs, proofs
from socialsupport_core.store.conversations import Conversation
from socialsupport_core.store.handoffs import Handoff


def expire(tx: Tx, given: Handoff, at: int) -> None:
    """The conversation is in the queue again, where its customer stood before the words of this hand-off."""
    if handoffs.move(tx, given, "expired", None) and (found := _open(tx, given)):
        _tell(tx, found, given, given.agent, at, "expired")
        answering.reconsider(tx, found)


def withdraw(tx: Tx, given: Handoff, agent: str, at: int) -> bool:
    """Its link leads nowhere from now on, and its codes prove nothing. False if somebody has come, or it was over."""
    if not given.is_open or not handoffs.move(tx, given, "withdrawn", None):
        return False
    if found := home(tx, given):
        _tell(tx, found, given, agent, at, "withdrawn")
    if found := _open(tx, given):
        answering.reconsider(tx, found)
    for one in proofs.of_handoff(tx, given.tenant, given.id):
        proofs.end(tx, one, "replaced", at)
    return True


def withdraw_said(tx: Tx, tenant: str, part: str | None, agent: str, at: int) -> None:
    """The words that held the link are deleted, so it is not to be followed any more."""
    id, _, name = (part or "").partition("~")
    given = handoffs.get(tx, tenant, id) if name.partition("/")[0] == "link" else None
    if given is not None:
        withdraw(tx, given, agent, at)


def _open(tx: Tx, given: Handoff) -> Conversation | None:
    """What has been resolved meanwhile is left alone."""
    found = home(tx, given)
    return found if found is not None and found.status == "open" else None


def _tell(tx: Tx, found: Conversation, given: Handoff, agent: str, at: int, step: str) -> None:
    publish_handed_off(tx, found, given.channel, given.target or "any", agent, at, step, handoff=given.id)
