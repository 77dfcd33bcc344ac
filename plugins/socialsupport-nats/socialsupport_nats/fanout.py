"""Hands the log on to a JetStream stream: one message an entry, each acknowledged before the next is sent."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error as NATSError
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import NotFoundError
from pydantic import Field, SecretStr, field_validator

from socialsupport_core.contract import FanOut, LogRecord, Settings, Unavailable

PATIENCE = 5.0  # seconds for one acknowledgement, and for the connection
MESSAGE_ID = "Nats-Msg-Id"
TOO_LARGE = "Socialsupport-Too-Large"
"""Set, with the size in bytes, where `data` was left out because the server takes no message of that size."""
_PLAIN = re.compile(rb"[A-Za-z0-9_-]")
_SUBJECT = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"


class NATSSettings(Settings):
    servers: tuple[str, ...] = ("nats://127.0.0.1:4222",)
    """Addresses of one cluster, `nats://`, `tls://` or `wss://`. They hold no password."""
    user: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    """Instead of user and password."""
    stream: str = Field(default="SOCIALSUPPORT", pattern=r"^[A-Za-z0-9_-]+$")
    subject: str = Field(default="socialsupport", pattern=rf"^{_SUBJECT}$")
    """The beginning of every subject: `socialsupport.TENANT.TYPE`."""
    create_stream: bool = True
    """Make the stream if it is not there. One that is there is never changed."""
    replicas: int = Field(default=1, ge=1, le=5)
    """Of a stream that is made here."""
    duplicate_window: int = Field(default=3_600, ge=1)
    """Seconds for which a stream that is made here knows a message again."""

    @field_validator("servers")
    @classmethod
    def _without_password(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        if not servers:
            raise ValueError("name at least one server")
        if any("@" in urlsplit(one).netloc for one in servers):
            raise ValueError("an address holds no password; give `user` and `password`, or `token`")
        return servers


def token(text: str) -> str:
    """One token of a subject: full stops, wildcards and blanks are spelt as in addresses."""
    return "".join(chr(byte) if _PLAIN.match(bytes([byte])) else f"%{byte:02X}" for byte in text.encode())


def message_id(record: LogRecord, body: bytes) -> str:
    """The same for the same entry. The digest is for a store that was restored: it gives cursors a second time."""
    return f"{token(record.tenant)}:{record.cursor}:{hashlib.sha256(body).hexdigest()[:16]}"


class JetStream(FanOut[NATSSettings]):
    name = "nats"
    settings_model: ClassVar[type[Settings]] = NATSSettings

    def __init__(self, settings: NATSSettings) -> None:
        super().__init__(settings)
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None

    async def publish(self, records: Sequence[LogRecord]) -> None:
        """One after another: were several under way at once, one that is lost would come after the next."""
        try:
            async with asyncio.timeout(PATIENCE):
                stream = self._stream or await self._connect()
            for record in records:
                await self._publish_one(stream, record)
        except (NATSError, OSError, TimeoutError) as error:
            await self.aclose()  # what the client still holds back must not go out behind our back
            raise Unavailable(f"{type(error).__name__}: {error}".removesuffix(": ")) from error
        except BaseException:
            await self.aclose()
            raise

    async def _publish_one(self, stream: JetStreamContext, record: LogRecord) -> None:
        body, headers = self._message(record)
        subject = f"{self.settings.subject}.{token(record.tenant)}.{record.type}"
        await stream.publish(subject, body, timeout=PATIENCE, stream=self.settings.stream, headers=headers)

    def _message(self, record: LogRecord) -> tuple[bytes, dict[str, str]]:
        body = record.to_json().encode()
        headers = {MESSAGE_ID: message_id(record, body)}
        room = self._client.max_payload - 1_024 if self._client else 0  # the headers count too
        if len(body) > room:
            headers[TOO_LARGE] = str(len(body))
            body = record.model_copy(update={"data": {}}).to_json().encode()
        return body, headers

    async def aclose(self) -> None:
        client, self._client, self._stream = self._client, None, None
        if client is not None:
            with suppress(NATSError, OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await client.close()

    async def _connect(self) -> JetStreamContext:
        """No reconnecting behind our back: what was not acknowledged is handed on again by whoever called."""
        given = self.settings
        self._client = Client()
        await self._client.connect(
            list(given.servers),
            name="socialsupport",
            user=given.user,
            password=given.password.get_secret_value() if given.password else None,
            token=given.token.get_secret_value() if given.token else None,
            allow_reconnect=False,
            connect_timeout=int(PATIENCE),
            error_cb=_quiet,
        )
        stream = self._client.jetstream(timeout=PATIENCE)
        await self._make(stream)
        self._stream = stream
        return stream

    async def _make(self, stream: JetStreamContext) -> None:
        given = self.settings
        try:
            await stream.stream_info(given.stream)
        except NotFoundError:
            if not given.create_stream:
                raise
            config = StreamConfig(
                name=given.stream,
                subjects=[f"{given.subject}.>"],
                storage=StorageType.FILE,
                num_replicas=given.replicas,
                duplicate_window=given.duplicate_window,
            )
            await stream.add_stream(config)


async def _quiet(_: Exception) -> None:
    """What goes wrong is raised where it was asked; the client's own log would say it a second time."""
