"""What a scorer says of two profiles. It decides nothing: a person does."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from socialsupport_core.model import Identifier

EXACT = 6
"""Decimals of a weight: a sum must not depend on the order in which a database added it up."""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall: what comparing an attribute was worth, in bits."""

    attribute: str
    level: str
    bits: float
    left: str
    right: str

    def __str__(self) -> str:
        if not self.level:
            return f"{self.attribute} {self.bits:+.1f}"
        values = self.left if self.left == self.right else f"{self.left} / {self.right}"
        return f"{self.attribute.replace('_', ' ')} {self.level}: {values} ({self.bits:+.1f})"

    def as_json(self) -> dict[str, Any]:
        plain = {"attribute": self.attribute, "level": self.level, "bits": self.bits}
        return plain | ({"left": self.left, "right": self.right} if self.level else {})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """These two may be one person. `weight` is the sum of the waterfall in bits: 0 is even, 10 a thousand to one."""

    pair: tuple[Identifier, Identifier]
    weight: float
    waterfall: tuple[Step, ...]
    reasons: tuple[str, ...]
    """What speaks for it and against it, the strongest first, in words."""

    @classmethod
    def of(cls, a: Identifier, b: Identifier, steps: Iterable[Step]) -> Self:
        turned = str(b) < str(a)
        waterfall = tuple(_exact(step, turned) for step in steps)
        told = sorted((step for step in waterfall if step.level), key=lambda step: (-abs(step.bits), step.attribute))
        weight = round(sum(step.bits for step in waterfall), EXACT)
        return cls((b, a) if turned else (a, b), weight, waterfall, tuple(map(str, told)))

    @property
    def probability(self) -> float:
        """As the weights have it; nobody has checked it against your customers."""
        return float(1 / (1 + 2.0 ** -max(-300.0, self.weight)))

    def as_json(self) -> dict[str, Any]:
        return {
            "pair": [one.model_dump(exclude_none=True) for one in self.pair],
            "weight": self.weight,
            "probability": round(self.probability, EXACT),
            "waterfall": [step.as_json() for step in self.waterfall],
            "reasons": list(self.reasons),
        }


def _exact(step: Step, turned: bool) -> Step:
    left, right = (step.right, step.left) if turned else (step.left, step.right)
    return Step(step.attribute, step.level, round(step.bits, EXACT), left, right)
