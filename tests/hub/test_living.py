"""How it goes right now, from a real store; and that asking again reads only what is new."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from raven import Roost, message
from raven.events import NOON

from socialsupport_core.store import live


def now(roost: Roost) -> dict[str, Any]:
    found: dict[str, Any] = roost.hub.live("acme")
    json.dumps(found)
    return found


@pytest.fixture
def asked(roost: Roost) -> Roost:
    """Kerry asked at noon, Sam an hour later; it is one o'clock and ten seconds."""
    roost.clock.now = NOON + timedelta(hours=1, seconds=10)
    roost.hear(message(1, "hello?", "kerry"), message(2, "hello!", "sam", at=3600))
    return roost


def test_nobody_waits_in_an_empty_store(roost: Roost) -> None:
    found = now(roost)
    assert (found["waiting"], found["oldest"], found["today"]["contacts"]) == (0, None, 0)


def test_who_waits_and_since_when(asked: Roost) -> None:
    found = now(asked)
    assert found["waiting"] == 2
    assert found["oldest"] == {
        "conversation": asked.conversation("kerry"),
        "channel": "tower",
        "since": NOON.isoformat().replace("+00:00", "Z"),
        "target_seconds": 14_400.0,
        "overdue": False,
    }
    asked.clock.forward(hours=4)
    assert now(asked)["oldest"]["overdue"] is True


def test_what_became_of_todays_contacts(asked: Roost) -> None:
    asked.reply("hi", "kerry")
    asked.hub.drain()
    found = now(asked)
    assert (found["waiting"], found["today"]["contacts"]) == (1, 2)
    assert found["today"]["in_target"] == {"share": 1.0, "count": 1, "of": 1}
    asked.clock.forward(hours=5)
    found = now(asked)["today"]
    assert found["in_target"] == {"share": 0.5, "count": 1, "of": 2}
    assert found["breakdowns"] == {"count": 1, "by_reason": {"no answer in time": 1}}


def test_it_is_what_the_report_says_of_the_day(asked: Roost) -> None:
    asked.reply("hi", "kerry")
    asked.hub.drain()
    asked.clock.forward(hours=6)
    today, told = now(asked)["today"], asked.hub.report("acme")
    assert today["contacts"] == told["matters"]["contacts"]
    assert today["answered"] == told["coverage"]["answered"]
    assert today["in_target"] == told["coverage"]["in_target"]
    assert today["breakdowns"]["count"] == told["breakdowns"]["count"]


def test_asking_again_reads_what_is_new(asked: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = live.since

    def watched(*given: Any) -> Any:
        rows = real(*given)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(live, "since", watched)
    now(asked)
    now(asked)
    asked.hear(message(3, "anybody?", "kerry", at=3605))
    assert now(asked)["today"]["contacts"] == 3, "more than an hour after the first"
    assert read == [2, 0, 1]


def test_a_new_day_begins_anew(asked: Roost) -> None:
    assert now(asked)["today"]["contacts"] == 2
    asked.clock.forward(days=1)
    found = now(asked)
    assert (found["waiting"], found["today"]["contacts"]) == (2, 0)
    asked.hear(message(9, "still nobody?", "kerry", at=asked.clock.now))
    assert now(asked)["today"]["contacts"] == 1


def test_what_is_imported_does_not_hide_today(asked: Roost) -> None:
    """It has times of its own, so that the log is in no order of time."""
    old = [message(f"old{n}", "long ago", f"bird{n}", at=NOON - timedelta(days=30 - n)) for n in range(20)]
    asked.hear(*old)
    assert now(asked)["today"]["contacts"] == 2
    assert now(asked)["waiting"] == 22


def test_one_tenant_sees_nothing_of_another(asked: Roost) -> None:
    found = asked.hub.live("rival")
    assert (found["waiting"], found["today"]["contacts"]) == (0, 0)


def test_resolved_is_waited_for_no_more(asked: Roost) -> None:
    asked.hub.resolve("acme", asked.conversation("kerry"), agent="dana")
    assert now(asked)["waiting"] == 1


def test_the_tenants_own_target_and_zone_hold(asked: Roost) -> None:
    asked.hub.set_guidance("acme", {"target": 60, "targets": {}, "hours": {"zone": "Pacific/Kiritimati"}})
    found = now(asked)
    assert (found["oldest"]["target_seconds"], found["oldest"]["overdue"]) == (60.0, True)
    assert found["today"]["since"].endswith("T10:00:00Z"), "the day begins ten hours after midnight in UTC"


def test_who_waits_is_counted_by_the_index(tmp_path: Path) -> None:
    """However many conversations have ever been: they are not read."""
    asked: list[str] = []

    class Watched:
        def one(self, sql: str, *given: Any) -> None:
            asked.append(sql)

    live.waiting(Watched(), "acme")  # type: ignore[arg-type]
    roost = Roost(tmp_path)
    roost.hub.close()
    with closing(sqlite3.connect(roost.path)) as store:
        plans = [store.execute(f"EXPLAIN QUERY PLAN {sql}", ("acme",)).fetchone()[3] for sql in asked]
    assert len(plans) == 2
    assert all("INDEX conversations_by_status (tenant=? AND status=? AND waiting_since>?)" in plan for plan in plans)
