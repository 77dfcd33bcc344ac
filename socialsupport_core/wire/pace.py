"""Pace: which of the rates that a connector declares count a call."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from socialsupport_core.model import RateLimit
from socialsupport_core.store.pace import Bucket, Rate

SECOND = 1_000_000
ON_THE_WAY = 20  # a token comes back so much of its span later: see `on_the_way`
LONGEST_WAY = SECOND


def on_the_way(span: int) -> int:
    """Microseconds that may pass from the moment at which a call is noted to the one at which the network counts it.

    The commit, the connection and what clocks differ by: without it a call that was long on the way and a later one
    that was not could reach the network within the span. A call that takes longer than that is noted anew.
    """
    return min(span // ON_THE_WAY, LONGEST_WAY)


def buckets(credential: str, host: str, limits: Sequence[RateLimit], thread: str | None, call: str) -> list[Bucket]:
    """One of all limits that count the same calls. What nothing counts can be held back for its host alone.

    `thread` is where an intent is carried out, None for whatever else is asked; `call` is as in `RateLimit.of`.
    """
    counting: dict[str | None, list[RateLimit]] = {}
    for limit in limits:
        if _counts(limit, thread, call):
            counting.setdefault(limit.of, []).append(limit)
    if not counting:
        return [Bucket(_digest("host", credential, host))]
    return [_bucket(credential, of, found, thread) for of, found in counting.items()]


def _bucket(credential: str, of: str | None, limits: Iterable[RateLimit], thread: str | None) -> Bucket:
    rates = tuple(_rate(limit) for limit in limits)
    key = _digest("calls", credential, of or "")
    return Bucket(key, _digest(key, thread or "") if any(rate.in_thread for rate in rates) else None, rates)


def _rate(limit: RateLimit) -> Rate:
    span = -int(-limit.seconds * SECOND // 1)
    return Rate(limit.calls, span, on_the_way(span), limit.per == "thread")


def _counts(limit: RateLimit, thread: str | None, call: str) -> bool:
    fits = limit.of is None or re.fullmatch(limit.of, call) is not None
    return fits and (limit.per == "credential" or thread is not None)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
