"""`socialsupport report`."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.hub import Hub
from socialsupport_core.insight import Settings
from socialsupport_core.model import Interaction


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> str:
    """Two calls: one that was taken, one that was not."""
    path = tmp_path / "support.sqlite"
    hub = Hub.open(path, public_url="https://hub.example", registry=registry)
    hub.add_tenant("acme", "Acme")
    for number, duration in enumerate((120, 0)):
        call = {
            "network": "phone",
            "native_id": f"call-{number}",
            "kind": "call",
            "direction": "inbound",
            "own_account": "+15550100",
            "thread": {"id": f"call-{number}", "visibility": "private"},
            "author": {"identifiers": [{"kind": "phone", "value": f"+1555010{number + 1}"}]},
            "duration": duration,
            "sent_at": "2026-11-02T09:00:00Z",
        }
        hub.record_interaction("acme", Interaction.model_validate(call))
    hub.drain()
    hub.close()
    return str(path)


def test_it_is_told_as_json(run: Any, store: str) -> None:
    told = json.loads(run("report", "--store", store, "--json", "--until", "2026-11-03").out)
    assert told["coverage"]["answered"] == {"share": 0.5, "count": 1, "of": 2}
    assert told["cost"]["failed_contact"]["amount"] == 7.7225
    assert told["cost"]["failed_contact"]["source"] == "2011 survey, USD"


def test_it_is_told_in_tables(run: Any, store: str) -> None:
    told = run("report", "--store", store, "--since", "2026-11-02", "--until", "2026-11-03").out
    assert "50.0% (1 of 2)" in told
    assert "before" in told
    assert "7.7225" in told
    assert "no answer in time" in told


def test_settings_of_ones_own(run: Any, store: str, tmp_path: Path) -> None:
    own = tmp_path / "report.toml"
    own.write_text('[costs]\ncurrency = "EUR"\n')
    assert '"currency": "EUR"' in run("report", "--store", store, "--json", "--settings", str(own)).out
    own.write_text("[cost]\n")
    ran = run("report", "--store", store, "--settings", str(own))
    assert (ran.status, "cost: Extra inputs" in ran.err) == (1, True)


# the page


def test_it_is_written_as_one_page(run: Any, store: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    ran = run("report", "--store", store, "--until", "2026-11-03", "--html", str(file))
    assert (ran.status, ran.out) == (0, "")
    assert str(file) in ran.err
    written = file.read_text("utf-8")
    assert "<h1>Support report of acme</h1>" in written
    assert "50.0% (1 of 2)" in written
    assert "<script" not in written


def test_the_page_and_the_document_at_once(run: Any, store: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    ran = run("report", "--store", store, "--html", str(file), "--json", "--inbox", "https://desk.example/")
    told = json.loads(ran.out)
    (conversation,) = told["evidence"]["breakdowns"]["newest"][0]["conversations"]
    assert f'href="https://desk.example/#/{conversation}"' in file.read_text("utf-8")


def test_a_place_where_nothing_can_be_written_is_told(run: Any, store: str, tmp_path: Path) -> None:
    ran = run("report", "--store", store, "--html", str(tmp_path / "nowhere" / "report.html"))
    assert (ran.status, "cannot be written: No such file" in ran.err) == (1, True)


def test_an_inbox_that_is_none_writes_nothing(run: Any, store: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    ran = run("report", "--store", store, "--html", str(file), "--inbox", "javascript:alert(1)")
    assert (ran.status, "is no address of an inbox page" in ran.err, file.exists()) == (1, True, False)


# filters


@pytest.mark.parametrize(("option", "value", "matters"), [("--network", "phone", 2), ("--visibility", "public", 0)])
def test_only_some_matters(run: Any, store: str, option: str, value: str, matters: int) -> None:
    ran = run("report", "--store", store, "--until", "2026-11-03", option, value)
    assert f"only matters with {option[2:]} {value} in them, whole" in ran.out
    told = json.loads(run("report", "--store", store, option, value, "--json").out)
    assert told["matters"]["count"] == matters


@pytest.mark.parametrize("option", ["--channel", "--network", "--agent", "--visibility"])
def test_a_name_that_is_nowhere_is_told(run: Any, store: str, option: str) -> None:
    ran = run("report", "--store", store, option, "fax")
    assert ran.status == 1
    assert f"there is no {option[2:]} 'fax' to report on" in ran.err


def test_what_to_change_first_is_told_in_a_table(run: Any, store: str) -> None:
    told = run("report", "--store", store, "--until", "2026-11-03").out
    assert "change first" in told
    assert "no answer in time" in told


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01"])
def test_a_moment_that_is_none_is_told(run: Any, store: str, given: str) -> None:
    ran = run("report", "--store", store, "--since", given)
    assert ran.status == 2
    assert given in ran.err


def test_how_many_agents_it_takes(run: Any, store: str) -> None:
    options = ("report", "--staffing", "--store", store, "--until", "2026-11-03", "--handling", "120", "--share", "90")
    told = json.loads(run(*options, "--json").out)
    assert told["assumptions"]["share"] == 0.9
    (row,) = told["queues"][0]["hours"]
    assert (row["day"], row["hour"], row["agents"]) == ("mon", 9, 1)
    shown = run(*options).out
    assert "mon 09" in shown
    assert "120 seconds for each (given)" in shown


# exported


def test_an_export_tells_the_same(run: Any, store: str, tmp_path: Path) -> None:
    pytest.importorskip("ibis")
    folder = str(tmp_path / "export")
    assert run("export", folder, "--store", store).out == "2 rows of 1 days; 1 files are new or changed, 0 are gone\n"
    for more in ((), ("--since", "2026-11-02")):
        of_store = json.loads(run("report", "--store", store, "--json", "--until", "2026-11-03", *more).out)
        exported = json.loads(run("report", "--from", folder, "--json", "--until", "2026-11-03", *more).out)
        assert exported["matters"]["count"] == of_store["matters"]["count"] > 0
        assert {name: of_store[name] for name in exported if name != "previous"} == {
            name: one for name, one in exported.items() if name != "previous"
        }
    assert run("report", "--from", folder, "--until", "2026-11-03").out.startswith("2026-11-02T09:00")


def test_an_export_is_filtered_and_drawn(run: Any, store: str, tmp_path: Path) -> None:
    pytest.importorskip("ibis")
    folder, page = str(tmp_path / "export"), tmp_path / "page.html"
    run("export", folder, "--store", store)
    options = ("report", "--from", folder, "--until", "2026-11-03")
    told = json.loads(run(*options, "--html", str(page), "--json", "--network", "phone").out)
    assert told["filters"]["network"] == "phone"
    assert told["matters"]["count"] == 2
    assert "themes" not in told
    assert "an export cannot tell: it holds no texts" in page.read_text("utf-8")
    for more in ((), ("--html", str(page))):
        refused = run(*options, *more, "--network", "fone")
        assert (refused.status, "there is: phone" in refused.err) == (1, True), refused.err
    assert "needs the store" in run(*options, "--staffing").err


def test_a_page_is_drawn_of_so_many_interactions(run: Any, store: str, tmp_path: Path) -> None:
    pytest.importorskip("ibis")
    from socialsupport_core.insight.scaled.reading import drawn_of

    run("export", str(tmp_path / "export"), "--store", store)
    with pytest.raises(ConfigError, match="at most 1 interactions, and these are 2; use --json"):
        drawn_of(tmp_path / "export", None, Settings(), 2**60, most=1)


def test_without_the_extra_it_is_told_what_to_install(
    run: Any, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("socialsupport_core.insight.scaled")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ibis", None)
    folder = str(tmp_path / "export")
    for command in (("export", folder, "--store", store), ("report", "--from", folder)):
        failed = run(*command)
        assert failed.status == 1
        assert "pip install 'socialsupport[analytics]'" in failed.err
