"""Conversations are merged, split and moved: by an agent, or because of who turned out to be one customer.

Nothing is copied and nothing is lost: a leg goes to another conversation, and comes back when that is undone, in any
order. A conversation whose legs have all gone is superseded, and its id leads to where it goes on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.conversation.answering import recount
from socialsupport_core.store import Tx, accounts, conversations, identity, interactions, log, moves
from socialsupport_core.store.conversations import Conversation, Leg, ThreadOf
from socialsupport_core.store.interactions import Order
from socialsupport_core.store.moves import Move

EVENTS = {
    "merged": "conversation.merged",
    "reunited": "conversation.merged",
    "split": "conversation.split",
    "brought": "conversation.moved",
    "parted": "conversation.split",
    "moved": "conversation.moved",
}


class MoveRefused(SocialSupportError, ValueError):
    """The conversations cannot be merged, split or moved like this; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done; `id` takes it back."""

    id: str
    conversations: tuple[str, ...]
    """Those that it touched; the one in which it goes on comes last."""


@dataclass(frozen=True, slots=True)
class By:
    """Who moves, when, how it is called and why."""

    kind: moves.Kind
    at: int
    agent: str | None
    reason: str


def merge(tx: Tx, one: Conversation, into: Conversation, *, agent: str, at: int) -> Moved:
    """All of `one` goes on in `into`. Raises MoveRefused."""
    _check(tx, one, into)
    by = By("merged", at, agent, f"{_name(tx, one, agent)} merged the conversations")
    return carry(tx, conversations.legs(tx, one.tenant, one.id), into, by)


def move(
    tx: Tx, one: Conversation, into: Conversation, legs: Sequence[int], since: int | None, *, agent: str, at: int
) -> Moved:
    """Some legs go on in another conversation, or one thread does from the interaction `since` on."""
    _check(tx, one, into)
    by = By("moved", at, agent, f"{_name(tx, one, agent)} moved it here")
    return _take(tx, one, legs, since, into, by)


def split(
    tx: Tx, one: Conversation, legs: Sequence[int], since: int | None, new_id: str, *, agent: str, at: int
) -> Moved:
    """Some legs, or the rest of a thread, become a conversation of their own. Raises MoveRefused."""
    mine = conversations.legs(tx, one.tenant, one.id)
    if since is None and {leg.id for leg in mine} <= set(legs):
        raise MoveRefused("a split leaves something on both sides; name some of the legs, not all")
    by = By("split", at, agent, f"{_name(tx, one, agent)} made it a conversation of its own")
    return _take(tx, one, legs, since, begin(tx, one, new_id, at), by)


def _name(tx: Tx, one: Conversation, agent: str) -> str:
    return next((each.name for each in accounts.agents(tx, one.tenant) if each.id == agent), agent)


def begin(tx: Tx, origin: Conversation, new_id: str, at: int, node: int | None = None) -> Conversation:
    """An empty conversation for what leaves another."""
    owner = node or origin.node
    made = conversations.open_conversation(tx, origin.tenant, new_id, owner, None, at)
    customer = identity.by_numbers(tx, [identity.by_numbers(tx, [owner])[owner].customer])
    data = {"customer": next(iter(customer.values())).id, "from": origin.id}
    log.publish(tx, origin.tenant, "conversation.opened", at, data, conversation=new_id)
    return made


def _take(tx: Tx, one: Conversation, legs: Sequence[int], since: int | None, into: Conversation, by: By) -> Moved:
    if (since is None) == (not legs):
        raise MoveRefused("name the legs that go, or the interaction from which on their thread goes; one of the two")
    mine = {leg.id: leg for leg in conversations.legs(tx, one.tenant, one.id)}
    if since is not None:
        cuts = _cut(tx, one, list(mine.values()), since)
        return carry(tx, [rest for rest, _ in cuts], into, by, {rest.id: leg for rest, leg in cuts})
    if unknown := [str(leg) for leg in legs if leg not in mine]:
        known = ", ".join(map(str, mine))
        raise MoveRefused(f"this conversation has no leg {', '.join(unknown)}; it has {known or 'none any more'}")
    return carry(tx, [mine[leg] for leg in dict.fromkeys(legs)], into, by)


def _cut(tx: Tx, one: Conversation, mine: Sequence[Leg], since: int) -> list[tuple[Leg, int]]:
    """What comes from the interaction on in its thread, whoever says it: the new leg, and that of which it was cut."""
    key = interactions.key_by_seq(tx, one.tenant, since)
    stored = interactions.get(tx, one.tenant, key) if key else None
    home = next((leg for leg in mine if stored and leg.id == stored.leg), None)
    if stored is None or home is None:
        raise MoveRefused(f"the interaction {since} is not in this conversation")
    beside = [leg for leg in mine if (leg.channel, leg.thread) == (home.channel, home.thread)]
    if home.visibility == "public":  # there everybody speaks for themselves
        beside = [leg for leg in beside if leg.node == home.node]
    found = [(rest, leg.id) for leg in beside if (rest := conversations.cut(tx, leg, stored.order))]
    if not any(_said_before(tx, leg, stored.order) for leg in beside) and len(beside) == len(mine):
        raise MoveRefused("this is where the conversation begins; there would be nothing left of it")
    return found


def _said_before(tx: Tx, leg: Leg, before: Order) -> bool:
    return any(one.leg == leg.id for one in interactions.newest(tx, leg.tenant, leg.node, before, 200))


def bring(tx: Tx, into: Conversation, where: ThreadOf, node: int, since: int) -> None:
    """What the bearer of a hand-off link has said in this thread since, though it came before the link did."""
    reason = "said in a thread that a hand-off link has brought here"
    for leg in conversations.legs_of_thread(tx, into.tenant, where.channel, where.id, node):
        if leg.conversation == into.id:
            continue
        whole = not _said_before(tx, leg, (since, 0, 0))
        rest = leg if whole and leg.last_inbound else conversations.cut(tx, leg, (since, 0, 0))
        if rest is not None:
            by = By("brought", leg.last_inbound or since, None, reason)
            carry(tx, [rest], into, by, {} if rest.id == leg.id else {rest.id: leg.id})


def _check(tx: Tx, one: Conversation, into: Conversation) -> None:
    if one.id == into.id:
        raise MoveRefused("a conversation cannot go on in itself; name another one")
    if owner(tx, one) != owner(tx, into):
        raise MoveRefused("these are conversations of two customers; link the customers first, if they are one person")


def owner(tx: Tx, one: Conversation) -> int | None:
    """The customer whose conversation it is."""
    found = identity.by_numbers(tx, [one.node]).get(one.node)
    return found.customer if found else None


def carry(tx: Tx, legs: Sequence[Leg], into: Conversation, by: By, cut_from: dict[int, int] | None = None) -> Moved:
    """The legs go on there. Raises MoveRefused if there are none."""
    if not legs:
        raise MoveRefused("there is nothing in it that could go anywhere")
    origins = list(dict.fromkeys(leg.conversation for leg in legs))
    reopened = _wake(tx, legs[0].tenant, origins, into, by)
    numbers = [tx.number("move") for _ in legs]
    name = f"mov_{numbers[0]}"
    for number, leg in zip(numbers, legs, strict=True):
        row = Move(number, leg.tenant, name, by.kind, leg.id, leg.conversation, into.id, by.at, by.agent, by.reason)
        moves.add(tx, row._replace(cut_from=(cut_from or {}).get(leg.id), reopened=reopened))
        conversations.place(tx, leg, into.id, by.kind, by.reason)
    settle(tx, legs[0].tenant, [*origins, into.id])
    for origin in origins:
        gone = [leg.id for leg in legs if leg.conversation == origin]
        _publish(tx, legs[0].tenant, EVENTS[by.kind], origin, into.id, name, gone, by.agent, by.at)
    return Moved(name, (*origins, into.id))


def _wake(tx: Tx, tenant: str, origins: Iterable[str], into: Conversation, by: By) -> bool:
    """What is still open does not go on in something that is resolved."""
    still_open = any((one := conversations.get(tx, tenant, id)) and one.status == "open" for id in origins)
    if into.status != "resolved" or not still_open:
        return False
    conversations.set_status(tx, tenant, into.id, "open", by.at)
    data = {"by": "merge"} | ({"agent": by.agent} if by.agent else {})
    log.publish(tx, tenant, "conversation.reopened", by.at, data, conversation=into.id)
    return True


def undo(tx: Tx, tenant: str, name: str, *, agent: str, at: int) -> Moved:
    """Takes a move back: its legs go where they would be without it. Raises MoveRefused."""
    rows = moves.of_move(tx, tenant, name)
    if not rows:
        raise MoveRefused(f"there is no move {name[:40]!r}; the conversation lists those that there are")
    if all(row.undone_at is not None for row in rows):
        raise MoveRefused(f"the move {name} was taken back already")
    if rows[0].kind == "parted":
        raise MoveRefused("it was divided because these are two customers; link the customers, and it is one again")
    _check_cuts(tx, tenant, rows)
    return take_back(tx, tenant, rows, agent=agent, at=at)


def last(tx: Tx, one: Conversation) -> str:
    """The last move out of a conversation or into it that counts. Raises MoveRefused."""
    found = [row for row in moves.of_conversation(tx, one.tenant, one.id) if row.undone_at is None]
    if not found:
        raise MoveRefused("nothing was merged, split or moved here that could be taken back")
    return found[-1].move


def _check_cuts(tx: Tx, tenant: str, rows: Sequence[Move]) -> None:
    """A thread that was cut is made whole only when nothing else has been done with its rest."""
    cut = [row for row in rows if row.cut_from is not None]
    for leg, live in moves.of_legs(tx, tenant, [row.leg for row in cut]).items():
        later = [one.move for one in live if one.move != rows[0].move]
        if later:
            raise MoveRefused(f"a later move, {later[-1]}, has the same leg {leg}; undo that first")


def take_back(tx: Tx, tenant: str, rows: Sequence[Move], *, agent: str | None, at: int) -> Moved:
    """These rows do not count any more."""
    moves.take_back(tx, tenant, [row.number for row in rows], agent, at)
    touched: dict[str, None] = {}
    for row in rows:
        leg = conversations.leg(tx, row.leg)
        if leg is None:  # erased
            continue
        touched |= dict.fromkeys((leg.conversation, row.target, row.origin))
        if row.cut_from is not None:
            conversations.glue(tx, leg, row.cut_from)
        else:
            touched |= dict.fromkeys((replace(tx, leg),))
    for row in rows:
        _rest(tx, row, at)
    settle(tx, tenant, touched)
    origin, target = rows[0].target, rows[0].origin
    _publish(tx, tenant, "conversation.restored", origin, target, rows[0].move, [r.leg for r in rows], agent, at)
    return Moved(rows[0].move, tuple(dict.fromkeys((origin, target))))


def _rest(tx: Tx, row: Move, at: int) -> None:
    """What was opened for it is resolved again, unless somebody has spoken since."""
    target = conversations.get(tx, row.tenant, row.target)
    if not row.reopened or target is None or target.status != "open":
        return
    if (conversations.last_word(tx, row.tenant, target.id) or 0) <= row.at:
        conversations.set_status(tx, row.tenant, target.id, "resolved", at)


def replace(tx: Tx, leg: Leg) -> str:
    """Puts the leg where the moves that count lead it; that conversation."""
    live = moves.of_legs(tx, leg.tenant, [leg.id])[leg.id]
    where, last = follow(leg.began, live)
    conversations.place(tx, leg, where, last.kind if last else "", last.reason if last else "")
    return where


def follow(began: str, live: Iterable[Move]) -> tuple[str, Move | None]:
    """Where a leg stands, and the move that brought it there. What would lead on from elsewhere does not count."""
    where, last = began, None
    for one in live:
        if one.origin == where:
            where, last = one.target, one
    return where, last


def settle(tx: Tx, tenant: str, touched: Iterable[str]) -> None:
    """Who waits in each of them, and which stand for themselves."""
    for name in dict.fromkeys(touched):
        one = conversations.get(tx, tenant, name)
        if one is None:
            continue
        if conversations.legs(tx, tenant, name):
            if one.superseded_by:
                conversations.supersede(tx, tenant, name, None)
            recount(tx, one._replace(superseded_by=None))
        elif heir := _heir(tx, tenant, name):
            conversations.supersede(tx, tenant, name, heir)


def _heir(tx: Tx, tenant: str, name: str) -> str | None:
    """Where an empty conversation goes on: where its last leg went, or, taken back, where it had come from."""
    rows = moves.of_conversation(tx, tenant, name)
    gone = [row.target for row in rows if row.origin == name and row.undone_at is None]
    returned = [row.origin for row in rows if row.target == name and row.undone_at is not None]
    return next(iter([*gone[::-1], *returned[::-1]]), None)


def _publish(
    tx: Tx, tenant: str, type: str, origin: str, target: str, move: str, legs: list[int], agent: str | None, at: int
) -> None:
    data = {"from": origin, "to": target, "move": move, "legs": legs} | ({"agent": agent} if agent else {})
    log.publish(tx, tenant, type, at, data, conversation=target)
