"""What is counted along is what is there: whatever fails, is undone, is run again or happens at the same time."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from raven import Roost, message
from raven.events import NOON

from socialsupport_core.model import Payload
from socialsupport_core.store import Database, StoreError, Tx, journal, open_store, tallies


@pytest.fixture
def database(store: str | Path) -> Database:
    return open_store(store)


def counted(database: Database, *names: str) -> dict[str, int]:
    return database.read(lambda tx: tallies.of(tx, names))


def add(tx: Tx, name: str, by: int = 1) -> None:
    tx.tally[name] += by


def test_a_number_that_was_never_counted_is_0(database: Database) -> None:
    assert counted(database, "a", "b") == {"a": 0, "b": 0}
    database.close()


def test_what_is_undone_is_not_counted(database: Database) -> None:
    def failing(tx: Tx) -> None:
        add(tx, "a", 100)
        add(tx, "b")
        raise ValueError("no")

    def half(tx: Tx) -> None:
        add(tx, "a")
        with suppress(ValueError), tx.savepoint():
            failing(tx)
        assert tallies.of(tx, ["a", "b"]) == {"a": 1, "b": 0}

    database.do(half)
    with pytest.raises(ValueError, match="no"):
        database.do(failing)
    assert counted(database, "a", "b") == {"a": 1, "b": 0}
    database.close()


def test_many_that_count_at_once_lose_nothing(store: str | Path) -> None:
    several = [open_store(store)] if isinstance(store, Path) else [open_store(store) for _ in range(3)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: several[n % len(several)].do(lambda tx: add(tx, f"n{n % 3}", 2)), range(240)))
    assert counted(several[0], "n0", "n1", "n2") == {"n0": 160, "n1": 160, "n2": 160}
    for one in several:
        one.close()


def test_the_journals_numbers_are_those_of_its_entries(roost: Roost) -> None:
    for number in range(5):
        roost.deliver(message(number, "hello"))
    roost.deliver(message(1, "hello"))
    hub = roost.hub
    door = roost.doors["acme"]
    database = hub._database
    database.do(lambda tx: journal.append(tx, [("acme", door, Payload(body=b"croak", received_at=NOON))]))
    database.do(lambda tx: journal.append_one(tx, "acme", door, Payload(body=b"caw", received_at=NOON)))
    assert same(database)["waiting"] == 8
    hub.drain()
    settled = same(database)
    assert (settled["accepted"], settled["waiting"], settled["quarantined"]) == (8, 0, 2)
    entries = hub.quarantine()
    assert hub.replay(entries[0].number) == 1
    assert same(database)["waiting"] == 1
    assert (hub.replay(), hub.replay(), hub.replay(10**9)) == (1, 0, 0)
    assert same(database)["waiting"] == 2
    hub.drain()
    recorded = database.read(lambda tx: journal.by_state(tx, "recorded", 1))[0].number
    hub.replay(recorded)
    hub.replay(recorded)  # it is waiting already
    assert same(database)["waiting"] == 1
    hub.drain()
    assert same(database) == settled


def same(database: Database) -> dict[str, int]:
    along, audited = database.read(lambda tx: (journal.counts(tx), journal.audited(tx)))
    assert along == audited
    assert along["unexplained"] == 0
    return along


def test_a_count_that_is_wrong_is_found(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    database = roost.hub._database
    database.do(lambda tx: tx.run("DELETE FROM journal"))
    assert roost.hub.health()["status"] == "ok"
    found = roost.hub.health(audited=True)
    assert (found["status"], found["journal"]["unexplained"]) == ("failing", 1)
    database.do(lambda tx: add(tx, "journal.accepted"))
    assert roost.hub.health()["status"] == "failing"


def test_two_that_work_off_one_file_settle_an_entry_once(tmp_path: Path) -> None:
    roost = Roost(tmp_path, store=tmp_path / "support.sqlite")
    roost.deliver(message(1, "hello"))
    workers = roost.hub.workers
    taken = roost.hub._database.read(lambda tx: workers._claim_entries(tx, ()))
    translated = [workers._translate(entry) for entry in taken]
    roost.hub.drain()  # as `socialsupport replay` would, from another process
    roost.hub._database.do(lambda tx: workers._record(tx, translated))
    assert same(roost.hub._database)["recorded"] == 1
    assert roost.texts() == ["hello"]
    roost.hub.close()


def test_a_store_that_cannot_commit_counts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_store(tmp_path / "store.sqlite")
    with monkeypatch.context() as broken:
        broken.setattr("socialsupport_core.store.schema.COUNT", "INSERT INTO nowhere VALUES (?, ?, ?)")
        with pytest.raises(StoreError):
            database.do(lambda tx: add(tx, "a"))
    assert counted(database, "a") == {"a": 0}
    database.close()
