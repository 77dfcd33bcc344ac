"""The same answers from tables as from memory: on DuckDB, on PostgreSQL and on Spark, to the microsecond."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from past import at, handed, past, resolved, said
from test_journey import FACEBOOK_TWITTER_CALL
from test_measures import WEEK

from crowd import crowd
from socialsupport_core.insight import History, Settings, report, settings_of

pytest.importorskip("ibis")
pytest.importorskip("duckdb")
pq = pytest.importorskip("pyarrow.parquet")

from socialsupport_core.insight.scaled import place, tables  # noqa: E402
from socialsupport_core.insight.scaled.report import report as scaled  # noqa: E402

HOURS = settings_of(
    {
        "window": "P3D",
        "target": 3600,
        "hours": {
            "zone": "America/New_York",
            "week": {
                "mon": ["09:00-17:00", "16:00-18:00"],  # overlapping
                "tue": ["00:00-24:00"],
                "sun": ["01:30-02:30"],  # on 1 November 2026 there are two of it
            },
            "holidays": ["2026-11-03"],
        },
        "costs": {"contact": {"phone": 9.335, "email": 0.105, "chat": 1, "web": 1, "shop": 1}},
    }
)


def loaded(where: place.Place, history: History, folder: Path) -> tables.Tables:
    given = {}
    for name, rows in tables.of_history(history).items():
        file = folder / f"{name}.parquet"
        pq.write_table(rows, file)
        given[name] = where.load(name, tables.SCHEMAS[name], [file])
    return tables.Tables(**given)


def same(where: place.Place, history: History, folder: Path, assumed: Settings, since: int | None = None) -> None:
    expected = report(history, assumed, since)
    assert scaled(where, loaded(where, history, folder), assumed, history.until, since) == expected


@pytest.fixture(scope="module")
def duck() -> Iterator[place.DuckDB]:
    with place.embedded(threads=1) as made:
        yield made


# histories

CHANNEL = st.sampled_from(["x", "facebook", "email", "phone"])
WHO = st.sampled_from(["cus_kerry", "cus_flo"])
SET = st.sampled_from([[], [], [], ["order:1"], ["order:2"], ["order:1", "order:2"]])
KINDS = st.sampled_from([[], [], ["order"], ["email", "order"]])
MOMENT = st.one_of(st.integers(0, 40).map(lambda n: n / 2), st.integers(0, 30).map(lambda n: n * 12))
"""Some of them the same, some of them far apart."""


@st.composite
def touches(draw: st.DrawFn) -> Any:
    channel, customer = draw(CHANNEL), draw(WHO)
    by = draw(st.sampled_from(["customer", "customer", "agent", "bot"]))
    return said(
        draw(MOMENT),
        channel,
        by,
        customer,
        id=f"{draw(st.integers(0, 10**6)):07}",
        topics=draw(SET),
        told=draw(KINDS),
        asks=draw(KINDS) if by != "customer" else [],
        thread=draw(st.sampled_from(["a", "a", "b"])) + channel,
        visibility=draw(st.sampled_from(["public", "private"])),
        conversation=draw(st.sampled_from(["con-1", "con-1", "con-2", f"con-{customer}", ""])),
        failed=draw(st.booleans()) if by != "customer" else False,
        agent=draw(st.sampled_from(["dana", "sam", None])) if by == "agent" else None,
        reach=draw(st.integers(0, 9)),
        rating=draw(st.sampled_from([None, None, 4.5])),
    )


CONVERSATION = st.sampled_from(["con-1", "con-2", "con-cus_kerry", ""])


@st.composite
def deeds(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        made: Any = resolved(draw(MOMENT), type=draw(st.sampled_from(["resolved", "resolved", "reopened"])))
    else:
        state = draw(st.sampled_from(["offered", "arrived", "expired"]))
        made = handed(draw(MOMENT), draw(CHANNEL), state, draw(CHANNEL))
    return type(made)(**{name: getattr(made, name) for name in made.__slots__} | {"conversation": draw(CONVERSATION)})


@st.composite
def histories(draw: st.DrawFn) -> History:
    from dataclasses import replace

    words = draw(st.lists(touches(), min_size=1, max_size=14, unique_by=lambda one: one.id))
    ids = st.sampled_from([None, *[one.id for one in words]])
    words = [replace(one, answers=draw(ids)) if draw(st.booleans()) else one for one in words]
    return past(*words, *draw(st.lists(deeds(), max_size=6)), until=draw(st.sampled_from([361, 24 * 30])))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories(), later=st.booleans())
def test_a_small_history_has_the_same_report(
    duck: place.DuckDB, tmp_path_factory: pytest.TempPathFactory, history: History, later: bool
) -> None:
    folder = tmp_path_factory.mktemp("small")
    same(duck, history, folder, Settings(), at(200) if later else None)
    shutil.rmtree(folder)
