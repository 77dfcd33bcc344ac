"""What work may do within its transaction: reading ahead and keeping back change nothing of what is seen."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.store import Database, StoreError, Tx, log, open_store

PUT = "INSERT INTO refused (door, count) VALUES (?, ?)"
SET = "UPDATE refused SET count = ? WHERE door = ?"


@pytest.fixture
def database(store: str | Path) -> Iterator[Database]:
    made = open_store(store)
    yield made
    made.close()


def kept(tx: Tx) -> dict[str, int]:
    return {row["door"]: row["count"] for row in tx.all("SELECT door, count FROM refused")}


def test_what_is_kept_back_is_seen_by_every_statement_and_lasts(database: Database) -> None:
    def work(tx: Tx) -> dict[str, int]:
        tx.defer(PUT, ("a", 1))
        tx.amend(SET, "a", (2, "a"))
        tx.defer(PUT, ("b", 1))
        return kept(tx)

    assert database.do(work) == {"a": 2, "b": 1} == database.read(kept)


def test_of_several_changes_to_one_row_the_last_counts_and_inserts_come_first(database: Database) -> None:
    def work(tx: Tx) -> None:
        tx.amend(SET, "a", (5, "a"))  # before its row is inserted
        tx.defer(PUT, ("a", 1))
        tx.amend(SET, "a", (6, "a"))

    database.do(work)
    assert database.read(kept) == {"a": 6}


def test_a_statement_that_changes_something_drops_what_was_read_ahead(database: Database) -> None:
    def work(tx: Tx) -> tuple[dict[Any, Any], dict[Any, Any]]:
        tx.memo("mine")["x"] = 1
        before = dict(tx.memo("mine"))
        tx.run(PUT, "a", 1)
        return before, dict(tx.memo("mine"))

    assert database.do(work) == ({"x": 1}, {})


def test_a_part_that_fails_leaves_nothing_kept_back_told_or_remembered(database: Database) -> None:
    database.do(lambda tx: tx.run("INSERT INTO tenants (tenant, name, key) VALUES ('acme', 'Acme', ?)", b""))

    def work(tx: Tx) -> None:
        tx.defer(PUT, ("before", 1))
        log.publish(tx, "acme", "before", 1, {})
        with pytest.raises(KeyError), tx.savepoint():  # noqa: PT012 - what came before the error is the point
            tx.defer(PUT, ("within", 1))
            tx.memo("mine")["x"] = 1
            log.publish(tx, "acme", "within", 1, {})
            raise KeyError
        assert tx.memo("mine") == {}
        tx.defer(PUT, ("after", 1))
        log.publish(tx, "acme", "after", 1, {})

    database.do(work)
    assert database.read(kept).keys() == {"before", "after"}
    assert [one.type for one in database.read(lambda tx: log.after(tx, "acme", 0))] == ["before", "after"]


def test_what_cannot_be_written_fails_where_it_was_kept_back(database: Database) -> None:
    """A constraint that speaks only at the flush undoes the whole part, and the work can go on."""

    def work(tx: Tx) -> str:
        tx.defer(PUT, ("a", 1))
        try:
            with tx.savepoint():
                tx.defer(PUT, ("b", 1))
                tx.defer(PUT, ("a", 2))
        except tx.outside:
            raise
        except Exception as error:
            return type(error).__name__
        return "nothing"

    assert database.do(work) in {"IntegrityError", "UniqueViolation"}
    assert database.read(kept) == {"a": 1}


def test_numbers_are_never_given_twice(database: Database) -> None:
    given: list[int] = []

    def work(tx: Tx) -> None:
        tx.reserve("seq", chance.randrange(4))
        given.extend(tx.number("seq") for _ in range(chance.randrange(6)))
        if chance.random() < 0.2:
            raise KeyError

    chance = random.Random(1)
    for _ in range(50):
        before = len(given)
        try:
            database.do(work)
        except KeyError:
            del given[before:]  # whoever failed has used none
    assert len(given) == len(set(given)) > 50
    assert given == sorted(given)


def test_items_of_one_verb_are_one_call_and_a_bad_one_fails_alone(database: Database) -> None:
    calls: list[int] = []

    def put(tx: Tx, items: list[tuple[str, int]]) -> None:
        calls.append(len(items))
        tx.many(PUT, items)

    gate = database.write(lambda tx: tx.run(PUT, "x", 1))
    gate.result()
    futures = [database.gather(put, (name, 1), f"kept {name}") for name in "abcxdef"]
    answers = [future.exception(10) or future.result() for future in futures]
    assert [one for one in answers if isinstance(one, str)] == [f"kept {name}" for name in "abcdef"]
    assert isinstance(answers[3], Exception)
    assert database.read(kept) == dict.fromkeys("abcdefx", 1)
    assert sum(calls) >= 7


def test_whoever_reads_sees_one_moment(database: Database) -> None:
    def look(tx: Tx) -> tuple[int, int]:
        first = len(kept(tx))
        database.do(lambda other: other.run(PUT, f"door {first}", 1))
        return first, len(kept(tx))

    assert database.read(look) == (0, 0)
    assert len(database.read(kept)) == 1


def test_nothing_can_be_written_while_reading(database: Database) -> None:
    with pytest.raises(StoreError):
        database.read(lambda tx: tx.run(PUT, "a", 1))
    assert database.read(kept) == {}


def test_a_closed_store_says_so(database: Database) -> None:
    database.close()
    with pytest.raises(StoreError, match="closed"):
        database.do(kept)
    with pytest.raises(StoreError, match="closed"):
        database.read(kept)


def test_what_waits_is_claimed_by_one_of_many(database: Database) -> None:
    """Four take from one queue at once: each thing is done once, and what fails is free again."""
    from concurrent.futures import ThreadPoolExecutor

    database.do(lambda tx: tx.many(PUT, [(f"{n:03}", 0) for n in range(60)]))
    if not database.shared:
        pytest.skip("one process works on a file")
    failed = iter([True] * 3 + [False] * 1000)

    def claim(tx: Tx) -> list[str]:
        return [row["door"] for row in tx.all(f"SELECT door FROM refused WHERE count = 0 LIMIT 5{tx.claiming}")]

    def finish(tx: Tx, doors: list[str]) -> None:
        if next(failed):
            raise KeyError
        for door in doors:
            tx.run("UPDATE refused SET count = count + 1 WHERE door = ?", door)

    def work() -> None:
        while True:
            try:
                if not database.work_off(claim, str, finish):
                    return
            except KeyError:
                continue

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work) for _ in range(4)]:
            done.result()
    while database.work_off(claim, str, finish):
        pass
    assert set(database.read(kept).values()) == {1}


@pytest.mark.parametrize("count", [1, 19, 20, 21, 45, 60])
def test_however_many_rows_are_kept_back_each_is_written_once(database: Database, count: int) -> None:
    """SQLite writes them by twenties, and the rest one by one."""

    def work(tx: Tx) -> None:
        for number in range(count):
            tx.defer(PUT, (f"door {number}", number))

    database.do(work)
    assert database.read(kept) == {f"door {number}": number for number in range(count)}


def test_of_many_rows_those_that_are_known_stay_as_they_are(database: Database) -> None:
    database.do(lambda tx: tx.defer(PUT, ("door 7", 700)))

    def work(tx: Tx) -> None:
        for number in range(50):
            tx.defer(f"{PUT} ON CONFLICT DO NOTHING", (f"door {number % 25}", number))

    database.do(work)
    assert database.read(kept) == {f"door {number}": number for number in range(25)} | {"door 7": 700}
