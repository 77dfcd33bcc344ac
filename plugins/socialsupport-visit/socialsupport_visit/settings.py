"""What the operator says of the shops."""

from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from socialsupport_core.contract import Settings

Secret = Annotated[SecretStr, Field(min_length=16)]
BranchId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Branch(BaseModel):
    """One shop. Whoever knows its secret may write down its visits."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Phrase
    secret: Annotated[SecretStr, Field(min_length=12)] | None = None
    """Without it nobody signs in for this branch, and its visits come in files only."""


class VisitSettings(Settings):
    own_account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    """The name of the shops in identifiers, for instance `acme-shops`."""
    secret: Secret
    """Signs what the form writes, and who is signed in. `openssl rand -hex 32` makes a good one."""
    previous_secret: Secret | None = None
    branches: dict[BranchId, Branch] = Field(min_length=1)
    title: Phrase = "Visits"
    outcomes: tuple[Phrase, ...] = ("helped", "exchanged", "refunded", "ordered", "repaired", "not solved")
    """What the form offers; files may say others."""
    timezone: str = "UTC"
    """IANA, such as `Europe/Berlin`: of times that are written without their offset."""
    accent: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")] = "#3f51b5"

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str) -> str:
        try:
            _ = ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _secrets_are_different(self) -> Self:
        known = [one.secret.get_secret_value() for one in self.branches.values() if one.secret]
        if len(set(known)) < len(known):
            raise ValueError("branches: two have the same secret; nobody could tell who wrote a visit down")
        return self

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The newest first."""
        return tuple(one.get_secret_value().encode() for one in (self.secret, self.previous_secret) if one)
