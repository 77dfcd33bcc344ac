import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.cli import output
from socialsupport_core.contract import CRM, Broken, Settings
from socialsupport_core.testing import check as kit
from socialsupport_core.testing.check import Report, Result

NO_PAGE = "the README has no section Set up, What it does, What it cannot, What stands behind it"


class Ledger(CRM[Settings]):
    name = "ledger"
    settings_model = Settings


def result(name: str, outcome: Any = "passed", message: str = "", case: str = "") -> Result:
    return Result(name, case, f"The {name} holds.", outcome, message, 0.25)


def about(case: str) -> str:
    """How the kit names a case in its messages."""
    return f"cases/inbound.json, case {case!r}"


class CRMSimulator:
    network = "ledger"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Result]:
    """What the kit will have found."""
    results = [result("first", case="a"), result("first", case="b"), result("second")]

    def checked_crm(kind: Any, simulator: Any, told: Any) -> Report:
        return Report(kind.name, (result("third", message=getattr(simulator, "network", "nobody remembers")),))

    monkeypatch.setattr(kit, "check", lambda kind, told: Report(kind.name, tuple(results)))
    monkeypatch.setattr(kit, "check_crm", checked_crm)
    return results


def test_where_all_is_well_one_line_says_so(run: Any, found: list[Result]) -> None:
    ran = run("check", "parrot")
    assert (ran.status, ran.err) == (0, "")
    passed, tier = ran.out.splitlines()
    assert passed == "parrot: 3 passed, 0 failed, 0 skipped"
    assert tier == f"parrot: no tier yet; for bronze: {NO_PAGE}"


def test_verbose_gives_each_property_one_row_with_the_number_of_its_cases(run: Any, found: list[Result]) -> None:
    found += [result("third", "failed", "why"), result("fourth", "skipped", "nothing is sent")]
    ran = run("check", "parrot", "--verbose")
    assert (ran.status, ran.err) == (1, "")
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["✓", "The", "first", "holds.", "2", "0.50"] in rows
    assert ["✓", "The", "second", "holds.", "1", "0.25"] in rows
    assert ["✗", "The", "third", "holds.", "1", "0.25"] in rows
    assert ["(nothing", "is", "sent)"] in rows
    assert "– fourth" not in ran.out
    assert "parrot: 3 passed, 1 failed, 1 skipped" in ran.out


def test_a_failure_is_shown_with_its_property_and_its_last_lines(run: Any, found: list[Result]) -> None:
    found.insert(1, result("first", "failed", "\n".join(f"line {number}" for number in range(30)), "odd"))
    ran = run("check", "parrot")
    assert ran.status == 1
    assert "✗ first: The first holds.\n    line 10\n" in ran.out
    assert "    line 29\n" in ran.out
    assert "line 9\n" not in ran.out
    assert "parrot: 3 passed, 1 failed, 0 skipped\nparrot: no tier yet; for bronze: the conformance kit" in ran.out


def test_equal_failures_are_one_with_their_number(run: Any, found: list[Result]) -> None:
    found += [result("third", "failed", f"{about(case)}: no id", case) for case in ("a", "b", "it's")]
    found += [result("third", "failed", f"{about('c')}: no text", "c")]
    found += [result("fourth", "failed", f"{about('a')}: no id", "a")]
    out = run("check", "parrot").out
    assert "✗ third (3 cases: a, b, it's): The third holds.\n    cases/inbound.json, case 'a': no id\n" in out
    assert "✗ third: The third holds.\n    cases/inbound.json, case 'c': no text\n" in out
    assert "✗ fourth: The fourth holds.\n" in out
    assert out.count("no id") == 2
    assert "3 passed, 5 failed" in out


def test_one_fault_that_breaks_many_promises_is_one_line(run: Any, found: list[Result]) -> None:
    raised = "`hosts` raised RuntimeError: oops (connector.py, line 7); it must answer"
    found += [result(name, "failed", raised, case) for name, case in (("third", "a"), ("third", "b"), ("fourth", ""))]
    out = run("check", "parrot").out
    assert f"✗ third, fourth (2 cases: a, b): 2 promises are broken by one fault.\n    {raised}\n" in out
    assert out.count("oops") == 1


def test_of_many_equal_failures_a_few_are_named(run: Any, found: list[Result]) -> None:
    found += [result("third", "failed", f"{about(str(number))}: no", str(number)) for number in range(40)]
    assert "✗ third (40 cases: 0, 1, 2, 3, 4 and 35 more): " in run("check", "parrot").out


def test_what_is_skipped_says_why_once_and_does_not_fail(run: Any, found: list[Result]) -> None:
    found += [result("third", "skipped", "nothing is sent", case) for case in ("a", "b")]
    found += [result("fifth", "skipped", "nothing is sent"), result("fourth", "skipped", "no webhook")]
    ran = run("check", "parrot")
    assert ran.status == 0
    assert ran.out.startswith(
        "– third, fifth: nothing is sent\n– fourth: no webhook\nparrot: 3 passed, 0 failed, 4 skipped\n"
    )  # fmt: skip


def test_a_check_that_proves_nothing_fails(run: Any, found: list[Result]) -> None:
    found[:] = [result("first", "skipped", "no cases")]
    assert run("check", "parrot").status == 1


def test_a_crm_is_checked_with_the_simulator_of_its_name(run: Any, registry: Any, found: list[Result]) -> None:
    registry.crms["ledger"] = Ledger
    assert run("check", "ledger", "--json").lines[0]["message"] == "nobody remembers"
    registry.simulators["ledger"] = CRMSimulator
    assert run("check", "ledger", "--json").lines[0]["message"] == "ledger"


def test_a_check_that_takes_its_time_shows_how_far_it_is(
    run: Any, found: list[Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, int, int]] = []

    @contextmanager
    def moving(doing: str) -> Iterator[Any]:
        yield lambda done, total: heard.append((doing, done, total))

    monkeypatch.setattr(output, "moving", moving)
    monkeypatch.setattr(kit, "check", lambda kind, told: told(1, 57) or Report(kind.name, tuple(found)))
    assert run("check", "parrot").status == 0
    assert heard == [("checking parrot", 1, 57)]


def test_as_json_each_result_is_a_line(run: Any, found: list[Result]) -> None:
    found.append(result("third", "failed", "why"))
    ran = run("check", "parrot", "--json")
    assert ran.status == 1
    *results, tier = ran.lines
    assert [(line["plugin"], line["name"], line["case"], line["outcome"]) for line in results] == [
        ("parrot", "first", "a", "passed"),
        ("parrot", "first", "b", "passed"),
        ("parrot", "second", "", "passed"),
        ("parrot", "third", "", "failed"),
    ]
    assert results[-1]["message"] == "why"
    assert tier == {"plugin": "parrot", "tier": "none", "missing": ["the conformance kit is not green", NO_PAGE]}


def test_without_names_everything_installed_is_checked(run: Any, registry: Any, found: list[Result]) -> None:
    registry.crms["ledger"] = Ledger
    ran = run("check", "--json")
    assert ran.status == 0
    assert {json.loads(line)["plugin"] for line in ran.out.splitlines()} == {"parrot", "ledger"}
    assert {line["plugin"] for line in run("check", "ledger", "--json").lines} == {"ledger"}


def test_a_broken_plugin_fails_the_check_of_everything(run: Any, registry: Any, found: list[Result]) -> None:
    registry.broken.append(Broken("heron", "has no wings"))
    ran = run("check")
    assert ran.status == 1
    assert ran.err == "socialsupport: heron is broken: has no wings\n"
    assert run("check", "parrot").status == 0


@pytest.mark.parametrize("kind", ["connector", "crm"])
def test_a_folder_stands_for_the_plugin_in_it(
    run: Any, found: list[Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"nearby{kind}"
    run("new", kind, name)
    assert {line["plugin"] for line in run("check", f"socialsupport-{name}", "--json").lines} == {name}


def test_a_folder_without_a_plugin_says_so(run: Any, tmp_path: Path) -> None:
    ran = run("check", str(tmp_path))
    assert ran.status == 1
    assert "holds no plugin" in ran.err


def test_a_folder_with_nothing_to_check_says_so(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("new", "connector", "ptarmigan")
    (tmp_path / "socialsupport-ptarmigan" / "socialsupport_ptarmigan" / "__init__.py").write_text("")
    ran = run("check", "socialsupport-ptarmigan")
    assert ran.status == 1
    assert "holds no connector and no CRM adapter; there is nothing to check" in ran.err


def test_an_unknown_name_is_corrected(run: Any) -> None:
    assert run("check", "parot").err == "socialsupport: there is no connector 'parot'; did you mean parrot?\n"


def test_what_only_shares_letters_is_not_suggested(run: Any, registry: Any) -> None:
    registry.connectors["phone"] = type("Phone", (registry.connectors["parrot"],), {"name": "phone"})
    told = run("check", "heron").err
    assert told == (
        "socialsupport: there is no connector 'heron'; there is: parrot, phone; the folder of a plugin will do too\n"
    )  # fmt: skip


def test_a_path_that_leads_nowhere_is_told_from_a_name(run: Any) -> None:
    assert run("check", "./nowhere").err.startswith("socialsupport: ./nowhere: there is no such folder; ")


@pytest.fixture
def described(found: list[Result], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """How the descriptions were read; what is found in comparing is what the kit would have found."""
    from socialsupport_core.testing import against

    asked: list[Any] = []
    monkeypatch.setattr(against, "descriptions", lambda *given, **how: asked.append((given, how)) or ["described"])

    def compared(kind: Any, described: Any, simulator: Any, **how: Any) -> Report:
        asked.append((described, simulator, how.pop("partial")))
        return Report(kind.name, tuple(found))

    monkeypatch.setattr(against, "compare", compared)
    return asked


def test_against_a_description_only_that_is_compared(run: Any, described: list[Any], found: list[Result]) -> None:
    found.append(result("requests_fit", "failed", "body.txt: unknown", "a"))
    ran = run(
        "check", "parrot", "--against", "a.json", "--against", "b.yaml", "--server", "https://x.example", "--whole"
    )
    assert ran.status == 1
    assert "✗ requests_fit: The requests_fit holds.\n    body.txt: unknown\n" in ran.out
    assert described == [((["a.json", "b.yaml"], "https://x.example"), {"whole": True}), (["described"], None, False)]


def test_a_comparison_that_compares_nothing_fails(run: Any, described: list[Any], found: list[Result]) -> None:
    found[:] = [result("requests_fit", "skipped", "parrot.example is described nowhere")]
    assert run("check", "parrot", "--against", "a.json", "--partial").status == 1
    assert described[-1][-1] is True


def test_a_description_that_cannot_be_read_says_so(run: Any, write: Any) -> None:
    ran = run("check", "parrot", "--against", write("a.json", {"asyncapi": "2.6.0"}))
    assert (ran.status, ran.out) == (1, "")
    assert "a.json is no OpenAPI description: it has AsyncAPI" in ran.err


@pytest.mark.parametrize("option", [("--server", "https://x.example"), ("--partial",), ("--whole",)])
def test_how_a_description_is_read_needs_one(run: Any, found: list[Result], option: tuple[str, ...]) -> None:
    ran = run("check", "parrot", *option)
    assert (ran.status, ran.out) == (1, "")
    assert "--against SPEC" in ran.err
