"""What a browser says, and how it is signed. The protocol is ours; the README holds it as a table."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic import ValidationError as Invalid

from socialsupport_core.contract import MalformedPayload

SIGNATURE_HEADER = "x-webchat-signature"
MAX_TEXT = 4_000
MAX_READ = 50
MAX_IDENTITY_LIFETIME = timedelta(days=1)
"""A signed identity works for whoever holds it, so it may not live longer than a working day's page."""
MAX_WAIT = timedelta(days=7)
"""How long a message may have waited offline for its own clock to be believed."""
TOKEN_LIFETIME = timedelta(days=90)

HANDOFF = re.compile(r"[a-z2-7]{26}")

# Databases and C libraries cannot carry NUL, and nobody types one.
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
VisitorId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
ClientId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""A UUID drawn by the browser."""
EntryId = Annotated[Line, StringConstraints(min_length=1, max_length=256)]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("the text is empty")
    return text


class Said(BaseModel):
    """Unknown fields are ignored, so that an old hub reads a newer page."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    kind: ClassVar[str]

    visitor: VisitorId


class Message(Said):
    kind = "message"
    id: ClientId
    text: Annotated[Line, StringConstraints(max_length=MAX_TEXT), AfterValidator(_not_blank)]
    at: AwareDatetime | None = None
    choice: Annotated[Line, StringConstraints(min_length=1, max_length=1024)] | None = None
    """The value behind the button that was pressed; `text` is then its title."""
    reply_to: EntryId | None = None
    handoff: Annotated[Line, StringConstraints(max_length=256)] | None = None


class Identify(Said):
    kind = "identify"
    identity: Annotated[Line, StringConstraints(max_length=4096)]
    """The JSON text that was signed, character for character: nothing has to be made canonical."""
    signature: Annotated[str, StringConstraints(max_length=256)] | None = None
    handoff: Annotated[Line, StringConstraints(max_length=256)] | None = None


class Typing(Said):
    kind = "typing"
    id: ClientId


class Read(Said):
    kind = "read"
    messages: Annotated[tuple[EntryId, ...], Field(min_length=1, max_length=MAX_READ)]


SAID: Mapping[str, type[Said]] = {model.kind: model for model in (Message, Identify, Typing, Read)}


class Envelope(BaseModel):
    type: Annotated[str, StringConstraints(max_length=64)]
    visitor: Any = None
    id: Any = None


class Identity(BaseModel):
    """Who somebody is. Exact, unlike `Said`: a signed claim that we cannot read must not be half believed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    user: Annotated[Line, StringConstraints(min_length=1, max_length=256)] | None = None
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=320)] | None = None
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None  # E.164
    name: Annotated[Line, StringConstraints(min_length=1, max_length=256)] | None = None
    expires: Annotated[int, Field(strict=True, ge=0, le=10**11)] | None = None
    """Seconds since 1970. Must be there in a signed identity."""


S = TypeVar("S", bound=BaseModel)


def read(model: type[S], body: bytes | str) -> S:
    """Raises MalformedPayload that names the fields and repeats none of their values."""
    try:
        return model.model_validate_json(body)
    except Invalid as error:
        raise MalformedPayload(explain(error)) from None


def explain(error: Invalid) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'the body'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    )


def write(said: Said) -> bytes:
    """The body of a payload."""
    content = said.model_dump_json(exclude_none=True).removeprefix("{")
    return f'{{"type":"{said.kind}",{content}'.encode()


def sign(secret: SecretStr, message: bytes) -> str:
    return hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()


def is_signed(message: bytes, signature: str, secrets: Iterable[SecretStr]) -> bool:
    given = signature.encode("utf-8", "replace")
    matches = [hmac.compare_digest(sign(secret, message).encode(), given) for secret in secrets]
    return any(matches)


def make_token(secret: SecretStr, own_account: str, visitor: str, issued: datetime) -> str:
    """What a visitor's browser keeps: it proves the visitor id and nothing about the person."""
    head = f"{visitor}.{int(issued.timestamp())}"
    return f"{head}.{sign(secret, _token_text(own_account, head))}"


def read_token(token: str, secrets: Iterable[SecretStr], own_account: str, now: datetime) -> str | None:
    """The visitor, or None when the token is not ours or too old."""
    head, _, signature = token.rpartition(".")
    if not is_signed(_token_text(own_account, head), signature, secrets):
        return None
    visitor, _, issued = head.partition(".")
    age = now.timestamp() - int(issued)
    return visitor if age <= TOKEN_LIFETIME.total_seconds() else None


def _token_text(own_account: str, head: str) -> bytes:
    # A payload begins with a brace, so that no signature of the one is ever one of the other.
    return f"token\n{own_account}\n{head}".encode("utf-8", "replace")
