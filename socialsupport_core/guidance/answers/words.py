"""The words by which answers are found: without accents, endings and whatever stands in every sentence."""

import re
import unicodedata
from collections.abc import Collection, Iterable

MOST = 20_000  # characters of a text
_WORD = re.compile(r"[^\W_]{3,40}")
_ENDINGS = ("ungen", "ement", "ung", "ment", "ion", "ing", "ee", "ed", "en", "er", "n", "a", "o", "t", "e")
_STEM = 4  # letters that stay
_EVERYWHERE = """
the and for you your are was were have has had not but with this that from they she his her its our out can
could would will shall may been when what which where who how why there here then than them just also about
into over only some any all did does get got please hello thanks thank dear hi der die das und ist nicht ein
eine einen einem einer mit von auf für ich sie wir ihr mir mich uns dass den dem des aber auch noch schon bei
aus wie was wann wer habe hat haben war sind wird werden bitte hallo guten tag danke les des une est pas que
qui pour dans sur avec vous nous mon votre notre vos mes ses sont mais plus bonjour merci los las una del por
con para que como pero muy más hay mis sus nos está hola gracias
"""
_COMMON = frozenset(_EVERYWHERE.split())


def tokens(text: str) -> tuple[str, ...]:
    """Each once, in order. What holds a digit tells of one customer and finds nothing."""
    return tuple(dict.fromkeys(word for word, _ in _read(text)))


def matching(query: Collection[str], text: str) -> list[str]:
    """Words of the text, as they are written, by which the query finds it."""
    return list(dict.fromkeys(written for word, written in _read(text) if word in query))


def _read(text: str) -> Iterable[tuple[str, str]]:
    for match in _WORD.finditer(text[:MOST].casefold()):
        written = match[0]
        if written in _COMMON or any(c.isdigit() for c in written):
            continue
        yield _stem(_plain(written)), written


def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _stem(word: str) -> str:
    """Crude, and the same for all four languages: the plural goes, then one ending, and an e that was before it."""
    word = _without(word, "s")
    shorter = next((cut for ending in _ENDINGS if (cut := _without(word, ending)) != word), word)
    return _without(shorter, "e")


def _without(word: str, ending: str) -> str:
    return word[: -len(ending)] if word.endswith(ending) and len(word) - len(ending) >= _STEM else word
