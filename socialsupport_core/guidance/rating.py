"""How a customer says that it went well or not: one question after a matter is resolved, and what counts as an answer.

A digit stands for itself, stars are counted, and a word counts only where nothing else is said: "not great" is no
praise. What says more than the verdict ("1, still broken") is a verdict and a message.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]
from pydantic import Field

from socialsupport_core.guidance.service import HOUR, Section

VALUES = (1, 2, 3, 4, 5)
CHOICE = "rating~"
"""Begins the value behind each button, and the key of the question."""
LONGEST = 2_000  # characters that are looked at


class Rating(Section):
    """Off unless it is switched on: whose matter was resolved is asked once how it went, in private."""

    enabled: bool = False
    channels: frozenset[str] = frozenset()
    """Channels or networks; all private ones if none is named."""
    after: float = Field(default=300, ge=0, le=24 * HOUR)
    """Seconds after it was resolved; whoever writes again before is asked nothing."""
    answer_within: float = Field(default=72 * HOUR, ge=60, le=30 * 24 * HOUR)
    """Seconds in which an answer counts as one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`alone`: nothing else is said with it."""

    value: int
    alone: bool


def verdict_in(text: str | None, choice: str | None = None) -> Verdict | None:
    """None if it says something else."""
    if choice is not None and choice.startswith(CHOICE):
        digit = choice.removeprefix(CHOICE)
        return Verdict(int(digit), alone=True) if digit in {str(one) for one in VALUES} else None
    said = " ".join((text or "")[:LONGEST].casefold().split())
    return _stars(said) or _digit(said) or _word(said)


def _stars(said: str) -> Verdict | None:
    found = _STARS.match(said)
    if found is None:
        return None
    count = len(_STAR.findall(found[1]))
    return _with_rest(count, said[found.end() :], apart=True) if count in VALUES else None


def _digit(said: str) -> Verdict | None:
    found = _DIGIT.match(said)
    if found is None:
        return None
    return _with_rest(int(found["value"]), said[found.end() :], apart=bool(found["unit"]))


def _with_rest(value: int, rest: str, *, apart: bool) -> Verdict | None:
    """What follows a mere digit after a space may be what is counted: "2 days and nothing has come"."""
    told = _FILLER.sub("", rest).strip(_MARKS)
    if not told:
        return Verdict(value, alone=True)
    if told[0].isdigit() or _JOINED.match(rest):
        return None
    return Verdict(value, alone=False) if apart or _PARTED.match(rest) else None


def _word(said: str) -> Verdict | None:
    bare = " ".join(_FILLER.sub(" ", said).replace("'", " ").split()).strip(_MARKS)
    value = _BY_WORD.get(" ".join(bare.split()))
    return None if value is None else Verdict(value, alone=True)


_MARKS = " .,!?:;)-–—…\"'👍🙂😊🙏"
_STAR = regex.compile("[⭐★🌟]")
_STARS = regex.compile("((?:[⭐★🌟]\ufe0f? ?)+)")
_OF_FIVE = "(?:/ ?5|out of (?:5|five)|von 5|sur 5|de 5)"
_UNIT = f"{_OF_FIVE}?(?: ?(?:stars?|sterne?|étoiles?|estrellas?|[⭐★🌟]\ufe0f?|points?|punkte?))?"
_DIGIT = regex.compile(f"(?P<value>[1-5])(?![0-9])(?:\ufe0f?\u20e3)?(?P<unit> ?{_UNIT})(?![\\p{{L}}])")
_PARTED = regex.compile(r" ?[,!;:–—-]")
_JOINED = regex.compile(r"[.,:/–-]\d|[.)]")
"""A decimal, a time, a range, or the first item of a list."""
_FILLER = regex.compile(
    r"\b(?:thank you(?: (?:so|very) much)?|thanks(?: a lot)?|thx|please|cheers|for (?:your|the) help|it was|that was"
    r"|very|really|so|all|vielen dank|danke(?: schön)?|sehr|es war|das war|wirklich|merci(?: beaucoup)?|très|c ?'? ?est"
    r"|c'était|vraiment|(?:muchas )?gracias|muy|estuvo|fue|todo)\b"
)
WORDS: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    "en": {
        5: ("great", "excellent", "perfect", "awesome", "brilliant", "amazing", "fantastic", "wonderful", "five"),
        4: ("good", "well", "fine", "four"),
        3: ("ok", "okay", "average", "three"),
        2: ("bad", "poor", "two"),
        1: ("terrible", "awful", "horrible", "useless", "one"),
    },
    "de": {
        5: ("super", "toll", "großartig", "ausgezeichnet", "perfekt", "prima", "klasse", "fünf"),
        4: ("gut", "vier"),
        3: ("mittel", "in ordnung", "drei"),
        2: ("schlecht", "zwei"),
        1: ("furchtbar", "schrecklich", "katastrophe", "eins"),
    },
    "fr": {
        5: ("parfait", "génial", "excellent", "formidable", "cinq"),
        4: ("bien", "bon", "quatre"),
        3: ("moyen", "correct", "trois"),
        2: ("mauvais", "mal", "deux"),
        1: ("nul", "horrible", "affreux"),
    },
    "es": {
        5: ("excelente", "perfecto", "genial", "estupendo", "cinco"),
        4: ("bien", "bueno", "cuatro"),
        3: ("regular", "normal", "tres"),
        2: ("malo", "mal", "dos"),
        1: ("pésimo", "horrible", "terrible"),
    },
}
"""Alone, or with a thank-you: each says one value, in all four languages."""
_BY_WORD = {word.casefold(): value for spoken in WORDS.values() for value, words in spoken.items() for word in words}
