"""Breakers: a host that does not answer is left alone for a while. Times are microseconds since 1970, and given."""

import threading
from collections.abc import Callable

from socialsupport_core.contract.errors import DeliveryError, Unavailable, Uncertain

SECOND = 1_000_000
FAILURES = 5  # calls in a row that were not answered, until no more are made
FIRST_PAUSE, LONGEST_PAUSE = 5 * SECOND, 300 * SECOND  # each probe that fails doubles the pause
PROBE = 60 * SECOND  # after which another probe is let through, should nothing be heard of the first


class NotAnswering(Unavailable):
    """The call was not made."""


class Breaker:
    """Of one host as one credential sees it: closed; open, until it lets one probe through; closed again if that works.

    An answer of any kind shows that the host is there; only `Unavailable` counts against it.
    """

    __slots__ = ("_failures", "_pause", "_probing", "_until")

    def __init__(self) -> None:
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._probing = False
        self._until: int | None = None

    def wait(self, now: int) -> int:
        """Microseconds until a call may be made. 0: now; of an open breaker that is the probe."""
        if self._until is None:
            return 0
        self._until = min(self._until, now + max(self._pause, PROBE))  # the clock may have been set back
        if now < self._until:
            return self._until - now
        self._probing, self._until = True, now + PROBE
        return 0

    @property
    def is_open(self) -> bool:
        return self._until is not None

    def note(self, error: DeliveryError | None, now: int) -> None:
        """How a call ended."""
        if isinstance(error, Unavailable):
            self._failures += 1
        elif not isinstance(error, Uncertain):
            self._close()
            return
        if self._probing:
            self._probing, self._pause = False, min(2 * self._pause, LONGEST_PAUSE)
            self._until = now + self._pause
        elif self._until is None and self._failures >= FAILURES:
            self._until = now + self._pause

    def _close(self) -> None:
        self._failures, self._pause = 0, FIRST_PAUSE
        self._probing, self._until = False, None


class Breakers:
    """Those of a process, by credential and host. Thread-safe."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._lock = threading.Lock()

    def check(self, credential: str, host: str) -> None:
        """Raises NotAnswering while the host is to be left alone. Its text stays the same, so that it is told once."""
        with self._lock:
            breaker = self._breakers.get((credential, host))
            wait = breaker.wait(self._clock()) if breaker else 0
        if wait:
            raise NotAnswering(
                f"{host} has not answered {FAILURES} calls in a row; it is tried again from time to time, and what"
                " waits is sent when it answers",
                retry_after=wait / SECOND,
            )

    def note(self, credential: str, host: str, error: DeliveryError | None) -> None:
        with self._lock:
            if (breaker := self._breakers.get((credential, host))) is None:
                if not isinstance(error, Unavailable):
                    return
                breaker = self._breakers[credential, host] = Breaker()
            breaker.note(error, self._clock())

    def states(self) -> list[tuple[str, str, bool]]:
        """Credential, host, and whether no more calls are made; of those that once had trouble."""
        with self._lock:
            return [(credential, host, one.is_open) for (credential, host), one in sorted(self._breakers.items())]
