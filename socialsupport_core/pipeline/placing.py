"""Where an answer goes that names no place: to the leg that is answered, and never from private into public."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from socialsupport_core.conversation.answering import is_by_itself
from socialsupport_core.identity import may_disclose
from socialsupport_core.model import Thread
from socialsupport_core.pipeline.channels import Channels, Live, able_in
from socialsupport_core.store import Tx, conversations, handoffs, interactions, micros, proofs
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.handoffs import Handoff

MICRO = timedelta(microseconds=1)
SETTLED = 60_000_000
"""By so many microseconds a proven hand-off outweighs what was said at its other end, such as the code itself."""
READ = 20
"""Interactions of each private leg among which our own newest words are looked for."""


def _anywhere(_leg: Leg) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Ways:
    """What of a tenant's channels can be answered."""

    speaks: Callable[[Leg], bool] = _anywhere
    """We can say something there at all."""
    reaches: Callable[[Leg], bool] = _anywhere
    """What we say there now arrives: the channel is well, and takes answers still."""


EVERYWHERE = Ways()


def ways(channels: Channels, tenant: str, now: datetime) -> Ways:
    """Those of the tenant at this moment."""
    mine = {one.channel.id: one for one in channels.all().values() if one.channel.tenant == tenant}

    def speaks(leg: Leg) -> bool:
        return leg.channel in mine and bool(mine[leg.channel].connector.capabilities.sends)

    def reaches(leg: Leg) -> bool:
        return leg.channel in mine and _arrives(mine[leg.channel], leg, micros(now))

    return Ways(speaks, reaches)


def _arrives(live: Live, leg: Leg, now: int) -> bool:
    able = able_in(live.connector, Thread(id=leg.thread, visibility="private"))
    if live.channel.state != "active" or "private" not in able.sends:
        return False
    window = max(able.reply_window, able.person_window or able.reply_window) if able.reply_window else None
    return window is None or leg.last_inbound is None or now - leg.last_inbound <= window // MICRO


def heard_last(tx: Tx, found: Conversation, ways: Ways = EVERYWHERE) -> Leg:
    """The leg on which the customer spoke last, among those where we can speak if there is one."""
    legs = conversations.legs(tx, found.tenant, found.id)
    return max(legs, key=lambda one: (ways.speaks(one), one.last_inbound or 0, one.opened_at))


def answered(tx: Tx, found: Conversation, ways: Ways = EVERYWHERE) -> Leg | None:
    """The leg that an answer goes to; None if that cannot be told.

    Where the customer spoke last, as long as everything was said in public. Once there is a private leg, it is the
    newest private one that can be reached; but what answers a public account goes to a private one only along proof,
    and where there is none somebody must say what is meant.
    """
    heard = heard_last(tx, found, ways)
    private = [one for one in conversations.legs(tx, found.tenant, found.id) if one.visibility == "private"]
    private = [one for one in private if ways.speaks(one)]
    if not private or private == [heard]:
        return heard
    private = [one for one in private if may_disclose(tx, found.tenant, one.node, heard.node)]
    open_ones = [one for one in private if ways.reaches(one)] or private
    moments = _lively(tx, found, open_ones)
    return max(open_ones, key=lambda one: (moments[one.id], one.opened_at), default=None)


def _lively(tx: Tx, found: Conversation, legs: Sequence[Leg]) -> dict[int, int]:
    """When the talk last went on there: by the customer, by an agent, or by a hand-off that led there."""
    moments = {one.id: max(one.last_inbound or 0, _ours(tx, one), _led(one)) for one in legs}
    for given in handoffs.of_conversation(tx, found.tenant, found.id):
        if given.state == "confirmed" and given.arrived_leg in moments:
            moments[given.arrived_leg] = max(moments[given.arrived_leg], _proven(tx, given) + SETTLED)
    return moments


def _proven(tx: Tx, given: Handoff) -> int:
    asked = proofs.of_handoff(tx, given.tenant, given.id)
    return max((one.ended_at or 0 for one in asked if one.state == "proven"), default=0)


def _led(leg: Leg) -> int:
    return leg.opened_at + SETTLED if leg.rule in ("handed_off", "open_private") else 0


def _ours(tx: Tx, leg: Leg) -> int:
    """When an agent last wrote there; words of ours that nobody wrote by hand lead nobody anywhere."""
    for one in interactions.newest_of_all(tx, leg.tenant, [leg.node], None, READ, [leg.id]):
        if one.interaction.direction == "outbound" and not is_by_itself(one.interaction.client_key):
            return one.at
    return 0
