"""What customers tell about themselves and their matter: the kinds that are looked for without being asked to."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import regex  # type: ignore[import-untyped]

LOOKED_AT = 10_000  # characters of a text
LONGEST = 200  # characters of a value
PATIENCE = 0.2  # seconds that one pattern of a tenant's may take for one text; watching the clock costs 3 µs a match
_PUNCTUATION = re.compile(r"[\W_]+")
_NUMBER = r"(?:numbers?|num|no|nr|id|code|nummer|num[eé]ro|n[uú]mero|nº|n°)\.?"
_ASKED = r"\s{0,2}(?:is|was|lautet|ist|:|=)?\s{0,2}"
_REFERENCE = r"((?=(?:[A-Z-]{0,8}\d){4})[A-Z0-9](?:[A-Z0-9-]{1,28}[A-Z0-9]))(?![\w-])"
"""Capitals, digits and hyphens; at least four of them are digits."""
_SHORT = r"((?=[A-Z-]{0,8}\d)[A-Z0-9][A-Z0-9-]{0,28})(?![\w-])"
"""Behind a number sign less will do."""
_DATE = r"(?!\d{4}-\d\d?-\d\d?(?!\d)|\d\d?-\d\d?-\d{4}(?!\d)|(?:19|20)\d\d(?![\w-]))"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value, and how it is found. `topic`: the same value is the same matter. `lasting`: it belongs to the
    person. `public`: it may be said in public."""

    name: str
    label: str
    patterns: tuple[Any, ...]
    topic: bool = False
    lasting: bool = False
    public: bool = False
    own: bool = False
    """The tenant's: whatever it finds in a text of ours is not said in public."""
    hints: tuple[str, ...] = ()
    """In small letters: without any of these in the text there is nothing to find."""
    leading: bool = False
    """Each pattern begins with a hint, so that only the places of hints are looked at."""

    signs: tuple[str, ...] = ()
    """For each pattern what must stand somewhere in the text, if it finds anything; nothing if that is all the same."""

    def found_in(self, text: str) -> list[tuple[str, int, int]]:
        """Each value, and where it begins and ends. A pattern of the tenant's that takes for ever finds nothing."""
        text = text[:LOOKED_AT]
        places = self._places(text) if self.leading else None
        found: list[tuple[str, int, int]] = []
        for pattern, sign in zip(self.patterns, self.signs or repeat("")):  # noqa: B905 - `repeat` has no end
            if sign not in text:
                continue
            if places is None:
                found += self._everywhere(pattern, text)
            else:
                found += _at_places(pattern, text, places)
        return found

    def _everywhere(self, pattern: Any, text: str) -> Iterator[tuple[str, int, int]]:
        with suppress(TimeoutError):
            for match in pattern.finditer(text, timeout=PATIENCE if self.own else None):
                yield from _value(pattern, match)

    def _places(self, text: str) -> list[int] | None:
        """Where any of the hints begins; None if a place in small letters is not one in the text."""
        small = text.casefold()
        if len(small) != len(text):
            return None
        found = set[int]()
        for hint in self.hints:
            at = small.find(hint) if hint in small else -1
            while at >= 0:
                found.add(at)
                at = small.find(hint, at + 1)
        return sorted(found)


def _at_places(pattern: Any, text: str, places: Iterable[int]) -> Iterator[tuple[str, int, int]]:
    end = 0
    for start in places:
        if start >= end and (match := pattern.match(text, start)):
            end = match.end()
            yield from _value(pattern, match)


def _value(pattern: Any, match: Any) -> Iterator[tuple[str, int, int]]:
    group = 1 if pattern.groups and match[1] is not None else 0
    if (value := match[group].strip()) and len(value) <= LONGEST:
        yield value, *match.span(group)


def same(value: str) -> str:
    """Equal for two spellings of one value: `AB-47 11` and `ab4711`."""
    return _PUNCTUATION.sub("", value).casefold()


def _named(*words: str) -> tuple[Any, ...]:
    """`order 4711`, `Order number: AB-4711`, `order #17`."""
    called = rf"\b(?:{'|'.join(words)})s?\s{{0,2}}(?:{_NUMBER})?"
    return (
        regex.compile(rf"{called}{_ASKED}#\s?{_SHORT}", regex.IGNORECASE),
        regex.compile(rf"{called}{_ASKED}{_DATE}{_REFERENCE}", regex.IGNORECASE),
    )


def _numbered(*words: str) -> tuple[Any, ...]:
    """Only with a word that says that a number follows: "my account 2024" may be anything."""
    called = rf"\b(?:{'|'.join(words)})(?:ship)?[\s-]{{0,2}}(?:{_NUMBER}|#)"
    return (regex.compile(rf"{called}{_ASKED}#?\s?{_REFERENCE}", regex.IGNORECASE),)


_STREET = (
    r"Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Close|Court|Ct|Square|Sq|Terrace|Crescent|Highway"
)
_POSTCODE = r"(?:[A-Z]{2}\s)?(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})"
_AMOUNT = r"min|hour|hr|day|week|month|year|people|time|st\b|nd\b|rd\b|th\b|am\b|pm\b|%|[.:]\d"
"""What a number counts, behind a street's name too."""
_ADDRESSES = (
    regex.compile(
        rf"\b(\d{{1,5}}[a-zA-Z]?\s(?:\p{{Lu}}[\w'.-]{{1,24}}\s){{1,3}}(?:{_STREET})\b"
        rf"(?:,?\s(?:Apt|Flat|Unit|Suite)\.?\s?\w{{1,5}})?(?:,\s?\p{{Lu}}[\p{{L}}'.-]{{1,24}}(?:\s\p{{Lu}}\p{{L}}{{2,24}})?)?"
        rf"(?:,?\s{_POSTCODE}\b)?)"
    ),
    regex.compile(
        rf"\b((?:\p{{Lu}}[\w'.-]{{1,24}}\s){{1,3}}(?:Street|Road|Avenue|Lane|Drive|Boulevard|Terrace|Crescent)\s\d{{1,3}}[a-zA-Z]?\b"
        rf"(?!\s?(?:{_AMOUNT}))(?:,?\s{_POSTCODE}\b)?)"
    ),
    regex.compile(
        r"\b((?:\p{Lu}[\w.-]{1,24}\s){0,2}\p{Lu}?[\w-]{0,30}(?:[Ss]tra[sß]{1,2}e|[Ss]tr\.|weg|[Pp]latz|[Aa]llee|gasse|damm)"
        r"\s\d{1,4}\s?[a-z]?\b(?:,?\s\d{4,5}\s\p{Lu}[\w-]{1,30})?)"
    ),
    regex.compile(
        r"\b(\d{1,4}(?:\s?(?:bis|ter))?,?\s(?:rue|avenue|boulevard|place|chemin|impasse)\s(?:[\w'’-]{1,20}\s){0,4}"
        r"[\w'’-]{2,24}(?:,?\s\d{5}\s\p{Lu}[\w'’-]{1,30})?)"
    ),
)

_ORDER = ("order", "purchase", "bestellung", "bestellnummer", "auftrag", "commande", "pedido", "ordine")
_INVOICE = ("invoice", "rechnung", "rechnungsnummer", "facture", "factura")
_MATTER = ("ticket", "case", "incident", "reference", "vorgang")
_ACCOUNT = ("account", "acct", "customer", "client", "member", "contract", "policy", "kunden", "konto", "vertrags")
_STREETS = (*(f" {one.casefold()}" for one in _STREET.split("|")), "straße", "strasse", "str.", "weg", "platz")
_MORE_STREETS = ("allee", "gasse", "damm", " rue ", " avenue ", " place ", " chemin ", " impasse ", " boulevard ")


def _shortest(hints: Sequence[str]) -> tuple[str, ...]:
    """Without those that begin with another one: where they stand, that one does."""
    return tuple(one for one in hints if not any(one != other and one.startswith(other) for other in hints))


def _matter(name: str, label: str, words: Sequence[str]) -> Kind:
    signs = ("#", "")  # of the patterns of `_named`
    return Kind(name, label, _named(*words), topic=True, hints=_shortest(words), leading=True, signs=signs)


SHIPPED: tuple[Kind, ...] = (
    _matter("order", "Order", _ORDER),
    _matter("invoice", "Invoice", _INVOICE),
    _matter("reference", "Reference", _MATTER),
    Kind("account", "Account", _numbered(*_ACCOUNT), lasting=True, hints=_shortest(_ACCOUNT), leading=True),
    Kind("email", "E-mail", (), lasting=True),
    Kind("phone", "Phone", (), lasting=True),
    Kind("address", "Address", _ADDRESSES, lasting=True, hints=_shortest((*_STREETS, *_MORE_STREETS))),
    Kind("choice", "Chose", (), public=True),
)
"""`email` and `phone` are found as the guard finds them, `choice` is a button that was pressed."""
