"""Streams that a simulator plays: no socket, no thread, only what waits on the line."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from socialsupport_core.contract import Closed, Dial, Frame, Unavailable
from socialsupport_core.wire.sockets import Line as HostLine
from socialsupport_core.wire.sockets import Refused

PULSE = 0.01  # seconds between two looks at a line


@dataclass(eq=False)
class Line:
    """One connection, as the simulator sees it. A `Closed` in `outgoing` hangs up."""

    dial: Dial
    request: httpx.Request
    """The handshake, with all headers."""
    outgoing: deque[Frame | Closed] = field(default_factory=deque)
    said: list[str] = field(default_factory=list)
    """What the host has said."""
    is_open: bool = True

    def tell(self, *frames: Frame | Closed) -> None:
        self.outgoing.extend(frames)


class Plays(Protocol):
    """What of a simulator is asked here."""

    lines: list[Line]

    def dialled(self, line: Line) -> None: ...

    def spoken_to(self, line: Line, text: str) -> None: ...


class SimulatedSockets:
    """The `sockets` of a hub, answered by whichever simulator plays the host."""

    def __init__(self, played: Callable[[str], Plays | None]) -> None:
        self._played = played

    async def connect(self, dial: Dial, request: httpx.Request, *, open_network: bool) -> HostLine:
        simulator = self._played(request.url.host)
        if simulator is None:
            raise Unavailable(f"no simulator plays {request.url.host}")
        line = Line(dial, request)
        simulator.dialled(line)
        simulator.lines.append(line)
        return _Socket(simulator, line)


class _Socket:
    def __init__(self, simulator: Plays, line: Line) -> None:
        self._simulator = simulator
        self._line = line
        self.closed = Closed()

    async def frames(self) -> AsyncIterator[Frame]:
        while self._line.is_open:
            if not self._line.outgoing:
                await asyncio.sleep(PULSE)
                continue
            happened = self._line.outgoing.popleft()
            if isinstance(happened, Closed):
                self.closed = happened
                self._hang_up()
            else:
                yield happened

    async def say(self, text: str) -> None:
        if self._line.is_open:
            self._line.said.append(text)
            self._simulator.spoken_to(self._line, text)

    async def aclose(self) -> None:
        self._hang_up()

    def _hang_up(self) -> None:
        self._line.is_open = False
        with suppress(ValueError):
            self._simulator.lines.remove(self._line)


__all__ = ["Line", "Refused", "SimulatedSockets"]
