"""Processes to be hurt: forked from one that has loaded everything and runs no thread, so that a death is cheap."""

import faulthandler
import json
import os
import selectors
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

Tell = Callable[..., None]
"""Tells the one who watches, in one write: a value that JSON can hold."""
FAILED = 70
"""Exit status of a victim that ended by an exception of its own."""
PATIENCE = 60.0
"""Seconds after which a victim that says nothing more and does not end hangs."""


class Hangs(Exception):
    """The victim neither ended nor said anything for so long."""


class Victim:
    """A process that runs `live`; iterating gives what it tells, and ends when it has died."""

    def __init__(self, live: Callable[[Tell], None], patience: float = PATIENCE) -> None:
        self._patience = patience
        self._told, telling = os.pipe()
        self._stacks = tempfile.TemporaryFile()  # noqa: SIM115 - both processes write and read it
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._told)
            faulthandler.register(signal.SIGUSR1, self._stacks)
            _live(live, telling)
        os.close(telling)
        self.status: int | None = None

    def __iter__(self) -> Iterator[Any]:
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._told, selectors.EVENT_READ)
            while True:
                if not self._heard(selector):
                    at = self._where()
                    self.kill()
                    raise Hangs(f"it neither went on nor ended for {self._patience:g} seconds; it was at\n{at}")
                read = os.read(self._told, 65536)
                *lines, rest = (rest + read).split(b"\n")
                yield from map(json.loads, lines)
                if not read:
                    break
        self._end()

    def kill(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._end()

    def _heard(self, selector: selectors.BaseSelector) -> bool:
        """Waited for in slices, so that a machine that stood still for an hour counts as one of them."""
        slices = max(1, round(self._patience))
        return any(selector.select(self._patience / slices) for _ in range(slices))

    def _where(self) -> str:
        """The stacks of all its threads, even of one that holds the interpreter."""
        os.kill(self.pid, signal.SIGUSR1)
        time.sleep(0.5)
        self._stacks.seek(0)
        return self._stacks.read().decode()

    def await_stop(self) -> None:
        """Until all of its threads stand still, once it has told that it stops itself."""
        with suppress(ChildProcessError):  # it died instead
            os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def ask_to_end(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill_after(self, seconds: float) -> list[Any]:
        """Kills it so long after it has first said something; everything that it told."""
        heard: list[Any] = []
        for said in self:
            if not heard:
                time.sleep(seconds)
                os.kill(self.pid, signal.SIGKILL)
            heard.append(said)
        return heard

    @property
    def was_killed(self) -> bool:
        return self.status is not None and os.WIFSIGNALED(self.status)

    @property
    def failed(self) -> bool:
        return self.status is not None and os.WIFEXITED(self.status) and os.WEXITSTATUS(self.status) != 0

    def _end(self) -> None:
        if self.status is None:
            _, self.status = os.waitpid(self.pid, 0)
            os.close(self._told)
            self._stacks.close()


def _live(live: Callable[[Tell], None], telling: int) -> NoReturn:
    """In the child: nothing of the parent's runs on, whatever happens."""
    status = FAILED

    def tell(said: Any) -> None:
        os.write(telling, json.dumps(said).encode() + b"\n")

    try:
        live(tell)
        status = 0
    except BaseException as error:  # whatever it is, somebody must know
        tell({"failed": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(status)
