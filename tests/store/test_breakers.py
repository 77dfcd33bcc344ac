"""Hosts that do not answer: one process probes, and what is known of one host says nothing of another."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from socialsupport_core.store import Database, breakers, open_store
from socialsupport_core.store.breakers import Breaker

OPEN = Breaker(failures=5, at=10, since=10, pause=20, until=30)


@pytest.fixture
def database(store: str | Path) -> Iterator[Database]:
    opened = open_store(store)
    opened.do(lambda tx: breakers.put(tx, "acme", "a.example", OPEN))
    yield opened
    opened.close()


def of(database: Database, host: str = "a.example") -> Breaker | None:
    return database.read(lambda tx: breakers.get(tx, "acme", host))


def test_of_many_who_see_that_a_probe_is_due_one_makes_it(database: Database) -> None:
    first, second = (replace(OPEN, at=31, until=60, prober=name) for name in ("first", "second"))
    assert database.do(lambda tx: breakers.probe(tx, "acme", "a.example", OPEN, first))
    assert not database.do(lambda tx: breakers.probe(tx, "acme", "a.example", OPEN, second))
    assert of(database) == first


def test_after_the_probe_nobody_asks(database: Database) -> None:
    database.do(lambda tx: breakers.put(tx, "acme", "a.example", replace(OPEN, prober="first")))
    database.do(lambda tx: breakers.put(tx, "acme", "a.example", OPEN))
    assert of(database) == OPEN


def test_who_answers_again_is_forgotten_and_nobody_else(database: Database) -> None:
    database.do(lambda tx: breakers.put(tx, "acme", "b.example", OPEN))
    database.do(lambda tx: breakers.put(tx, "rival", "a.example", OPEN))
    database.do(lambda tx: breakers.remove(tx, "acme", "a.example"))
    assert of(database) is None
    assert of(database, "b.example") == OPEN
    assert database.read(lambda tx: breakers.get(tx, "rival", "a.example")) == OPEN


def test_of_whom_nothing_was_heard_for_long_is_forgotten(database: Database) -> None:
    database.do(lambda tx: breakers.prune(tx, OPEN.at))
    assert of(database) == OPEN
    database.do(lambda tx: breakers.prune(tx, OPEN.at + 1))
    assert of(database) is None
