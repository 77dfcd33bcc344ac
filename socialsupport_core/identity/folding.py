"""How a batch is folded: views where neighbours could be at odds, reasons in canonical order, groups."""

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from socialsupport_core.identity.groups import Groups
from socialsupport_core.identity.namesakes import value_of
from socialsupport_core.identity.policy import ASSERTED, TIERS, VERIFIED
from socialsupport_core.identity.sharing import OPEN, View, edges, sightings, view
from socialsupport_core.store.evidence import HUB, Hood, Tie, month

if TYPE_CHECKING:
    from socialsupport_core.identity.settling import Part

SLICES = 512  # of time, each sorted for itself: a sort of everything at once would need four times the memory
_WHOLE = View((), (OPEN,))


class Fold:
    """The customers of a batch."""

    def __init__(self, batch: "Part") -> None:
        self._batch, self._policy = batch, batch.policy
        self._start, self._near = _neighbours(batch)
        self._views: dict[int, View] = {}
        self._ties: dict[int, dict[int, Tie]] = {}
        self._find_views()
        self._vertex: dict[tuple[int, int], int] = {}
        """Of later times: the first node and which time, to the vertex."""
        self._places: list[tuple[int, int]] = []
        """Of later times: the first node and since when, by vertex."""
        self._find_epochs()
        self._extra = [one for number in self._cut() for one in self._bound_anew(number)]
        self._slot = array("H", batch.slot)
        self._slot.extend(batch.slot[number] for number, _ in self._places)
        self._told_apart = batch.slots.told_apart
        self._groups = self._grouped()
        self._refused: list[tuple[int, int]] = []
        self._join(self._policy.weakest, None)
        self._part_large()
        self._heads = self._find_heads()

    def head(self, number: int) -> int | None:
        """The vertex whose id the customer bears; None for what is shared."""
        found = self._view(number)
        vertex = self._vertex.get((number, len(found.cuts)), number)
        root = self._groups.root(vertex)
        is_stopped = bool(found.stops[-1].rule) or self._groups.is_disputed(vertex)
        if self._groups.size(root) == 1 and self._is_contact(number) and is_stopped:
            return None
        return self._heads[root]

    def place(self, vertex: int) -> tuple[int, int]:
        """The number in the batch, and since when."""
        count = len(self._batch)
        return (vertex, 0) if vertex < count else self._places[vertex - count]

    # what neighbours say

    def _view(self, number: int) -> View:
        return self._views.get(number, _WHOLE)

    def _is_contact(self, number: int) -> bool:
        return self._batch.slots.contacts[self._batch.slot[number]]

    def _reasons(self, number: int) -> Iterator[tuple[int, int, int]]:
        """Of each at a node: the other end, the rank, the time."""
        batch, near = self._batch, self._near
        for at in range(self._start[number], self._start[number + 1]):
            one = near[at]
            other = batch.b[one] if batch.a[one] == number else batch.a[one]
            yield other, batch.rank[one], batch.at[one]

    def _find_views(self) -> None:
        batch, start = self._batch, self._start
        contacts = batch.slots.contacts
        parted = {end for pair, (_, apart) in batch.verdicts.items() if apart for end in pair}
        for number in range(len(batch)):
            degree = start[number + 1] - start[number]
            least = 1 if contacts[batch.slot[number]] else self._policy.values
            if degree > least and (degree > HUB or self._has_rivals(number)):
                self._look(number)
        for number in batch.named | parted:
            self._look(number)

    def _has_rivals(self, number: int) -> bool:
        """Whether two neighbours are of one kind: else none can be too many."""
        slot, seen = self._batch.slot, dict[int, int]()
        return any(seen.setdefault(slot[other], other) != other for other, _, _ in self._reasons(number))

    def _look(self, number: int) -> None:
        ties = self._tied(number)
        found = view(self._batch.identifier(number), Hood(ties, len(ties) > HUB), self._policy)
        if found != _WHOLE or any(tie.apart for tie in ties.values()):
            self._views[number] = found

    def _tied(self, number: int) -> dict[int, Tie]:
        slots, slot = self._batch.slots.names, self._batch.slot
        ties: dict[int, Tie] = {}
        for other, rank, at in self._reasons(number):
            tie = ties.get(other) or Tie(other, slots[slot[other]], apart=self._apart(number, other))
            first: int | None = getattr(tie, TIERS[rank])
            told: dict[str, Any] = {TIERS[rank]: at if first is None else min(at, first)}
            ties[other] = tie._replace(last=max(tie.last, month(at)), **told)
        return ties

    def _apart(self, one: int, other: int) -> bool:
        said = self._batch.verdicts.get((min(one, other), max(one, other)))
        return said is not None and said[1]

    # identifiers that changed hands

    def _cut(self) -> list[int]:
        return [number for number, found in self._views.items() if found.cuts]

    def _find_epochs(self) -> None:
        for number in self._cut():
            for epoch, since in enumerate(self._views[number].cuts, 1):
                self._vertex[number, epoch] = len(self._batch) + len(self._places)
                self._places.append((number, since))

    def _bound_anew(self, number: int) -> Iterator[tuple[int, int, int, int]]:
        """The reasons at a node of several times, each in its time: rank, time, and both vertices."""
        name = self._batch.name(number)
        for tie in self._tied(number).values():
            if tie.apart or (self._view(tie.other).cuts and tie.other < number):
                continue
            names = (name, self._batch.name(tie.other))
            for edge in edges(number, tie, self._view(number), self._view(tie.other), names, False):
                if edge.rank <= self._policy.weakest and not self._stops(edge.rank, edge.a, edge.b):
                    yield edge.rank, edge.at, self._vertex_of(edge.a), self._vertex_of(edge.b)

    def _vertex_of(self, key: tuple[int, int]) -> int:
        return self._vertex.get(key, key[0])

    def _stops(self, rank: int, *keys: tuple[int, int]) -> bool:
        return any(rank >= self._view(number).stops[epoch].rank for number, epoch in keys)

    # folding

    def _grouped(self) -> Groups:
        batch = self._batch
        apart: dict[int, list[int]] = {}
        for (a, b), (_, parted) in batch.verdicts.items():
            for one, other in ((a, b), (b, a)) if parted else ():
                for vertex in self._vertices(one):
                    apart.setdefault(vertex, []).extend(self._vertices(other))
        return Groups(self._slot, batch.slots, self._policy, self._own, apart, self._seen)

    def _vertices(self, number: int) -> list[int]:
        return [self._vertex.get((number, epoch), number) for epoch in range(len(self._view(number).stops))]

    def _own(self, vertex: int, kind: int, without: int) -> Iterator[Hashable]:
        batch, (number, since), bare = self._batch, self.place(vertex), self.place(without)[0]
        anchors, slot = batch.slots.anchors, batch.slot
        mine = self._view(number)
        if anchors[slot[number]] == kind and number != bare and mine.stop(since).rank > VERIFIED:
            yield value_of(batch.identifier(number), (number, mine.epoch(since)))
        if batch.slots.told_apart[slot[number]]:
            return  # what others have whose telephone this is, is not the telephone's
        for other, strength, at in self._reasons(number):
            if anchors[slot[other]] == kind and other != bare and strength <= self._policy.weakest:
                keys = ((number, mine.epoch(at)), (other, self._view(other).epoch(at)))
                here = self._vertex_of(keys[0]) == vertex
                if here and not self._stops(strength, *keys) and not self._apart(number, other):
                    yield value_of(batch.identifier(other), keys[1])

    def _seen(self, vertex: int) -> Iterator[tuple[int, int]]:
        number, since = self.place(vertex)
        mine = self._view(number)
        for other, at in sightings(self._tied(number).values(), mine, mine.epoch(since), self._policy):
            yield self._vertex_of((other, self._view(other).epoch(at))), at

    def _join(self, weakest: int, only: set[int] | None) -> None:
        """Folds the reasons in, in canonical order; of some vertices only, if they are given."""
        told_apart, slot = self._told_apart, self._slot
        for strength in range(weakest + 1):
            late = (array("i"), array("i"))
            for left, right in self._open(strength):
                if only is not None and left not in only:
                    continue
                if strength and (told_apart[slot[left]] or told_apart[slot[right]]):
                    late[0].append(left)
                    late[1].append(right)
                else:
                    self._fold_in(strength, left, right)
            if late[0]:
                self._groups.weigh(self._around(strength, only))
            for left, right in zip(*late, strict=True):
                self._fold_in(strength, left, right)

    def _fold_in(self, strength: int, left: int, right: int) -> None:
        if self._groups.join(strength, left, right) is not None:
            self._refused.append((left, right))

    def _open(self, strength: int) -> Iterator[tuple[int, int]]:
        """The ends of all reasons of a rank that join unless a guard forbids it, in canonical order."""
        batch, views, hold = self._batch, self._views, self._holds
        a, b = batch.a, batch.b
        late = [one for one in sorted(self._extra) if one[0] == strength]
        for one in self._ordered(strength, late):
            if one < 0:
                yield late[~one][2:]
            else:
                left, right = a[one], b[one]
                if (left not in views and right not in views) or hold(one):
                    yield left, right

    def _around(self, strength: int, only: set[int] | None) -> Iterator[tuple[int, Iterable[int]]]:
        """Each that may be in common, with all who have it by reasons of this rank or stronger."""
        anew: dict[int, set[int]] = {}
        for rank, _, left, right in self._extra:
            for one, other in ((left, right), (right, left)) if rank <= strength else ():
                anew.setdefault(one, set()).add(other)
        for vertex in range(len(self._slot)) if only is None else sorted(only):
            if self._told_apart[self._slot[vertex]]:
                ends = anew.get(vertex, set()) | self._held(vertex, strength)
                if len(ends) > 1:
                    yield vertex, ends

    def _held(self, vertex: int, strength: int) -> set[int]:
        batch, near, views = self._batch, self._near, self._views
        if vertex >= len(batch) or self._start[vertex + 1] - self._start[vertex] < 1:
            return set()
        found = set()
        for at in range(self._start[vertex], self._start[vertex + 1]):
            one = near[at]
            left, right = batch.a[one], batch.b[one]
            if batch.rank[one] <= strength and ((left not in views and right not in views) or self._holds(one)):
                found.add(right if left == vertex else left)
        return found

    def _holds(self, one: int) -> bool:
        """Whether a reason joins as it stands: neither stopped, nor bound anew, nor overruled."""
        batch = self._batch
        left, right = batch.a[one], batch.b[one]
        mine, others = self._view(left), self._view(right)
        if mine.cuts or others.cuts:
            return False
        return not self._stops(batch.rank[one], (left, 0), (right, 0)) and not self._apart(left, right)

    def _ordered(self, strength: int, late: list[tuple[int, int, int, int]]) -> Iterator[int]:
        """Reasons of one rank by time, then by names; those that were bound anew as ~index into `late`."""
        time: Callable[[int], int] = self._batch.at.__getitem__
        if late:
            time = self._time_with(late)
        for found in self._slices(strength, late):
            found.sort(key=time)
            last, run = None, list[int]()
            for one in found:
                if (now := time(one)) != last:
                    yield from run if len(run) < 2 else sorted(run, key=lambda one: self._names(one, late))
                    last, run = now, []
                run.append(one)
            yield from run if len(run) < 2 else sorted(run, key=lambda one: self._names(one, late))

    def _time_with(self, late: list[tuple[int, int, int, int]]) -> Callable[[int], int]:
        at = self._batch.at
        return lambda one: at[one] if one >= 0 else late[~one][1]

    def _slices(self, strength: int, late: list[tuple[int, int, int, int]]) -> Iterator[list[int]]:
        """All reasons of one rank, in slices of time."""
        batch = self._batch
        if not batch.at:
            return
        low, high = min(batch.at), max(batch.at)
        span = (high - low) // SLICES + 1
        slices = [array("i") for _ in range(SLICES)]
        rank, at = batch.rank, batch.at
        for one in range(len(rank)):
            if rank[one] == strength:
                slices[(at[one] - low) // span].append(one)
        for number, (_, when, _, _) in enumerate(late):
            slices[min(max((when - low) // span, 0), SLICES - 1)].append(~number)
        for found in slices:
            yield found.tolist()

    def _names(self, one: int, late: list[tuple[int, int, int, int]]) -> tuple[str, str]:
        batch = self._batch
        ends = (batch.a[one], batch.b[one]) if one >= 0 else late[~one][2:]
        first, second = sorted(batch.name(self.place(end)[0]) for end in ends)
        return first, second

    # what hangs together by too much

    def _part_large(self) -> None:
        """Where more hangs together than may, all is folded anew by proof alone."""
        groups = self._groups
        large = _large(groups, self._refused, self._policy.component)
        if not large or self._policy.weakest < ASSERTED:
            return
        vertices = {one for root in large for one in groups.members(root)}
        groups.scatter(vertices)
        self._refused.clear()
        self._join(VERIFIED, vertices)

    def _find_heads(self) -> list[int]:
        groups, batch = self._groups, self._batch
        count = len(batch)
        heads = list(range(count + len(self._places)))
        contacts = batch.slots.contacts

        def seniority(vertex: int) -> tuple[int, bool, str]:
            number, since = self.place(vertex)
            return since or batch.first[number], contacts[batch.slot[number]], batch.name(number)

        for vertex in range(len(heads)):
            root = groups.root(vertex)
            if root == vertex and groups.size(root) > 1:
                heads[root] = min(groups.members(root), key=seniority)
        return heads


def _neighbours(batch: "Part") -> tuple["array[int]", "array[int]"]:
    """Where each node's reasons begin, and the reasons, node by node."""
    degree = array("i", bytes(4 * (len(batch) + 1)))
    for ends in (batch.a, batch.b):
        for end in ends:
            degree[end + 1] += 1
    start = array("i", accumulate(degree))
    near, place = array("i", bytes(8 * len(batch.a))), start[:]
    for ends in (batch.a, batch.b):
        for one, end in enumerate(ends):
            near[place[end]] = one
            place[end] += 1
    return start, near


def _large(groups: Groups, refused: Iterable[tuple[int, int]], most: int) -> set[int]:
    """Roots of groups that hang together, by what was refused too, with more members than that."""
    parent: dict[int, int] = {}

    def root(one: int) -> int:
        while parent.setdefault(one, one) != one:
            one = parent[one]
        return one

    for a, b in refused:
        parent[root(groups.root(a))] = root(groups.root(b))
    together: dict[int, list[int]] = {}
    for one in list(parent):
        together.setdefault(root(one), []).append(one)
    found = {one for roots in together.values() if sum(map(groups.size, roots)) > most for one in roots}
    return found | {one for one in groups.grown(most) if one not in parent}
