"""Streams: a network that talks to us over one lasting connection.

A connector does no I/O here either. `dial` is a flow to the address, `step` a pure function from a state and from what
happened to what follows. The host owns the socket: it commits `keep` together with the new state, and only then says
`after`. So whatever is acknowledged is stored, and whatever was not acknowledged comes again.
"""

from dataclasses import dataclass
from typing import Any, Literal

from socialsupport_core.model import Value
from socialsupport_core.model.payload import Headers

MAX_FRAME = 4 * 1024 * 1024
"""Bytes of one frame, or of one server-sent event; the connection is cut at a longer one."""


class StreamState(Value):
    """What a connector has to know to go on with a stream, also after a restart. Subclass it; every field needs a
    default, and nothing in it is a secret: it is stored as JSON.

    The host may go on from an older state than the newest: then the network must tell again, never less.
    """


@dataclass(frozen=True, slots=True, repr=False)
class Dial:
    """Where to connect. `headers` are added to those that `authorize` gives.

    `ping`: seconds between two pings of the WebSocket protocol; None where the network has a heartbeat of its own.
    `close_code`: with which we hang up; some networks forget a session that is closed with 1000.
    """

    url: str
    protocol: Literal["websocket", "sse"] = "websocket"
    headers: Headers = ()
    ping: float | None = 20.0
    close_code: int = 1000

    def __repr__(self) -> str:
        return f"Dial({self.url.partition('?')[0]!r}, {self.protocol!r})"  # a ticket may stand behind the question mark


@dataclass(frozen=True, slots=True)
class Opened:
    """The connection stands. `chance` is drawn by the host, from 0 up to 1, for jitter."""

    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a WebSocket; or one server-sent event, with its name and its id."""

    data: str | bytes
    event: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """The alarm that a step has set with `tick_in`."""


@dataclass(frozen=True, slots=True)
class Closed:
    """It is over. `code` is the WebSocket's close code; None if the connection was cut. Nothing more can be said."""

    code: int | None = None
    reason: str = ""


Happening = Opened | Frame | Tick | Closed


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from what happened."""

    state: Any
    """The new state, of the connector's `stream_state`."""
    keep: tuple[bytes, ...] = ()
    """Payloads for the journal, each read by `parse`; committed together with the state."""
    say: tuple[str, ...] = ()
    """Said at once."""
    after: tuple[str, ...] = ()
    """Said after the commit, such as an acknowledgement; not at all if it fails."""
    tick_in: float | None = None
    """Seconds until a Tick, in place of the alarm set before; None leaves that one alone."""
    redial: float | None = None
    """Hang up, and dial again in so many seconds at the earliest."""
    stop: str | None = None
    """Hang up for good, until an operator has done what stands here: the token is dead."""
    gap: bool = False
    """Something was told that nobody can tell again here: it is read back, where the network has a history."""
