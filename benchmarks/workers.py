"""PostgreSQL with one, two and four worker processes: messages recorded a second, by the wall's clock.

    python -m benchmarks.workers URL FOLDER     is one worker, until its input ends

What is waiting lies in the journal before the workers begin, of eight tenants or of one: a tenant's messages are
recorded by one at a time, so one tenant alone cannot gain.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import socialsupport_telegram
from benchmarks import telegram
from benchmarks.figures import Figure
from benchmarks.stores import Ground, postgres
from socialsupport_core.hub import Hub
from socialsupport_core.store import Tx

TENANTS = 8
HOUSE = Path(__file__).parents[1]
PATIENCE = 600.0


def work(url: str, folder: Path) -> None:
    hub = Ground("PostgreSQL", folder).open(url, socialsupport_telegram)
    hub.start()
    print("working", flush=True)
    sys.stdin.read()
    hub.close()


def journal(hub: Hub, tenants: int, count: int) -> None:
    """Accepts the messages and holds them back."""
    doors = [telegram.add_tenant(hub, f"tenant{number}") for number in range(tenants)]
    waiting = []
    for number, one in enumerate(telegram.payloads(count)):
        waiting.append(hub.receive(doors[number % tenants], one))
        if len(waiting) == telegram.WAVE:
            for future in waiting:
                future.result()
            waiting = []
    for future in waiting:
        future.result()
    hub._database.do(lambda tx: tx.run("UPDATE journal SET state = 'held'"))


@contextmanager
def running(url: str, folder: Path, processes: int) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.workers", url, str(folder)]
    started = [
        subprocess.Popen(command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    try:
        for one in started:
            assert one.stdout
            if one.stdout.readline().strip() != "working":
                raise AssertionError("a worker has not come up")
        yield
    finally:
        for one in started:
            one.communicate()


def rate(place: Ground, processes: int, tenants: int, count: int) -> float:
    """Messages a second from the first commit that is seen to the last."""
    url = place.store()
    hub = place.open(url, socialsupport_telegram)
    journal(hub, tenants, count)
    with running(str(url), place.folder, processes):
        hub._database.do(lambda tx: tx.run("UPDATE journal SET state = 'waiting'"))
        found = _timed(hub, count)
    hub.close()
    return found


def _timed(hub: Hub, count: int) -> float:
    deadline, first = time.monotonic() + PATIENCE, None
    while time.monotonic() < deadline:
        done, now = hub._database.read(_recorded), time.monotonic()
        if done and first is None:
            first = done, now
        if first and done == count:
            return (done - first[0]) / (now - first[1])
        time.sleep(0.02)
    raise AssertionError(f"the workers have not come to an end in {PATIENCE:.0f} seconds")


def _recorded(tx: Tx) -> int:
    row = tx.one("SELECT count(*) AS n FROM journal WHERE state = 'recorded'")
    return int(row["n"]) if row else 0


def measure(processes: tuple[int, ...], count: int) -> list[Figure]:
    found = []
    with postgres() as place:
        for tenants in (TENANTS, 1):
            rates = {many: rate(place, many, tenants, count) for many in processes}
            whose = f"{tenants} tenants" if tenants > 1 else "one tenant"
            found += [
                Figure(f"{many} worker processes, {whose}", rates[many], "one process", rates[1], "messages a second")
                for many in processes
                if many > 1
            ]
    return found


if __name__ == "__main__":
    work(sys.argv[1], Path(sys.argv[2]))
