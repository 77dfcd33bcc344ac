"""How a network names people in what is sent to it: `cases/mentions.json`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import httpx
from pydantic import Field

from socialsupport_core.model import Value

MOST = 10_000


class Mentions(Value):
    """Paths go through objects by `/`; lists are passed through: `blocks/elements/type`."""

    source: str = Field(min_length=1)
    """Where the network documents it, and when that was read."""
    spellings: tuple[str, ...] = ()
    """Signs in a text that tell somebody: one person, a role, everybody. Nobody types them by chance."""
    handles: tuple[str, ...] = ()
    """Names as people type them. Who types one means it; in a quotation it was somebody else who did."""
    fields: tuple[str, ...] = ()
    """The fields in which the network looks for them. Empty: in all."""
    account: str | None = None
    """An account as it stands in `[name](mention:ACCOUNT)`, where mentions are rendered."""
    marks: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Fields beside a text → their values with which somebody is told."""
    unless: Mapping[str, Any] = Field(default_factory=dict)
    """Fields → their values; a call that has them all tells nobody, whatever its text says."""

    def named_in(self, request: httpx.Request, spellings: tuple[str, ...]) -> str | None:
        """What tells somebody, and where; None if nobody is told."""
        told = list(_fields("", _body(request)))
        if self.unless and all((path, value) in told for path, value in self.unless.items()):
            return None
        for path, value in told:
            if str(value) in self.marks.get(path, ()):
                return f"{value!r} in {path}"
            read = not self.fields or path in self.fields
            if found := next((one for one in spellings if read and isinstance(value, str) and one in value), None):
                return f"{found!r} in {path}"
        return None


def _body(request: httpx.Request) -> Any:
    text = request.read().decode("utf-8", "replace")
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return {name: _inner(value) for name, value in parse_qsl(text, keep_blank_values=True)}


def _inner(value: str) -> Any:
    """A field of a form may hold JSON."""
    try:
        return json.loads(value) if value[:1] in ("{", "[") else value
    except (ValueError, RecursionError):
        return value


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Each field with its path, objects and lists too."""
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fields(f"{path}/{name}" if path else name, inner)
    elif isinstance(value, list):
        for inner in value[:MOST]:
            yield from (one for one in _fields(path, inner) if one[1] is not inner or not isinstance(inner, list))
