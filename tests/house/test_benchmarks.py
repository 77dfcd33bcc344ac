"""The benchmarks run and say what they measure, on sizes at which nobody would believe a figure."""

import importlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.model import InteractionReceived
from socialsupport_slack import Slack, SlackSettings

HOUSE = Path(__file__).parents[2]
SECRET = "a_signing_secret"
NOON = 1_767_268_800.0


@pytest.fixture(autouse=True)
def found_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HOUSE))


def piece(name: str) -> Any:
    return importlib.import_module(f"benchmarks.{name}")


def some(figures: list[Any]) -> list[Any]:
    """They are figures, of both sides."""
    assert figures
    assert all(one.ours > 0 and one.other > 0 for one in figures)
    return figures


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Waves and customers of ten."""
    telegram = piece("telegram")
    monkeypatch.setattr(telegram, "WAVE", 10)
    monkeypatch.setattr(telegram, "CUSTOMERS", 10)
    return telegram


# what is said


def test_a_goal_is_met_or_missed() -> None:
    figure = piece("figures").Figure
    assert figure("ingest", 10, "raw", 2, at_most=5).met is True
    assert figure("ingest", 11, "raw", 2, at_most=5).met is False
    assert figure("rate", 3, "one", 2, at_least=2).met is False
    assert figure("rate", 4, "one", 2, at_least=2).goal == "at least 2"
    assert figure("ingest", 11, "raw", 2).met is None


def test_the_table_shows_ratios_verdicts_and_what_was_not_run() -> None:
    suite, figures = piece("suite"), piece("figures")
    rows = [
        figures.Figure("ingest", 1100, "raw", 100, at_most=5),
        figures.Figure("sending", 3, "bare", 2),
        figures.Missing("no server\nhere"),
    ]
    lines = suite.table(rows).splitlines()
    assert lines[1].split() == [
        "ingest",
        "1,100",
        "µs",
        "CPU",
        "a",
        "message",
        "raw:",
        "100",
        "11.00",
        "at",
        "most",
        "5:",
        "MISSED",
    ]
    assert lines[2].endswith("1.50")
    assert lines[3] == "not run: no server here"


def test_what_was_measured_before_is_kept(tmp_path: Path) -> None:
    suite, figures = piece("suite"), piece("figures")
    file = tmp_path / "results.json"
    suite.save(file, suite.as_json({"ingest": [figures.Figure("ingest", 10, "raw", 2)]}))
    suite.save(file, suite.as_json({"peers": [figures.Missing("no node")]}))
    pieces = json.loads(file.read_text("utf-8"))["pieces"]
    assert pieces["ingest"][0]["ratio"] == 5
    assert pieces["peers"] == [{"missing": "no node"}]


def test_a_piece_that_cannot_be_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    suite, figures = piece("suite"), piece("figures")

    def never(size: Any) -> Any:
        raise figures.Missing("no PostgreSQL server here")

    monkeypatch.setitem(suite.PIECES, "ingest-postgresql", never)
    found = suite.run("ingest-postgresql", suite.SIZES["quick"])
    assert [str(one) for one in found] == ["no PostgreSQL server here"]


def test_the_command_runs_one_piece(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    suite = piece("suite")
    monkeypatch.setitem(suite.PIECES, "composition", lambda _size: piece("composition").measure(3))
    suite.main(["--quick", "--only", "composition", "--json"])
    printed = capsys.readouterr()
    (figure,) = json.loads(printed.out)["pieces"]["composition"]
    assert figure["what"] == "a reply composed"
    assert "1 of 1: composition" in printed.err


# what is measured


def test_ingest_on_a_file(small: Any) -> None:
    four, same = some(piece("ingest").measure("SQLite", 30, 1))
    assert (four.what, four.than) == ("durable ingest, SQLite", "raw statements")
    assert (same.what, same.than) == ("durable ingest, SQLite", "raw statements of the same rows")
    assert same.ours == four.ours


def test_the_same_rows_are_those_that_ours_has_stored(tmp_path: Path) -> None:
    """Else the baseline would be of something else."""
    ingest, telegram, stores = piece("ingest"), piece("telegram"), piece("stores")
    with stores.sqlite() as place:
        done, given = place.store(), list(telegram.payloads(230))[200:]
        ingest.ours(place, given, done)
        ingest.same_rows(place, done, 30)
        files = [sqlite3.connect(one) for one in (done, sorted(place.folder.glob("*/hub.sqlite"))[-1])]
        for name in (*ingest.EACH, *ingest.LASTING):
            written, copied = (file.execute(f"SELECT * FROM {name}").fetchall() for file in files)
            assert len(written) >= 20, name
            assert set(written) <= set(copied), name


@pytest.mark.server
def test_ingest_on_a_server_counts_the_servers_time(small: Any) -> None:
    stores = piece("stores")
    if stores.postgresql.programs() is None:
        pytest.skip(stores.postgresql.MISSING)
    with stores.postgres() as place:
        before = place.cpu()
        some(piece("ingest").compare(place, 30, 1))
        assert place.cpu() > before


def test_a_message_that_is_not_recorded_ends_the_measuring(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "recorded", lambda _hub: 29)
    with pytest.raises(AssertionError, match="29 of 30 were recorded"):
        piece("ingest").measure("SQLite", 30, 1)


@pytest.mark.parametrize("store", ["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.server)])
def test_a_store_that_was_filled_is_one_that_has_filled_up(small: Any, store: str) -> None:
    scale, stores = piece("scale"), piece("stores")
    if store == "PostgreSQL" and stores.postgresql.programs() is None:
        pytest.skip(stores.postgresql.MISSING)
    with stores.ground(store) as place:
        filled = scale.fill(place, 8_000)
        try:
            read = scale.timelines([filled], 1)
            assert {kind for _, kind in read} == {1, 4, 20}
            twenty = filled.hub.customer("acme", f"telegram.user:{filled.kinds[20][0] + 1000}")
            assert len(twenty["accounts"]) == 20
            assert scale.ingests(place, [filled], 1)[8_000] > 0
            assert filled.hub._database.read(lambda tx: tx.one("SELECT count(*) AS n FROM interactions")["n"]) == 8_010
            first = filled.hub.timeline("acme", "telegram.user:1000")
            assert len({one["id"] for one in first}) == 50
        finally:
            filled.hub.close()


def test_figures_of_a_growing_store_compare_with_the_smallest() -> None:
    scale = piece("scale")
    read = {(10, 1): [1.0, 2.0, 3.0], (1000, 1): [2.0, 4.0, 12.0]}
    middle, worst = scale._timeline_figures("SQLite", read)
    assert (middle.ratio, middle.goal) == (2, "")
    assert worst.ours > 11
    assert worst.met is False
    (spent,) = scale._ingest_figures("SQLite", {10: 100.0, 1000: 150.0})
    assert (spent.ratio, spent.met) == (1.5, True)


def test_memory_is_watched_in_a_process_of_its_own() -> None:
    grown, most = some(piece("memory").measure(200))
    assert (grown.unit, most.at_most) == ("MB", 1)


def test_replies_are_sent(small: Any) -> None:
    sends = piece("sends")
    with sends.server() as address, piece("stores").sqlite() as place:
        assert sends.bare(sends.by_httpx, address, 5) > 0
        assert sends.ours(place, address, 5) > 0


# Slack, and the others


def test_a_signed_message_of_slack_is_read() -> None:
    given = piece("slack").signed(7, 3, NOON, SECRET)
    connector = Slack(SlackSettings(signing_secret=SECRET))
    connector.verify(given)
    (event,) = connector.parse(given)
    assert isinstance(event, InteractionReceived)
    said = event.interaction
    assert said.text == "Message 7: where is [order 217](https://shop.example/orders/7) & its **bill**?"
    assert str(said.author.account) == "slack.user@T00000001:U00000003"
    assert said.thread.id == "D00000003"
    assert said.own_account == "U00BOT"


def test_all_of_slacks_messages_are_recorded(small: Any) -> None:
    peers = piece("peers")
    with piece("stores").sqlite() as place:
        assert peers.ours(place, peers.requests(20), 10) > 0


def test_a_peer_that_does_not_handle_everything_is_not_measured(tmp_path: Path) -> None:
    peers = piece("peers")
    assert peers._handled('{"us": 12.5, "handled": 3}\n', 3) == 12.5
    with pytest.raises(AssertionError, match="2 of 3 were handled"):
        peers._handled('{"us": 12.5, "handled": 2}\n', 3)
    with pytest.raises(piece("figures").Missing, match="ended with 3"):
        peers._run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def test_the_python_port_takes_the_same_messages(small: Any, tmp_path: Path) -> None:
    pytest.importorskip("chat_sdk")
    peers = piece("peers")
    file = tmp_path / "requests.jsonl"
    file.write_text("".join(peers._line(one) for one in peers.requests(20)))
    assert peers.port(file, 10, 10) > 0


# what is published


def test_what_is_published_was_measured() -> None:
    published = json.loads((HOUSE / "benchmarks/results.json").read_text("utf-8"))
    assert set(published["pieces"]) <= set(piece("suite").PIECES)
    pages = [HOUSE / "benchmarks/README.md", HOUSE / "docs/benchmarks.md"]
    assert all(published["date"] in page.read_text("utf-8") for page in pages)


@pytest.mark.long
def test_the_report_of_a_year_is_that_of_pure_python() -> None:
    pytest.importorskip("ibis")
    analytics = piece("analytics")
    assert list(analytics.year(300)) == list(analytics.year(300))
    figures = some(list(analytics.measure([300, 900])))
    assert [one.what for one in figures if one.than == "of 300"] == ["report of 900", "report of 900, the most memory"]
