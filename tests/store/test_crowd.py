"""One of the many who write under a post costs what one of few does, whatever the planner believes."""

from pathlib import Path

import pytest
from steps import work

from socialsupport_core.store import Tx, conversations, open_store

FEW, MANY, ASKED = 100, 20_000, 20
POST = ("acme", "square", "post")


def comment(tx: Tx, start: int, count: int) -> None:
    """Each in a conversation of its own; only their legs are looked for here."""
    for number in range(start, start + count):
        tx.defer(
            "INSERT INTO legs (leg, tenant, conversation, channel, network, own_account, thread, visibility, node,"
            " opened_at, rule, reason) VALUES (?, ?, ?, ?, 'raven', 'acme', ?, 'public', ?, 1, 'new', '')",
            (number, POST[0], f"con_{number}", POST[1], POST[2], number),
        )


@pytest.mark.parametrize("known", ["nothing", "empty", "few", "many"])
def test_a_part_of_a_thread_costs_the_same_however_many_take_part(
    store: str | Path, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    database = open_store(store)
    if not isinstance(store, Path):
        database.do(lambda tx: tx.run("TRUNCATE legs"))
    spent: list[int] = []
    found: list[conversations.Leg | None] = []

    def learn(when: str) -> None:
        if known == when:
            database.do(lambda tx: tx.run("ANALYZE legs"))

    def look(tx: Tx) -> None:
        nodes = range(10, 10 + ASKED)
        parts = [(POST[2], node) for node in nodes]
        spent.append(work(tx, lambda: conversations.read_parts(tx, *POST[:2], parts), monkeypatch))
        for node in nodes:
            found.extend(conversations.legs_of_thread(tx, *POST, node))

    def newest(tx: Tx) -> None:
        """Whom one of ours answers who has written on the network itself."""
        spent.append(work(tx, lambda: found.append(conversations.newest_in_thread(tx, *POST)), monkeypatch))

    learn("empty")
    database.do(lambda tx: comment(tx, 1, FEW))
    learn("few")
    database.do(look)
    database.do(newest)
    database.do(lambda tx: comment(tx, 1 + FEW, MANY))
    learn("many")
    database.do(look)
    database.do(newest)
    database.close()
    few, newest_of_few, many, newest_of_many = spent
    nodes = [leg.node for leg in found if leg]
    assert nodes == [*range(10, 10 + ASKED), FEW, *range(10, 10 + ASKED), FEW + MANY]
    assert newest_of_many <= newest_of_few + 20, f"{newest_of_few} pages or steps, then {newest_of_many}"
    assert many <= 2 * few + 200, f"{few} pages or steps among {FEW}, {many} among {MANY}"
