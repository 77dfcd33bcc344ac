"""The connector: translates one network, and never does I/O.

What must be written: `name`, `settings_model`, `capabilities`, `parse` and, to send, `send`. Everything else has
a default body; a capability that is claimed demands its override.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from socialsupport_core.contract.credentials import SignsIn
from socialsupport_core.contract.errors import DeliveryError, SignatureError, Unsupported, from_response
from socialsupport_core.contract.flow import Flow
from socialsupport_core.contract.stream import Dial, Happening, Step, StreamState
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    Event,
    Facts,
    Identifier,
    Intent,
    Page,
    Party,
    Payload,
    RateLimit,
    Receipt,
    Reply,
    Thread,
)
from socialsupport_core.text import plain

CONTRACT = 1
"""The number of this contract. A plugin that declares another is refused with the reason."""


class Settings(BaseModel):
    """The base of a connector's settings. Every credential is a SecretStr; a misspelt key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


S = TypeVar("S", bound=Settings)
ACCEPTED = Reply()
"""An empty 200."""


class Connector(SignsIn, Generic[S]):
    """One network, translated in both directions."""

    name: ClassVar[str]
    contract: ClassVar[int] = CONTRACT
    settings_model: ClassVar[type[Settings]]
    capabilities: ClassVar[Capabilities]
    rate_limits: ClassVar[tuple[RateLimit, ...]] = ()
    stream_state: ClassVar[type[StreamState]] = StreamState
    """What `dial` and `step` are given; at first as its defaults have it."""

    def __init__(self, settings: S, facts: Facts | None = None) -> None:
        """`facts` is what `probe` learnt, stored by the host."""
        self.settings = settings
        self.facts = facts or Facts()

    @property
    def hosts(self) -> frozenset[str]:
        """The only hosts it may call. `*.cdn.example` stands for every host below `cdn.example`."""
        return frozenset()

    @property
    def way_in(self) -> Literal["webhook", "poll", "stream"]:
        """How what happens comes in, unless the operator says otherwise. The door is open in any case."""
        ways: tuple[Literal["webhook", "poll", "stream"], ...] = ("webhook", "poll", "stream")
        return next((way for way in ways if way in self.capabilities.receives), "webhook")

    def capabilities_in(self, thread: Thread) -> Capabilities:
        """What is possible in this thread; may only narrow `capabilities`."""
        return self.capabilities

    # inbound: pure

    def handshake(self, payload: Payload) -> Reply | None:
        """The answer to a GET on the door; None is 404. Raises SignatureError."""
        return None

    def verify(self, payload: Payload) -> None:
        """Raises SignatureError unless the network has sent this; `payload.received_at` is the clock."""
        if self.capabilities.verification != "none":
            raise SignatureError(f"{self.name} claims to verify payloads but does not")

    def parse(self, payload: Payload) -> Iterable[Event]:
        """What happened. Total: raises nothing but MalformedPayload; what it does not know is `Unrecognised`."""
        raise NotImplementedError

    def acknowledge(self, payload: Payload) -> Reply:
        """What the door answers after the commit."""
        return ACCEPTED

    def poll(self, cursor: str | None) -> Flow[Page]:
        """The page after `cursor`; None is the beginning. May wait for news for half a minute."""
        raise Unsupported(f"{self.name} cannot be polled")

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        """A page of what the network still has from `since` on; None is the first page. What is older may come along.

        It runs beside `poll`, with a cursor of its own, and changes nothing there. Default: what `poll` reads from its
        beginning on. Raises Unsupported at once where nothing can be read twice.
        """
        return self.poll(cursor)

    def numbered(self, payload: Payload) -> Iterable[int]:
        """The network's own numbers in a payload; only asked for where `capabilities.sequence` is claimed."""
        return ()

    def ends(self, payload: Payload) -> str | None:
        """Why nothing works any more after this, such as that our app was removed, and what to do; almost always None.

        Asked of everything that comes in, so it must be quick.
        """
        return None

    # a lasting connection: pure as well

    def dial(self, state: Any) -> Flow[Dial]:
        """Where to connect, to go on from `state`."""
        raise Unsupported(f"{self.name} has no stream")

    def step(self, state: Any, happened: Happening) -> Step:
        """What follows from it. Total: it raises nothing, whatever a frame holds."""
        raise Unsupported(f"{self.name} has no stream")

    # outbound

    def measured(self, text: str) -> str:
        """The text whose length the network counts, for a CommonMark `text`. Default: without the markup."""
        return plain(text)

    def send(self, intent: Intent) -> Flow[Receipt]:
        """Carries out one intent; a text is one part that fits."""
        raise Unsupported(f"{self.name} cannot send")

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        """Whether a doubtful intent has been carried out; None if certainly not."""
        raise Unsupported(f"{self.name} cannot look up what was sent")

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """The decision in a response; sees every one, 2xx too (`{"ok": false}`). None is success."""
        return from_response(response)

    def thread_with(self, account: Identifier) -> str | None:
        """The thread in which an account of one of `capabilities.begins` is written to first, where the network names
        threads by their accounts; None if it makes one."""
        return None

    def invitation(self, token: str) -> str | None:
        """An address by which somebody comes to this channel and brings a hand-off token along; None if none can."""
        return None

    # credentials: `connect`, `exchange` and `refresh` are in `SignsIn`

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Adds what proves who we are to a request to one of `hosts`. `nonce` is fresh 128-bit hexadecimal.

        `credentials` are the current ones of the channel, or of its app; None if it was never connected.
        """
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        """Who are we there, and what are its limits: the connection test."""
        raise Unsupported(f"{self.name} has no connection test")

    def subscribe(self, public_url: str) -> Flow[None]:
        """Tells the network where our door is."""
        raise Unsupported(f"{self.name} needs no subscription by call; enter the door's address there by hand")

    def profile(self, identifier: Identifier) -> Flow[Party]:
        """Who that is. Queued after recording; comes back as `profile.updated`."""
        raise Unsupported(f"{self.name} tells no profiles")

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """The attachment's content. Queued after recording, before the address expires."""
        raise Unsupported(f"{self.name} has no attachments to fetch")
