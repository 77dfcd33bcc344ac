"""The wire that reads mailboxes."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from socialsupport_core.contract import Forbidden, Unavailable
from socialsupport_email.asks import CheckImap, Fetched, FetchMail, FindMail, Found, Mails
from socialsupport_email.imapclient import COMMAND_SECONDS, Imap, Refused, quoted
from socialsupport_email.settings import ImapServer

MAX_MAIL = 32 * 1024 * 1024  # bytes; of a larger mail only so many are fetched
MAX_PAGE = 48 * 1024 * 1024  # bytes of mails in one answer
MAX_WAIT = 1_500.0  # seconds; RFC 2177: a server may hang up after 30 minutes
WINDOW = 20_000  # UIDs asked for at once, so that the answer of a huge mailbox stays one short line
MAX_SESSIONS = 100  # kept open between two asks

_NUMBER = re.compile(rb"\[(UIDVALIDITY|UIDNEXT) (\d+)\]")
_EXISTS = re.compile(rb"\* (\d+) EXISTS", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(rb"\bINTERNALDATE \"\s?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})\"", re.IGNORECASE)
_BODY = re.compile(rb"\bBODY\[\](?:<\d+>)? (?:\{(\d+)\+?\}\r\n|(\"(?:[^\"\\]|\\.)*\")|NIL)", re.IGNORECASE | re.DOTALL)

T = TypeVar("T")


class ImapWire:
    """Sessions stay open between two asks, for many servers limit how often one may sign in."""

    asks: ClassVar[tuple[type, ...]] = (FetchMail, FindMail, CheckImap)

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tls: ssl.SSLContext | None = None,
        seconds: float = COMMAND_SECONDS,
    ) -> None:
        """`tls` replaces the system's trust; `seconds` bound each answer."""
        self._clock = clock
        self._tls = tls
        self._seconds = seconds
        self._idle: dict[tuple[str, ...], Imap] = {}

    async def answer(self, ask: Any) -> Any:
        if isinstance(ask, CheckImap):
            return await self._with_session(ask.server, lambda session: _count(session, ask.mailbox))
        if isinstance(ask, FindMail):
            return await self._with_session(ask.server, lambda session: _find(session, ask))
        return await self._with_session(ask.server, lambda session: self._fetch(session, ask))

    async def aclose(self) -> None:
        sessions, self._idle = list(self._idle.values()), {}
        for session in sessions:
            await session.logout()

    async def _with_session(self, server: ImapServer, use: Callable[[Imap], Awaitable[T]]) -> T:
        """With a kept session if there is one; should it have died meanwhile, once more with a fresh one."""
        kept = self._idle.pop(_key(server), None)
        if kept is not None:
            try:
                return await self._used(server, kept, use)
            except OSError:
                pass
        try:
            session = await Imap.connect(server, self._tls, self._seconds)
            return await self._used(server, session, use)
        except Refused as refused:
            raise refused.decision(Unavailable) from None
        except ssl.SSLCertVerificationError as error:
            raise Forbidden(f"{server.host}:{server.port} cannot prove who it is: {error.verify_message}") from error
        except OSError as error:
            reason = f"{server.host}:{server.port} cannot be used: {error} ({type(error).__name__})"
            raise Unavailable(reason) from error

    async def _used(self, server: ImapServer, session: Imap, use: Callable[[Imap], Awaitable[T]]) -> T:
        try:
            result = await use(session)
        except Refused as refused:
            session.close()
            raise refused.decision(Unavailable) from None
        except BaseException:
            session.close()
            raise
        replaced = self._idle.pop(_key(server), None)
        if len(self._idle) < MAX_SESSIONS:
            self._idle[_key(server)] = session
        else:
            await session.logout()
        if replaced:
            await replaced.logout()
        return result

    async def _fetch(self, session: Imap, ask: FetchMail) -> Mails:
        uidvalidity, uidnext = await _open(session, ask.mailbox)
        if ask.only_new:
            return Mails((), uidvalidity, uidnext - 1)
        after = ask.uid if ask.uidvalidity == uidvalidity else 0
        uids = await _after(session, after, uidnext)
        if not uids and ask.wait > 0 and "IDLE" in session.capabilities:
            await _news(session, min(ask.wait, MAX_WAIT))
            uids = await _after(session, after, uidnext)
        if not uids:
            return Mails((), uidvalidity, after)
        mails, last = await self._mails(session, uids[: ask.limit])
        return Mails(tuple(mails), uidvalidity, last, more=last < max(uids[-1], uidnext - 1))

    async def _mails(self, session: Imap, uids: list[int]) -> tuple[list[Fetched], int]:
        """As many as fit, and the last one's UID; one that vanished meanwhile is passed over."""
        found: list[Fetched] = []
        total = last = 0
        for uid, (size, at) in sorted((await _sizes(session, uids)).items()):
            if found and total + min(size, MAX_MAIL) > MAX_PAGE:
                return found, last
            message = await _message(session, uid, size)
            if message is not None:
                found.append(Fetched(message, min(at, self._clock()), size))
                total += len(message)
            last = uid
        return found, max([last, *uids])


def _key(server: ImapServer) -> tuple[str, ...]:
    password = server.password.get_secret_value() if server.password else ""
    return server.host, str(server.port), server.security, server.username or "", password


async def _open(session: Imap, mailbox: str) -> tuple[int, int]:
    """UIDVALIDITY and UIDNEXT. Read-only, so that nothing is marked as seen."""
    answers = await _examine(session, mailbox)
    numbers = {name: int(value) for line in answers for name, value in _NUMBER.findall(line.upper())}
    if numbers.keys() != {b"UIDVALIDITY", b"UIDNEXT"}:
        raise Forbidden(f"the server does not number the mails in {mailbox!r} for good (UIDVALIDITY, UIDNEXT)")
    return numbers[b"UIDVALIDITY"], numbers[b"UIDNEXT"]


async def _examine(session: Imap, mailbox: str) -> list[bytes]:
    try:
        return await session.command(f"EXAMINE {quoted(mailbox)}")
    except Refused as refused:
        raise refused.decision(Forbidden) from None


async def _after(session: Imap, uid: int, uidnext: int) -> list[int]:
    """The next mails; not all of them, if the mailbox is huge."""
    for start in range(uid + 1, uidnext, WINDOW):
        end = start + WINDOW - 1
        if found := await _search(session, f"UID {start}:{end if end < uidnext else '*'}", uid):
            return found
    return await _search(session, f"UID {max(uid + 1, uidnext)}:*", uid)


async def _search(session: Imap, what: str, after: int = 0) -> list[int]:
    """`n:*` always includes the last mail (RFC 9051 6.4.8), so the answer is filtered."""
    answers = await session.command(f"UID SEARCH {what}")
    found = [int(word) for line in answers if line.upper().startswith(b"* SEARCH") for word in line.split()[2:]]
    return sorted({one for one in found if one > after})


async def _sizes(session: Imap, uids: list[int]) -> dict[int, tuple[int, datetime]]:
    if not uids:
        return {}
    answers = await session.command(f"UID FETCH {','.join(map(str, uids))} (UID RFC822.SIZE INTERNALDATE)")
    found: dict[int, tuple[int, datetime]] = {}
    for line in answers:
        uid, size, date = _UID.search(line), _SIZE.search(line), _DATE.search(line)
        if uid and size and date and int(uid[1]) in uids:
            found[int(uid[1])] = int(size[1]), _moment(date)
    return found


async def _message(session: Imap, uid: int, size: int) -> bytes | None:
    part = f"<0.{MAX_MAIL}>" if size > MAX_MAIL else ""
    for line in await session.command(f"UID FETCH {uid} (UID BODY.PEEK[]{part})"):
        match = _BODY.search(line)
        if match and match[1]:
            return line[match.end() : match.end() + int(match[1])]
        if match and match[2]:
            return re.sub(rb"\\(.)", rb"\1", match[2][1:-1])
    return None


async def _news(session: Imap, seconds: float) -> None:
    """Returns when the server says that there is more, or when the time is over."""
    try:
        async with asyncio.timeout(seconds) as limit, session.idle() as told:
            async for response in told:
                if _EXISTS.match(response):
                    return
    except TimeoutError:
        if not limit.expired():
            raise


async def _count(session: Imap, mailbox: str) -> int:
    answers = await _examine(session, mailbox)
    return next((int(match[1]) for line in answers if (match := _EXISTS.match(line))), 0)


async def _find(session: Imap, ask: FindMail) -> Found:
    await _open(session, ask.mailbox)
    return Found(bool(await _search(session, f"HEADER MESSAGE-ID {quoted(f'<{ask.message_id}>')}")))


_MONTHS = {name: at for at, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip


def _moment(match: re.Match[bytes]) -> datetime:
    """RFC 9051 9: `17-Jul-1996 02:44:25 -0700`. English months whatever the locale."""
    day, month, year, hour, minute, second, zone = (group.decode("ascii", "replace") for group in match.groups())
    written = f"{year}-{_MONTHS.get(month.lower(), 1):02}-{int(day):02}T{hour}:{minute}:{second}{zone[:3]}:{zone[3:]}"
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)  # the caller takes the present for it
