"""The record of one call: our own JSON, and the same fields as columns of a table."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Payload
from socialsupport_phone.table import rows


@dataclass(frozen=True, slots=True)
class Found:
    """One record as it came, and where: `row 3`, `calls[0]`, or nothing where it stood alone."""

    native: Any
    place: str = ""
    problem: str | None = None
    """Why it could not even be read as a record."""

    @property
    def name(self) -> str:
        """From what we understand of the content alone: the same in another file, or with unknown fields."""
        if isinstance(self.native, dict):
            return digest(*(f"{name}={self.native.get(name)!r}" for name in FIELDS))
        return digest(repr(self.native))


def _iso(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("not ISO 8601, such as 2026-03-01T09:15:00+01:00") from None


def _seconds(value: Any) -> Any:
    """Tables also write 4:12 and 0:04:12."""
    if not isinstance(value, str) or ":" not in value:
        return value
    total = 0
    for part in value.strip().split(":"):
        if not (part.isascii() and part.isdigit() and len(part) <= 4):
            raise ValueError("write it in seconds, or as 0:04:12")
        total = total * 60 + int(part)
    return total


Moment = Annotated[datetime, BeforeValidator(_iso)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, allow_inf_nan=False)]


class Record(BaseModel):
    """Unknown fields are ignored: telephone systems write many more."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, str_strip_whitespace=True)

    id: Annotated[str, Field(max_length=512)] | None = None
    type: Literal["call", "voicemail"] = "call"
    caller: str | None = Field(alias="from")
    called: str | None = Field(alias="to")
    start: Moment
    duration: Seconds | None = None
    outcome: Annotated[str, Field(min_length=1, max_length=64)]
    agent: str | None = None
    notes: str | None = None
    recording: Annotated[str, Field(max_length=2048)] | None = None
    transcript: str | None = None
    direction: Literal["inbound", "outbound"] | None = None

    @property
    def kind(self) -> Literal["call", "voicemail"]:
        return "voicemail" if "voicemail" in (self.type, self.outcome.lower()) else "call"


FIELDS = tuple(field.alias or name for name, field in Record.model_fields.items())


def record(native: Any) -> Record:
    """Raises ValueError that names the fields and what is wrong with them, and repeats no content."""
    if not isinstance(native, Mapping):
        raise ValueError(  # noqa: TRY004 - a reason like every other
            "a record is an object with from, to, start, duration and outcome"
        )
    try:
        return Record.model_validate(_without_blanks(native))
    except ValidationError as error:
        raise ValueError(misfit(error, "record")) from None


def _without_blanks(native: Mapping[str, Any]) -> dict[str, Any]:
    """An empty cell says nothing, except where a number belongs: there it says that it was withheld."""
    return {key: value for key, value in native.items() if key in ("from", "to") or value not in (None, "")}


def digest(*parts: str) -> str:
    """A short name for these values, the same on every machine."""
    written = json.dumps(parts)
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def found(payload: Payload) -> Iterator[Found]:
    """The records of a webhook or a file; the content tells which. Raises MalformedPayload."""
    if payload.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        yield from _in_json(payload)
    else:
        for row in rows(payload.body):
            yield Found(row.content, f"row {row.number}", row.problem)


def _in_json(payload: Payload) -> Iterator[Found]:
    try:
        content = from_json(payload.body.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error
    if isinstance(content, dict) and isinstance(content.get("calls"), list):
        for index, native in enumerate(content["calls"]):
            yield Found(native, f"calls[{index}]")
    elif isinstance(content, dict) and content.keys() & {"from", "to", "start"}:
        yield Found(content)
    else:
        raise MalformedPayload('the body is neither a call with from, to and start, nor {"calls": [...]}')
