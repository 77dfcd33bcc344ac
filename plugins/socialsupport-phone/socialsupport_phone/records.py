"""The record of one call: our own JSON, and the same fields as columns of a table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from socialsupport_core.contract.misfit import misfit
from socialsupport_core.contract.records import Records

CALLS = Records(
    "call",
    ("from", "to", "start", "duration", "outcome"),
    ("agent", "notes", "direction", "recording", "transcript", "type", "id"),
)


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


def record(native: Any) -> Record:
    """Raises ValueError that names the fields and what is wrong with them, and repeats no content."""
    if not isinstance(native, Mapping):
        raise ValueError(  # noqa: TRY004 - a reason like every other
            f"a call is an object with {', '.join(CALLS.needed)}"
        )
    try:
        return Record.model_validate(_without_blanks(native))
    except ValidationError as error:
        raise ValueError(misfit(error, "record")) from None


def _without_blanks(native: Mapping[str, Any]) -> dict[str, Any]:
    """An empty cell says nothing, except where a number belongs: there it says that it was withheld."""
    return {key: value for key, value in native.items() if key in ("from", "to") or value not in (None, "")}
