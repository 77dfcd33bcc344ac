"""The wire that hands mails to an SMTP server (RFC 5321)."""

import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Literal

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
from socialsupport_email.address import domain_of
from socialsupport_email.asks import Accepted, CheckSmtp, SendMail, SmtpFeatures
from socialsupport_email.settings import SmtpServer

CONNECT_SECONDS = 30.0
COMMAND_SECONDS = 120.0  # RFC 5321 4.5.3.2 grants 5 minutes to MAIL and RCPT, 2 to DATA; an agent waits
END_SECONDS = 600.0  # 4.5.3.2.6: the server may take 10 minutes after the final dot

Stage = Literal["sender", "recipient", "content"]

BY_ENHANCED: Mapping[str, type[DeliveryError]] = {
    "5.1.1": Unreachable,  # no such mailbox
    "5.1.2": Unreachable,  # no such domain
    "5.1.3": Unreachable,  # not an address
    "5.1.6": Unreachable,  # moved
    "5.1.10": Unreachable,  # the domain takes no mail (null MX)
    "5.2.1": Unreachable,  # disabled
    "5.2.2": Unreachable,  # full
    "5.2.3": ContentRejected,  # too large for this mailbox
    "5.3.4": ContentRejected,  # too large
    "5.7.8": AuthExpired,  # wrong password
    "5.7.9": AuthExpired,  # a stronger mechanism is wanted
    "5.7.11": AuthExpired,
    "5.7.14": AuthExpired,
}
"""RFC 3463, RFC 4954, RFC 7505; https://www.iana.org/assignments/smtp-enhanced-status-codes (2026-11)."""

BY_CODE: Mapping[Stage, Mapping[int, type[DeliveryError]]] = {
    "sender": {530: AuthExpired, 534: AuthExpired, 535: AuthExpired, 538: AuthExpired, 552: ContentRejected},
    "recipient": {530: AuthExpired, 550: Unreachable, 551: Unreachable, 552: Unreachable, 553: Unreachable,
                  554: Unreachable, 556: Unreachable},
    "content": {550: ContentRejected, 552: ContentRejected, 554: ContentRejected, 555: ContentRejected},
}  # fmt: skip
"""RFC 5321 4.2.3 and 4.3.2, RFC 4954 6, RFC 7504. Until the recipient is named a refusal is about us. Everything
else from 400 is Unavailable, from 500 Forbidden."""

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_POLICY = re.compile(r"5\.7\.(?:0|1|2|3|[23]\d)")  # not authorized, relaying denied, SPF, DKIM and DMARC failures
_THROTTLED = re.compile(r"\b(?:rate|too many|throttl|slow down)", re.IGNORECASE)
_DOT = re.compile(rb"^\.", re.MULTILINE)
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class SmtpWire:
    """One connection a mail. Until its last byte is out nothing has been done; after that, only the server knows."""

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
        async with self._session(ask.server, ask.sender) as client:
            size = client.esmtp_extensions.get("size", "")
            return SmtpFeatures(max_bytes=int(size) if size.isdigit() and int(size) else None)

    async def _send(self, ask: SendMail) -> Accepted:
        message = f"Date: {format_datetime(self._clock())}\r\n".encode() + ask.message
        async with self._session(ask.server, ask.sender) as client:
            utf8 = not (ask.sender.isascii() and ask.recipient.isascii())
            encoding = "utf-8" if utf8 else "ascii"
            await client.mail(ask.sender, options=_mail_options(client, len(message), utf8), encoding=encoding)
            await client.rcpt(ask.recipient, options=_rcpt_options(client, ask.receipts), encoding=encoding)
            start = await client.execute_command(b"DATA", timeout=self._seconds)
            if start.code != 354:
                raise _refusal(start.code, start.message, "content")
            return await self._content(client, message)

    async def _content(self, client: aiosmtplib.SMTP, message: bytes) -> Accepted:
        """From here on silence means that the mail may have been taken."""
        if client.protocol is None:
            raise Unavailable("the server hung up before the mail was sent")
        dotted = _DOT.sub(b"..", message) + (b"" if message.endswith(b"\r\n") else b"\r\n") + b".\r\n"
        try:
            client.protocol.write(dotted)
            answer = await client.protocol.read_response(timeout=self._end_seconds)
        except (OSError, aiosmtplib.SMTPException) as error:
            reason = f"the whole mail was sent, then no answer came ({type(error).__name__})"
            raise Uncertain(reason) from error
        if 200 <= answer.code < 300:
            return Accepted(_shown(answer.message))
        if answer.code < 400:
            raise Uncertain(f"the whole mail was sent, then {answer.code} came", code=str(answer.code))
        raise _refusal(answer.code, answer.message, "content")

    @asynccontextmanager
    async def _session(self, server: SmtpServer, sender: str) -> AsyncIterator[aiosmtplib.SMTP]:
        """Connected and signed in. What fails inside has certainly not been done, unless it says otherwise."""
        client = self._client(server, sender)
        try:
            await client.connect()
            client.timeout = self._seconds
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            yield client
            await _leave(client)
        except aiosmtplib.SMTPResponseException as error:
            stage: Stage = "recipient" if isinstance(error, aiosmtplib.SMTPRecipientRefused) else "sender"
            raise _refusal(error.code, error.message, stage) from error
        except (OSError, aiosmtplib.SMTPException, ValueError) as error:
            raise _unusable(server, error) from error
        finally:
            client.close()

    def _client(self, server: SmtpServer, sender: str) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password.get_secret_value() if server.password else None,
            local_hostname=domain_of(sender),
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls,
            timeout=min(CONNECT_SECONDS, self._seconds),
        )


def _mail_options(client: aiosmtplib.SMTP, size: int, utf8: bool) -> list[str]:
    """RFC 1870, RFC 6531. Without SMTPUTF8 no such address can be named."""
    options = [f"SIZE={size}"] if client.supports_extension("size") else []
    if utf8 and not client.supports_extension("smtputf8"):
        raise Unreachable("the mail server cannot write to addresses beyond ASCII (it offers no SMTPUTF8)")
    return [*options, "SMTPUTF8"] if utf8 else options


def _rcpt_options(client: aiosmtplib.SMTP, receipts: bool) -> list[str]:
    """RFC 3461 4.1."""
    return ["NOTIFY=SUCCESS,FAILURE,DELAY"] if receipts and client.supports_extension("dsn") else []


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Politely; the mail's fate is decided already."""
    with suppress(OSError, aiosmtplib.SMTPException):
        await client.quit(timeout=2)


def _refusal(code: int, message: str, stage: Stage) -> DeliveryError:
    """What a reply stands for; one that is no refusal was not understood, and the mail not sent."""
    said = _shown(message)
    match = _ENHANCED.match(said)
    native = match[1] if match else str(code)
    text = f"the mail server answered {code} {said}".rstrip()
    if code < 500:
        kind: type[DeliveryError] = RateLimited if _THROTTLED.search(said) else Unavailable
    elif stage == "recipient" and _POLICY.fullmatch(native):
        kind = Forbidden
    else:
        kind = BY_ENHANCED.get(native) or BY_CODE[stage].get(code) or Forbidden
    return kind(text, code=native)


def _unusable(server: SmtpServer, error: Exception) -> DeliveryError:
    """A server that offers no STARTTLS or AUTH, or whose certificate is wrong, needs the operator."""
    text = f"{server.host}:{server.port} cannot be used: {_shown(str(error))} ({type(error).__name__})"
    causes = (error, error.__cause__)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes) or type(error) is aiosmtplib.SMTPException:
        return Forbidden(text)
    return Unavailable(text)


def _shown(message: str) -> str:
    return _HIDDEN.sub(" ", message).strip()[:300]
