"""What kind of contact a message is, by rules over words: linear in a bounded text, and with its reasons."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import Field

from socialsupport_core.contract import NOISE, ContactKind, Heard, Urgency, Verdict
from socialsupport_core.guidance import lexicon
from socialsupport_core.guidance.service import Section

MOST = 2000  # characters that are read
SHOUTED = 12  # letters from which on capitals are shouting
TAGS = 3  # hashtags; more of them nobody in need takes the time for
STEM = 4  # letters by which stems are found
CLEAR = 2  # a word that no other language has
URGENCIES: tuple[Urgency, ...] = ("low", "normal", "high")
GRAVE: tuple[ContactKind, ...] = ("complaint", "request", "question", "opinion", "praise", "promotion", "spam")
"""Of several messages in one contact the gravest tells what it is; of two kinds that weigh the same, the first."""
WEIGHTS: Mapping[str, float] = {
    "complaint": 2.0,
    "request": 1.0,
    "question": 1.0,
    "opinion": 2.0,
    "praise": 1.5,
    "promotion": 2.0,
    "spam": 2.5,
}
"""What one word of a kind counts."""
CLOSINGS = frozenset({"please", "bitte", "por favor", "svp", "thank you", "thanks", "thx", "danke", "vielen dank"}) | {
    "gracias",
    "muchas gracias",
    "merci",
    "merci beaucoup",
    "danke schon",
}
"""Courtesies: beside anything else they count half."""
WORD = re.compile(r"https?://\S+|[^\W_]+(?:'[^\W_]+)*|[?!$%#@]", re.UNICODE)
_PLAIN_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*|[?!$%#@]")
"""The same for a folded text of ASCII without addresses, in half the time."""
Words = tuple[Annotated[str, Field(min_length=2, max_length=60)], ...]
Marked = Literal["complaint", "request", "question", "opinion", "praise", "promotion", "spam", "urgent"]


class Phrase(NamedTuple):
    words: tuple[str, ...]
    kind: str
    language: str | None
    """None: the tenant's own."""
    written: str


class Index(NamedTuple):
    """Phrases by what is looked up for each word: the word, it and the next one, and its first letters."""

    single: dict[str, list[Phrase]]
    pairs: dict[str, dict[str, list[Phrase]]]
    stems: dict[str, list[Phrase]]
    loose: dict[str, list[Phrase]]
    """By the first word those whose second is a stem."""
    begins: frozenset[str]
    """Every whole word with which a phrase begins: most words of a text are none of them."""


class TriageSection(Section):
    """How messages are sorted. Without anything, by the rules that are shipped."""

    enabled: bool = True
    noise: tuple[ContactKind, ...] = ("promotion", "spam")
    """Kinds that are kept out of the queue of support: they wait where a filter shows them."""
    words: dict[Marked, Annotated[Words, Field(max_length=500)]] = Field(default_factory=dict)
    """Your own words by kind, and `urgent` ones. A word ends in `*` if it is a stem."""
    without: Annotated[Words, Field(max_length=500)] = ()
    """Shipped words that mislead with you: a brand called Super may not want `super` to be praise."""

    @cached_property
    def index(self) -> Index:
        if not self.words and not self.without:
            return SHIPPED
        return _indexed([*_phrases(frozenset(map(fold, self.without))), *self._own()])

    def _own(self) -> Iterator[Phrase]:
        for kind, words in self.words.items():
            yield from (_phrase(word, kind, None) for word in words)


def fold(text: str) -> str:
    """Without accents, capitals and typographic apostrophes."""
    text = text.casefold().replace("’", "'")
    if text.isascii():
        return text
    return _MARKS.sub("", unicodedata.normalize("NFKD", text))


_MARKS = re.compile("[\u0300-\u036f]+")


def _phrase(written: str, kind: str, language: str | None) -> Phrase:
    return Phrase(tuple(fold(written).split()), kind, language, " ".join(written.split()))


def _phrases(without: frozenset[str] = frozenset()) -> Iterator[Phrase]:
    tables = [*lexicon.KINDS.items(), ("urgent", lexicon.URGENT)]
    for kind, languages in tables:
        for language, words in languages.items():
            made = (_phrase(word, kind, language) for word in words.split(","))
            yield from (one for one in made if " ".join(one.words) not in without)


def _indexed(phrases: Iterable[Phrase]) -> Index:
    index = Index({}, {}, {}, {}, frozenset())
    for one in sorted(phrases, key=lambda one: -len(one.words)):  # the longest that fits
        first, second = (*one.words, "")[:2]
        if first.endswith("*"):
            index.stems.setdefault(first[:STEM].rstrip("*"), []).append(one)
        elif not second:
            index.single.setdefault(first, []).append(one)
        elif second.endswith("*"):
            index.loose.setdefault(first, []).append(one)
        else:
            index.pairs.setdefault(first, {}).setdefault(second, []).append(one)
    return index._replace(begins=frozenset([*index.single, *index.pairs, *index.loose]))


SHIPPED = _indexed(_phrases())
_COMMON: dict[str, tuple[str, ...]] = {}
"""By word the languages in which it is common."""
for _language, _words in lexicon.COMMON.items():
    for _word in _words.split(","):
        _COMMON[_word.strip()] = (*_COMMON.get(_word.strip(), ()), _language)
_LETTERS = {letter: language for language, letters in lexicon.LETTERS.items() for letter in letters}
_NEGATIONS = frozenset(word.strip() for words in lexicon.NEGATIONS.values() for word in words.split(","))


def judge(heard: Heard, section: TriageSection | None = None) -> Verdict:
    """The rules' verdict."""
    return judged(heard.text, heard.language, heard.told, section or _DEFAULT)


def judged(text: str, language: str | None, told: Sequence[str], section: TriageSection) -> Verdict:
    """The same from what the rules look at, where nobody else is asked."""
    text = text[:MOST]
    words = _words_of(fold(text))
    language = language or language_of(text, words)
    found = _hits(words, section.index, language)
    kind, why = _kind(text, told, words, found)
    urgency, pressing = _urgency(kind, text, found)
    reasons = (why, pressing) if pressing else (why,)
    return Verdict(kind=kind, urgency=urgency, language=language, reasons=reasons)


def _words_of(folded: str) -> list[str]:
    if folded.isascii() and "://" not in folded:
        return _PLAIN_WORD.findall(folded)
    return WORD.findall(folded)


_DEFAULT = TriageSection()


def language_of(text: str, words: list[str]) -> str | None:
    """By its script and letters, else by the commonest words; None if that is not clear."""
    counts: dict[str, int] = {}
    if not text.isascii():
        if script := _script(text):
            return script
        for letter in set(text.casefold()) & _LETTERS.keys():
            counts[_LETTERS[letter]] = counts.get(_LETTERS[letter], 0) + 2
    for languages in [_COMMON[word] for word in words if word in _COMMON]:
        weight = 2 if len(languages) == 1 else 1
        for one in languages:
            counts[one] = counts.get(one, 0) + weight
    if not counts:
        return None
    best = max(counts, key=counts.__getitem__)
    count = counts.pop(best)
    return best if count >= CLEAR and count > max(counts.values(), default=0) else None


def _script(text: str) -> str | None:
    """The script of most of its letters."""
    if max(text) <= "\u036f":
        return None
    counts: Counter[str] = Counter()
    for point in map(ord, text[:400]):
        counts.update(name for name, first, last in lexicon.SCRIPTS if first <= point <= last)
    if not counts:
        return None
    if counts["ja"]:
        return "ja"  # Chinese characters stand between its own
    name, count = counts.most_common(1)[0]
    return name if count * 3 > sum(letter.isalpha() for letter in text[:400]) else None


def _hits(words: list[str], index: Index, language: str | None) -> list[Phrase]:
    """Phrases of the language, or of any if that is unknown; each place counts for one of a kind."""
    single, pairs, stems, loose, begins = index
    spoken = (None, "en", language) if language in _TOLD else None  # English is understood in every language
    found: list[Phrase] = []
    pairing: dict[str, list[Phrase]] | None = None
    for at, word in enumerate(words):
        if pairing is not None and word in pairing:  # met at its second word
            found += _fitting(pairing[word], words, at - 1, 2, spoken)
        pairing = None
        if word in begins:
            pairing = pairs.get(word)
            if word in loose:
                found += _fitting(loose[word], words, at, 1, spoken)
            if word in single:
                found += _fitting(single[word], words, at, 1, spoken)
        if (stem := word[:STEM]) in stems:
            found += _fitting(stems[stem], words, at, 0, spoken)
    return found


_TOLD = frozenset(lexicon.KINDS["complaint"])


def _fitting(
    phrases: list[Phrase], words: list[str], at: int, known: int, spoken: tuple[str | None, ...] | None
) -> list[Phrase]:
    """Those of the languages, if they matter; of each the first `known` words are there."""
    found: dict[str, Phrase] = {}
    for one in phrases:
        kind = one.kind
        if kind in found or (spoken and one.language not in spoken) or not _fits(one.words, words, at, known):
            continue
        if kind == "praise" and not _NEGATIONS.isdisjoint(words[max(0, at - 2) : at]):
            found[kind] = one._replace(kind="complaint", written=f"{words[at - 1]} {one.written}")
        else:
            found[kind] = one
    return list(found.values())


def _fits(phrase: tuple[str, ...], words: list[str], at: int, known: int) -> bool:
    if len(phrase) == known:
        return True
    if len(phrase) > len(words) - at:
        return False
    for n in range(known, len(phrase)):
        wanted, word = phrase[n], words[at + n]
        if wanted != word and not (wanted[-1] == "*" and word.startswith(wanted[:-1])):
            return False
    return True


Said = dict[str, dict[str, float]]
"""By kind what was said, and what it counts."""


def _kind(text: str, told: Sequence[str], words: list[str], found: list[Phrase]) -> tuple[ContactKind, str]:
    asks = "?" in words
    said = _said(found, asks=asks)
    _mark(text, told, words, said, asks=asks)
    if not said:
        return "request", "request: nothing tells otherwise" if words else "request: it has no words"
    if len(said) == 1:
        ((best, why),) = said.items()
    else:
        best = _weightiest(said, told)
        why = said[best]
    if best in NOISE and told:
        return "request", f"request: it tells an {told[0]}, though {_quoted(why)}"
    return best, f"{best}: {_quoted(why)}"  # type: ignore[return-value]


def _said(found: list[Phrase], *, asks: bool) -> Said:
    said: Said = {}
    courteous = []
    for one in found:
        if one.kind != "urgent" and one.written in CLOSINGS:
            courteous.append(one)
        elif one.kind != "urgent":
            said.setdefault(one.kind, {})[one.written] = WEIGHTS[one.kind]
    share = 0.5 if asks or said else 1.0
    for one in courteous:
        said.setdefault(one.kind, {})[one.written] = WEIGHTS[one.kind] * share
    return said


def _weightiest(said: Said, told: Sequence[str]) -> str:
    scores = {kind: sum(weights.values()) for kind, weights in said.items()}
    if "promotion" in said and not told:  # whoever is after a coupon asks for it, of course
        scores = {kind: score / 2 if kind in _ASKING else score for kind, score in scores.items()}
    return max([kind for kind in GRAVE if kind in said], key=scores.__getitem__)  # of the same weight the graver


_ASKING = frozenset({"request", "question"})


def _mark(text: str, told: Sequence[str], words: list[str], said: Said, *, asks: bool) -> None:
    """What is told by other things than words."""
    if asks:
        said.setdefault("question", {})["?"] = 1.0
        if "complaint" in said:
            said["complaint"]["?"] = 0.5  # a question about trouble is trouble
    if told:
        said.setdefault("request", {})[f"({told[0]} named)"] = 1.5
    if "spam" in said and "http" in text:
        said["spam"]["(a link)"] = 1.5
    if "#" in words and words.count("#") > TAGS:
        said.setdefault("promotion", {})["(many hashtags)"] = 1.5


def _quoted(words: Iterable[str]) -> str:
    shown = list(words)[:4]
    return ", ".join([one if one[:1] == "(" else f"“{one}”" for one in shown])


def _urgency(kind: ContactKind, text: str, found: list[Phrase]) -> tuple[Urgency, str | None]:
    if kind in _NO_HURRY:
        return "low", None
    why = [f"“{one.written}”" for one in found if one.kind == "urgent"][:4]
    if len(text) >= SHOUTED and text.isupper():
        why.append("in capitals")
    if kind == "complaint" and "!!!" in text:
        why.append("“!!!”")
    return ("high", f"urgent: {', '.join(why)}") if why else ("normal", None)


_NO_HURRY = frozenset({"promotion", "spam", "praise", "opinion"})


def gravest(one: ContactKind, other: ContactKind) -> ContactKind:
    return one if one == other else min(one, other, key=GRAVE.index)


def most_urgent(one: Urgency, other: Urgency) -> Urgency:
    return one if one == other else max(one, other, key=URGENCIES.index)


assert set(get_args(ContactKind)) == set(GRAVE) == set(WEIGHTS)
