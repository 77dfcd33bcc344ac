"""Payloads: what came in, byte for byte; and what a door answers."""

import json
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import ConfigDict, Field, SecretStr
from pydantic_core import from_json

from socialsupport_core.model.base import Instant, Value, is_empty

Headers = tuple[tuple[str, str], ...]


class Payload(Value):
    """A webhook request, a polled page, a frame of a stream or a file.

    `url` is absolute and as the network called it.
    """

    source: Literal["webhook", "poll", "stream", "file"] = "webhook"
    method: str = "POST"
    url: str = ""
    headers: Headers = Field(default=(), repr=False)
    body: bytes = Field(default=b"", repr=False)
    received_at: Instant
    """The only clock that a connector sees."""

    def header(self, name: str) -> str | None:
        """The header's value, None if it is missing. Two of one name are refused by the door."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:  # type: ignore[override]  # pydantic's own is deprecated
        """The body read as JSON. Raises ValueError, for NaN, lone surrogates and nesting too deep as well."""
        return from_json(self.body, allow_inf_nan=False)


class Reply(Value):
    """What a door answers to the network."""

    status: int = 200
    headers: Headers = Field(default=(), exclude_if=is_empty)
    body: bytes = b""

    @classmethod
    def of_json(cls, content: Any, status: int = 200) -> Self:
        return cls(
            status=status,
            headers=(("content-type", "application/json"),),
            body=json.dumps(content, separators=(",", ":")).encode(),
        )

    @classmethod
    def of_text(cls, text: str, status: int = 200, media_type: str = "text/plain") -> Self:
        return cls(status=status, headers=(("content-type", media_type),), body=text.encode())


class Page(Value):
    """One polled page: payloads in the network's order, and where to go on from. Both are stored in one commit."""

    payloads: tuple[Payload, ...] = ()
    cursor: str | None = None
    """None: from the beginning."""
    more: bool = False
    """The next page is asked for at once, if the cursor has moved."""


class Blob(Value):
    """A file's content."""

    content: bytes = Field(repr=False)
    media_type: str = "application/octet-stream"
    name: str | None = None


class Facts(Value):
    """What `probe` learnt about our account, stored by the host and given back at the next start."""

    own_account: str | None = None
    name: str | None = None
    handle: str | None = None
    limits: dict[str, int] = Field(default_factory=dict)
    extra: dict[str, str] = Field(default_factory=dict)


class Credentials(Value):
    """What OAuth gives. Committed before it is used: some refresh tokens work once."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    expires_at: Instant | None = None
    scopes: frozenset[str] = frozenset()
