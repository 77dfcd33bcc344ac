"""Records that people and systems write down, such as calls and visits: one as JSON, many of them, or a table."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from socialsupport_core.contract.errors import MalformedPayload
from socialsupport_core.contract.table import rows
from socialsupport_core.model import Payload

MARK = b"\xef\xbb\xbf"
"""Of UTF-8, which some programs write at the beginning."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record as it came, and where: `row 3`, `calls[0]`, or nothing where it stood alone."""

    native: Any
    name: str
    """From the fields that we know alone: the same in another file, or with unknown fields."""
    place: str = ""
    problem: str | None = None
    """Why it could not even be read as a record."""


@dataclass(frozen=True, slots=True)
class Records:
    """`what` they are of, such as `call`, the fields that each must have and those that it may have."""

    what: str
    needed: tuple[str, ...]
    optional: tuple[str, ...]

    def found(self, payload: Payload) -> Iterator[Found]:
        """Those of a webhook or a file; the content tells which. Raises MalformedPayload."""
        if payload.body.lstrip(MARK + b" \t\r\n").startswith((b"{", b"[")):
            yield from self._in_json(payload.body.removeprefix(MARK))
            return
        for row in rows(payload.body, f"{self.what}s", self.needed, self.optional):
            yield self._named(row.content, f"row {row.number}", row.problem)

    def _in_json(self, body: bytes) -> Iterator[Found]:
        try:
            content = from_json(body, allow_inf_nan=False)
        except ValueError as error:
            raise MalformedPayload(f"the body is not JSON: {error}") from error
        many = f"{self.what}s"
        if isinstance(content, dict) and isinstance(content.get(many), list):
            for index, native in enumerate(content[many]):
                yield self._named(native, f"{many}[{index}]")
        elif isinstance(content, dict) and content.keys() & set(self.needed):
            yield self._named(content)
        else:
            *names, last = self.needed
            alone = f"a {self.what} with {', '.join(names)} and {last}"
            raise MalformedPayload(f'the body is neither {alone}, nor {{"{many}": [...]}}')

    def _named(self, native: Any, place: str = "", problem: str | None = None) -> Found:
        known = (*self.needed, *self.optional)
        parts = [f"{one}={native.get(one)!r}" for one in known] if isinstance(native, dict) else [repr(native)]
        return Found(native, digest(*parts), place, problem)


def digest(*parts: str) -> str:
    """A short name for these values, the same on every machine."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
