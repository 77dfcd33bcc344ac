"""One form as it was filled in: what the surface writes, and what any server that knows the secret may post."""

import base64
import binascii
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.misfit import misfit

MAX_FILES, MAX_FILE_BYTES = 5, 4_000_000  # of one form, all files together
LENGTHS = {"name": 200, "email": 320, "phone": 40, "order": 100, "subject": 200, "text": 10_000}

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,128}$")]


def _text(name: str) -> StringConstraints:
    return StringConstraints(max_length=LENGTHS[name], pattern=r"^[^\x00]*$")


class File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
    content: Annotated[str, Field(max_length=MAX_FILE_BYTES * 4 // 3 + 4, repr=False)]
    """Base64."""

    @field_validator("content")
    @classmethod
    def _can_be_read(cls, content: str) -> str:
        try:
            base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("this is no Base64") from None
        return content

    @property
    def bytes(self) -> bytes:
        return base64.b64decode(self.content)


class Submission(BaseModel):
    """Unknown fields are ignored, so that an old hub reads a newer form."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Id
    at: AwareDatetime | None = None
    name: Annotated[str, _text("name")] | None = None
    email: Annotated[str, _text("email")] | None = None
    phone: Annotated[str, _text("phone")] | None = None
    order: Annotated[str, _text("order")] | None = None
    subject: Annotated[str, _text("subject")] | None = None
    text: Annotated[str, _text("text")]
    files: Annotated[tuple[File, ...], Field(max_length=MAX_FILES)] = ()


def read(body: bytes) -> Submission:
    """Raises MalformedPayload that names the fields and repeats none of their values."""
    try:
        return Submission.model_validate_json(body)
    except ValidationError as error:
        raise MalformedPayload(misfit(error)) from None


def write(said: Submission) -> bytes:
    return said.model_dump_json(exclude_none=True, exclude_defaults=True).encode()
