"""Token buckets in memory: each worker counts for itself, which is enough to slow a flood down."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then one every `seconds`."""

    burst: int
    seconds: float


class Buckets:
    """One bucket a key; the least recently used is forgotten when there are too many."""

    def __init__(self, rate: Rate, clock: Callable[[], float], size: int = MAX_BUCKETS) -> None:
        """`clock` gives seconds."""
        self._rate = rate
        self._clock = clock
        self._size = size
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> float:
        """0 when there was one to take, otherwise the seconds until there will be."""
        now = self._clock()
        full_at = max(self._full_at.pop(key, now), now)
        wait = full_at + self._rate.seconds - (now + self._rate.burst * self._rate.seconds)
        self._full_at[key] = full_at if wait > 0 else full_at + self._rate.seconds
        if len(self._full_at) > self._size:
            self._full_at.popitem(last=False)
        return max(wait, 0.0)
