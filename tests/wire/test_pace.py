"""No call goes out beyond the declared rate, whatever the schedule."""

import asyncio
import json
import random
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raven import Clock, Raven, RavenSettings, Roost, message

from socialsupport_core.contract import Flow, RateLimited
from socialsupport_core.model import RateLimit
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire import pace as pace_module
from socialsupport_core.wire.pace import Bucket, Pace

SECOND = 1_000_000


def over(made: list[int], limit: RateLimit) -> int:
    """Calls that are one too many in the `seconds` before them, half-open as `any seconds` is."""
    span = int(limit.seconds * SECOND)
    return sum(later - made[index] < span for index, later in enumerate(made[limit.calls :]))


class Sky:
    """A clock that is moved, and the calls that were let through."""

    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND
        self.pace = Pace(lambda: self.now)
        self.made: list[tuple[int, str, str | None, str]] = []

    def call(self, credential: str, limits: tuple[RateLimit, ...], thread: str | None, name: str = "GET /") -> int:
        wait = self.pace.take(credential, limits, thread, name)
        if not wait:
            self.made.append((self.now, credential, thread, name))
        return wait

    def over(self, limit: RateLimit) -> int:
        """Calls over the limit, by a count that has nothing in common with the buckets."""
        groups: dict[tuple[str, str | None], list[int]] = {}
        for at, credential, thread, name in self.made:
            if limit.of in {None, name} and (limit.per == "credential" or thread is not None):
                groups.setdefault((credential, thread if limit.per == "thread" else None), []).append(at)
        return sum(over(made, limit) for made in groups.values())


LIMITS = st.builds(
    RateLimit,
    calls=st.integers(1, 40),
    seconds=st.sampled_from([0.1, 0.333, 1, 2.5, 60, 900]),
    per=st.sampled_from(["credential", "thread"]),
    of=st.sampled_from([None, "GET /", "POST /"]),
)


@settings(max_examples=300)
@given(limits=st.lists(LIMITS, min_size=1, max_size=3), seed=st.integers(0, 2**32), eager=st.booleans())
def test_no_schedule_exceeds_a_rate(limits: list[RateLimit], seed: int, eager: bool) -> None:
    """Bursts, rests and steady streams, of two credentials, in some threads and in none."""
    chance, sky = random.Random(seed), Sky()
    longest = max(limit.seconds for limit in limits)
    for _ in range(150):
        thread, name = chance.choice([None, "t", "u", "v"]), chance.choice(["GET /", "POST /"])
        wait = sky.call(chance.choice("ab"), tuple(limits), thread, name)
        step = chance.choice([0, 1, longest * SECOND // 50, longest * SECOND // 3, longest * SECOND])
        sky.now += wait if wait and eager else int(step)
    assert [sky.over(limit) for limit in limits] == [0] * len(limits)


def test_a_million_calls_and_none_over_the_rate() -> None:
    chance, limit = random.Random(5), RateLimit(calls=30, seconds=1)
    bucket, now = Bucket(limit), 1_700_000_000 * SECOND
    made: list[int] = []
    for _ in range(1_000_000):
        if not bucket.wait(now):
            bucket.take(now)
            made.append(now)
        now += chance.choice((0, 1, 50, 33_333, 33_334, 200_000, 1_500_000))
    assert len(made) > 500_000
    assert over(made, limit) == 0


@given(calls=st.integers(1, 20), gaps=st.lists(st.integers(0, 2 * SECOND), min_size=50, max_size=120))
def test_what_waits_just_so_long_gets_through_and_not_sooner(calls: int, gaps: list[int]) -> None:
    bucket, now = Bucket(RateLimit(calls=calls, seconds=1)), 10**15
    for gap in gaps:
        if wait := bucket.wait(now):
            assert 0 < wait <= SECOND
            assert bucket.wait(now + wait - 1) == 1
            now += wait
        assert bucket.wait(now) == 0
        bucket.take(now)
        now += gap


def test_a_full_rate_is_used() -> None:
    """It holds nobody back who keeps to the rate."""
    sky, limit = Sky(), (RateLimit(calls=10, seconds=1),)
    for _ in range(1000):
        assert sky.call("a", limit, None) == 0
        sky.now += SECOND // 10


def test_what_is_known_can_be_handed_to_another_process() -> None:
    limit, now = RateLimit(calls=3, seconds=10), 10**15
    first = Bucket(limit)
    for at in (now, now + 1, now + 2):
        first.take(at)
    assert Bucket(limit, first.taken).wait(now + 3) == 10 * SECOND - 3
    assert Bucket(limit).wait(now + 3) == 0


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it() -> None:
    sky, limit = Sky(), (RateLimit(calls=2, seconds=1),)
    for _ in range(2):
        sky.call("a", limit, None)
    sky.now -= 3600 * SECOND
    wait = sky.call("a", limit, None)
    assert 0 < wait <= SECOND
    sky.now += wait
    assert sky.call("a", limit, None) == 0


def test_a_thread_that_must_wait_takes_nothing_from_the_others() -> None:
    """All buckets or none: whoever waits for the one has not used up the other."""
    limits = RateLimit(calls=2, seconds=1), RateLimit(calls=1, seconds=1, per="thread")
    sky = Sky()
    assert sky.call("a", limits, "t") == 0
    for _ in range(5):
        assert sky.call("a", limits, "t") > 0
    assert sky.call("a", limits, "u") == 0
    assert sky.call("b", limits, "t") == 0


def test_a_limit_of_calls_that_cannot_be_read_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        RateLimit(calls=1, seconds=1, of="POST /(")


def test_threads_long_silent_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "BUCKETS", 100)
    sky, limit = Sky(), (RateLimit(calls=1, seconds=1, per="thread"),)
    for number in range(5000):
        assert sky.call("a", limit, f"t{number}") == 0
        sky.now += SECOND // 50
    assert len(sky.pace._buckets) <= 101


# on the wire


class Paced(Raven):
    rate_limits = (RateLimit(calls=4, seconds=2), RateLimit(calls=1, seconds=1, per="thread"))


def asks(number: int, path: str = "me") -> Flow[int]:
    for _ in range(number):
        yield httpx.Request("GET", f"https://api.raven.example/{path}")
    return number


class Wired:
    """A wire whose sleep moves the clock, and the moments at which calls went out."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.made: list[int] = []
        transport = httpx.MockTransport(self.answer)
        self.wire = NetworkWire(transport=transport, clock=self.clock, sleep=self.sleep)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.made.append(int(self.clock().timestamp() * SECOND))
        return httpx.Response(200)

    async def sleep(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)

    def run(self, flow: Flow[int], **options: str) -> int:
        return asyncio.run(self.wire.run(flow, Paced(RavenSettings()), **options))


def test_calls_wait_for_their_turn() -> None:
    wired = Wired()
    assert wired.run(asks(8)) == 8
    assert [later - one for one, later in pairwise(wired.made)] == [0, 0, 0, 2 * SECOND, 0, 0, 0]


def test_sends_wait_for_their_thread_too() -> None:
    wired = Wired()
    wired.run(asks(3), thread="t")
    assert [later - one for one, later in pairwise(wired.made)] == [SECOND, SECOND]


def test_a_long_wait_goes_back_to_whoever_asked_and_nothing_was_done() -> None:
    class Slow(Raven):
        rate_limits = (RateLimit(calls=2, seconds=900, of="GET /(me|you)"),)

    wired = Wired()

    def run(path: str = "me") -> int:
        return asyncio.run(wired.wire.run(asks(1, path), Slow(RavenSettings())))

    for _ in range(2):
        run()
    with pytest.raises(RateLimited, match="no more calls") as raised:
        run()
    assert raised.value.retry_after == 900
    assert len(wired.made) == 2
    assert run("me/too") == 1  # which is another call


def test_a_channel_that_polls_as_fast_as_it_may_is_not_in_trouble(roost: Roost) -> None:
    class Paced(Raven):
        rate_limits = (RateLimit(calls=2, seconds=900, of="GET /letters"),)

    roost.reopen(Paced)
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="poll")
    roost.sky.letters = [json.loads(message(n, f"text {n}", at=roost.clock.now).to_json()) for n in range(8)]

    def poll() -> int:
        return asyncio.run(roost.hub.workers.poll("acme", "tower"))

    assert poll() == 4
    assert poll() == 0
    assert roost.hub.list_channels("acme")[0]["state"] == "active"
    roost.clock.forward(minutes=15)
    assert poll() == 4
    assert len(roost.sky.calls) == 4
