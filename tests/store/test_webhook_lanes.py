"""Lanes: whoever settles too late settles nothing, and nobody gets what somebody else has."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.store import Database, Tx, accounts, log, open_store, webhooks
from socialsupport_core.store.webhooks import Endpoint, Lane

LEASE = 60


@pytest.fixture
def database(store: str | Path) -> Iterator[Database]:
    opened = open_store(store)
    opened.do(lambda tx: accounts.add_tenant(tx, "acme", "Acme", b"k"))
    opened.do(lambda tx: webhooks.add(tx, Endpoint("acme", "desk", "u", "s", None, "", False, "active", None, 0, 0)))
    for _ in range(3):
        opened.do(lambda tx: log.publish(tx, "acme", "x.y", 0, {}, conversation="con"))
    yield opened
    opened.close()


def endpoint(database: Database) -> Endpoint:
    found = database.read(lambda tx: webhooks.get(tx, "acme", "desk"))
    assert found is not None
    return found


def take(database: Database, *cursors: int, now: int = 0) -> bool:
    one = endpoint(database)
    return database.do(lambda tx: webhooks.take(tx, one, cursors[-1], [("lane", cursor) for cursor in cursors], now))


def claim(database: Database, now: int = 0, worker: str = "me") -> list[Lane]:
    one = endpoint(database)
    return database.do(lambda tx: webhooks.claim(tx, one, worker, now, now + LEASE, 8, frozenset()))


def waiting(database: Database) -> list[int]:
    rows = database.read(lambda tx: tx.all("SELECT cursor FROM webhook_waiting ORDER BY cursor"))
    assert endpoint(database).waiting == len(rows)
    return [row["cursor"] for row in rows]


def settle(database: Database, lane: Lane, *, delivered: bool = True) -> Lane | None:
    return database.do(lambda tx: webhooks.settle(tx, lane, 1, LEASE, delivered=delivered, trouble=10))


def test_one_after_another_until_the_lane_is_gone(database: Database) -> None:
    assert take(database, 1, 2, 3)
    (lane,) = claim(database)
    current: Lane | None = lane
    for cursor in (1, 2, 3):
        assert current is not None
        assert current.cursor == cursor
        current = settle(database, current)
    assert current is None
    assert waiting(database) == []
    assert database.read(lambda tx: tx.all("SELECT * FROM webhook_lanes")) == []
    assert endpoint(database).delivered_at == 1


def test_what_comes_while_a_lane_is_under_way_follows(database: Database) -> None:
    take(database, 1)
    (lane,) = claim(database)
    take(database, 2)
    assert claim(database) == []
    following = settle(database, lane)
    assert following is not None
    assert following.cursor == 2


def test_a_lane_is_one_workers_until_its_lease_ends(database: Database) -> None:
    take(database, 1)
    assert len(claim(database)) == 1
    assert claim(database) == claim(database, LEASE - 1) == []
    assert len(claim(database, LEASE)) == 1


def test_two_take_up_the_same_page_once(database: Database) -> None:
    stale = endpoint(database)
    assert take(database, 1, 2)
    assert not database.do(lambda tx: webhooks.take(tx, stale, 2, [("lane", 1), ("lane", 2)], 0))
    assert waiting(database) == [1, 2]


LATE: list[Callable[[Tx, Lane], Any]] = [
    lambda tx, lane: webhooks.settle(tx, lane, 1, LEASE, delivered=True, trouble=10),
    lambda tx, lane: webhooks.settle(tx, lane, 1, LEASE, delivered=False, trouble=10),
    lambda tx, lane: webhooks.fail(tx, lane, 1, 999, "no", 999),
    lambda tx, lane: webhooks.release(tx, lane, 999),
]


@pytest.mark.parametrize("late", LATE)
def test_what_was_begun_before_a_replay_settles_nothing_after_it(
    database: Database, late: Callable[[Tx, Lane], Any]
) -> None:
    take(database, 1, 2)
    (lane,) = claim(database)
    database.do(lambda tx: webhooks.replay(tx, "acme", "desk", 0))
    assert waiting(database) == []
    take(database, 1, 2)
    before = endpoint(database)
    assert database.do(lambda tx: late(tx, lane)) is None
    assert waiting(database) == [1, 2]
    assert endpoint(database) == before
    assert len(claim(database)) == 1, "it is due"


@pytest.mark.parametrize("late", LATE)
def test_what_was_begun_before_a_removal_leaves_nothing_behind(
    database: Database, late: Callable[[Tx, Lane], Any]
) -> None:
    take(database, 1)
    (lane,) = claim(database)
    assert database.do(lambda tx: webhooks.remove(tx, "acme", "desk"))
    assert not database.do(lambda tx: webhooks.remove(tx, "acme", "desk"))
    assert database.do(lambda tx: late(tx, lane)) is None
    for table in ("webhooks", "webhook_lanes", "webhook_waiting"):
        assert database.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}")) == []


@pytest.mark.parametrize("late", [*LATE, lambda tx, lane: webhooks.renew(tx, lane, 999)])
def test_whoever_has_lost_a_lane_changes_nothing_of_it(database: Database, late: Callable[[Tx, Lane], Any]) -> None:
    take(database, 1, 2)
    (slow,) = claim(database)
    (lane,) = claim(database, LEASE, "other")
    before, rows = endpoint(database), lanes(database)
    assert database.do(lambda tx: late(tx, slow)) is None
    assert (endpoint(database), lanes(database), waiting(database)) == (before, rows, [1, 2])
    following = settle(database, lane)
    assert following is not None
    assert following.cursor == 2


def lanes(database: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in database.read(lambda tx: tx.all("SELECT * FROM webhook_lanes ORDER BY lane"))]


def test_a_lane_that_is_renewed_stays_its_workers(database: Database) -> None:
    take(database, 1)
    (lane,) = claim(database)
    database.do(lambda tx: webhooks.renew(tx, lane, LEASE + 9))
    assert claim(database, LEASE, "other") == []
    assert len(claim(database, LEASE + 9, "other")) == 1


def test_what_a_dead_worker_had_is_due_and_nothing_else(database: Database) -> None:
    one = endpoint(database)
    database.do(lambda tx: webhooks.take(tx, one, 3, [("a", 1), ("b", 2), ("c", 3)], 0))
    first, *_ = claim(database)
    database.do(lambda tx: webhooks.fail(tx, first, 1, 9_999, "no", 0))
    database.do(lambda tx: webhooks.abandon(tx, "other"))
    assert claim(database, 1) == []
    database.do(lambda tx: webhooks.abandon(tx, "me"))
    assert [lane.name for lane in claim(database, 1)] == ["b", "c"], "what failed has its time yet"
    database.do(webhooks.abandon)
    assert [lane.name for lane in claim(database, 1, "next")] == ["b", "c"]


@pytest.mark.parametrize("how", ["an answer", "an agent"])
def test_what_is_under_way_is_nobody_elses_when_all_is_made_due(database: Database, how: str) -> None:
    one = endpoint(database)
    database.do(lambda tx: webhooks.take(tx, one, 3, [("a", 1), ("b", 2)], 0))
    first, second = claim(database)
    database.do(lambda tx: webhooks.fail(tx, first, 1, 9, "no", 0))
    (again,) = claim(database, 9, "other")
    assert again.attempts == 1
    if how == "an agent":
        database.do(lambda tx: webhooks.resume(tx, "acme", "desk", 10))
    else:
        database.do(lambda tx: webhooks.settle(tx, second, 10, LEASE, delivered=True, trouble=1))
    assert claim(database, 10) == []


def test_what_is_shown_of_endpoints_and_lanes_in_trouble(database: Database) -> None:
    one = endpoint(database)
    assert not database.do(lambda tx: webhooks.add(tx, one)), "there is one already"
    database.do(lambda tx: webhooks.take(tx, one, 3, [("b", 1), ("a", 2), ("a", 3), ("c", 3)], 0))
    for lane in claim(database)[:2]:
        database.do(lambda tx, lane=lane: webhooks.fail(tx, lane, 1, 99, f"no {lane.name}", 0))
    shown = database.read(lambda tx: webhooks.held(tx, "acme", "desk", 9))
    assert {(held.lane, held.cursor, held.attempts, held.due_at, held.reason) for held in shown} <= {
        ("b", 1, 1, 99, "no b"),
        ("a", 2, 1, 99, "no a"),
        ("c", 3, 1, 99, "no c"),
    }
    assert [held.cursor for held in shown] == sorted(held.cursor for held in shown)
    assert len(shown) == 2
    assert len(database.read(lambda tx: webhooks.held(tx, "acme", "desk", 1))) == 1
    changed = replace(endpoint(database), url="other", types=frozenset({"x.y"}), open_network=True)
    database.do(lambda tx: webhooks.change(tx, changed))
    assert database.do(lambda tx: webhooks.set_state(tx, "acme", "desk", "dead", "ten times"))
    assert not database.do(lambda tx: webhooks.set_state(tx, "acme", "desk", "dead", "again"))
    dead = [replace(changed, state="dead", reason="ten times")]
    assert database.read(webhooks.dead) == database.read(lambda tx: webhooks.of_tenant(tx, "acme")) == dead
    assert database.do(lambda tx: webhooks.resume(tx, "acme", "desk", 5))
    assert database.read(webhooks.dead) == database.read(lambda tx: webhooks.held(tx, "acme", "desk", 9)) == []
    assert endpoint(database).failures == 0


def test_settled_twice_counts_once(database: Database) -> None:
    take(database, 1, 2)
    (lane,) = claim(database)
    settle(database, lane)
    settle(database, lane)
    assert waiting(database) == [2]


def test_a_paused_endpoint_takes_up_nothing_and_is_not_busy(database: Database) -> None:
    take(database, 1)
    (lane,) = claim(database)
    database.do(lambda tx: webhooks.set_state(tx, "acme", "desk", "paused", None))
    assert not take(database, 2)
    take_more = database.read(lambda tx: webhooks.busy(tx, 999))
    assert take_more == []
    assert settle(database, lane) is None
    assert waiting(database) == []


def test_after_many_failures_a_delivery_makes_all_due(database: Database) -> None:
    one = endpoint(database)
    lanes = [("a", 1), ("b", 2), ("c", 3)]
    database.do(lambda tx: webhooks.take(tx, one, 3, lanes, 0))
    first, second, third = claim(database)
    for lane in (first, second):
        database.do(lambda tx, lane=lane: webhooks.fail(tx, lane, 1, 9_999, "no", 0))
    database.do(lambda tx: webhooks.settle(tx, third, 5, LEASE, delivered=True, trouble=3))
    assert claim(database, 10) == [], "two failures are no outage"
    database.do(lambda tx: tx.run("UPDATE webhooks SET failures = 3"))
    take(database, 3)
    (again,) = [lane for lane in claim(database, 10) if lane.name == "lane"]
    database.do(lambda tx: webhooks.settle(tx, again, 11, LEASE, delivered=True, trouble=3))
    assert {lane.name for lane in claim(database, 11)} == {"a", "b"}
    assert endpoint(database).failures == 0


def test_who_claims_locks_the_endpoint_before_its_lanes(database: Database) -> None:
    """As whoever settles does; the other way round two of them would wait for each other."""
    take(database, 1)
    one, said = endpoint(database), []

    def listening(tx: Tx) -> list[Lane]:
        run = tx.run
        tx.run = lambda sql, *values: (said.append(sql.split()[1]), run(sql, *values))[1]  # type: ignore[method-assign]
        try:
            return webhooks.claim(tx, one, "me", 0, LEASE, 8, frozenset())
        finally:
            tx.run = run  # type: ignore[method-assign]

    assert len(database.do(listening)) == 1
    assert said == ["webhooks", "webhook_lanes"]


def test_who_saw_it_before_a_replay_claims_nothing(database: Database) -> None:
    take(database, 1)
    seen = endpoint(database)
    database.do(lambda tx: webhooks.replay(tx, "acme", "desk", 0))
    take(database, 1)
    assert database.do(lambda tx: webhooks.claim(tx, seen, "me", 0, LEASE, 8, frozenset())) == []
    assert len(claim(database)) == 1


def test_what_fails_without_a_wish_shortens_nobody_elses_wait(database: Database) -> None:
    """The endpoint wants no call before 500; another call of it, already under way, then fails without saying so."""
    one = endpoint(database)
    database.do(lambda tx: webhooks.take(tx, one, 2, [("left", 1), ("right", 2)], 0))
    left, right = claim(database)
    database.do(lambda tx: webhooks.fail(tx, left, 1, 500, "busy", 500))
    database.do(lambda tx: webhooks.fail(tx, right, 2, 7, "cut off", 0))
    assert endpoint(database).not_before == 500


def test_what_an_agent_resumes_is_due_as_if_for_the_first_time(database: Database) -> None:
    take(database, 1)
    (lane,) = claim(database)
    database.do(lambda tx: webhooks.fail(tx, lane, 1, 9_999, "busy", 5_000))
    assert database.read(lambda tx: webhooks.busy(tx, 10)) == []
    database.do(lambda tx: webhooks.resume(tx, "acme", "desk", 10))
    assert len(database.read(lambda tx: webhooks.busy(tx, 10))) == 1
    (again,) = claim(database, 10)
    assert (again.cursor, again.attempts, again.tried_at) == (1, 0, None)


def test_it_is_called_again_at_the_moment_that_it_named(database: Database) -> None:
    take(database, 1)
    (lane,) = claim(database)
    database.do(lambda tx: webhooks.fail(tx, lane, 1, 500, "busy", 500))
    assert database.read(lambda tx: webhooks.busy(tx, 499)) == []
    assert len(database.read(lambda tx: webhooks.busy(tx, 500))) == 1


def test_a_replay_wakes_who_is_dead(database: Database) -> None:
    take(database, 1)
    (lane,) = claim(database)
    database.do(lambda tx: webhooks.fail(tx, lane, 1, 500, "no", 500))
    database.do(lambda tx: webhooks.set_state(tx, "acme", "desk", "dead", "ten times"))
    database.do(lambda tx: webhooks.replay(tx, "acme", "desk", 0))
    one = endpoint(database)
    assert (one.state, one.reason, one.cursor, one.not_before, one.failures) == ("active", None, 0, 0, 0)


def test_who_saw_it_before_a_replay_takes_nothing_up(database: Database) -> None:
    """Though its cursor is where it was."""
    seen = endpoint(database)
    database.do(lambda tx: webhooks.replay(tx, "acme", "desk", seen.cursor))
    assert not database.do(lambda tx: webhooks.take(tx, seen, 1, [("lane", 1)], 0))
    assert waiting(database) == []
