import json
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import CRM, Broken, Settings
from socialsupport_core.testing import check as kit
from socialsupport_core.testing.check import Report, Result


class Ledger(CRM[Settings]):
    name = "ledger"
    settings_model = Settings


def result(name: str, outcome: Any = "passed", message: str = "", case: str = "") -> Result:
    return Result(name, case, f"The {name} holds.", outcome, message, 0.25)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Result]:
    """What the kit will have found."""
    results = [result("first", case="a"), result("first", case="b"), result("second")]
    monkeypatch.setattr(kit, "check", lambda one: Report(one.name, tuple(results)))
    monkeypatch.setattr(kit, "check_crm", lambda one: Report(one.name, (result("third"),)))
    return results


def test_a_property_is_one_row_with_the_number_of_its_cases(run: Any, found: list[Result]) -> None:
    ran = run("check", "parrot")
    assert (ran.status, ran.err) == (0, "")
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["✓", "The", "first", "holds.", "2", "0.50"] in rows
    assert ["✓", "The", "second", "holds.", "1", "0.25"] in rows
    assert "parrot: 3 passed, 0 failed, 0 skipped" in ran.out


def test_a_failure_is_shown_with_its_case_and_its_last_lines(run: Any, found: list[Result]) -> None:
    found.insert(1, result("first", "failed", "\n".join(f"line {number}" for number in range(30)), "odd"))
    ran = run("check", "parrot")
    assert ran.status == 1
    assert ["✗", "The", "first", "holds.", "3", "0.75"] in [line.split() for line in ran.out.splitlines()]
    assert "✗ parrot: first, case 'odd'" in ran.out
    assert "line 29" in ran.out
    assert "line 9\n" not in ran.out


def test_what_is_skipped_says_why_and_does_not_fail(run: Any, found: list[Result]) -> None:
    found.append(result("third", "skipped", "nothing is sent"))
    ran = run("check", "parrot")
    assert ran.status == 0
    assert "(nothing is sent)" in ran.out
    assert "3 passed, 0 failed, 1 skipped" in ran.out


def test_a_check_that_proves_nothing_fails(run: Any, found: list[Result]) -> None:
    found[:] = [result("first", "skipped", "no cases")]
    assert run("check", "parrot").status == 1


def test_as_json_each_result_is_a_line(run: Any, found: list[Result]) -> None:
    found.append(result("third", "failed", "why"))
    ran = run("check", "parrot", "--json")
    assert ran.status == 1
    assert [(line["plugin"], line["name"], line["case"], line["outcome"]) for line in ran.lines] == [
        ("parrot", "first", "a", "passed"),
        ("parrot", "first", "b", "passed"),
        ("parrot", "second", "", "passed"),
        ("parrot", "third", "", "failed"),
    ]
    assert ran.lines[-1]["message"] == "why"


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


def test_an_unknown_name_is_corrected(run: Any) -> None:
    assert "did you mean parrot?" in run("check", "parot").err
