"""Groups that grow by one reason after another, each weighed against what both sides are by then.

This is the one place where the guards are: the store's resolver, the rebuild and the batch all fold their reasons in
through it. Vertices are 0, 1, 2 …; a group is a ring of `after`, so joining two is an exchange, and a bit mask says at
once whether two groups can be at odds.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from socialsupport_core.identity.policy import ASSERTED, HUMAN, Policy

ANCHORED = 1  # the mask's lowest bit: somebody in the group may have a value that tells others apart
APART = 2  # the next: somebody in it must not be with somebody else


class Rule(NamedTuple):
    """Which rule refused, and about which kind."""

    name: str
    detail: str = ""


class Slots:
    """Kinds with their issuers, numbered as they come, each with the bit under which its accounts are counted."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._number: dict[str, int] = {}
        self.names: list[str] = []
        self.masks: list[int] = []
        self.exclusive = 0
        self.several = 0
        """The bits of kinds of which a customer may have several."""
        self.told_apart: list[int] = []
        """By number: 0, or 1 plus the number of the kind whose own values tell its holders apart."""
        self.kinds: list[str] = []
        """Those that tell others apart."""
        self.anchors: list[int] = []
        """By number: 0, or 1 plus the number of the kind, if it tells others apart."""

    def number(self, slot: str) -> int:
        found = self._number.get(slot)
        return self._new(slot) if found is None else found

    def _new(self, slot: str) -> int:
        kind, policy = slot.partition("@")[0], self._policy
        number = self._number[slot] = len(self.names)
        self.names.append(slot)
        bit = 0 if policy.is_contact(kind) else 1 << (number + 2)
        self.masks.append(bit)
        self.exclusive |= bit if policy.is_exclusive(kind) else 0
        self.several |= bit if bit and policy.limit(kind) > 1 and not policy.is_exclusive(kind) else 0
        anchor = policy.told_apart_by.get(kind)
        self.told_apart.append(self._kind(anchor) if anchor else 0)
        self.anchors.append(self._kind(kind) if kind in policy.told_apart_by.values() else 0)
        return number

    def _kind(self, kind: str) -> int:
        if kind not in self.kinds:
            self.kinds.append(kind)
        return self.kinds.index(kind) + 1


Own = Callable[[int, int, int], Iterable[int]]
"""The vertices of an anchoring kind that one vertex has for its own, by evidence of this rank or stronger."""


class Groups:
    """`slot` gives each vertex its kind; `apart` the vertices with which one must not be; `anchored` are those for
    which `own` may find anything."""

    def __init__(
        self,
        slot: Sequence[int],
        slots: Slots,
        policy: Policy,
        own: Own,
        anchored: Collection[int],
        apart: Mapping[int, Iterable[int]],
    ) -> None:
        count = len(slot)
        self.parent = array("l", range(count))
        self.after = array("l", range(count))
        self._size = array("i", bytes(4 * count))
        self._mask: list[int] = [slots.masks[one] for one in slot]
        self._slot, self._slots, self._policy, self._own = slot, slots, policy, own
        self._apart, self._cap = apart, policy.cap
        self._anchored = anchored
        for vertex in apart:
            self._mask[vertex] |= APART
        for vertex in anchored:
            self._mask[vertex] |= ANCHORED

    def root(self, vertex: int) -> int:
        parent = self.parent
        while (up := parent[vertex]) != vertex:
            parent[vertex] = vertex = parent[up]
        return vertex

    def members(self, vertex: int) -> list[int]:
        found, at = [vertex], self.after[vertex]
        while at != vertex:
            found.append(at)
            at = self.after[at]
        return found

    def size(self, root: int) -> int:
        return self._size[root] + 1

    def grown(self, most: int) -> list[int]:
        """Roots of groups that have more members than that."""
        size = self._size
        return [one for one in range(len(size)) if size[one] >= most and self.parent[one] == one]

    def scatter(self, vertices: Iterable[int]) -> None:
        """Each of them by itself again; they are whole groups."""
        for one in vertices:
            self.parent[one] = self.after[one] = one
            self._size[one] = 0
            flags = (APART if one in self._apart else 0) | (ANCHORED if one in self._anchored else 0)
            self._mask[one] = self._slots.masks[self._slot[one]] | flags

    def join(self, rank: int, a: int, b: int) -> Rule | None:
        """Joins the groups of both; else the rule that refuses it."""
        left, right = self.root(a), self.root(b)
        if left == right:
            return None
        mask, size = self._mask, self._size
        both = mask[left] & mask[right]
        at_odds = (both and (both > ANCHORED or self._may_tell_apart(a, b))) or size[left] + size[right] + 2 > self._cap
        if at_odds and (rule := self._objection(rank, (a, b), left, right, both)):
            return rule
        if size[left] < size[right]:
            left, right = right, left
        self.parent[right] = left
        size[left] += size[right] + 1
        mask[left] |= mask[right]
        after = self.after
        after[left], after[right] = after[right], after[left]
        return None

    def _may_tell_apart(self, a: int, b: int) -> bool:
        told_apart = self._slots.told_apart
        return bool(told_apart[self._slot[a]] or told_apart[self._slot[b]])

    def _objection(self, rank: int, ends: tuple[int, int], left: int, right: int, both: int) -> Rule | None:
        if (self._mask[left] | self._mask[right]) & APART and self._are_apart(left, right):
            return Rule("apart")
        if clash := both & self._slots.exclusive:
            return Rule("exclusive", self._named(clash))
        return None if rank == HUMAN else self._guarded(rank, ends, left, right, both)

    def _guarded(self, rank: int, ends: tuple[int, int], left: int, right: int, both: int) -> Rule | None:
        """What only a person may do."""
        if rank >= ASSERTED and (over := self._over_limit(left, right, both & ~(APART | ANCHORED))):
            return Rule("limit", over)
        if both & ANCHORED and (told := self._told_apart(rank, ends, left, right)):
            return Rule("told_apart", told)
        if self._size[left] + self._size[right] + 2 > self._policy.cap:
            return Rule("cap", str(self._policy.cap))
        return None

    def _are_apart(self, left: int, right: int) -> bool:
        apart = self._apart
        flagged = [one for one in self.members(left) if one in apart]
        return any(self.root(other) == right for one in flagged for other in apart[one])

    def _named(self, mask: int) -> str:
        return min(name for name, bit in zip(self._slots.names, self._slots.masks, strict=True) if bit & mask)

    def _over_limit(self, left: int, right: int, both: int) -> str | None:
        """The kind of which both together would have too many."""
        if single := both & ~self._slots.several:
            return self._named(single)
        if not both:
            return None
        together = [self._slot[one] for root in (left, right) for one in self.members(root)]
        for number in sorted(set(together), key=self._slots.names.__getitem__):
            name = self._slots.names[number]
            limit = self._policy.limit(name.partition("@")[0])
            if self._slots.masks[number] & both and together.count(number) > limit:
                return name
        return None

    def _told_apart(self, rank: int, ends: tuple[int, int], left: int, right: int) -> str | None:
        """The anchoring kind of which both sides have values of their own, and none in common."""
        for kind in {self._slots.told_apart[self._slot[end]] for end in ends} - {0}:
            mine, others = self._values(rank, left, kind), self._values(rank, right, kind)
            if mine and others and mine.isdisjoint(others):
                return self._slots.kinds[kind - 1]
        return None

    def _values(self, rank: int, root: int, kind: int) -> set[int]:
        found: set[int] = set()
        for one in self.members(root):
            found.update(self._own(one, kind, rank))
        return found
