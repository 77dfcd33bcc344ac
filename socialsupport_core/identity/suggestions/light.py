"""The light scorer: no training, no library. Which pairs of profiles may be one person, and why."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

from socialsupport_core.identity.suggestions.blocking import candidates
from socialsupport_core.identity.suggestions.profiles import Profile
from socialsupport_core.identity.suggestions.result import Step, Suggestion
from socialsupport_core.identity.suggestions.weights import COMPARISONS

FEW = 1_000
"""People among whom somebody is looked for at least: the first customers of a shop are not all of its town."""
WORDS = 6
"""Of a name; more are not looked at."""


class Census:
    """How common each value is among the profiles."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self.people = 0
        self._held: dict[str, Counter[str]] = {attribute: Counter() for attribute in COMPARISONS}
        for one in profiles:
            self.people += 1
            for attribute, values in one.values.items():
                self._held[attribute].update(_units(attribute, values))
        self._total = {attribute: held.total() for attribute, held in self._held.items()}

    def chance(self, attribute: str, value: str) -> float:
        """That a stranger has this value too. The two who are compared do not count, whoever else has it does."""
        others = max(0, self._held[attribute][value] - 2)
        return (others + 1) / (self._total[attribute] + COMPARISONS[attribute].values)

    @property
    def prior(self) -> float:
        """Bits against any two profiles being one person: as if each had one other somewhere."""
        return -math.log2(max(FEW, self.people))


def _units(attribute: str, values: Iterable[str]) -> set[str]:
    if COMPARISONS[attribute].words:
        return {word for value in values for word in value.split()}
    return set(values)


def suggest(profiles: Sequence[Profile], at_least: float, together: "Together") -> Iterator[Suggestion]:
    """Every pair whose probability is `at_least` that, in no order."""
    census = Census(profiles)
    for a, b in candidates(profiles):
        if together(profiles[a], profiles[b]):
            scored = score(profiles[a], profiles[b], census)
            if scored.probability >= at_least:
                yield scored


Together = Callable[[Profile, Profile], bool]
"""Whether two profiles could be made one at all."""


def score(a: Profile, b: Profile, census: Census) -> Suggestion:
    steps = [Step("prior", "", census.prior, "", "")]
    for attribute in COMPARISONS:
        if attribute in a.values and attribute in b.values:
            steps += _compared(attribute, a.values[attribute], b.values[attribute], census)
    return Suggestion.of(a.subject, b.subject, _said_once(steps))


NAMED_AFTER = ("handle", "email")
"""Attributes that people make of their names."""
WORD = 3
"""Letters of a word at least, to be recognised in something longer."""


def _said_once(steps: list[Step]) -> list[Step]:
    """A handle that is made of a name says only so much as it tells beyond the name. A mailbox is one person's."""
    names = [step for step in steps if step.attribute == "name" and step.bits > 0]
    told = sum(step.bits for step in names)
    words = {word for step in names for word in (step.left, step.right) if len(word) >= WORD}
    return [
        replace(step, bits=max(0.0, step.bits - told)) if step.bits > 0 and _is_named_after(step, words) else step
        for step in steps
    ]


def _is_named_after(step: Step, words: set[str]) -> bool:
    if step.attribute not in NAMED_AFTER or (step.attribute == "email" and step.level == "same"):
        return False
    return any(word in value.partition("@")[0] for word in words for value in (step.left, step.right))


def _compared(attribute: str, left: Sequence[str], right: Sequence[str], census: Census) -> list[Step]:
    """The best of all pairs of values: who has two addresses needs to agree in one. So has a stranger more chances."""
    compare = _by_words if COMPARISONS[attribute].words else _whole
    tries = len(left) * len(right)
    found = (compare(attribute, a, b, census, tries) for a, b in product(left, right))
    return max(found, key=lambda steps: (sum(step.bits for step in steps), [(step.left, step.right) for step in steps]))


def _whole(attribute: str, a: str, b: str, census: Census, tries: int) -> list[Step]:
    level, bits = weigh(attribute, a, b, census, tries)
    return [Step(attribute, level, bits, a, b)]


def weigh(attribute: str, a: str, b: str, census: Census, tries: int = 1) -> tuple[str, float]:
    """The level of this pair of values and its bits, when it is the best of so many pairs."""
    comparison = COMPARISONS[attribute]
    if a == b:
        return "same", math.log2(comparison.same / min(1, tries * census.chance(attribute, a)))
    for level in comparison.levels:
        if level.alike(a, b):
            chance = max(level.u, census.chance(attribute, a), census.chance(attribute, b))
            return level.name, math.log2(level.m / min(1, tries * chance))
    return "apart", math.log2(comparison.apart / (1 - sum(level.u for level in comparison.levels)))


def _by_words(attribute: str, a: str, b: str, census: Census, tries: int) -> list[Step]:
    """Each word of the shorter with its best of the longer; of each word once."""
    left, right = a.split()[:WORDS], b.split()[:WORDS]
    pairs = sorted(
        (
            (*weigh(attribute, x, y, census, tries), x, y, i, j)
            for (i, x), (j, y) in product(enumerate(left), enumerate(right))
        ),
        key=lambda one: (-one[1], *sorted(one[2:4]), one[4:]),
    )
    used: tuple[set[int], set[int]] = (set(), set())
    steps = []
    for level, bits, x, y, i, j in pairs:
        if i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            steps.append(Step(attribute, level, bits, x, y))
    return _of_a_family(steps)


def _of_a_family(steps: list[Step]) -> list[Step]:
    """Where one word is the same and another differs, a family is as likely as a person: what agrees counts half."""
    if not any(step.level == "apart" for step in steps):
        return steps
    return [replace(step, bits=step.bits / 2) if step.bits > 0 else step for step in steps]
