"""What came of an answer: a simple score, and the words that explain it."""

from collections import Counter
from dataclasses import dataclass

from socialsupport_core.guidance.answers.words import tokens


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one answer so far."""

    sent: int = 0
    edited: float = 0.0
    """On average, how much of it agents changed: 0 to 1."""
    stayed: int = 0
    """Matters that were resolved and are."""
    came_back: int = 0
    """Matters that were resolved and are open again."""

    @property
    def score(self) -> float:
        """0 to 1; half for what nobody has used. The share of matters that stayed resolved, as if one more had stayed
        and one come back, less what agents had to change."""
        kept = (self.stayed + 1) / (self.stayed + self.came_back + 2)
        return kept * (1 - self.edited / 2)

    @property
    def words(self) -> str:
        if not self.sent:
            return "not used yet"
        times = "once" if self.sent == 1 else f"{self.sent} times"
        parts = [f"sent {times}", f"{self.stayed} stayed resolved", f"{self.came_back} came back"]
        return ", ".join([*parts, f"{self.edited:.0%} changed on average"])


def changed(given: str, sent: str) -> float:
    """How much of an answer was changed before it was sent, by words: 0 as it was, 1 nothing of it is left."""
    before, after = Counter(given.casefold().split()), Counter(sent.casefold().split())
    longest = max(before.total(), after.total())
    return 1 - (before & after).total() / longest if longest else 0.0


def match(query: tuple[str, ...], found: tuple[str, ...], title: str) -> float:
    """0 to 1: how many of the words that were asked for stand in it; those of the title count twice."""
    wanted, named = set(query), set(tokens(title))
    if not wanted:
        return 0.0
    hits = wanted & set(found)
    return min(1.0, (len(hits) + len(hits & named)) / (2 * min(len(wanted), 8)))
