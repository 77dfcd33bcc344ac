"""As much SOQL as the adapter writes, for the simulator: comparisons, IN, AND, OR, ORDER BY, LIMIT.

Grammar: https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide (2026-11)
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<moment>\d{4}-\d\d-\d\dT[0-9:.]+Z)|(?P<number>\d+)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_.]*)|(?P<sign>>=|<=|!=|[=<>(),]))"
)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
MOST_COLLECTED = 4000
"""Characters of one string. https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide (2026-11)"""

Row = Mapping[str, Any]
Condition = Callable[[Row], bool]


class MalformedQuery(ValueError):
    pass


@dataclass(frozen=True)
class Query:
    fields: tuple[str, ...]
    kind: str
    fits: Condition
    order: tuple[str, ...]
    limit: int


class Parser:
    def __init__(self, soql: str) -> None:
        self.tokens = list(_tokens(soql))
        self.at = 0
        self.named: set[str] = set()
        """Fields in the conditions."""

    def query(self) -> Query:
        self._word("SELECT")
        fields = self._names()
        self._word("FROM")
        kind = self._take("name")
        fits: Condition = lambda _: True  # noqa: E731
        if self._is("WHERE"):
            fits = self._any()
        order: tuple[str, ...] = ()
        if self._is("ORDER"):
            self._word("BY")
            order = self._names()
        limit = int(self._take("number")) if self._is("LIMIT") else 2000
        if self.at < len(self.tokens):
            raise MalformedQuery(f"unexpected token: {self.tokens[self.at][1]}")
        return Query((*fields, *sorted(self.named)), kind, fits, order, limit)

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._is("OR"):
            parts.append(self._all())
        return lambda row: any(part(row) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._is("AND"):
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Condition:
        if self._is("("):
            inside = self._any()
            self._word(")")
            return inside
        name = self._take("name")
        self.named.add(name)
        if self._is("NOT"):
            self._word("IN")
            values = self._values()
            return lambda row: value_of(row, name) not in values
        if self._is("IN"):
            values = self._values()
            return lambda row: _folded(value_of(row, name)) in map(_folded, values)
        return self._compared(name)

    def _compared(self, name: str) -> Condition:
        sign, value = self._take("sign"), self._value()
        if value is None:
            return lambda row: (value_of(row, name) is None) == (sign == "=")
        compare: Mapping[str, Callable[[Any, Any], bool]] = {
            "=": lambda one, other: bool(_folded(one) == _folded(other)),
            ">": lambda one, other: one is not None and bool(one > other),
            ">=": lambda one, other: one is not None and bool(one >= other),
        }
        if sign not in compare:
            raise MalformedQuery(f"unexpected token: {sign}")
        return lambda row: compare[sign](value_of(row, name), value)

    def _values(self) -> list[Any]:
        self._word("(")
        values = [self._value()]
        while self._is(","):
            values.append(self._value())
        self._word(")")
        return values

    def _value(self) -> Any:
        kind, written = self._next()
        if kind == "text":
            return _unescaped(written[1:-1])
        if kind == "moment":
            return datetime.fromisoformat(written).astimezone(UTC)
        if kind == "number":
            return int(written)
        words = {"null": None, "true": True, "false": False}
        if written.lower() not in words:
            raise MalformedQuery(f"unexpected token: {written}")
        return words[written.lower()]

    def _names(self) -> tuple[str, ...]:
        names = [self._take("name")]
        while self._is(","):
            names.append(self._take("name"))
        return tuple(names)

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise MalformedQuery("unexpected end of the query")
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, kind: str) -> str:
        found, written = self._next()
        if found != kind:
            raise MalformedQuery(f"unexpected token: {written}")
        return written

    def _is(self, word: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at][1].upper() == word
        self.at += found
        return found

    def _word(self, word: str) -> None:
        if not self._is(word):
            raise MalformedQuery(f"expecting {word}")


def value_of(row: Row, name: str) -> Any:
    """Along relationships: `CreatedBy.Name`."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _folded(value: Any) -> Any:
    """SOQL compares strings whatever their case."""
    return value.casefold() if isinstance(value, str) else value


def _unescaped(written: str) -> str:
    if len(written) > MOST_COLLECTED:
        raise MalformedQuery("a string is too long")
    out, signs = [], iter(written)
    for sign in signs:
        if sign != "\\":
            out.append(sign)
            continue
        following = next(signs, "")
        if following.lower() not in _UNESCAPED:
            raise MalformedQuery(f"illegal string literal: \\{following}")
        out.append(_UNESCAPED[following.lower()])
    return "".join(out)


def _tokens(soql: str) -> Iterator[tuple[str, str]]:
    at, soql = 0, soql.rstrip()
    while at < len(soql):
        match = _TOKEN.match(soql, at)
        if match is None:
            raise MalformedQuery(f"unexpected token: {soql[at : at + 20]}")
        assert match.lastgroup is not None
        yield match.lastgroup, match[match.lastgroup]
        at = match.end()
