"""The journal's queue: equal shares, whoever has how much waiting."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from raven import Roost, message
from raven.events import NOON

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_core.pipeline.workers import BATCH
from socialsupport_core.store import Database, Tx, journal, open_store
from socialsupport_core.store.database import QUEUE


def claimed(roost: Roost, limit: int, after: str = "") -> Counter[str]:
    found = roost.hub._database.do(lambda tx: journal.claim(tx, limit, after))
    return Counter(str(entry.tenant) for entry in found)


def test_a_long_backlog_leaves_others_their_share(roost: Roost) -> None:
    for number in range(300):
        roost.deliver(message(number, "again and again"))
    roost.deliver(message(1, "hello"), tenant="rival")
    batches = [claimed(roost, 100), claimed(roost, 100, "acme")]
    if roost.hub._database.shared:  # by turns, so that two processes can take one each
        assert batches == [{"acme": 100}, {"rival": 1}]
    else:
        assert batches[0] == {"acme": 50, "rival": 1}
    done = roost.hub.workers.record_waiting()
    if roost.hub._database.shared:
        done += roost.hub.workers.record_waiting()
    assert done < 150
    assert roost.texts(tenant="rival") == ["hello"]


def waiting(database: Database, tenants: int, each: int) -> list[str]:
    names = [f"t{number}" for number in range(tenants)]
    payload = Payload(received_at=NOON)
    database.do(lambda tx: journal.append(tx, [(name, "door", payload) for name in names for _ in range(each)]))
    return names


@pytest.fixture
def two(tmp_path: Path, new_store: Callable[[str, Path], str | Path]) -> Iterator[tuple[Database, Database]]:
    """Two processes, as it were, on one server."""
    url = new_store("postgresql", tmp_path)
    with closing(open_store(url)) as ours, closing(open_store(url)) as theirs:
        yield ours, theirs


@pytest.mark.parametrize(
    ("each", "first", "second"),
    [
        (200, {"t0": 50, "t1": 50}, {"t2": 50, "t3": 50}),
        (1, dict.fromkeys((f"t{number}" for number in range(8)), 1), {}),  # little: all of it in one batch
    ],
)
def test_processes_at_work_at_the_same_time_have_different_tenants(
    two: tuple[Database, Database], each: int, first: dict[str, int], second: dict[str, int]
) -> None:
    ours, theirs = two
    waiting(ours, 8, each)

    held: list[Counter[str]] = []

    def claim(tx: Tx) -> list[journal.Entry]:
        held.append(Counter(str(entry.tenant) for entry in journal.claim(tx, 100)))
        if second:
            theirs.do(lambda tx: held.append(Counter(str(entry.tenant) for entry in journal.claim(tx, 100))))
        return []

    ours.work_off(claim, str, lambda *_: None)
    assert held == [first, *([second] if second else [])]


def test_when_all_are_being_recorded_for_the_next_one_waits(two: tuple[Database, Database]) -> None:
    ours, theirs = two
    waiting(ours, 1, 3)
    left: list[int] = []
    thread = Thread(target=lambda: left.append(len(theirs.do(lambda tx: journal.claim(tx, 100)))))

    def claim(tx: Tx) -> list[journal.Entry]:
        entries = journal.claim(tx, 100)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        return entries

    def finish(tx: Tx, entries: list[journal.Entry]) -> None:
        for entry in entries:
            journal.settle(tx, entry.number, "ignored", "seen", 0)

    assert ours.work_off(claim, lambda entry: entry, finish) == 3
    thread.join(30)
    assert left == [0]  # nothing was taken twice


def test_with_one_tenant_it_gets_all(roost: Roost) -> None:
    for number in range(120):
        roost.deliver(message(number, "again and again"))
    assert claimed(roost, 100) == {"acme": 100}


def test_each_tenants_oldest_come_first(roost: Roost) -> None:
    for number in range(5):
        roost.deliver(message(number, f"text {number}"))
    found = roost.hub._database.do(lambda tx: journal.claim(tx, 3))
    assert [entry.number for entry in found] == sorted(entry.number for entry in found)
    assert len(found) == 3


def test_however_many_tenants_wait_each_has_its_turn(store: str | Path) -> None:
    database = open_store(store)
    everybody = [f"t{n:03}" for n in range(journal.AT_ONCE * 2 + 3)]
    payload = Payload(received_at=NOON)
    database.do(lambda tx: journal.append(tx, [(tenant, "door", payload) for tenant in everybody for _ in range(3)]))
    served, after = Counter[str](), ""
    for _ in range(3):
        entries = database.do(lambda tx, after=after: journal.claim(tx, BATCH, after))  # type: ignore[misc]
        served.update(str(entry.tenant) for entry in entries)
        after = str(entries[-1].tenant)
    assert set(served) == set(everybody)
    database.close()


@pytest.mark.parametrize("many", [1, 100])
def test_the_door_of_an_app_is_served_beside_the_tenants(roost: Roost, many: int) -> None:
    database = roost.hub._database
    payload = roost.payload(message(1, "x"))
    database.do(lambda tx: journal.append(tx, [(None, "app-door", payload) for _ in range(many)]))
    roost.deliver(message(1, "hello"))
    if many > 1 and database.shared:
        assert [claimed(roost, 10), claimed(roost, 10, journal.MANY)] == [{"None": 10}, {"acme": 1}]
    else:
        assert claimed(roost, 10) == {"None": min(many, 5), "acme": 1}


@pytest.mark.parametrize("value", ["plain", "Grüße 📦", 'a "quote" \\ and\ttab', "a lone \ud800 surrogate"])
def test_headers_come_back_as_they_came(roost: Roost, value: str) -> None:
    headers = (("x-word", value), ("x-word", "again"))
    payload = Payload(source="webhook", body=b"{}", headers=headers, received_at=NOON)
    database = roost.hub._database
    database.do(lambda tx: journal.append(tx, [("acme", "a-door", payload)]))
    (entry,) = database.do(lambda tx: journal.claim(tx, 5))
    assert entry.payload.headers == headers


def test_a_flood_of_forgeries_waits_as_one_write(roost: Roost) -> None:
    """Else the doors would be shut to what is genuine, by whoever knows their addresses."""
    entered, go_on = Event(), Event()

    def hold(_: Tx) -> None:
        entered.set()
        assert go_on.wait(30)

    held = roost.hub._database.write(hold)
    assert entered.wait(30)
    forged = roost.payload(message(1, "hello"), secret="guessed")
    for _ in range(QUEUE + 10):
        with pytest.raises(SignatureError):
            roost.hub.receive(roost.doors["acme"], forged)
    genuine = roost.hub.receive(roost.doors["acme"], roost.payload(message(2, "hello")))
    go_on.set()
    held.result()
    assert genuine.result().status == 200
    assert roost.hub.health()["refused"] == QUEUE + 10
