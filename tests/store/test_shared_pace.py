"""Three real processes on one store call a network as fast as they may, and never faster than it allows."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from raven import RavenSettings
from raven.outpost import outpost

from socialsupport_core.model import RateLimit
from socialsupport_core.store import Tx, breakers, open_store, pace
from socialsupport_core.store.breakers import Breaker
from socialsupport_core.testing import Simulator
from socialsupport_core.wire.breaker import NotAnswering
from socialsupport_core.wire.pace import buckets
from socialsupport_core.wire.turns import Note, Turn, Turns

NewStore = Callable[[str, Path], str]
SCRIPT = Path(__file__).with_name("pacer.py")
LIMIT = RateLimit(calls=20, seconds=4)
PROCESSES, SECONDS = 3, 14


class Counter(Simulator):
    """Answers everybody and notes when they came."""

    network = "raven"
    hosts = frozenset({"api.raven.example"})

    def __init__(self) -> None:
        super().__init__(RavenSettings())
        self.came: list[float] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.came.append(time.time())
        return httpx.Response(200, json={"account": "tower"})


def over(made: list[float], calls: int = LIMIT.calls) -> int:
    """Calls that are one too many in the seconds before them."""
    made = sorted(made)
    return sum(later - made[index] < LIMIT.seconds for index, later in enumerate(made[calls:]))


def together(url: str) -> tuple[list[float], list[float]]:
    """When calls went out, and when they came."""
    counter = Counter()
    with outpost(counter) as port:
        started = [
            subprocess.Popen(
                [sys.executable, str(SCRIPT), url, str(port), LIMIT.model_dump_json(), str(SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        for one in started:
            assert one.stdout
            assert one.stdout.readline() == "ready\n"
        told = []
        for one in started:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in started:
            said, _ = one.communicate(timeout=90)
            assert one.returncode == 0
            told.append([float(at) for at in said.split()])
    assert all(told), "one of them never had a turn"
    return [at for calls in told for at in calls], counter.came


def test_three_processes_keep_one_rate(new_store: NewStore, tmp_path: Path) -> None:
    gone_out, came = together(new_store("postgresql", tmp_path))
    assert len(came) == len(gone_out) >= LIMIT.calls * 3
    assert over(gone_out) == 0
    assert over(came) == 0
    assert over(came, LIMIT.calls - 1) > 0  # they were close to it


def test_of_two_processes_that_see_that_a_probe_is_due_one_makes_it(new_store: NewStore, tmp_path: Path) -> None:
    """The second looks before the first has committed."""
    url = new_store("postgresql", tmp_path)
    stores = [open_store(url) for _ in range(2)]
    stores[0].do(lambda tx: breakers.put(tx, "c", "h", Breaker(5, 10, since=10, pause=10, until=20)))
    first, second = (Turns(store, lambda: datetime.now(UTC)) for store in stores)
    claimed, release = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        claimed.set()
        release.wait(20)

    def ask(turns: Turns, note: Note) -> int:
        return asyncio.run(turns.take(Turn("c", "h", buckets("c", "h", (), None, "GET /")), note))

    with ThreadPoolExecutor() as threads:
        winner = threads.submit(ask, first, hold)
        assert claimed.wait(20)
        loser = threads.submit(ask, second, lambda tx: None)
        time.sleep(0.5)
        release.set()
        assert winner.result() == 0
        with pytest.raises(NotAnswering):
            loser.result()
    for store in stores:
        store.close()


def test_a_batch_that_is_rolled_back_takes_nothing(new_store: NewStore, tmp_path: Path) -> None:
    """What is written beside the token fails: there was no call, so there is no token."""
    store = open_store(new_store("postgresql", tmp_path))
    counting = buckets("c", "h", (LIMIT,), None, "GET /")
    for _ in range(5):
        future = store.write(lambda tx: (pace.take(tx, counting, 10**15), 1 / 0), pace.lock("c"))
        assert isinstance(future.exception(), ZeroDivisionError)
    assert store.read(lambda tx: tx.all("SELECT 1 FROM paced")) == []
    store.close()
