"""Groups that grow by one reason after another, each weighed against what both sides are by then.

This is the one place where the guards are: the store's resolver, the rebuild and the batch all fold their reasons in
through it. Vertices are 0, 1, 2 …; a group is a ring of `after`, so joining two is an exchange, and a bit mask says at
once whether two groups can be at odds.
"""

from array import array
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from socialsupport_core.identity.policy import ASSERTED, HUMAN, Policy

APART = 1  # the mask's lowest bit: somebody in the group must not be with somebody else
CROWD = 3  # who have no more than a telephone in common: if one of them has another besides, it is nobody's own
REST = 45 * 24 * 3600 * 1_000_000  # microseconds
"""A number is given out again after 45 days at the earliest
(https://www.fcc.gov/consumers/guides/reassigned-numbers-database, 2026-11)."""
YEAR = 365 * 24 * 3600 * 1_000_000
A_YEAR = "a year lay between one who had it and the next, so it may have changed hands"
LONG_BEFORE = "one had it long before the other, and one of them has another, so it may have changed hands"


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
        self.contacts: list[bool] = []
        """By number: whether several accounts of one customer may have one of it in common."""
        self.exclusive = 0
        self.several = 0
        """The bits of kinds of which a customer may have several."""
        self.told_apart: list[tuple[int, ...]] = []
        """By number: the numbers of the kinds whose own values tell its holders apart."""
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
        self.contacts.append(policy.is_contact(kind))
        bit = 0 if self.contacts[number] else 1 << (number + 1)
        self.masks.append(bit)
        self.exclusive |= bit if policy.is_exclusive(kind) else 0
        self.several |= bit if bit and policy.limit(kind) > 1 and not policy.is_exclusive(kind) else 0
        self.told_apart.append(tuple(self._kind(one) for one in policy.told_apart_by.get(kind, ())))
        telling = {one for kinds in policy.told_apart_by.values() for one in kinds}
        self.anchors.append(self._kind(kind) if kind in telling else 0)
        return number

    def _kind(self, kind: str) -> int:
        if kind not in self.kinds:
            self.kinds.append(kind)
        return self.kinds.index(kind) + 1


Own = Callable[[int, int, int], Iterable[Hashable]]
"""The values of an anchoring kind that one vertex has for its own, whatever the rank; but not a third one, which is
what is weighed."""
Seen = Callable[[int], Iterable[tuple[int, int]]]
"""Who has been seen with one vertex, and when."""


class Groups:
    """`slot` gives each vertex its kind; `apart` the vertices with which one must not be."""

    def __init__(
        self,
        slot: Sequence[int],
        slots: Slots,
        policy: Policy,
        own: Own,
        apart: Mapping[int, Iterable[int]],
        seen: Seen,
    ) -> None:
        count = len(slot)
        self.parent = array("l", range(count))
        self.after = array("l", range(count))
        self._size = array("i", bytes(4 * count))
        self._mask: list[int] = [slots.masks[one] for one in slot]
        self._slot, self._slots, self._policy, self._own = slot, slots, policy, own
        self._seen = seen
        self._apart, self._cap = apart, policy.cap
        self._disputed: dict[int, Rule] = {}
        for vertex in apart:
            self._mask[vertex] |= APART

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
            self._disputed.pop(one, None)
            self._mask[one] = self._slots.masks[self._slot[one]] | (APART if one in self._apart else 0)

    def is_weak(self, vertex: int) -> bool:
        """Whether others may have it in common who are told apart."""
        return bool(self._slots.told_apart[self._slot[vertex]])

    def is_disputed(self, vertex: int) -> bool:
        return vertex in self._disputed

    def weigh(self, around: Iterable[tuple[int, Iterable[int]]]) -> None:
        """Finds what people have in common who are told apart, or are too many: from now on it joins nobody. Each comes
        with those who have it."""
        for vertex, ends in around:
            rule = self._dispute(vertex, {self.root(one) for one in ends})
            if rule is not None:
                self._disputed[vertex] = rule
            else:
                self._disputed.pop(vertex, None)

    def join(self, rank: int, a: int, b: int) -> Rule | None:
        """Joins the groups of both; else the rule that refuses it."""
        left, right = self.root(a), self.root(b)
        if left == right:
            return None
        mask, size = self._mask, self._size
        both = mask[left] & mask[right]
        told_apart, slot = self._slots.told_apart, self._slot
        is_weak = told_apart[slot[a]] or told_apart[slot[b]]
        is_doubtful = both or is_weak or size[left] + size[right] + 2 > self._cap
        if is_doubtful and (rule := self._objection(rank, (a, b), left, right, both)):
            return rule
        if size[left] < size[right]:
            left, right = right, left
        self.parent[right] = left
        size[left] += size[right] + 1
        mask[left] |= mask[right]
        after = self.after
        after[left], after[right] = after[right], after[left]
        return None

    def _objection(self, rank: int, ends: tuple[int, int], left: int, right: int, both: int) -> Rule | None:
        if both & APART and self._are_apart(left, right):
            return Rule("apart")
        if clash := both & self._slots.exclusive:
            return Rule("exclusive", self._named(clash))
        return None if rank == HUMAN else self._guarded(rank, ends, left, right, both)

    def _guarded(self, rank: int, ends: tuple[int, int], left: int, right: int, both: int) -> Rule | None:
        """What only a person may do."""
        for one in filter(self.is_weak, ends):
            is_alone = not self._size[self.root(one)]  # then it has nobody's own values with it
            if rule := self._disputed.get(one) or (None if is_alone else self._told_apart(one, (left, right))):
                return rule
        if rank >= ASSERTED and (over := self._over_limit(left, right, both & ~APART)):
            return Rule("limit", over)
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

    def _dispute(self, vertex: int, others: set[int]) -> Rule | None:
        if len(others) < 2:
            return None
        if rule := self._told_apart(vertex, others | {self.root(vertex)}):
            return rule
        kind = self._slots.anchors[self._slot[vertex]]
        if kind not in self._slots.told_apart[self._slot[vertex]]:
            return None
        if not any(self._values(one, kind, vertex) for one in others):
            return Rule("shared", A_YEAR) if self._rest(vertex, others) >= YEAR else None
        if len(others) >= CROWD:
            return Rule("shared", f"{len(others)} have no more than it in common, and one of them has another")
        return Rule("shared", LONG_BEFORE) if self._rest(vertex, others) >= REST else None

    def _rest(self, vertex: int, roots: Collection[int]) -> int:
        """The longest time between the last sight of it with those who had it first and the first with the others."""
        times: dict[int, list[int]] = {}
        for one, at in self._seen(vertex):
            if (root := self.root(one)) in roots:
                times.setdefault(root, []).append(at)
        if len(times) < len(roots):
            return 0  # a record's time is when it was written, and not when the number was somebody's
        longest, (_, until), *following = 0, *self._spans(times)
        for since, last in following:
            longest, until = max(longest, since - until), max(until, last)
        return longest

    def _spans(self, times: Mapping[int, Sequence[int]]) -> list[tuple[int, int]]:
        """From when until when each had it. Visitors of whom nothing else is known count as one who comes again: each
        is seen once, so a silence between two visits tells nothing."""
        visits = [at for root, seen in times.items() if self._is_visitor(root) for at in seen]
        return sorted((min(seen), max(seen)) for seen in [*times.values(), *([visits] if visits else [])])

    def _is_visitor(self, root: int) -> bool:
        """An account alone, of a kind of which a customer soon has another."""
        return not self._size[root] and bool(self._slots.masks[self._slot[root]] & self._slots.several)

    def _told_apart(self, vertex: int, roots: Collection[int]) -> Rule | None:
        """The anchoring kind of which two of these have values of their own besides `vertex`, and none in common."""
        for kind in self._slots.told_apart[self._slot[vertex]]:
            found = []
            for root in sorted(roots, key=self._size.__getitem__):
                values = self._values(root, kind, vertex)
                if not values and len(roots) == 2:
                    break
                found += [values] if values else []
            if any(mine.isdisjoint(others) for mine, others in combinations(found, 2)):
                return Rule("told_apart", self._slots.kinds[kind - 1])
        return None

    def _values(self, root: int, kind: int, without: int) -> set[Hashable]:
        found: set[Hashable] = set()
        for one in self.members(root):
            found.update(self._own(one, kind, without))
        return found
