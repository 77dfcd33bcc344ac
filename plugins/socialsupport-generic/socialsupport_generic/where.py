"""Where something stands in somebody else's JSON, and what was found there.

A place is a path of names, parted by full stops: `user.id`. A number counts in a list from 0: `phones.0`. A backslash
keeps a full stop within a name: `user\\.name`. A path begins at the event; `$.` lets it begin at the whole body.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.mistakes import near

LONGEST_PATH, ALTERNATIVES = 300, 10
MILLISECONDS = 1e11
"""A number of this size counts milliseconds since 1970: in seconds it would be the year 5138."""

_PARTS = re.compile(r"(?:[^.\\]|\\.)+")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
Path = Annotated[
    str, StringConstraints(pattern=r"^(?:[^.\\\x00]|\\.)+(?:\.(?:[^.\\\x00]|\\.)+)*$", max_length=LONGEST_PATH)
]


def _in_full(written: object) -> object:
    if isinstance(written, str):
        return {"path": (written,)}
    return {"path": tuple(written)} if isinstance(written, list | tuple) else written


def _several(written: object) -> object:
    return (written,) if isinstance(written, str) else written


class Place(BaseModel):
    """One path, several of which the first that leads to something counts, or a table with these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[tuple[Path, ...], BeforeValidator(_several), Field(max_length=ALTERNATIVES)] = ()
    values: dict[str, str] = Field(default_factory=dict)
    """Their words → ours. A word that is not named stays as it is; `true` and `false` are words."""
    present: str | None = None
    """Our word wherever there is anything."""
    value: str | None = None
    """Ours in any case: a constant."""
    default: str | None = None
    """Ours where there is nothing, or no word of `values`."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if bool(self.path) == (self.value is not None):
            raise ValueError("write a path, or a constant as { value = … }, and not both")
        return self


Where = Annotated[Place, BeforeValidator(_in_full)]


@dataclass(frozen=True, slots=True)
class OneOf:
    """What stands there must become one of our words: those that the operator has written are looked at at once."""

    words: tuple[str, ...]

    def __call__(self, place: Place) -> Place:
        ours: dict[str, str | None] = {f"values.{theirs}": word for theirs, word in place.values.items()}
        ours |= {"present": place.present, "value": place.value, "default": place.default}
        for key, word in ours.items():
            if word is not None and word not in self.words:
                raise ValueError(f"{key}: {word!r} is none of our words; {near(word, self.words)}")
        return place


@dataclass(frozen=True, slots=True)
class Native:
    """One event in their JSON, within the whole body. `place` is where it stands: `messages[2]`."""

    event: Any
    body: Any
    place: str = ""

    def within(self, item: Any, name: str) -> "Native":
        return Native(item, self.body, f"{self.place}.{name}" if self.place else name)

    def at(self, path: str) -> Any:
        """None if there is nothing."""
        parts = names(path)
        value, rest = (self.body, parts[1:]) if parts[0] == "$" else (self.event, parts)
        for name in rest:
            value = _step(value, name)
        return value

    def named(self, path: str) -> str:
        """The path as it is to be looked for in the body."""
        if path == "$" or path.startswith("$."):
            return path[2:] or "the body"
        return f"{self.place}.{path}" if self.place else path

    def text(self, where: Place | None, called: str) -> str | None:
        """A text, or a number in decimal. Raises MalformedPayload where something else stands."""
        if where is None:
            return None
        if where.value is not None:
            return where.value
        for path in where.path:
            if (written := self._written(path, called)) is not None:
                return (
                    where.present or where.values.get(written) or (where.default if where.values else None) or written
                )
        return where.default

    def _written(self, path: str, called: str) -> str | None:
        value = self.at(path)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return str(value)
        if value is None or isinstance(value, str):
            return (value or "").replace("\x00", "") or None
        raise MalformedPayload(f"{self.named(path)} is no text; the mapping reads {called} there")

    def needed(self, where: Place, called: str) -> str:
        found = self.text(where, called)
        if found is None:
            raise self.missing(called, where)
        return found

    def missing(self, called: str, *wheres: Place | None) -> MalformedPayload:
        paths = [self.named(path) for where in wheres if where for path in where.path]
        verb = f"{paths[0]} is missing" if len(paths) == 1 else f"none of {', '.join(paths)} is there"
        return MalformedPayload(f"{verb}; the mapping reads {called} there")

    def moment(self, where: Place | None, called: str, zone: tzinfo | None) -> datetime | None:
        """ISO 8601, or seconds or milliseconds since 1970."""
        written = self.text(where, called)
        if where is None or written is None:
            return None
        try:
            return _moment(written, zone)
        except (ValueError, OverflowError, OSError) as error:
            told = str(error) if isinstance(error, Undated) else "is no time: write ISO 8601 or seconds since 1970"
            places = ", ".join(map(self.named, where.path)) or called
            raise MalformedPayload(f"{places} {told}; the mapping reads {called} there") from None


class Undated(ValueError):
    """Why a time says nothing."""


def _moment(written: str, zone: tzinfo | None) -> datetime:
    try:
        number = float(written)
    except ValueError:
        number = None
    if number is not None:
        return datetime.fromtimestamp(number / 1000 if abs(number) >= MILLISECONDS else number, UTC)
    moment = datetime.fromisoformat(written.strip())
    if moment.tzinfo is None and zone is None:
        raise Undated("has no offset from UTC: write one, or set the mapping's timezone")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


@lru_cache(maxsize=4096)
def names(path: str) -> tuple[str, ...]:
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in _PARTS.findall(path))


def _step(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and _INDEX.fullmatch(name):
        return value[int(name)] if int(name) < len(value) else None
    return None
