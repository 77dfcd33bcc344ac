"""A claim costs what it takes, however much waits. Work is counted, not timed: SQLite's steps, PostgreSQL's pages."""

from pathlib import Path
from typing import Any

import pytest
from raven.events import NOON
from steps import work

from socialsupport_core.model import Payload, SendMessage, Thread
from socialsupport_core.store import Database, Tx, attachments, journal, open_store, outbox

FEW, MANY, ROOM = 100, 20_000, 10
INTENT = SendMessage(key="k", own_account="acme", thread=Thread(id="t", visibility="private"), text="x" * 500).to_json()


@pytest.fixture
def database(store: str | Path) -> Database:
    """On PostgreSQL without what tests before have deleted, which stands in tables and indexes until a vacuum."""
    database = open_store(store)
    if not isinstance(store, Path):
        database.do(lambda tx: tx.run("TRUNCATE journal, outbox, attachments"))
    return database


def arrive(tx: Tx, tenant: str, count: int) -> None:
    payload = Payload(body=b"x" * 1000, received_at=NOON)
    journal.append(tx, [(tenant, f"door of {tenant}", payload)] * count)


@pytest.mark.parametrize("known", ["nothing", "empty", "few", "all settled"])
def test_a_claim_costs_the_same_however_long_the_backlog_is(
    database: Database, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    """Whatever the planner's statistics tell it: they are never of this moment."""
    spent, got = [], []

    def learn(when: str) -> None:
        if known == when:
            database.do(lambda tx: tx.run("ANALYZE journal"))

    def claim(tx: Tx) -> None:
        spent.append(work(tx, lambda: got.append(journal.claim(tx, 20)), monkeypatch))

    def settle_all(tx: Tx) -> None:
        for entry in journal.claim(tx, 4 * FEW):
            journal.settle(tx, entry.number, "recorded", None, 1)

    learn("empty")
    database.do(lambda tx: arrive(tx, "acme", 2 * FEW))
    database.do(settle_all)
    learn("all settled")
    database.do(lambda tx: arrive(tx, "rival", FEW))
    database.do(lambda tx: arrive(tx, "acme", FEW))
    learn("few")
    database.do(claim)
    database.do(lambda tx: arrive(tx, "acme", MANY))
    database.do(claim)
    assert got[0] == got[1] != []
    assert spent[1] < 3 * spent[0] + 20, spent
    database.close()


@pytest.mark.parametrize("known", ["nothing", "empty", "few", "all sent"])
def test_sends_are_claimed_at_the_same_cost_however_many_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    """A network that was down for an hour, a campaign: each of its threads has one that is due."""
    spent, got = [], []

    def learn(when: str) -> None:
        if known == when:
            database.do(lambda tx: tx.run("ANALYZE outbox"))

    def claim(tx: Tx) -> None:
        spent.append(work(tx, lambda: got.append(len(outbox.claim(tx, 2 * MANY, ROOM))), monkeypatch))

    database.do(claim)
    learn("empty")
    database.do(lambda tx: ask_for(tx, "acme", range(FEW), "sent"))
    learn("all sent")
    database.do(lambda tx: ask_for(tx, "rival", range(FEW)))
    database.do(lambda tx: ask_for(tx, "acme", range(FEW, 2 * FEW)))
    learn("few")
    database.do(claim)
    database.do(lambda tx: ask_for(tx, "acme", range(2 * FEW, MANY)))
    database.do(claim)
    assert got == [0, ROOM, ROOM]
    assert spent[2] < 3 * spent[1] + 20, spent
    database.close()


def ask_for(tx: Tx, tenant: str, numbers: range, state: str = "queued") -> None:
    """A message on a thread of its own for each number."""
    columns = "tenant, part, number, channel, thread, conversation, intent, agent, state, attempts, due_at, created_at"
    tx.many(
        f"INSERT INTO outbox ({columns}, ready) VALUES ({', '.join('?' * 13)})",
        [
            (tenant, f"p{n}", n, "sky", f"t{n}", "c", INTENT, "dana", state, 0, n, n, int(state == "queued"))
            for n in numbers
        ],
    )


def test_what_waits_the_longest_is_known_without_counting_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.do(lambda tx: arrive(tx, "acme", MANY))

    def look(tx: Tx) -> None:
        found: list[Any] = []
        assert work(tx, lambda: found.append(journal.oldest_waiting(tx)), monkeypatch) < 50
        assert found[0] is not None

    database.do(look)
    database.close()


def test_what_is_to_be_fetched_is_found_among_all_that_was(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most attachments were fetched long ago."""
    columns = "(tenant, seq, position, state, blob, attempts, due_at)"
    kept = [("acme", seq, 0, "stored", "digest", 1, 0) for seq in range(MANY)]
    kept[MANY // 2] = ("acme", MANY // 2, 0, "pending", None, 0, 0)

    def look(tx: Tx) -> None:
        tx.many(f"INSERT INTO attachments {columns} VALUES (?, ?, ?, ?, ?, ?, ?)", kept)
        found: list[Any] = []
        assert work(tx, lambda: found.extend(attachments.pending(tx, 1, 10)), monkeypatch) < 50
        assert [one.seq for _, one in found] == [MANY // 2]

    database.do(look)
    database.close()
