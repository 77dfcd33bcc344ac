"""`socialsupport resolve FILE --suggest`: the customers first, then who else may be one, and why."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.cli.main import main

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        status = main(arguments)
        printed = capsys.readouterr()
        return status, [json.loads(line) for line in printed.out.splitlines()], printed.err

    return run


def seen(kind: str, value: str, name: str, **more: str) -> dict[str, Any]:
    return {
        "at": "2026-01-01T00:00:00Z",
        "account": {"kind": kind, "value": value},
        "claims": [],
        "profile": {"name": name} | more,
    }


@pytest.fixture
def told(tmp_path: Path) -> Path:
    file = tmp_path / "told.jsonl"
    lines = [
        seen("x.user", "1", "Kerry Fisher", city="Leeds", birth_date="1984-05-23"),
        seen("telegram.user", "7", "Fisher, Kerri", city="Leeds", birth_date="1984-05-23"),
        seen("x.user", "2", "Zora Neale", city="York"),
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return file


def test_suggestions_follow_the_customers(run: Run, told: Path) -> None:
    status, lines, _ = run("resolve", str(told), "--suggest")
    assert status == 0
    assert [set(line) for line in lines] == [{"account", "customer"}] * 3 + [{"suggestion"}]
    found = lines[-1]["suggestion"]
    assert found["pair"] == [{"kind": "telegram.user", "value": "7"}, {"kind": "x.user", "value": "1"}]
    assert found["probability"] > 0.9
    assert "birth date same: 19840523 (+14.3)" in found["reasons"]


def test_without_the_option_there_are_none(run: Run, told: Path) -> None:
    _, lines, _ = run("resolve", str(told))
    assert all("customer" in line for line in lines)


def test_any_order_of_the_lines_gives_the_same(run: Run, told: Path) -> None:
    _, lines, _ = run("resolve", str(told), "--suggest")
    told.write_text("\n".join(reversed(told.read_text("utf-8").splitlines())), "utf-8")
    assert run("resolve", str(told), "--suggest")[1] == lines


def test_whom_a_person_has_parted_is_not_suggested(run: Run, told: Path) -> None:
    parted = {
        "at": "2026-01-02T00:00:00Z",
        "split": [{"kind": "x.user", "value": "1"}, {"kind": "telegram.user", "value": "7"}],
    }
    with told.open("a", encoding="utf-8") as file:
        file.write(json.dumps(parted) + "\n")
    _, lines, _ = run("resolve", str(told), "--suggest")
    assert not [line for line in lines if "suggestion" in line]


def test_a_profile_that_is_none_is_one_line_on_stderr(run: Run, told: Path) -> None:
    told.write_text(json.dumps(seen("x.user", "1", "Kerry") | {"profile": ["Kerry"]}) + "\n", "utf-8")
    status, _, complaint = run("resolve", str(told), "--suggest")
    assert status == 1
    assert "a profile holds texts, such as" in complaint


def test_too_little_to_learn_a_model_from_is_said(run: Run, told: Path, tmp_path: Path) -> None:
    pytest.importorskip("splink")
    status, _, complaint = run("resolve", str(told), "--model", str(tmp_path / "model.json"))
    assert status == 1
    assert "3 profiles have too little in common to learn from" in complaint
    assert not (tmp_path / "model.json").exists()
