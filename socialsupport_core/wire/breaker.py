"""Breakers: a host that does not answer is left alone for a while. Times are microseconds since 1970, and given."""

from dataclasses import replace

from socialsupport_core.contract.errors import DeliveryError, Unavailable, Uncertain
from socialsupport_core.store import moment
from socialsupport_core.store.breakers import Breaker

SECOND = 1_000_000
FAILURES = 5  # calls in a row that were not answered, until no more are made
FIRST_PAUSE, LONGEST_PAUSE = 5 * SECOND, 300 * SECOND  # each probe that fails doubles the pause
PROBE = 60 * SECOND  # after which another probe is let through, should nothing be heard of the first
SET_BACK = SECOND  # a moment that is further ahead was noted by a clock that was set back since


class NotAnswering(Unavailable):
    """The call was not made."""


def wait(breaker: Breaker | None, now: int) -> int:
    """Microseconds until a call may be made. 0: now; of an open breaker that is the probe."""
    if breaker is None or breaker.until is None or breaker.at > now + SET_BACK:
        return 0
    return max(0, breaker.until - now)


def probing(breaker: Breaker, prober: str, now: int) -> Breaker:
    """The same while this one asks whether the host is back."""
    return replace(breaker, at=now, until=now + PROBE, prober=prober)


def noted(breaker: Breaker | None, error: DeliveryError | None, now: int, *, probe: bool) -> Breaker | None:
    """What follows from how a call ended; None: the host is well.

    An answer of any kind shows that it is there; only `Unavailable` counts against it. What was under way when it
    opened, or while another probes, prolongs nothing.
    """
    if not isinstance(error, Unavailable | Uncertain):
        return None
    before = breaker or Breaker(0, now, pause=FIRST_PAUSE)
    failures = before.failures + isinstance(error, Unavailable)
    if probe and breaker is not None:
        pause = min(2 * before.pause, LONGEST_PAUSE)
        return replace(before, failures=failures, at=now, pause=pause, until=now + pause, prober=None)
    if failures >= FAILURES and before.until is None:
        return replace(before, failures=failures, at=now, since=now, until=now + before.pause)
    if before.until is None and isinstance(error, Unavailable):
        return replace(before, failures=failures, at=now)
    return breaker


def told(host: str, breaker: Breaker, now: int) -> NotAnswering:
    """The text stays the same as long as it lasts, so that it is told once."""
    since = f" since {moment(breaker.since):%Y-%m-%d %H:%M} UTC" if breaker.since is not None else ""
    return NotAnswering(
        f"{host} has not answered {FAILURES} calls in a row{since}; one worker asks it again from time to time, and"
        " what waits is sent when it answers",
        retry_after=max(wait(breaker, now), 1) / SECOND,
    )
