"""What the operator says of one form."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from socialsupport_core.contract import Settings
from socialsupport_webform.words import KEYS

Secret = Annotated[SecretStr, Field(min_length=16)]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
FieldName = Literal["name", "email", "phone", "order", "subject"]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class WebformSettings(Settings):
    own_account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    """The name of this form in identifiers, for instance `acme-contact`."""
    secret: Secret
    """Signs forms and what was filled in. `openssl rand -hex 32` makes a good one."""
    previous_secret: Secret | None = None
    title: Phrase = "Contact us"
    introduction: Annotated[str, StringConstraints(max_length=2000)] = ""
    language: Literal["en", "de", "fr", "es"] = "en"
    words: dict[str, Phrase] = Field(default_factory=dict)
    """In place of those of the language."""
    accent: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")] = "#3f51b5"
    fields: tuple[FieldName, ...] = ("name", "email", "phone", "order", "subject")
    """Beside the message itself, in this order."""
    required: frozenset[FieldName] = frozenset({"email"})
    files: bool = True
    allowed_origins: tuple[Origin, ...] = ()
    """Sites that may have the form in a frame, for instance `https://www.acme.example`."""

    @field_validator("words")
    @classmethod
    def _are_known(cls, words: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(words.keys() - KEYS):
            raise ValueError(f"there is no {', '.join(unknown)}; there is {', '.join(sorted(KEYS))}")
        return words

    @model_validator(mode="after")
    def _asks_for_what_it_needs(self) -> Self:
        if missing := sorted(self.required - set(self.fields)):
            raise ValueError(f"required: {', '.join(missing)} is not among the fields")
        return self

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The newest first."""
        return tuple(one.get_secret_value().encode() for one in (self.secret, self.previous_secret) if one)
