"""Pace: no call beyond the rates that a connector declares. Times are microseconds since 1970, and given."""

import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence

from socialsupport_core.model import RateLimit

BUCKETS = 10_000  # of threads that spoke lately; the one that was idle for longest is forgotten first if it is full


class Bucket:
    """`calls` tokens, each of which comes back `seconds` after it was taken: any such stretch holds no more calls.

    One that is refilled evenly would let through nearly twice as many after a rest. What it knows is `taken`, so it
    can be kept in a store and shared.
    """

    __slots__ = ("_calls", "_span", "taken")

    def __init__(self, limit: RateLimit, taken: Iterable[int] = ()) -> None:
        self._calls = limit.calls
        self._span = -int(-limit.seconds * 1_000_000 // 1)
        self.taken = deque(sorted(taken), maxlen=limit.calls)
        """When each token was taken, the oldest first."""

    def wait(self, now: int) -> int:
        """Microseconds until there is a token; 0 if there is one."""
        if self.taken and self.taken[-1] > now:  # the clock was set back: not to be waited for
            self.taken = deque((min(at, now) for at in self.taken), maxlen=self._calls)
        if len(self.taken) < self._calls:
            return 0
        return max(0, self.taken[0] + self._span - now)

    def take(self, now: int) -> None:
        self.taken.append(now)

    def is_full(self, now: int) -> bool:
        """Nothing was taken lately: a new bucket would know as much."""
        return not self.taken or now - self.taken[-1] >= self._span


class Pace:
    """The buckets of a process, by credential and thread. Thread-safe."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str | None, RateLimit], Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, credential: str, limits: Sequence[RateLimit], thread: str | None, call: str = "") -> int:
        """Takes a token of every bucket that counts this call, or of none: then the microseconds until it may.

        `thread` is where an intent is carried out, None for whatever else is asked; `call` is as in `RateLimit.of`.
        """
        if not limits:
            return 0
        with self._lock:
            now = self._clock()  # under the lock, or a later call might be noted as an earlier one
            buckets = [self._bucket(credential, limit, thread) for limit in limits if _counts(limit, thread, call)]
            if wait := max((bucket.wait(now) for bucket in buckets), default=0):
                return wait
            for bucket in buckets:
                bucket.take(now)
            self._forget(now)
            return 0

    def _bucket(self, credential: str, limit: RateLimit, thread: str | None) -> Bucket:
        key = credential, thread if limit.per == "thread" else None, limit
        bucket = self._buckets.get(key) or self._buckets.setdefault(key, Bucket(limit))
        self._buckets.move_to_end(key)
        return bucket

    def _forget(self, now: int) -> None:
        while len(self._buckets) > BUCKETS and next(iter(self._buckets.values())).is_full(now):
            self._buckets.popitem(last=False)


def _counts(limit: RateLimit, thread: str | None, call: str) -> bool:
    fits = limit.of is None or re.fullmatch(limit.of, call) is not None
    return fits and (limit.per == "credential" or thread is not None)
