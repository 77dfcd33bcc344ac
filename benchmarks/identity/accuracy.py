"""How right a partition is: over pairs, and over what each sees of its own (B-cubed)."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`precision`, `recall` and `f1` are of pairs; `b_precision` … of B-cubed (Bagga and Baldwin, 1998)."""

    precision: float
    recall: float
    b_precision: float
    b_recall: float
    wrong_pairs: int
    missed_pairs: int

    @property
    def f1(self) -> float:
        return harmonic(self.precision, self.recall)

    @property
    def b_f1(self) -> float:
        return harmonic(self.b_precision, self.b_recall)

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in (asdict(self) | {"f1": self.f1, "b_f1": self.b_f1}).items()}


def harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def measure(truth: Mapping[Any, Hashable], found: Mapping[Any, Hashable | None]) -> Accuracy:
    """Of all that `truth` names; what has no customer in `found` is alone."""
    groups: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    for key, person in truth.items():
        group = found.get(key)
        groups[("alone", key) if group is None else ("group", group)][person] += 1
    sizes = Counter(truth.values())
    right = sum(_pairs(count) for group in groups.values() for count in group.values())
    said = sum(_pairs(group.total()) for group in groups.values())
    meant = sum(map(_pairs, sizes.values()))
    cells = [(count, group.total(), sizes[person]) for group in groups.values() for person, count in group.items()]
    return Accuracy(
        right / said if said else 1.0,
        right / meant if meant else 1.0,
        sum(count * count / size for count, size, _ in cells) / len(truth),
        sum(count * count / size for count, _, size in cells) / len(truth),
        said - right,
        meant - right,
    )


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
