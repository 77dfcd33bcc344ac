"""A learnt model as plain JSON, and judging by it without scikit-learn: a sum over the words of a text."""

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from socialsupport_core.contract import ContactKind

MOST = 20_000_000  # bytes of a model; one of 20,000 grams has about 4 MB
GRAMS = 20_000
STEM = 5
WORD = re.compile(r"[^\W_]+|[?!]", re.UNICODE)


class Model(BaseModel):
    """Multinomial logistic regression over TF-IDF of words, pairs of words and stems."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    kinds: tuple[ContactKind, ...] = Field(min_length=2)
    grams: dict[str, Annotated[int, Field(ge=0, lt=GRAMS)]]
    """The place of each."""
    weights: tuple[FiniteFloat, ...]
    """By place: how much the gram tells, its inverse document frequency."""
    coefficients: tuple[tuple[FiniteFloat, ...], ...]
    """By kind and place."""
    intercepts: tuple[FiniteFloat, ...]
    examples: int = Field(ge=0)
    figures: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """By kind the precision and recall that it had on examples it had not seen."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        places = len(self.weights)
        fits = len(self.coefficients) == len(self.intercepts) == len(self.kinds)
        if not fits or any(len(row) != places for row in self.coefficients):
            raise ValueError("its tables do not fit each other")
        if any(place >= places for place in self.grams.values()):
            raise ValueError("it names a gram that has no weight")
        return self

    def judge(self, text: str) -> tuple[ContactKind, float, tuple[str, ...]]:
        """The likeliest kind, its probability, and the words that speak for it most."""
        told = self._told(text)
        scores = [
            sum(value * row[place] for place, value in told.items()) + intercept
            for row, intercept in zip(self.coefficients, self.intercepts, strict=True)
        ]
        best = max(range(len(scores)), key=scores.__getitem__)
        top = scores[best]
        probability = 1 / sum(math.exp(score - top) for score in scores)
        return self.kinds[best], probability, self._words(text, told, best)

    def _told(self, text: str) -> dict[int, float]:
        """TF-IDF by place, of length 1."""
        counts = Counter(place for gram in grams(text) if (place := self.grams.get(gram)) is not None)
        values = {place: count * self.weights[place] for place, count in counts.items()}
        length = math.sqrt(sum(value * value for value in values.values()))
        return {place: value / length for place, value in values.items()} if length else {}

    def _words(self, text: str, told: dict[int, float], best: int) -> tuple[str, ...]:
        row = self.coefficients[best]
        words = dict.fromkeys(gram for gram in grams(text) if not gram.endswith("*") and gram in self.grams)
        weighed = sorted(((told[self.grams[word]] * row[self.grams[word]], word) for word in words), reverse=True)
        return tuple(word for weight, word in weighed[:3] if weight > 0)


def grams(text: str) -> list[str]:
    """Words, pairs of neighbours, and stems of long words."""
    words = WORD.findall(text.casefold())
    pairs = [f"{one} {other}" for one, other in pairwise(words)]
    return [*words, *pairs, *(f"{word[:STEM]}*" for word in words if len(word) > STEM)]
