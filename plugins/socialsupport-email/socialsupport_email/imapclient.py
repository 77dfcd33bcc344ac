"""The few words of IMAP that we need (RFC 3501, RFC 9051), on asyncio, so that waiting costs no thread."""

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from socialsupport_core.contract import AuthExpired, DeliveryError, Forbidden, RateLimited, Unavailable
from socialsupport_email.settings import ImapServer

COMMAND_SECONDS = 60.0
MAX_LINE = 1024 * 1024  # bytes of one response, its literals aside
MAX_LITERAL = 64 * 1024 * 1024

BY_RESPONSE_CODE: dict[str, type[DeliveryError]] = {
    "AUTHENTICATIONFAILED": AuthExpired,
    "AUTHORIZATIONFAILED": AuthExpired,
    "EXPIRED": AuthExpired,
    "PRIVACYREQUIRED": Forbidden,
    "CONTACTADMIN": Forbidden,
    "NOPERM": Forbidden,
    "NONEXISTENT": Forbidden,
    "UNAVAILABLE": Unavailable,
    "INUSE": Unavailable,
    "SERVERBUG": Unavailable,
    "LIMIT": RateLimited,
}
"""RFC 5530 3, RFC 9051 7.1 (2026-11)."""

_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}$")
_CODE = re.compile(r"\[([A-Z-]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ImapError(ConnectionError):
    """The server hung up, or said what is not IMAP."""


class Imap:
    """One session. Every method raises DeliveryError for a refusal and OSError when the connection is lost."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
        self._reader = reader
        self._writer = writer
        self._seconds = seconds
        self._count = 0
        self.capabilities: frozenset[str] = frozenset()

    @classmethod
    async def connect(cls, server: ImapServer, tls: ssl.SSLContext | None, seconds: float = COMMAND_SECONDS) -> Self:
        """Connected and signed in."""
        context = None if server.security == "none" else tls or ssl.create_default_context()
        opening = asyncio.open_connection(
            server.host, server.port, ssl=context if server.security == "tls" else None, limit=MAX_LINE
        )
        session = cls(*await asyncio.wait_for(opening, seconds), seconds)
        try:
            await session._begin(server, context)
        except BaseException:
            session.close()
            raise
        return session

    async def _begin(self, server: ImapServer, context: ssl.SSLContext | None) -> None:
        greeting = _shown(await asyncio.wait_for(self._response(), self._seconds))
        if not greeting.startswith(("* OK", "* PREAUTH")):
            raise Unavailable(f"the mail server does not want us: {greeting}")
        if server.security == "starttls" and context is not None:
            await self._start_tls(context, server.host)
        await self._learn()
        if server.username is not None and server.password is not None and not greeting.startswith("* PREAUTH"):
            await self._sign_in(server.username, server.password.get_secret_value())
            await self._learn()

    async def _start_tls(self, context: ssl.SSLContext, host: str) -> None:
        try:
            await self.command("STARTTLS")
        except Refused as refused:
            raise refused.decision(Forbidden) from None
        await asyncio.wait_for(self._writer.start_tls(context, server_hostname=host), self._seconds)

    async def _learn(self) -> None:
        answers = await self.command("CAPABILITY")
        words = [line.decode("ascii", "replace").upper().split() for line in answers]
        self.capabilities = frozenset(word for line in words if line[1:2] == ["CAPABILITY"] for word in line[2:])

    async def _sign_in(self, username: str, password: str) -> None:
        """SASL PLAIN (RFC 4616) carries every character; LOGIN only where the server has nothing else."""
        try:
            if "AUTH=PLAIN" in self.capabilities:
                token = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
                await self._authenticate(token)
            else:
                await self.command(f"LOGIN {quoted(username)} {quoted(password)}")
        except Refused as refused:
            raise refused.decision(AuthExpired) from None

    async def _authenticate(self, token: str) -> None:
        if "SASL-IR" in self.capabilities:
            await self.command(f"AUTHENTICATE PLAIN {token}")
        else:
            await self.command("AUTHENTICATE PLAIN", continuation=token)

    async def command(self, written: str, *, continuation: str | None = None) -> list[bytes]:
        """The untagged responses. Raises Refused for NO and BAD."""
        tag = self._next_tag()
        self._write(f"{tag} {written}")
        return await asyncio.wait_for(self._until(tag, continuation), self._seconds)

    async def _until(self, tag: str, continuation: str | None = None) -> list[bytes]:
        answers: list[bytes] = []
        while True:
            response = await self._response()
            if response.startswith(f"{tag} ".encode()):
                status = _shown(response)[len(tag) + 1 :]
                if not status.upper().startswith("OK"):
                    raise Refused(status)
                return answers
            if response.startswith(b"+") and continuation is not None:
                self._write(continuation)
                continuation = None
            elif response.startswith(b"* BYE"):
                raise ImapError(_shown(response))
            else:
                answers.append(response)

    @asynccontextmanager
    async def idle(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """What the server tells while we wait (RFC 2177)."""
        tag = self._next_tag()
        self._write(f"{tag} IDLE")
        await asyncio.wait_for(self._continuation(), self._seconds)
        try:
            yield self._told()
        finally:
            self._write("DONE")
            await asyncio.wait_for(self._until(tag), self._seconds)

    async def _continuation(self) -> None:
        while not (response := await self._response()).startswith(b"+"):
            if response.startswith(b"* BYE") or not response.startswith(b"* "):
                raise ImapError(_shown(response))

    async def _told(self) -> AsyncIterator[bytes]:
        while True:
            response = await self._response()
            if response.startswith(b"* BYE"):
                raise ImapError(_shown(response))
            yield response

    async def logout(self) -> None:
        try:
            self._write(f"{self._next_tag()} LOGOUT")
            await asyncio.wait_for(self._writer.drain(), 2)
        except OSError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        self._writer.close()

    def _next_tag(self) -> str:
        self._count += 1
        return f"a{self._count}"

    def _write(self, line: str) -> None:
        if self._writer.is_closing():
            raise ImapError("the connection is closed")
        self._writer.write(line.encode() + b"\r\n")

    async def _response(self) -> bytes:
        """One response with its literals in it, each behind the line end that announces it."""
        whole = b""
        while True:
            try:
                line = await self._reader.readuntil(b"\r\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                raise ImapError(f"the server hung up or sent no line ({type(error).__name__})") from error
            whole += line
            match = _LITERAL.search(line[:-2])
            if match is None:
                return whole[:-2]
            whole += await self._literal(int(match[1]))

    async def _literal(self, size: int) -> bytes:
        if size > MAX_LITERAL:
            raise ImapError(f"the server sends {size} bytes at once; at most {MAX_LITERAL} are read")
        try:
            return await self._reader.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise ImapError("the server hung up in the middle of a mail") from error


class Refused(Exception):
    """NO or BAD."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status

    def decision(self, otherwise: type[DeliveryError]) -> DeliveryError:
        match = _CODE.search(self.status)
        code = match[1] if match else None
        kind = BY_RESPONSE_CODE.get(code or "", otherwise)
        return kind(f"the mail server answered {self.status}", code=code)


def quoted(text: str) -> str:
    """Raises Forbidden for what no quoted string can hold (RFC 9051 4.3)."""
    if _CONTROL.search(text) or not text.isascii():
        raise Forbidden("this server takes only ASCII user names, passwords and mailbox names")
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _shown(response: bytes) -> str:
    return _CONTROL.sub(" ", response.decode("utf-8", "replace"))[:300]
