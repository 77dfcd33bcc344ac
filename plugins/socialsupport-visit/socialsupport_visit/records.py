"""One visit as it was written down: in our own JSON, and as a row of a table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from socialsupport_core.contract.misfit import misfit
from socialsupport_core.contract.records import Records
from socialsupport_core.contract.typed import is_email, is_phone

VISITS = Records(
    "visit",
    ("branch", "at", "about"),
    ("staff", "name", "card", "email", "phone", "order", "outcome", "minutes", "id"),
)
LONGEST_VISIT = 24 * 60.0  # minutes


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("not ISO 8601, such as 2026-03-01T09:15 or 2026-03-01T09:15:00+01:00") from None


def _line(most: int) -> Any:
    return StringConstraints(max_length=most, pattern=r"^[^\x00]*$")


class Record(BaseModel):
    """Unknown fields are ignored: tills and other systems write many more."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, str_strip_whitespace=True)

    branch: Annotated[str, _line(64)]
    at: Annotated[datetime, BeforeValidator(_moment)]
    about: Annotated[str, StringConstraints(min_length=1), _line(10_000)]
    staff: Annotated[str, _line(200)] | None = None
    name: Annotated[str, _line(200)] | None = None
    """The customer's."""
    card: Annotated[str, _line(100)] | None = None
    email: Annotated[str, _line(320)] | None = None
    phone: Annotated[str, _line(40)] | None = None
    order: Annotated[str, _line(100)] | None = None
    outcome: Annotated[str, _line(100)] | None = None
    minutes: Annotated[float, Field(ge=0, le=LONGEST_VISIT, allow_inf_nan=False)] | None = None
    id: Annotated[str, _line(200)] | None = None

    @field_validator("email")
    @classmethod
    def _is_an_address(cls, written: str | None) -> str | None:
        if written and not is_email(written):
            raise ValueError("not an e-mail address; leave it out if there is none")
        return written

    @field_validator("phone")
    @classmethod
    def _is_a_number(cls, written: str | None) -> str | None:
        if written and not is_phone(written):
            raise ValueError("not a telephone number; leave it out if there is none")
        return written


def record(native: Any) -> Record:
    """Raises ValueError that names the fields and what is wrong with them, and repeats no content."""
    if not isinstance(native, Mapping):
        raise ValueError(f"a visit is an object with {', '.join(VISITS.needed)}")  # noqa: TRY004 - a reason like every other
    try:
        return Record.model_validate({key: value for key, value in native.items() if value not in (None, "")})
    except ValidationError as error:
        raise ValueError(misfit(error)) from None
