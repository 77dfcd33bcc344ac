"""What every value of the model shares."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value. Unknown fields are refused: our own words are exact, only native payloads are lax."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=False)

    def to_json(self) -> str:
        """The JSON of the documentation: absent optional fields are left out."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True).decode()  # as `model_dump_json` does


def in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the year must be between 1 and 9999 in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""A moment with its time zone, kept in UTC. A naive datetime is refused: it says nothing."""


def is_empty(value: object) -> bool:
    """For `Field(exclude_if=is_empty)`: an empty collection is an absent one."""
    return not value
