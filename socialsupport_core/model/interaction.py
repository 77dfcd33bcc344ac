"""The interaction: one touch between a customer and us, whatever the network."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from socialsupport_core.model.base import Instant, Value, is_empty
from socialsupport_core.model.identifier import Identifier

Visibility = Literal["public", "private"]
Direction = Literal["inbound", "outbound", "internal"]
InteractionKind = Literal["message", "comment", "mention", "review", "call", "voicemail", "form", "visit", "note"]
NativeId = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""An id as the network writes it. Numbers become decimal strings."""


class Party(Value):
    """The author or a recipient, as the network knows them. The first identifier is the native account."""

    identifiers: tuple[Identifier, ...] = Field(default=(), exclude_if=is_empty)
    name: str | None = None
    handle: str | None = None
    """Without the leading @. An attribute that can change hands, never a key."""
    language: str | None = None
    avatar: str | None = None
    is_self: bool = False
    """It is us: the message is an echo of our own account."""
    is_bot: bool = False

    @property
    def account(self) -> Identifier | None:
        return self.identifiers[0] if self.identifiers else None


class Thread(Value):
    """The network's own conversation: a direct message, the comments under a post, an e-mail thread, a call."""

    id: NativeId
    visibility: Visibility


class Attachment(Value):
    """A file. Inbound it has a `url` or a `native_id` to fetch it by; once stored, `blob` is its digest."""

    media_type: str = "application/octet-stream"
    url: str | None = None
    native_id: str | None = None
    name: str | None = None
    size: int | None = Field(default=None, ge=0)
    """Bytes."""
    blob: str | None = None
    """Digest (SHA-256, hex) in the blob store."""
    text: str | None = None
    """Alternative text, or the transcript of a recording."""


class Location(Value):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str | None = None
    address: str | None = None


class Reach(Value):
    """How many people a public touch may have reached, as far as the network tells."""

    followers: int | None = Field(default=None, ge=0)
    likes: int | None = Field(default=None, ge=0)
    shares: int | None = Field(default=None, ge=0)
    replies: int | None = Field(default=None, ge=0)
    views: int | None = Field(default=None, ge=0)


class Choice(Value):
    """A button under a message: what people read, and the value that comes back when they press it."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    value: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Interaction(Value):
    """One touch, in either direction or internal. `text` is CommonMark where the network has markup."""

    network: str
    native_id: NativeId
    """Where a network numbers its messages, these numbers decide between what was sent to a thread at one moment."""
    kind: InteractionKind
    direction: Direction
    own_account: NativeId
    """The native account of ours through which it came: page, number, bot, mailbox."""
    thread: Thread
    author: Party
    recipients: tuple[Party, ...] = Field(default=(), exclude_if=is_empty)
    in_reply_to: NativeId | None = None
    subject: str | None = None
    text: str | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), exclude_if=is_empty)
    choices: tuple[Choice, ...] = Field(default=(), exclude_if=is_empty)
    """The buttons under it."""
    choice: str | None = None
    """The value behind the button that was pressed."""
    rating: float | None = None
    """Of a review, on the network's own scale, normally one to five stars."""
    location: Location | None = None
    duration: float | None = Field(default=None, ge=0)
    """Seconds."""
    language: str | None = None
    """BCP 47."""
    reach: Reach | None = None
    context: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """Opaque to everybody but its connector, handed back as part of `target` when we answer."""
    client_key: str | None = None
    """Our own intent key, where the network echoes it."""
    doubt: Annotated[str, StringConstraints(max_length=500)] | None = None
    """Why its author may be somebody else than it says, where anybody can write in another's name."""
    sent_at: Instant

    @property
    def attended(self) -> bool:
        """Somebody of ours was there while it lasted, as in a call that was taken or a visit: it needs no answer."""
        return self.kind == "visit" or (self.kind == "call" and bool(self.duration))

    @property
    def counterpart(self) -> Party | None:
        """Whom it hangs on: the author if inbound, the addressee if outbound."""
        if self.direction == "inbound":
            return self.author
        return next((party for party in self.recipients if not party.is_self), None)
