"""What the connector asks of its wires. Each ask is complete in itself: a wire knows nothing about channels."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from socialsupport_email.settings import ImapServer, SmtpServer


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has taken responsibility for the mail (RFC 5321 4.2.5)."""

    response: str = ""
    """The server's own words, often its queue id."""


@dataclass(frozen=True)
class SendMail:
    """Hands one mail to the server. The wire writes the Date, for a flow knows no time."""

    server: SmtpServer
    sender: str
    recipient: str
    message: bytes
    message_id: str
    receipts: bool = False
    """Ask for delivery status notifications, where the server offers them (RFC 3461)."""

    def __repr__(self) -> str:
        """Names the same mail over retries and restarts, and shows neither its text nor a password."""
        content = hashlib.sha256(self.message).hexdigest()
        return (
            f"SendMail({self.server.host}:{self.server.port}, {self.sender} -> {self.recipient}, "
            f"<{self.message_id}>, sha256 {content})"
        )


@dataclass(frozen=True, slots=True)
class SmtpFeatures:
    """What the server says about itself after we have signed in."""

    max_bytes: int | None = None
    """RFC 1870; None if it does not say."""


@dataclass(frozen=True, slots=True)
class CheckSmtp:
    """Signs in and out again."""

    server: SmtpServer
    sender: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail as it lies in the mailbox."""

    message: bytes = field(repr=False)
    at: datetime
    """When the server received it (INTERNALDATE)."""
    size: int
    """Bytes of the whole mail; more than `message` holds if it was too large to be fetched."""


@dataclass(frozen=True, slots=True)
class Mails:
    """A page of the mailbox, and where it ends: `uidvalidity` and `uid` name a mail for good (RFC 9051 2.3.1.1)."""

    mails: tuple[Fetched, ...]
    uidvalidity: int
    uid: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class FetchMail:
    """Mails after `uid`; from the beginning if the mailbox was numbered anew. Nothing is marked as read."""

    server: ImapServer
    mailbox: str
    uidvalidity: int | None = None
    uid: int = 0
    only_new: bool = False
    """Answer with where the mailbox ends now."""
    limit: int = 50
    wait: float = 25
    """Seconds to wait for news, where the server can tell them (IDLE, RFC 2177)."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whether the mail is there."""

    found: bool


@dataclass(frozen=True, slots=True)
class FindMail:
    """Looks for a Message-ID (without angle brackets) in a mailbox."""

    server: ImapServer
    mailbox: str
    message_id: str


@dataclass(frozen=True, slots=True)
class CheckImap:
    """Signs in and opens the mailbox; how many mails it holds."""

    server: ImapServer
    mailbox: str


@dataclass(frozen=True, slots=True)
class Filed:
    """A page of a Maildir: its mails and the names of their files, which never return."""

    mails: tuple[Fetched, ...]
    names: tuple[str, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class FetchMaildir:
    """What lies in `new`, oldest first. Those that are `done` are moved to `cur` before, with these flags."""

    path: str
    done: tuple[str, ...] = ()
    flags: str = ""
    limit: int = 50
    wait: float = 25
    """Seconds to wait for news."""


@dataclass(frozen=True, slots=True)
class ReadMaildir:
    """What a folder holds after the name `after`, read or not, delivered at `since` or later; nothing is moved."""

    path: str
    folder: str = ""
    """Of Maildir++, without the leading dot; empty is the inbox."""
    after: str = ""
    since: float = 0
    """Seconds since 1970, of the file."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CheckMaildir:
    """Whether it can be read; how many mails it holds."""

    path: str
