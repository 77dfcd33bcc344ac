"""Nobody is waited for any more: the customer never came, or what was offered is taken back."""

from socialsupport_core.conversation import answering
from socialsupport_core.conversation.handoff import home, publish_handed_off
from socialsupport_core.store import Tx, handoffs, proofs
from socialsupport_core.store.handoffs import Handoff, State


def expire(tx: Tx, given: Handoff, at: int) -> None:
    """The conversation is in the queue again, where its customer stood before the words of this hand-off."""
    _end(tx, given, "expired", given.agent, at)


def withdraw(tx: Tx, given: Handoff, agent: str, at: int) -> bool:
    """Its link leads nowhere from now on, and its codes prove nothing. False if somebody has come, or it was over."""
    if not given.is_open or not _end(tx, given, "withdrawn", agent, at):
        return False
    for one in proofs.of_handoff(tx, given.tenant, given.id):
        proofs.end(tx, one, "replaced", at)
    return True


def withdraw_said(tx: Tx, tenant: str, part: str | None, agent: str, at: int) -> None:
    """The words that held the link are deleted, so it is not to be followed any more."""
    id, _, name = (part or "").partition("~")
    given = handoffs.get(tx, tenant, id) if name.partition("/")[0] == "link" else None
    if given is not None:
        withdraw(tx, given, agent, at)


def _end(tx: Tx, given: Handoff, state: State, agent: str, at: int) -> bool:
    if not handoffs.move(tx, given, state, None):
        return False
    found = home(tx, given)
    if found is not None and found.status == "open":
        target = given.target or "any"
        publish_handed_off(tx, found, given.channel, target, agent, at, state, handoff=given.id)
        answering.reconsider(tx, found)
    return True
