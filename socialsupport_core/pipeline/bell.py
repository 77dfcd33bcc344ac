"""The bell: whoever waits for something new is woken after a commit, in a thread or on an event loop."""

import asyncio
import threading
from contextlib import suppress


class Bell:
    def __init__(self) -> None:
        self._threads = threading.Condition()
        self._rung = 0
        self._loops: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        with self._threads:
            self._rung += 1
            self._threads.notify_all()
            waiting = list(self._loops)
        for loop, event in waiting:
            with suppress(RuntimeError):  # that loop has closed in the meantime
                loop.call_soon_threadsafe(event.set)

    def heard(self) -> int:
        """How often it has rung; give it to `wait` so that nothing in between is missed."""
        return self._rung

    def wait(self, heard: int, timeout: float) -> None:
        """Blocks until it has rung since `heard`, or for `timeout` seconds."""
        with self._threads:
            self._threads.wait_for(lambda: self._rung != heard, timeout)

    async def listen(self, heard: int, timeout: float) -> None:
        """The same on an event loop."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)
        with self._threads:
            if self._rung != heard:
                return
            self._loops.add(entry)
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            with self._threads:
                self._loops.discard(entry)
