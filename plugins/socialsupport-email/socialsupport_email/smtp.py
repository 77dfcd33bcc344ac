"""The wire that hands mails to an SMTP server (RFC 5321)."""

import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar

import aiosmtplib

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
)
from socialsupport_email.asks import Accepted, CheckSmtp, SendMail, SmtpFeatures
from socialsupport_email.settings import SmtpServer

CONNECT_SECONDS = 30.0
COMMAND_SECONDS = 120.0  # RFC 5321 4.5.3.2: 5 minutes for MAIL and RCPT, 2 for DATA; we serve waiting agents
END_SECONDS = 600.0  # 4.5.3.2.6: the server may take 10 minutes after the final dot

BY_ENHANCED: dict[str, type[DeliveryError]] = {
    "4.2.2": Unavailable,  # mailbox full
    "5.1.1": Unreachable,
    "5.1.2": Unreachable,
    "5.1.3": Unreachable,
    "5.1.6": Unreachable,
    "5.1.10": Unreachable,
    "5.2.1": Unreachable,
    "5.2.2": Unreachable,
    "5.3.4": ContentRejected,
    "5.7.0": Forbidden,
    "5.7.8": AuthExpired,
    "5.7.9": AuthExpired,
}
"""By enhanced status code (RFC 3463 and IANA's registry, 2026-11); it says more than the bare one."""

BY_CODE: dict[int, type[DeliveryError]] = {
    421: Unavailable,
    450: Unavailable,
    451: Unavailable,
    452: Unavailable,
    454: Unavailable,
    530: AuthExpired,
    534: AuthExpired,
    535: AuthExpired,
    550: Unreachable,
    551: Unreachable,
    552: ContentRejected,
    553: Unreachable,
    554: ContentRejected,
    555: ContentRejected,
    556: Unreachable,
}
"""RFC 5321 4.2.3, RFC 4954 6, RFC 7504; everything else from 400 is Unavailable, from 500 Forbidden."""

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
_THROTTLED = re.compile(r"\b(?:rate|too many|throttl|quota of messages|slow down)", re.IGNORECASE)
_DOT = re.compile(rb"^\.", re.MULTILINE)
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class SmtpWire:
    """One connection for each mail. Until the mail's last byte is out nothing has been done; after it, who knows."""

    asks: ClassVar[tuple[type, ...]] = (SendMail, CheckSmtp)

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tls: ssl.SSLContext | None = None,
        seconds: float = COMMAND_SECONDS,
        end_seconds: float = END_SECONDS,
    ) -> None:
        """`tls` replaces the system's trust; `seconds` bound each answer, `end_seconds` the last one."""
        self._clock = clock
        self._tls = tls
        self._seconds = seconds
        self._end_seconds = end_seconds

    async def answer(self, ask: Any) -> Any:
        if isinstance(ask, CheckSmtp):
            return await self._check(ask)
        return await self._send(ask)

    async def aclose(self) -> None:
        """Nothing stays open between two asks."""

    async def _check(self, ask: CheckSmtp) -> SmtpFeatures:
        async with self._session(ask.server) as client:
            size = client.esmtp_extensions.get("size", "")
            return SmtpFeatures(max_bytes=int(size) if size.isdigit() and int(size) else None)

    async def _send(self, ask: SendMail) -> Accepted:
        date = f"Date: {format_datetime(self._clock())}\r\n".encode()
        message = date + ask.message
        async with self._session(ask.server) as client:
            utf8 = not (ask.sender.isascii() and ask.recipient.isascii())
            encoding = "utf-8" if utf8 else "ascii"
            await client.mail(ask.sender, options=_mail_options(client, len(message), utf8), encoding=encoding)
            await client.rcpt(ask.recipient, options=_rcpt_options(client, ask.receipts), encoding=encoding)
            start = await client.execute_command(b"DATA", timeout=self._seconds)
            if start.code != 354:
                raise _refusal(start.code, start.message)
            return await self._content(client, message)

    async def _content(self, client: aiosmtplib.SMTP, message: bytes) -> Accepted:
        """From here on silence means that the mail may have been taken."""
        assert client.protocol is not None
        dotted = _DOT.sub(b"..", message) + (b"" if message.endswith(b"\r\n") else b"\r\n") + b".\r\n"
        try:
            client.protocol.write(dotted)
            answer = await client.protocol.read_response(timeout=self._end_seconds)
        except (OSError, aiosmtplib.SMTPException) as error:
            reason = f"the server did not answer after the whole mail was sent ({type(error).__name__})"
            raise Uncertain(reason) from error
        if 200 <= answer.code < 300:
            return Accepted(_shown(answer.message))
        raise _refusal(answer.code, answer.message)

    @asynccontextmanager
    async def _session(self, server: SmtpServer) -> AsyncIterator[aiosmtplib.SMTP]:
        """Connected and signed in. Whatever fails inside has certainly not been done, unless it says otherwise."""
        password = server.password.get_secret_value() if server.password else None
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=password,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls,
            timeout=min(CONNECT_SECONDS, self._seconds),
        )
        try:
            await client.connect()
            client.timeout = self._seconds
            if not client.last_ehlo_response:
                await client.ehlo()
            yield client
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error.code, error.message) from error
        except (OSError, aiosmtplib.SMTPException, ssl.SSLError, ValueError) as error:
            raise Unavailable(_reason(server, error)) from error
        finally:
            await _leave(client)


def _mail_options(client: aiosmtplib.SMTP, size: int, utf8: bool) -> list[str]:
    """RFC 1870, RFC 6531. A server without SMTPUTF8 cannot reach such an address."""
    options = [f"SIZE={size}"] if client.supports_extension("size") else []
    if utf8 and not client.supports_extension("smtputf8"):
        raise Unreachable("the mail server cannot write to addresses beyond ASCII (it offers no SMTPUTF8)")
    return [*options, "SMTPUTF8"] if utf8 else options


def _rcpt_options(client: aiosmtplib.SMTP, receipts: bool) -> list[str]:
    """RFC 3461 4.1."""
    return ["NOTIFY=SUCCESS,FAILURE,DELAY"] if receipts and client.supports_extension("dsn") else []


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Politely where possible; the mail's fate is decided already."""
    try:
        if client.is_connected:
            await client.quit(timeout=2)
    except (OSError, aiosmtplib.SMTPException):
        pass
    finally:
        client.close()


def _refusal(code: int, message: str) -> DeliveryError:
    """What a reply code stands for. A reply that is none says nothing about the mail: see `_content`."""
    said = _shown(message)
    enhanced = _ENHANCED.search(said[:40])
    native = enhanced[1] if enhanced else str(code)
    text = f"the mail server answered {code} {said}".rstrip()
    if code < 400:
        return Uncertain(text, code=str(code))
    if code < 500 and _THROTTLED.search(said):
        return RateLimited(text, code=native)
    kind = BY_ENHANCED.get(native) or BY_CODE.get(code) or (Unavailable if code < 500 else Forbidden)
    return kind(text, code=native)


def _shown(message: str) -> str:
    return _HIDDEN.sub(" ", message).strip()[:300]


def _reason(server: SmtpServer, error: Exception) -> str:
    return f"{server.host}:{server.port} cannot be used: {type(error).__name__}: {_shown(str(error))}"
