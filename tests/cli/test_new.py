import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from socialsupport_core.contract import ConfigError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Path]]:
    """What the scaffold was asked to make."""
    made: list[tuple[str, str, Path]] = []

    def maker(kind: str) -> Any:
        def make(name: str, folder: Path) -> Path:
            if name == "Bad":
                raise ConfigError("'Bad' is no name; use lower-case letters")
            made.append((kind, name, folder))
            return folder / f"socialsupport-{name}"

        return make

    scaffold = SimpleNamespace(new_connector=maker("connector"), new_crm=maker("crm"))
    monkeypatch.setitem(sys.modules, "socialsupport_core.testing.scaffold", scaffold)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("kind", ["connector", "crm"])
def test_it_makes_a_folder_and_tells_the_next_steps(run: Any, asked: list[Any], kind: str) -> None:
    ran = run("new", kind, "acme")
    assert (ran.status, ran.err) == (0, "")
    assert asked == [(kind, "acme", Path())]
    steps = ran.out.splitlines()
    assert steps[0] == "made socialsupport-acme. Next:"
    assert "  socialsupport check socialsupport-acme" in steps
    assert any(step.strip() == "uv pip install -e socialsupport-acme" for step in steps)


@pytest.mark.parametrize("kind", ["connector", "crm"])
def test_the_folder_is_really_made(run: Any, tmp_path: Path, kind: str) -> None:
    ran = run("new", kind, "acme", "--folder", str(tmp_path))
    assert (ran.status, ran.err) == (0, "")
    assert (tmp_path / "socialsupport-acme" / "pyproject.toml").is_file()
    assert run("new", kind, "acme", "--folder", str(tmp_path)).status == 1


def test_the_folder_can_be_chosen(run: Any, asked: list[Any], tmp_path: Path) -> None:
    run("new", "connector", "acme", "--folder", str(tmp_path))
    assert asked == [("connector", "acme", tmp_path)]


def test_a_bad_name_is_told(run: Any, asked: list[Any]) -> None:
    ran = run("new", "connector", "Bad")
    assert (ran.status, ran.err) == (1, "socialsupport: 'Bad' is no name; use lower-case letters\n")


@pytest.mark.parametrize("arguments", [("connector",), ("crm",), ("robot", "x")])
def test_misuse(run: Any, arguments: tuple[str, ...]) -> None:
    ran = run("new", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "see socialsupport new" in ran.err
