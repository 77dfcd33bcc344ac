"""An SMTP server of our own: mail that comes in by itself, without a mailbox to poll."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from socialsupport_core.model import Payload, Reply
from socialsupport_email.address import canonical, split_tag

MAX_BYTES = 25 * 1024 * 1024  # of one mail; what Gmail sends: https://support.google.com/a/answer/1366776 (2026-11)
MAX_CONNECTIONS = 100
MAX_RECIPIENTS = 100  # RFC 5321 4.5.3.1.8
MAX_HOPS = 100  # Received headers: RFC 5321 6.3
IDLE_SECONDS = 300.0  # 4.5.3.2.7
GRACE_SECONDS = 10.0  # for storing what has come, when the door closes

STORED = "250 2.0.0 stored"
LATER = "451 4.3.0 not stored, try again later"
ANSWERS = {400: "554 5.6.0 not accepted", 401: "554 5.7.1 not accepted", 413: "552 5.3.4 too large"}
"""What a refusal of the hub's door means in SMTP; every other one asks the sender to try again."""

log = logging.getLogger(__name__)
_RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_PEER = re.compile(r"[^0-9A-Za-z.:-]")

Accept = Callable[[Payload], Awaitable[object]]


class SmtpDoor:
    """Listens until it is closed. `async with SmtpDoor(...)` opens and closes it.

    `accept` stores the payload; only when it has returned is the mail acknowledged. Whatever it raises is answered
    451, so that the sender keeps the mail and tries again; so is a `Reply` that is a failure of ours.
    """

    def __init__(
        self,
        host: str,
        port: int,
        accept: Accept,
        addresses: Collection[str],
        *,
        max_bytes: int = MAX_BYTES,
        max_connections: int = MAX_CONNECTIONS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        name: str = "socialsupport",
    ) -> None:
        """`addresses` are ours; mail to their tagged forms is taken too, everything else refused. Port 0 is any."""
        self.host = host
        self.port = port
        self._accept = accept
        self._addresses = frozenset(filter(None, map(canonical, addresses)))
        self._max_bytes = max_bytes
        self._max_connections = max_connections
        self._clock = clock
        self._name = name
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._storing = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuses new connections, lets mails be stored that have come, and hangs up."""
        if self._server:
            self._server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._quiet.wait()
        await asyncio.sleep(0)  # the last answer is written
        for connection in list(self._open):
            connection.cut()
        if self._server:
            await self._server.wait_closed()

    def _connection(self) -> asyncio.Protocol:
        if len(self._open) >= self._max_connections:
            return _Busy()
        return _Connection(
            _Handler(self),
            self._open,
            data_size_limit=self._max_bytes,
            enable_SMTPUTF8=True,
            hostname=self._name,
            ident="ESMTP",
            timeout=IDLE_SECONDS,
            command_call_limit={"RCPT": MAX_RECIPIENTS + 20, "*": 1000},
        )

    # what the handler asks

    def takes(self, written: str) -> str | None:
        """The address in its canonical form if it is one of ours."""
        address = canonical(written)
        return address if address and split_tag(address)[0] in self._addresses else None

    def payload(self, session: Session, envelope: Envelope) -> Payload:
        """With the headers that the last server on the way adds (RFC 5321 4.4)."""
        now = self._clock()
        peer = _PEER.sub("", str((session.peer or ("unknown",))[0]))
        sender = canonical(envelope.mail_from or "") or ""
        trace = [
            f"Return-Path: <{sender}>",
            *(f"Delivered-To: {address}" for address in envelope.rcpt_tos),
            f"Received: from [{peer}] by {self._name} with ESMTP; {format_datetime(now)}",
        ]
        body = ("\r\n".join(trace) + "\r\n").encode() + _content(envelope)
        return Payload(source="stream", method="", body=body, received_at=now)

    async def accept(self, payload: Payload) -> str:
        """The answer to the sender."""
        self._storing += 1
        self._quiet.clear()
        try:
            said = await self._accept(payload)
        except Exception:
            log.exception("a mail could not be stored; its sender was asked to try again")
            return LATER
        finally:
            self._storing -= 1
            if not self._storing:
                self._quiet.set()
        status = said.status if isinstance(said, Reply) else 200
        return STORED if status < 300 else ANSWERS.get(status, LATER)


def _content(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)  # text only if the server were told to decode it
    return envelope.content


class DoorListener:
    """The door as the hub runs it beside its application."""

    def __init__(self, door: SmtpDoor) -> None:
        self._door = door

    async def start(self) -> str:
        await self._door.open()
        return f"{self._door.host}:{self._door.port}"

    async def stop(self) -> None:
        await self._door.close()


def listener(connector: Any, accept: Callable[[Payload], Awaitable[Reply]], host: str, port: int) -> DoorListener:
    """Takes mail for the address of the channel, and for its aliases."""
    settings = connector.settings
    return DoorListener(SmtpDoor(host, port, accept, [settings.address, *settings.aliases]))


class _Connection(SMTP):
    """One sender. It is counted while it is connected."""

    def __init__(self, handler: "_Handler", others: "set[_Connection]", **options: Any) -> None:
        super().__init__(handler, **options)
        self._others = others

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._others.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._others.discard(self)
        super().connection_lost(error)

    def cut(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.close()


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"421 4.3.2 too many connections, try again later\r\n")
        transport.close()


class _Handler:
    """aiosmtpd calls these methods by their names and answers what they return."""

    def __init__(self, door: SmtpDoor) -> None:
        self._door = door

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        known = self._door.takes(address)
        if known is None:
            return "550 5.1.1 no such mailbox here"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(known)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        content = _content(envelope)
        end = _HEADER_END.search(content)
        if len(_RECEIVED.findall(content, 0, end.start() if end else len(content))) > MAX_HOPS:
            return "554 5.4.6 this mail goes round in circles"
        return await self._door.accept(self._door.payload(session, envelope))

    async def handle_VRFY(self, _server: SMTP, _session: Session, _envelope: Envelope, _address: str) -> str:
        return "252 2.1.5 send some mail, I'll try my best"
