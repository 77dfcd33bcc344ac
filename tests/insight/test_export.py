"""The history as files: whole days, always the same, and nothing in them that tells who somebody is."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raven import Roost
from raven.events import NOON, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.guidance.service import Hours
from socialsupport_core.insight import Settings
from socialsupport_core.store import micros

pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("ibis")

from socialsupport_core.insight.scaled import clock, exporting  # noqa: E402
from socialsupport_core.insight.scaled.reading import report_of  # noqa: E402
from socialsupport_core.insight.scaled.report import without  # noqa: E402

DAY = 24 * 3600


@pytest.fixture
def talk(roost: Roost) -> Roost:
    """Three days: a question about an order, an answer that is answered, another matter; all resolved."""
    roost.clock.now = NOON + timedelta(seconds=10)
    roost.hear(message(1, "my order 471108152342 has not come, please call +1 555 010 9999", "kerry"))
    roost.clock.forward(minutes=30)
    roost.reply("Sorry! What is your order number?", "kerry")
    roost.hub.drain()
    roost.clock.forward(days=1)
    roost.hear(
        message(2, "as I said: order 471108152342", "kerry", at=DAY), message(3, "hello?", "morris", at=DAY + 60)
    )
    roost.hub.resolve("acme", roost.conversation(), agent="dana")
    roost.clock.forward(days=1)
    roost.hear(message(4, "thank you", "kerry", at=2 * DAY))
    roost.clock.forward(seconds=1)
    return roost


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not that of the store."""
    return tmp_path_factory.mktemp("exported")


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def days(folder: Path) -> list[str]:
    return sorted(re.findall(r"day=[\d-]+/\w+", " ".join(files(folder))))


def test_it_tells_the_same_as_the_store(talk: Roost, folder: Path) -> None:
    talk.hub.set_guidance("acme", {"target": 30, "hours": {"week": {"mon": ["09:00-17:00"]}}})
    talk.hub.export("acme", folder)
    for since in (None, NOON + timedelta(days=1)):
        told = report_of(folder, None, Settings(), micros(talk.clock()), since and micros(since))
        assert told == without(talk.hub.report("acme", since=since))
    assert told["assumptions"]["target_seconds"] == 30
    assert told["matters"]["contacts"], "there is something to tell"


def test_a_day_that_has_not_changed_stays_as_it_is(talk: Roost, folder: Path) -> None:
    first = talk.hub.export("acme", folder)
    before = files(folder)
    again = talk.hub.export("acme", folder)
    assert (first.days, first.changed) == (3, len(list(folder.rglob("*.parquet"))))
    assert (again.rows, again.days, again.changed, again.removed) == (first.rows, 3, 0, 0)
    assert files(folder) == before


def test_what_arrives_late_rewrites_its_day(talk: Roost, folder: Path) -> None:
    talk.hub.export("acme", folder)
    before = files(folder)
    talk.hear(message(9, "I wrote this long ago", "morris", at=DAY + 30))
    done = talk.hub.export("acme", folder)
    changed = {name for name, content in files(folder).items() if before.get(name) != content}
    day = (NOON + timedelta(days=1)).date()
    assert changed == {f"touches/tenant=acme/day={day}/touches.parquet"}
    assert done.changed == 1


def test_who_turned_out_to_be_one_is_one_in_all_days(talk: Roost, folder: Path) -> None:
    talk.hub.export("acme", folder)
    talk.hub.link("acme", "raven.ring:kerry", "raven.ring:morris", agent="dana")
    talk.clock.forward(seconds=1)
    talk.hub.export("acme", folder)
    told = report_of(folder, None, Settings(), micros(talk.clock()))
    assert told == without(talk.hub.report("acme"))


def test_whose_words_are_erased_is_gone_from_the_days_written_anew(talk: Roost, folder: Path) -> None:
    talk.hub.export("acme", folder)
    talk.hub.erase("acme", "raven.ring:kerry", agent="dana")
    talk.hub.drain()
    done = talk.hub.export("acme", folder)
    left = pq.ParquetDataset(exporting.files(folder, "touches", "acme")).read().to_pylist()
    assert done.removed >= 2
    assert len({row["customer"] for row in left}) == 1
    assert not list(folder.glob("touches/tenant=acme/day=*/.*"))


def test_only_the_days_that_were_asked_for_are_touched(talk: Roost, folder: Path) -> None:
    second = NOON + timedelta(days=1)
    talk.hub.export("acme", folder, since=second, until=second + timedelta(hours=1))
    assert days(folder) == [f"day={second.date()}/touches", f"day={second.date()}/turns"]
    talk.hub.export("acme", folder, until=second.replace(hour=0))
    assert len(days(folder)) == 3, "what was there before stays there"
    with pytest.raises(ConfigError, match="--since must lie before --until"):
        talk.hub.export("acme", folder, since=second, until=NOON)


def test_it_may_be_stopped_at_any_moment(talk: Roost, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is whole, and the next one ends it."""
    whole, half = folder / "whole", folder / "half"
    talk.hub.export("acme", whole)
    write, left = exporting._write, [2]

    def stopping(file: Path, rows: Any) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return write(file, rows)

    monkeypatch.setattr(exporting, "_write", stopping)
    with pytest.raises(KeyboardInterrupt):
        talk.hub.export("acme", half)
    assert 0 < len(files(half)) < len(files(whole))
    assert files(half).items() <= files(whole).items()
    monkeypatch.undo()
    talk.hub.export("acme", half)
    assert files(half) == files(whole)


def test_many_pages_and_waiting_rows_make_the_same_files(
    talk: Roost, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk.hub.export("acme", folder / "one")
    monkeypatch.setattr("socialsupport_core.store.history.PAGE", 1)
    for name in ("_INTERACTIONS", "_TURNS"):
        from socialsupport_core.store import history

        monkeypatch.setattr(history, name, re.sub(r"LIMIT \d+", "LIMIT 1", getattr(history, name)))
    monkeypatch.setattr(exporting, "WAITING", 2)
    talk.hub.export("acme", folder / "many")
    assert files(folder / "many") == files(folder / "one")


def test_no_words_and_no_addresses_are_in_it(talk: Roost, folder: Path) -> None:
    talk.hub.export("acme", folder)
    rows = pq.ParquetDataset(exporting.files(folder, "touches", "acme")).read().to_pylist()
    assert any(row["topics"] for row in rows)
    assert len({row["thread"] for row in rows}) == 2
    told = repr(rows).casefold()
    for secret in ("471108152342", "kerry", "morris", "5550109999", "thank", "order number"):
        assert secret not in told, secret
    (first, second) = (row["topics"] for row in rows if row["topics"])
    assert first == second, "the same order is the same"


def test_another_tenants_key_makes_other_digests() -> None:
    assert exporting._digest(b"a", "order", "4711") != exporting._digest(b"b", "order", "4711")
    assert exporting._digest(b"a", "or", "der4711") != exporting._digest(b"a", "order", "4711")


def test_a_folder_without_an_export_is_told(folder: Path) -> None:
    with pytest.raises(ConfigError, match="holds no export; write one with: socialsupport export"):
        report_of(folder, None, Settings(), 1)


def test_of_several_tenants_one_is_named(roost: Roost, folder: Path) -> None:
    for tenant in ("acme", "globex/x y"):
        exporting.assume(folder, tenant, Settings())
    with pytest.raises(ConfigError, match="--tenant: acme, globex/x y"):
        report_of(folder, None, Settings(), 1)
    assert report_of(folder, "globex/x y", Settings(), 1)["matters"]["count"] == 0


# hours

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Havana"])
OPENINGS = st.sampled_from(["00:00-24:00", "09:00-17:00", "16:30-18:00", "00:30-02:30", "02:00-03:00", "23:00-24:00"])
WEEKS = st.dictionaries(st.sampled_from(["mon", "sat", "sun"]), st.lists(OPENINGS, max_size=3), min_size=1)
MINUTE = 60_000_000
AUTUMN = micros(datetime.fromisoformat("2026-10-20T00:00:00Z"))
MOMENTS = st.integers(0, 20 * 24 * 60 * MINUTE).map(lambda after: AUTUMN + after)


@given(ZONES, WEEKS, st.lists(st.dates(NOON.date(), NOON.date() + timedelta(days=9)), max_size=2), MOMENTS, MOMENTS)
def test_the_calendar_as_a_table_counts_the_same_microseconds(
    zone: str, week: dict[str, list[str]], holidays: list[Any], one: int, other: int
) -> None:
    hours = Hours.model_validate({"zone": zone, "week": week, "holidays": holidays})
    begin, end = sorted((one, other))
    pieces = clock.pieces(hours, AUTUMN, AUTUMN + 21 * 24 * 60 * MINUTE)

    def gone(at: int) -> int:
        (found,) = [piece for piece in pieces if piece[0] == at // clock.DAY and piece[1] <= at < piece[2]]
        return found[3] + found[4] * (at - found[1])

    assert gone(end) - gone(begin) == hours.within(begin, end)
