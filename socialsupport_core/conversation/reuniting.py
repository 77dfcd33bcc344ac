"""Conversations follow their customers: what turns out to be one goes on as one, what is divided goes on apart.

The id stays with the first. What an agent has taken apart is never put together by itself again.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from socialsupport_core.conversation.conduct import DEFAULT, Conduct
from socialsupport_core.conversation.moving import By, begin, carry, follow, owner, take_back
from socialsupport_core.store import Tx, conversations, identity, moves
from socialsupport_core.store.accounts import tenant_key
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.moves import BY_ITSELF, Move

FOLLOWERS = frozenset({"native_thread"})
"""Rules by which somebody takes part in what is another customer's."""
GUESTS = frozenset({"handoff_token", "brought"})
"""Rules by which somebody came with a hand-off link."""
REUNITED = "two customers turned out to be one, and so did their open conversations"
PARTED = "its customer turned out to be two, and this part is the other's"


def reunite(tx: Tx, tenant: str, nodes: Iterable[int], conduct: Conduct = DEFAULT, *, judged: bool = False) -> None:
    """After the identities of these accounts have changed. `judged`: a person has said that somebody is not the same.

    Whoever came with a hand-off link is in the conversation though nothing is proven yet, until a person says no.
    """
    touched = identity.by_numbers(tx, nodes)
    customers = sorted({node.customer for node in touched.values()})
    everyone = [node.number for customer in customers for node in identity.members(tx, tenant, customer)]
    if not everyone:
        return
    _rejoin(tx, tenant, everyone)
    _part(tx, tenant, everyone, frozenset() if judged else GUESTS)
    for customer in customers:
        _merge_open(tx, tenant, customer, conduct)


def _rejoin(tx: Tx, tenant: str, everyone: Sequence[int]) -> None:
    """What was divided is whole again once its customers are one."""
    legs = {leg.id: leg for leg in conversations.legs_of_nodes(tx, tenant, everyone)}
    for number, live in moves.of_legs(tx, tenant, legs).items():
        rows = [one for one in live if one.kind == "parted" and _belongs(tx, legs[number], one.origin)]
        if rows:
            take_back(tx, tenant, rows[:1], agent=None, at=rows[0].at)


def _belongs(tx: Tx, leg: Leg, conversation: str) -> bool:
    """Whether leg and conversation are of one customer."""
    home = conversations.get(tx, leg.tenant, conversation)
    return home is not None and _customer(tx, leg.node) == owner(tx, home)


def _customer(tx: Tx, node: int) -> int | None:
    found = identity.by_numbers(tx, [node]).get(node)
    return found.customer if found else None


# divided


def _part(tx: Tx, tenant: str, everyone: Sequence[int], guests: Collection[str]) -> None:
    """Every leg that is in somebody else's conversation leaves it, and whoever takes part in its thread comes along."""
    strays = sorted(
        _strays(tx, tenant, everyone, guests), key=lambda leg: (leg.conversation, _customer(tx, leg.node) or 0, leg.id)
    )
    for (name, _), group in groupby(strays, key=lambda leg: (leg.conversation, _customer(tx, leg.node))):
        origin = conversations.get(tx, tenant, name)
        assert origin is not None
        left = [leg for leg in group if not _unmove(tx, leg)]
        if left:
            _divide(tx, origin, left)


def _strays(tx: Tx, tenant: str, everyone: Sequence[int], guests: Collection[str]) -> Iterator[Leg]:
    own = {leg.id: leg for leg in conversations.legs_of_nodes(tx, tenant, everyone)}
    for one in conversations.begun_by(tx, tenant, everyone):
        own |= {leg.id: leg for leg in conversations.legs(tx, tenant, one.id)}
    conversations.read_conversations(tx, tenant, {leg.conversation for leg in own.values()})
    homes = tx.memo("conversations").values()
    identity.by_numbers(tx, {leg.node for leg in own.values()} | {one.node for one in homes if one})
    for leg in own.values():
        if leg.rule not in FOLLOWERS and leg.joined[0] not in guests and not _belongs(tx, leg, leg.conversation):
            yield leg


def _unmove(tx: Tx, leg: Leg) -> bool:
    """Takes back what moved it by itself, the last first, until it is at home; False if that does not lead there."""
    live = moves.of_legs(tx, leg.tenant, [leg.id])[leg.id]
    by_itself = [one for one in live if one.kind in BY_ITSELF][::-1]
    for count in range(1, len(by_itself) + 1):
        dropped = by_itself[:count]
        where, _ = follow(leg.began, [one for one in live if one not in dropped])
        if _belongs(tx, leg, where):
            for row in dropped:
                _back_with_company(tx, leg, row)
            return True
    return False


def _back_with_company(tx: Tx, leg: Leg, row: Move) -> None:
    """The others in its thread, who are nobody's customers here, go where it goes."""
    others = [one for one in moves.of_move(tx, leg.tenant, row.move) if one.undone_at is None and one.leg != leg.id]
    company = {one.id for one in _company(tx, leg)}
    take_back(tx, leg.tenant, [row, *(one for one in others if one.leg in company)], agent=None, at=row.at)


def _company(tx: Tx, leg: Leg) -> list[Leg]:
    beside = conversations.legs(tx, leg.tenant, leg.conversation)
    place = leg.channel, leg.thread
    return [one for one in beside if one.rule in FOLLOWERS and (one.channel, one.thread) == place]


def _divide(tx: Tx, origin: Conversation, legs: Sequence[Leg]) -> None:
    at = max(leg.last_inbound or leg.opened_at for leg in legs)
    target = _home(tx, legs[0]) or _made(tx, origin, legs[0])
    everybody = {one.id: one for leg in legs for one in (leg, *_company(tx, leg))}
    carry(tx, list(everybody.values()), target, By("parted", at, None, PARTED))


def _home(tx: Tx, leg: Leg) -> Conversation | None:
    """Where it began, or has been since, if that is its customer's."""
    live = moves.of_legs(tx, leg.tenant, [leg.id])[leg.id]
    for name in dict.fromkeys([*(one.origin for one in live[::-1]), leg.began]):
        if name != leg.conversation and _belongs(tx, leg, name):
            return conversations.get(tx, leg.tenant, name)
    return None


def _made(tx: Tx, origin: Conversation, leg: Leg) -> Conversation:
    """A conversation for what leaves; its id follows from what leaves where, so that nothing is left to chance."""
    message = f"part\0{origin.id}\0{leg.id}\0{origin.updated_at}".encode()
    mac = hmac.new(tenant_key(tx, origin.tenant), message, hashlib.sha256).digest()
    name = f"con_{base64.b32encode(mac[:15]).decode().lower()}"
    if before := conversations.get(tx, origin.tenant, name):  # the same was divided, and made whole, with no word since
        return before
    made = begin(tx, origin, name, leg.opened_at, leg.node)
    if origin.status == "resolved":
        conversations.set_status(tx, origin.tenant, made.id, "resolved", origin.updated_at)
    return made


# one again


def _merge_open(tx: Tx, tenant: str, customer: int, conduct: Conduct) -> None:
    """Open conversations that were active within the window of the newest go on in the oldest of them."""
    found = [one for one in conversations.of_customer(tx, tenant, customer) if one.status == "open"]
    found = [one for one in found if owner(tx, one) == customer]
    newest = max((one.updated_at for one in found), default=0)
    recent = sorted(
        (one for one in found if newest - one.updated_at <= conduct.window), key=lambda one: (one.opened_at, one.id)
    )
    for other in recent[1:]:
        first = conversations.get(tx, tenant, recent[0].id)
        assert first is not None
        if not _kept_apart(tx, first, other):
            legs = conversations.legs(tx, tenant, other.id)
            carry(tx, legs, first, By("reunited", other.updated_at, None, REUNITED))


def _kept_apart(tx: Tx, one: Conversation, other: Conversation) -> bool:
    """Whether an agent took them apart, or took back that they were put together."""
    ends = {one.id, other.id}
    between = [row for row in moves.of_conversation(tx, one.tenant, one.id) if {row.origin, row.target} == ends]
    taken_apart = any(row.kind in {"split", "moved"} and row.undone_at is None for row in between)
    put_back = any(row.kind in {"merged", "reunited"} and row.undone_by is not None for row in between)
    return taken_apart or put_back
