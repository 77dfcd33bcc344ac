"""No call goes out beyond the declared rate, whatever the schedule, and whoever of several makes it."""

import asyncio
import json
import random
from collections.abc import Callable
from datetime import timedelta
from itertools import count, pairwise

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raven import Clock, Raven, RavenSettings, Roost, message

from socialsupport_core.contract import Flow, RateLimited, Unavailable
from socialsupport_core.model import RateLimit
from socialsupport_core.store import Database, Tx, open_store, pace
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire.pace import LONGEST_WAY, buckets, on_the_way

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
HOST = "api.raven.example"
_credentials = (f"credential {number}" for number in count())


def over(made: list[int], limit: RateLimit) -> int:
    """Calls that are one too many in the `seconds` before them, half-open as `any seconds` is."""
    span = int(limit.seconds * SECOND)
    return sum(later - made[index] < span for index, later in enumerate(made[limit.calls :]))


def span_of(limit: RateLimit) -> int:
    span = int(limit.seconds * SECOND)
    return span + on_the_way(span)


class Skies:
    """A clock that is moved, and the calls that were let through."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self.now = START
        self.names = {"a": next(_credentials), "b": next(_credentials)}
        self.made: list[tuple[int, str, str | None, str]] = []

    def call(self, credential: str, limits: tuple[RateLimit, ...], thread: str | None, name: str = "GET /") -> int:
        counting = buckets(self.names[credential], HOST, limits, thread, name)
        taken = pace.take(self.tx, counting, self.now)
        if isinstance(taken, int):
            return taken
        self.made.append((self.now, credential, thread, name))
        return 0

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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(limits=st.lists(LIMITS, min_size=1, max_size=3), seed=st.integers(0, 2**32), eager=st.booleans())
def test_no_schedule_exceeds_a_rate(shared: Database, limits: list[RateLimit], seed: int, eager: bool) -> None:
    """Bursts, rests and steady streams, of two credentials, in some threads and in none; old calls are forgotten."""

    def run(tx: Tx) -> Skies:
        chance, skies = random.Random(seed), Skies(tx)
        longest = max(limit.seconds for limit in limits)
        for _ in range(120):
            thread, name = chance.choice([None, "t", "u", "v"]), chance.choice(["GET /", "POST /"])
            wait = skies.call(chance.choice("ab"), tuple(limits), thread, name)
            step = chance.choice([0, 1, longest * SECOND // 50, longest * SECOND // 3, longest * SECOND])
            skies.now += wait if wait and eager else int(step)
            if chance.random() < 0.05:
                pace.prune(tx, skies.now)
        return skies

    skies = shared.do(run)
    assert len(skies.made) > 2
    assert [skies.over(limit) for limit in limits] == [0] * len(limits)


def test_a_hundred_thousand_calls_and_none_over_the_rate(database: Database) -> None:
    limit = RateLimit(calls=30, seconds=1)

    def run(tx: Tx) -> list[int]:
        chance, skies = random.Random(5), Skies(tx)
        for number in range(100_000):
            skies.call("a", (limit,), None)
            skies.now += chance.choice((0, 1, 50, 33_333, 33_334, 200_000, 1_500_000))
            if number % 5000 == 0:
                pace.prune(tx, skies.now)
        return [at for at, *_ in skies.made]

    made = database.do(run)
    assert len(made) > 50_000
    assert over(made, limit) == 0


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.integers(1, 20), gaps=st.lists(st.integers(0, 2 * SECOND), min_size=50, max_size=80))
def test_what_waits_just_so_long_gets_through_and_not_sooner(database: Database, calls: int, gaps: list[int]) -> None:
    limits = (RateLimit(calls=calls, seconds=1),)

    def run(tx: Tx) -> None:
        skies = Skies(tx)
        for gap in gaps:
            if wait := skies.call("a", limits, None):
                assert 0 < wait <= span_of(limits[0])
                skies.now += wait - 1
                assert skies.call("a", limits, None) == 1
                skies.now += 1
                assert skies.call("a", limits, None) == 0
            skies.now += gap

    database.do(run)


def test_a_full_rate_is_used_but_for_what_may_be_on_the_way(database: Database) -> None:
    limit = RateLimit(calls=10, seconds=1)

    def run(tx: Tx) -> None:
        skies = Skies(tx)
        for _ in range(500):
            assert skies.call("a", (limit,), None) == 0
            skies.now += span_of(limit) // 10

    database.do(run)
    assert span_of(limit) <= 1.05 * SECOND
    assert on_the_way(900 * SECOND) == LONGEST_WAY


def test_two_that_differ_by_what_is_on_the_way_keep_the_rate_at_the_network(database: Database) -> None:
    """The one was noted and arrived as late as may be, the other at once."""
    limit = RateLimit(calls=3, seconds=1)

    def run(tx: Tx) -> list[int]:
        chance, skies = random.Random(3), Skies(tx)
        for _ in range(600):
            skies.now += skies.call("a", (limit,), None) or chance.choice((0, 1000, 40_000))
        return sorted(at + chance.randrange(50_001) for at, *_ in skies.made)

    assert over(database.do(run), limit) == 0


def test_a_call_that_is_made_late_counts_from_then_on(database: Database) -> None:
    limits = (RateLimit(calls=1, seconds=1),)

    def run(tx: Tx) -> None:
        counting = buckets("late", HOST, limits, None, "GET /")
        token = pace.take(tx, counting, START)
        assert not isinstance(token, int)
        pace.late(tx, token, START + SECOND // 2)
        assert pace.take(tx, counting, START + SECOND // 2 + 1) == span_of(limits[0]) - 1
        pace.prune(tx, START + SECOND // 4 + span_of(limits[0]))
        assert isinstance(pace.take(tx, counting, START + SECOND // 2 + 1), int)

    database.do(run)


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it(database: Database) -> None:
    def run(tx: Tx) -> None:
        skies, limit = Skies(tx), (RateLimit(calls=2, seconds=1),)
        for _ in range(2):
            skies.call("a", limit, None)
        pace.hold(tx, buckets("held", HOST, (), None, "GET /"), skies.now, skies.now + 60 * SECOND)
        skies.now -= 3600 * SECOND
        wait = skies.call("a", limit, None)
        assert 0 < wait <= span_of(limit[0])
        skies.now += wait
        assert skies.call("a", limit, None) == 0
        assert pace.held(tx, buckets("held", HOST, (), None, "GET /"), skies.now) == 0

    database.do(run)


def test_a_thread_that_must_wait_takes_nothing_from_the_others(database: Database) -> None:
    """All buckets or none: whoever waits for the one has not used up the other."""
    limits = (
        RateLimit(calls=2, seconds=1),
        RateLimit(calls=1, seconds=1, per="thread"),
        RateLimit(calls=2, seconds=1, of="GET /"),
    )

    def run(tx: Tx) -> None:
        skies = Skies(tx)
        assert skies.call("a", limits, "t") == 0
        for _ in range(5):
            assert skies.call("a", limits, "t") > 0
        assert skies.call("a", limits, "u") == 0
        assert skies.call("b", limits, "t") == 0

    database.do(run)


def test_a_limit_of_calls_that_cannot_be_read_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        RateLimit(calls=1, seconds=1, of="POST /(")


def test_what_counts_no_more_is_forgotten(database: Database) -> None:
    wired = Wired(database, RateLimit(calls=1, seconds=1, per="thread"))
    for number in range(200):
        assert wired.run(asks(1), thread=f"thread of {number}") == 1
        wired.clock.forward(seconds=1)
    rows = database.read(lambda tx: tx.all("SELECT * FROM paced"))
    assert len(rows) < 70
    assert "thread of" not in str([tuple(row) for row in rows])  # only digests are kept


# on the wire


def asks(number: int, path: str = "me") -> Flow[int]:
    for _ in range(number):
        yield httpx.Request("GET", f"https://api.raven.example/{path}")
    return number


Answer = Callable[[httpx.Request], httpx.Response]


class Wired:
    """A wire whose sleep moves the clock, and the moments at which calls went out."""

    def __init__(self, database: Database, *limits: RateLimit, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.made: list[int] = []
        self.slept: list[float] = []
        self.answer: Answer = lambda request: httpx.Response(200)
        self.connector = type("Paced", (Raven,), {"rate_limits": limits})(RavenSettings())
        transport = httpx.MockTransport(self.note)
        self.wire = NetworkWire(database=database, transport=transport, clock=self.clock, sleep=self.sleep)

    def note(self, request: httpx.Request) -> httpx.Response:
        self.made.append(int(self.clock().timestamp() * SECOND))
        return self.answer(request)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += timedelta(seconds=seconds)

    def run(self, flow: Flow[int], **options: str) -> int:
        return asyncio.run(self.wire.run(flow, self.connector, **options))


PACED = RateLimit(calls=4, seconds=2), RateLimit(calls=1, seconds=0.9, per="thread")


def test_calls_wait_for_their_turn(database: Database) -> None:
    wired = Wired(database, *PACED)
    assert wired.run(asks(8)) == 8
    assert [later - one for one, later in pairwise(wired.made)] == [0, 0, 0, span_of(PACED[0]), 0, 0, 0]


@pytest.mark.parametrize("seconds", [0.01, 0.5, 3])
def test_a_call_that_was_long_under_way_may_have_arrived_at_its_end(database: Database, seconds: float) -> None:
    wired, ends = Wired(database, RateLimit(calls=1, seconds=1)), []

    def slowly(request: httpx.Request) -> httpx.Response:
        wired.clock.forward(seconds=seconds)
        ends.append(int(wired.clock().timestamp() * SECOND))
        return httpx.Response(200)

    wired.answer = slowly
    for _ in range(4):
        wired.run(asks(1))
    assert [later >= end + SECOND for end, later in zip(ends, wired.made[1:], strict=False)] == [True] * 3
    assert wired.made[-1] - wired.made[0] <= 3 * (1.05 + seconds) * SECOND


def test_sends_wait_for_their_thread_too(database: Database) -> None:
    wired = Wired(database, *PACED)
    wired.run(asks(3), thread="t")
    assert [later - one for one, later in pairwise(wired.made)] == [span_of(PACED[1])] * 2


def test_a_send_that_would_wait_for_longer_than_a_second_goes_back(database: Database) -> None:
    wired = Wired(database, RateLimit(calls=1, seconds=2))
    with pytest.raises(RateLimited) as raised:
        wired.run(asks(2), thread="t")
    assert raised.value.retry_after == 2.1
    assert (wired.slept, len(wired.made)) == ([], 1)
    assert Wired(database, RateLimit(calls=1, seconds=2), clock=wired.clock).run(asks(1)) == 1  # a read is patient


def test_a_long_wait_goes_back_to_whoever_asked_and_nothing_was_done(database: Database) -> None:
    wired = Wired(database, RateLimit(calls=2, seconds=900, of="GET /(me|you)"))
    for _ in range(2):
        wired.run(asks(1))
    with pytest.raises(RateLimited, match="no more calls") as raised:
        wired.run(asks(1))
    assert raised.value.retry_after == 901
    assert len(wired.made) == 2
    assert wired.run(asks(1, "me/too")) == 1  # which is another call


def test_the_rate_is_kept_by_two_workers_and_after_a_restart(shared: Database) -> None:
    limit, clock = RateLimit(calls=4, seconds=900), Clock()
    workers = [Wired(shared, limit, clock=clock) for _ in range(2)]
    for worker in (*workers, *workers):
        worker.run(asks(1))
    restarted = Wired(shared, limit, clock=clock)
    for worker in (*workers, restarted):
        with pytest.raises(RateLimited):
            worker.run(asks(1))
    clock.forward(seconds=901)
    assert [worker.run(asks(1)) for worker in (restarted, *workers)] == [1, 1, 1]


@pytest.mark.parametrize("limits", [(), (RateLimit(calls=100, seconds=1),)])
def test_retry_after_holds_all_workers_back(shared: Database, limits: tuple[RateLimit, ...]) -> None:
    clock = Clock()
    told, other = (Wired(shared, *limits, clock=clock) for _ in range(2))
    told.answer = lambda request: httpx.Response(429, headers={"retry-after": "30"})
    for number, worker in enumerate((told, other, told)):
        with pytest.raises(RateLimited) as raised:
            worker.run(asks(1))
        assert raised.value.retry_after == 30 - number
        clock.forward(seconds=1)
    assert (len(told.made), len(other.made)) == (1, 0)
    clock.forward(seconds=27)
    assert other.run(asks(1)) == 1


def test_what_another_call_was_told_holds_back_nobody_else(database: Database) -> None:
    limits = RateLimit(calls=9, seconds=1, of="GET /me"), RateLimit(calls=9, seconds=1, of="GET /you")
    wired = Wired(database, *limits)
    wired.answer = lambda request: httpx.Response(429, headers={"retry-after": "30"})
    with pytest.raises(RateLimited):
        wired.run(asks(1))
    wired.answer = lambda request: httpx.Response(200)
    assert wired.run(asks(1, "you")) == 1
    wired.clock.forward(seconds=2)
    with pytest.raises(RateLimited):
        wired.run(asks(1))


def test_what_is_unavailable_for_a_while_is_the_breakers_matter(database: Database) -> None:
    wired = Wired(database)
    wired.answer = lambda request: httpx.Response(503, headers={"retry-after": "30"})
    for _ in range(2):
        with pytest.raises(Unavailable):
            wired.run(asks(1))
    assert len(wired.made) == 2


def test_a_network_cannot_hold_us_back_for_longer_than_a_day(database: Database) -> None:
    wired = Wired(database)
    wired.answer = lambda request: httpx.Response(429, headers={"retry-after": "99999999"})
    with pytest.raises(RateLimited):
        wired.run(asks(1))
    wired.clock.forward(days=1)
    wired.answer = lambda request: httpx.Response(200)
    assert wired.run(asks(1)) == 1


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
    roost.clock.forward(minutes=16)
    assert poll() == 4
    assert len(roost.sky.calls) == 4


# in the outbox


class Strict(Raven):
    rate_limits = (RateLimit(calls=2, seconds=60, of="POST /messages"),)


def test_what_is_paced_waits_in_the_outbox_and_survives_a_restart(roost: Roost) -> None:
    roost.reopen(Strict)
    names = ["kerry", "lee", "max"]
    for number, name in enumerate(names):
        roost.hear(message(number, "hello", name, at=roost.clock.now))
        roost.reply("hi", name)
    roost.hub.drain()
    assert [roost.states(name) for name in names] == [["sent"], ["sent"], ["retrying"]]
    assert roost.hub._database.read(lambda tx: tx.all("SELECT position FROM asks WHERE answer IS NULL")) == []
    told = [one["data"] for one in roost.log("delivery.updated") if one["data"]["state"] == "retrying"]
    assert [one["reason"] for one in told] == ["raven allows no more calls for now"]

    roost.reopen(Strict)
    roost.clock.forward(seconds=59)
    roost.hub.drain()
    assert roost.states("max") == ["retrying"]
    roost.clock.forward(seconds=2)
    roost.hub.drain()
    assert roost.states("max") == ["sent"]
    assert len(roost.sky.calls) == 3


def test_a_paced_send_costs_one_row_more_and_no_commit(roost: Roost) -> None:
    if roost.store != roost.path:
        pytest.skip("SQLite counts the rows")
    costs = []
    for connector in (Raven, Strict):
        roost.reopen(connector)
        roost.hear(message(connector.__name__, "hello", connector.__name__, at=roost.clock.now))
        roost.hub.drain()  # what a new hub does once is done
        roost.reply("hi", connector.__name__)
        commits: list[int] = []
        roost.hub._database.do(lambda tx: None)  # the writer has told of all before
        roost.hub._database.on_commit = lambda commits=commits: commits.append(1)  # type: ignore[misc]
        writer = roost.hub._database._writer  # type: ignore[attr-defined]
        before = writer.total_changes
        roost.hub.drain()
        roost.hub._database.do(lambda tx: None)
        costs.append((writer.total_changes - before, len(commits)))
    (rows, commits_without), (rows_paced, commits_with) = costs
    assert (rows_paced - rows, commits_with) == (1, commits_without)


def test_a_store_that_is_closed_makes_no_call(database: Database) -> None:
    other = open_store(database.where)
    wired = Wired(other, RateLimit(calls=9, seconds=1))
    other.close()
    with pytest.raises(Exception, match="closed"):
        wired.run(asks(1))
    assert wired.made == []


def test_a_shorter_wait_takes_nothing_from_a_longer_one(database: Database) -> None:
    """Two answers of the network that crossed; and what waits is not swept away before its time."""
    bucket = [pace.Bucket(next(_credentials))]
    database.do(lambda tx: pace.hold(tx, bucket, START, START + 100 * SECOND))
    database.do(lambda tx: pace.hold(tx, bucket, START + SECOND, START + 50 * SECOND))
    database.do(lambda tx: pace.prune(tx, START + 60 * SECOND))
    assert database.read(lambda tx: pace.held(tx, bucket, START + 60 * SECOND)) == 40 * SECOND
    database.do(lambda tx: pace.prune(tx, START + 100 * SECOND))
    assert database.read(lambda tx: tx.all("SELECT * FROM held_back WHERE bucket = ?", bucket[0].key)) == []
