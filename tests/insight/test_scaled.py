"""The same answers from tables as from memory: on DuckDB, on PostgreSQL and on Spark, to the microsecond."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from crowd import crowd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from past import at, handed, past, resolved, said
from test_journey import FACEBOOK_TWITTER_CALL
from test_measures import WEEK

from socialsupport_core.insight import Filters, History, Settings, report, settings_of
from socialsupport_core.insight.journey import REASONS
from socialsupport_core.testing.postgresql import MISSING, Server, programs

pytest.importorskip("ibis")
pytest.importorskip("duckdb")
pq = pytest.importorskip("pyarrow.parquet")

from socialsupport_core.insight.scaled import place, tables  # noqa: E402
from socialsupport_core.insight.scaled.report import report as scaled  # noqa: E402
from socialsupport_core.insight.scaled.report import without  # noqa: E402

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


def same(
    where: place.Place,
    history: History,
    folder: Path,
    assumed: Settings,
    since: int | None = None,
    filters: Filters | None = None,
) -> None:
    expected = without(report(history, assumed, since, filters))
    found = scaled(where, loaded(where, history, folder), assumed, history.until, since, filters=filters)
    assert found == expected


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
        kind=draw(st.sampled_from(["message", "message", "message", "rating"])) if by != "agent" else "message",
        contact=draw(st.sampled_from([None, "praise", "question"])) if by == "customer" else None,
        verdict=draw(st.sampled_from([None, None, 1, 4, 5])) if by == "customer" else None,
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
    words = draw(st.lists(touches(), min_size=1, max_size=14, unique_by=lambda one: one.id))
    ids = st.sampled_from([None, *[one.id for one in words]])
    words = [replace(one, answers=draw(ids)) if draw(st.booleans()) else one for one in words]
    return past(*words, *draw(st.lists(deeds(), max_size=6)), until=draw(st.sampled_from([361, 24 * 30])))


def together(many: list[History]) -> History:
    """As one: each has customers and conversations of its own."""

    def own(number: int, one: Any) -> Any:
        given = {
            name: f"{number}-{getattr(one, name)}" for name in ("customer", "conversation", "id") if hasattr(one, name)
        }
        if getattr(one, "answers", None):
            given["answers"] = f"{number}-{one.answers}"
        return replace(one, **given)

    kinds = (
        tuple(own(number, one) for number, history in enumerate(many) for one in getattr(history, name))
        for name in ("touches", "turns", "handed")
    )
    return History(*kinds, until=at(361))


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(many=st.lists(histories(), min_size=15, max_size=40), later=st.booleans())
def test_small_histories_have_the_same_report(
    duck: place.DuckDB, tmp_path_factory: pytest.TempPathFactory, many: list[History], later: bool
) -> None:
    """Many at once: the expressions cost more to write than to run."""
    same(
        duck,
        together(many),
        tmp_path_factory.mktemp("small"),
        HOURS if later else Settings(),
        at(200) if later else None,
    )


@pytest.mark.parametrize("histories", [[past(*WEEK), past(*FACEBOOK_TWITTER_CALL)], []], ids=["golden", "nothing"])
def test_what_was_worked_by_hand_has_the_same_report(
    duck: place.DuckDB, tmp_path: Path, histories: list[History]
) -> None:
    same(duck, together(histories), tmp_path, Settings())


@pytest.mark.parametrize("given", [{"agent": "sam", "visibility": "public"}, {"network": "email", "channel": "email"}])
def test_filters_choose_the_same_matters(
    duck: place.DuckDB, tmp_path: Path, gathered: History, given: dict[str, str]
) -> None:
    some = {touch.customer for touch in gathered.touches[:300]}
    turns = tuple(one for one in gathered.turns if one.conversation.removeprefix("con-")[:9] in some)
    few = History(tuple(one for one in gathered.touches if one.customer in some), turns, until=gathered.until)
    filters = Filters(**given)
    assert 0 < report(few, HOURS, None, filters)["matters"]["count"] < report(few, HOURS)["matters"]["count"]
    same(duck, few, tmp_path, HOURS, at(24 * 20), filters)


# a crowd


@pytest.fixture(scope="module")
def gathered() -> History:
    """Some ten thousand interactions of two months."""
    found = past(*crowd(1500, 8), until=24 * 60)
    return History(*(tuple(one for one in rows if one.at < found.until) for rows in
                     (found.touches, found.turns, found.handed)), until=found.until)  # fmt: skip


@pytest.fixture(scope="module")
def expected(gathered: History) -> dict[str, Any]:
    return report(gathered, HOURS, at(24 * 30))


def check(where: place.Place, history: History, folder: Path, expected: dict[str, Any]) -> None:
    told = scaled(where, loaded(where, history, folder), HOURS, history.until, at(24 * 30))
    assert told == without(expected)


def test_a_crowd_fails_for_every_reason(gathered: History, expected: dict[str, Any]) -> None:
    assert len(gathered.touches) > 9_000
    assert set(expected["breakdowns"]["by_reason"]) == set(REASONS.values())
    assert set(expected["previous"]["breakdowns"]["by_reason"]) == set(REASONS.values())
    assert expected["cost"]["incurred"]["without_a_price"]
    assert expected["previous"]["response"]["first_in_hours"]["count"] > 100


def test_a_crowd_has_the_same_report_on_duckdb(
    duck: place.DuckDB, tmp_path: Path, gathered: History, expected: dict[str, Any]
) -> None:
    check(duck, gathered, tmp_path, expected)


def test_what_is_left_behind_is_nothing_but_the_tables_given(duck: place.DuckDB) -> None:
    names = {name for (name,) in duck.run("SELECT table_name FROM duckdb_tables()")}
    assert names == set()


@pytest.mark.server
def test_a_crowd_has_the_same_report_on_postgresql(tmp_path: Path, gathered: History, expected: dict[str, Any]) -> None:
    psycopg = pytest.importorskip("psycopg")
    if programs() is None:
        pytest.skip(MISSING)
    server = Server()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            check(place.PostgreSQL(connection), gathered, tmp_path, expected)
    finally:
        server.close()


@pytest.fixture
def spark(tmp_path: Path) -> Iterator[Any]:
    session = pytest.importorskip("pyspark.sql").SparkSession
    if shutil.which("java") is None:
        pytest.skip("no Java here; on Debian: apt install openjdk-17-jre-headless")
    made = (
        session.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.codegen.wholeStage", "false")  # a few thousand rows: compiling takes longer than running
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -Xshare:auto")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(tmp_path / "warehouse"))
        .getOrCreate()
    )
    yield made
    made.stop()


@pytest.mark.server
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")  # of the library, which warns of what it will drop itself
def test_a_crowd_has_the_same_report_on_spark(
    tmp_path: Path, gathered: History, expected: dict[str, Any], spark: Any
) -> None:
    check(place.Spark(spark), gathered, tmp_path, expected)
