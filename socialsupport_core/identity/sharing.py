"""What a node's own ties say about it: whether it is shared and stops joining, and when it changed hands.

Nothing here looks further than the node's own neighbours, of which a bounded number is read. It all turns back when
evidence is retracted.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from socialsupport_core.identity.policy import ASSERTED, CLAIMED, HUMAN, VERIFIED, Policy
from socialsupport_core.model import Identifier
from socialsupport_core.store.evidence import Hood, Tie

PROVEN = 8  # accounts of one kind that may prove one contact point, where the policy names no other number
ANYBODY = 32  # proven neighbours of one kind that an account may have
Counts = Mapping[str, tuple[int, int]]
"""By kind and scope: neighbours by any evidence that may join, and by proof."""


class Stop(NamedTuple):
    """Evidence of this rank and weaker ones joins nobody here."""

    rank: int
    rule: str = ""
    detail: str = ""


OPEN = Stop(CLAIMED)
CONTESTED = Stop(ASSERTED, "shared", "several accounts have had it, one after another")
"""Nobody has said that it changed hands, it only looks so: a family may have it in common. So proof alone joins."""

NOBODYS = Stop(ASSERTED, "blocked", "it looks like a placeholder, or a whole family's")


class View(NamedTuple):
    """A node as its own ties show it: when it changed hands, and what stops in each time between."""

    cuts: tuple[int, ...]
    stops: tuple[Stop, ...]

    def epoch(self, at: int) -> int:
        return bisect_right(self.cuts, at) if self.cuts else 0

    def stop(self, at: int) -> Stop:
        return self.stops[self.epoch(at)]


def sightings(ties: Iterable[Tie], mine: View, epoch: int, policy: Policy) -> Iterator[tuple[int, int]]:
    """Whose accounts were seen with a node in one of its times, and when; a record is no account of theirs."""
    for tie in ties:
        if tie.other >= 0 and tie.joins and not tie.apart and not policy.is_exclusive(kind_of(tie.slot)):
            yield from ((tie.other, at) for at in _times(tie) if mine.epoch(at) == epoch)


def kind_of(slot: str) -> str:
    return slot.partition("@")[0]


def view(identifier: Identifier, hood: Hood, policy: Policy) -> View:
    if hood.hub:
        return View(hood.closed, (_crowded(hood),) * (len(hood.closed) + 1))
    ties = [tie for tie in hood.ties.values() if tie.joins and not tie.apart]
    found = cuts(identifier.kind, ties, hood.closed, policy) if policy.is_contact(identifier.kind) else ()
    if not found:
        return View((), (stop_of(identifier, counted(ties), policy),))
    stops = []
    for epoch in range(len(found) + 1):
        mine = [tie for tie in ties if epoch in _epochs(found, tie)]
        stop = stop_of(identifier, counted(mine), policy)
        stops.append(CONTESTED if found != hood.closed and stop is OPEN else stop)
    return View(found, tuple(stops))


def _crowded(hood: Hood) -> Stop:
    return Stop(VERIFIED, "shared", f"more than {len(hood.ties) - 1} others have it too")


def _epochs(found: tuple[int, ...], tie: Tie) -> set[int]:
    return {bisect_right(found, at) for at in _times(tie)}


def _times(tie: Tie) -> list[int]:
    """When the tie was made, by each tier, and when it was seen last."""
    firsts = [at for at in (tie.human, tie.verified, tie.asserted) if at is not None]
    return [*firsts, tie.last] if tie.last > max(firsts) else firsts


def counted(ties: Iterable[Tie]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for tie in ties:
        near, proven = counts.get(tie.slot, (0, 0))
        counts[tie.slot] = near + 1, proven + _is_proven(tie)
    return counts


def stop_of(identifier: Identifier, counts: Counts, policy: Policy) -> Stop:
    """The strongest evidence that stops at a node with such neighbours."""
    if policy.is_role(identifier):
        return Stop(VERIFIED, "role", "a mailbox that whoever is on duty reads")
    if policy.is_blocked(identifier):
        return Stop(VERIFIED, "blocked", "the policy blocks it")
    found = stop_by_counts(identifier.kind, counts, policy)
    if found.rank > ASSERTED and policy.is_nobodys(identifier.kind, identifier.value):
        return NOBODYS
    return found


def stop_by_counts(kind: str, counts: Counts, policy: Policy) -> Stop:
    found = OPEN
    for slot, (near, proven) in sorted(counts.items()):
        limit, proof_limit = _limits(kind, kind_of(slot), policy)
        if proven > proof_limit:
            return Stop(VERIFIED, "shared", f"{proven} of {slot} have proven it")
        if near > limit and found is OPEN:
            found = Stop(ASSERTED, "shared", f"{near} of {slot} have it")
    return found


def _limits(kind: str, other: str, policy: Policy) -> tuple[int, int]:
    """So many of the other kind may be said to have, or have proven, one of this kind."""
    if not policy.is_contact(kind):
        return policy.values, max(policy.values, ANYBODY)
    if policy.is_contact(other):
        alone = other != kind and other in policy.told_apart_by.get(kind, ())
        return (1, policy.proven.get(kind, PROVEN)) if alone else (policy.values, max(policy.values, ANYBODY))
    limit = 1 if policy.is_exclusive(other) else policy.limit(other)
    return limit, max(limit, policy.proven.get(kind, PROVEN))


def cuts(kind: str, ties: Iterable[Tie], closed: tuple[int, ...], policy: Policy) -> tuple[int, ...]:
    """When the identifier changed hands: it was given up, or proven by somebody else than had it before."""
    listed = sorted(ties, key=_first)
    found = set(closed)
    for tie in listed:
        other = kind_of(tie.slot)
        is_account = not policy.is_contact(other) and not policy.is_exclusive(other) and policy.limit(other) == 1
        if is_account and tie.verified is not None and _succeeds(tie, tie.verified, listed, policy.rest(kind)):
            found.add(tie.verified)
    return tuple(sorted(found))


def _succeeds(tie: Tie, at: int, listed: Iterable[Tie], gap: int | None) -> bool:
    """Somebody who cannot be the same had it before, and all who had it then have let go of it since."""
    before = [one for one in listed if one.other != tie.other and _first(one) < at]
    return any(one.slot == tie.slot for one in before) and all(_has_gone(one, at, gap) for one in before)


def _is_proven(tie: Tie) -> bool:
    return tie.verified is not None or tie.human is not None


def _has_gone(one: Tie, at: int, gap: int | None) -> bool:
    last = max(*_times(one), 0)
    if one.human is not None:
        return False
    if one.verified is not None:
        return gap is not None and last + gap <= at
    return last < at


def _first(tie: Tie) -> int:
    return min(_times(tie))


class Edge(NamedTuple):
    """One reason to join two ends, each an identifier's first node and which of its times. Sorts in canonical order."""

    rank: int
    late: bool
    """At a telephone: weighed when all else of its rank is."""
    at: int
    names: tuple[str, str]
    a: tuple[int, int]
    b: tuple[int, int]


def edges(a: int, tie: Tie, mine: View, others: View, names: tuple[str, str], late: bool) -> list[Edge]:
    """What a tie offers to join: by each tier at its first time, and again in the time in which it was seen last."""
    firsts = ((HUMAN, tie.human), (VERIFIED, tie.verified), (ASSERTED, tie.asserted))
    offered = [(rank, at) for rank, at in firsts if at is not None]
    if (mine.cuts or others.cuts) and tie.last > max(at for _, at in offered):
        offered.append((offered[-1][0], tie.last))
    ends = (names, (a, tie.other)) if names[0] <= names[1] else (names[::-1], (tie.other, a))
    views = (mine, others) if names[0] <= names[1] else (others, mine)
    return [Edge(rank, late and rank > HUMAN, at, ends[0], *_bound(ends[1], views, at)) for rank, at in offered]


def _bound(ends: tuple[int, int], views: tuple[View, View], at: int) -> tuple[tuple[int, int], tuple[int, int]]:
    (a, b), (mine, others) = ends, views
    return (a, mine.epoch(at)), (b, others.epoch(at))
