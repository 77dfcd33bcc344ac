"""Whose account is whose, of a whole batch: most of it at a glance, the rest by the rules.

Nearly everybody has one account a network, one mailbox and one telephone. Where nothing occurs twice in all that hangs
together, no rule can turn: each weighs two of one kind against each other, somebody's word, or a telephone's long rest.
All of it is then one customer, and need not be folded. The rest goes through `Fold`.
"""

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

from socialsupport_core.identity.folding import Fold
from socialsupport_core.identity.groups import YEAR, Slots
from socialsupport_core.identity.policy import ASSERTED
from socialsupport_core.store.evidence import HUB

if TYPE_CHECKING:
    from socialsupport_core.identity.batch import Batch
    from socialsupport_core.model import Identifier

LOUD = 1 << 63
"""The mask's highest bit: a rule may turn. Below it a bit for each kind that is there."""
BITS = 63
SHARED = -1


class Settled:
    """The customers of a batch."""

    def __init__(self, batch: "Batch") -> None:
        self._later: list[tuple[int, int]] = []
        """Heads that are later times of an identifier: the number in the batch, and since when."""
        self._heads, loud = _glanced(batch)
        if loud:
            self._fold(Part(batch, loud))

    def head(self, number: int) -> int | None:
        """The vertex whose id the customer bears; None for what is shared."""
        found = self._heads[number]
        return None if found == SHARED else found

    def place(self, vertex: int) -> tuple[int, int]:
        """The number in the batch, and since when."""
        count = len(self._heads)
        return (vertex, 0) if vertex < count else self._later[vertex - count]

    @property
    def vertices(self) -> int:
        return len(self._heads) + len(self._later)

    def _fold(self, part: "Part") -> None:
        fold, numbers, later = Fold(part), part.numbers, dict[int, int]()
        for local, number in enumerate(numbers):
            head = fold.head(local)
            if head is None:
                self._heads[number] = SHARED
            elif head < len(numbers):
                self._heads[number] = numbers[head]
            else:
                if head not in later:
                    later[head] = len(self._heads) + len(self._later)
                    base, since = fold.place(head)
                    self._later.append((numbers[base], since))
                self._heads[number] = later[head]


class Part:
    """Some of a batch, with all the reasons there are among them; numbered anew."""

    def __init__(self, batch: "Batch", numbers: Iterable[int]) -> None:
        self._batch, self.policy, self.slots = batch, batch.policy, batch.slots
        self.numbers = array("i", numbers)
        local = array("i", [-1]) * len(batch.values)
        for at, number in enumerate(self.numbers):
            local[number] = at
        self.slot = array("H", map(batch.slot.__getitem__, self.numbers))
        self.first = array("q", map(batch.first.__getitem__, self.numbers))
        self.a, self.b = array("i"), array("i")
        self.at, self.rank = array("q"), array("b")
        for a, b, at, rank in zip(batch.a, batch.b, batch.at, batch.rank, strict=True):
            if local[a] >= 0:
                self.a.append(local[a])
                self.b.append(local[b])
                self.at.append(at)
                self.rank.append(rank)
        self.verdicts = {_pair(local[a], local[b]): said for (a, b), said in batch.verdicts.items() if local[a] >= 0}
        self.named = frozenset(local[number] for number in batch.named if local[number] >= 0)

    def __len__(self) -> int:
        return len(self.numbers)

    def name(self, number: int) -> str:
        return self._batch.name(self.numbers[number])

    def identifier(self, number: int) -> "Identifier":
        return self._batch.identifier(self.numbers[number])


def _pair(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)


def _glanced(batch: "Batch") -> tuple["array[int]", "array[int]"]:
    """The senior of all that hang together, by number, and those among whom a rule may turn."""
    bits, policy = _bits(batch.slots), batch.policy
    masks = array("Q", map(bits.__getitem__, batch.slot))
    for number in _watched(batch):
        masks[number] |= LOUD
    parent = array("i", range(len(batch.values)))
    _unite(batch, parent, masks)
    most, loud = min(policy.cap, policy.component, HUB), array("i")
    for number in range(len(parent)):
        root = number
        while (up := parent[root]) != root:
            root = up
        parent[number] = root
        mask = masks[root]
        if mask & LOUD or mask.bit_count() > most:
            loud.append(number)
    return parent, loud


def _bits(slots: Slots) -> list[int]:
    """One a kind, by the number of its slot; of what tells others apart, the issuer makes no difference. If there are
    more kinds than bits, two of them that have one in common merely look like one kind twice."""
    labels = [anchor or name for name, anchor in zip(slots.names, slots.anchors, strict=True)]
    order = {label: at for at, label in enumerate(dict.fromkeys(labels))}
    return [1 << order[label] % BITS for label in labels]


def _watched(batch: "Batch") -> Iterable[int]:
    """What a rule knows by more than its kind: by its name, a person's word, or evidence too weak to join."""
    yield from batch.named
    yield from (end for pair, (_, apart) in batch.verdicts.items() if apart for end in pair)
    yield from _long_known(batch)
    weakest = batch.policy.weakest
    if weakest < ASSERTED:
        yield from (a for a, rank in zip(batch.a, batch.rank, strict=True) if rank > weakest)


def _long_known(batch: "Batch") -> Iterable[int]:
    """Telephones that were spoken of for a year or longer: somebody may have let go of them in between."""
    earliest, latest = min(batch.at, default=0), max(batch.at, default=0)
    if latest - earliest < YEAR:
        return
    is_weak = [bool(kinds) for kinds in batch.slots.told_apart]
    since, until = array("q", [latest]) * len(batch.values), array("q", [earliest]) * len(batch.values)
    slot = batch.slot
    for ends in (batch.a, batch.b):
        for one, at in zip(ends, batch.at, strict=True):
            if is_weak[slot[one]]:
                since[one], until[one] = min(since[one], at), max(until[one], at)
    yield from (one for one, last in enumerate(until) if last - since[one] >= YEAR)


def _unite(batch: "Batch", parent: "array[int]", masks: "array[int]") -> None:
    """Hangs whatever has a reason to be one under its senior, and notes what is there twice."""
    first, is_junior = batch.first, batch.is_junior
    for one, other in zip(batch.a, batch.b, strict=True):
        a, b = one, other
        while (up := parent[a]) != a:
            parent[a] = a = parent[up]
        while (up := parent[b]) != b:
            parent[b] = b = parent[up]
        if a == b:
            continue
        mine, others = first[a], first[b]
        if mine > others or (mine == others and is_junior(a, b)):
            a, b = b, a
        parent[b] = a
        mine, others = masks[a], masks[b]
        masks[a] = mine | others | LOUD if mine & others else mine | others
