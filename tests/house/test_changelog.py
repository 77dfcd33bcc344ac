"""News fragments and how they become the changelog."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HOUSE = Path(__file__).parents[2]
SCRIPT = HOUSE / "scripts" / "changelog.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("changelog_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


changelog = load()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for folder in ("changes", "plugins/socialsupport-phone", "socialsupport_core/store"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "socialsupport_core/store/__init__.py").touch()
    (tmp_path / "changes/README.md").write_text("How to write one.\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\nNewest first.\n")
    return tmp_path


def write(house: Path, name: str, text: str) -> Path:
    file = house / "changes" / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_fragments_of_this_house_are_well_formed() -> None:
    assert changelog.main(["--check"]) == 0
    assert (HOUSE / "CHANGELOG.md").read_text().startswith("# Changelog\n")


def test_it_runs_as_a_command() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("Calls.md", "**phone**: Calls ring.", "name it after the change"),
        ("calls.txt", "**phone**: Calls ring.", "name it after the change"),
        ("calls.md", "", "write one line"),
        ("calls.md", "phone: Calls ring.", "write one line"),
        ("calls.md", "**phone** Calls ring.", "write one line"),
        ("calls.md", "**phone**: Calls ring", "with its full stop"),
        ("calls.md", "**phone**: Calls ring.\n**phone**: Loudly.", "write one line"),
        ("calls.md", "**fone**: Calls ring.", "there is no 'fone' here; did you mean phone?"),
        ("calls.md", "**zebra**: Calls ring.", "write one of core, docs, phone, store"),
        ("calls.md", f"**phone**: {'Ring ' * 80}.", "412 characters; 300 are enough"),
    ],
)
def test_a_malformed_fragment_is_named(
    house: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, complaint: str
) -> None:
    write(house, "good.md", "**store**: Keeps everything.\n")
    file = write(house, name, text)
    assert changelog.main(["--check"], house) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"changes/{name}: ")
    assert complaint in error
    assert changelog.main(["0.1.0"], house) == 1
    assert file.exists(), "nothing is folded while one is malformed"


def test_bytes_that_are_no_text_are_malformed(house: Path) -> None:
    (house / "changes/calls.md").write_bytes(b"**phone**: \xff.")
    assert changelog.main(["--check"], house) == 1


def test_fragments_become_a_section_and_are_gone(house: Path) -> None:
    write(house, "a-store.md", "**store**: Keeps everything.\n")
    write(house, "b-calls.md", "**phone**: Calls ring.\n")
    write(house, "c-core.md", "**core**: Is here!\n")
    assert changelog.main(["0.1.0", "--date", "2026-12-01"], house) == 0
    news = ["**core**: Is here!", "**phone**: Calls ring.", "**store**: Keeps everything."]
    first = "\n".join(["## 0.1.0 (2026-12-01)", "", *(f"- {one}" for one in news), ""])
    assert (house / "CHANGELOG.md").read_text() == f"# Changes\n\nNewest first.\n\n{first}"
    assert [file.name for file in (house / "changes").iterdir()] == ["README.md"]
    write(house, "louder.md", "**phone**: Calls ring louder.")
    assert changelog.main(["0.2.0a1", "--date", "2026-12-24"], house) == 0
    second = "## 0.2.0a1 (2026-12-24)\n\n- **phone**: Calls ring louder.\n"
    assert (house / "CHANGELOG.md").read_text() == f"# Changes\n\nNewest first.\n\n{second}\n{first}"


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("next", "'next' is not a version such as 0.2.0"),
        ("0.1.0", "CHANGELOG.md has a section 0.1.0 already"),
        ("0.3.0", "there is no news in changes/"),
    ],
)
def test_what_cannot_be_folded_is_said_and_changes_nothing(
    house: Path, capsys: pytest.CaptureFixture[str], version: str, complaint: str
) -> None:
    (house / "CHANGELOG.md").write_text("# Changes\n\n## 0.1.0 (2026-12-01)\n")
    if version != "0.3.0":
        write(house, "calls.md", "**phone**: Calls ring.")
    before = (house / "CHANGELOG.md").read_text()
    assert changelog.main([version], house) == 1
    assert complaint in capsys.readouterr().err
    assert (house / "CHANGELOG.md").read_text() == before


def test_a_longer_version_is_another_version(house: Path) -> None:
    (house / "CHANGELOG.md").write_text("# Changes\n\n## 0.1.0a1 (2026-12-01)\n")
    write(house, "calls.md", "**phone**: Calls ring.")
    assert changelog.main(["0.1.0"], house) == 0
