"""What holds for the command as a whole: help, errors, interruptions."""

import os
import subprocess
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from socialsupport_core.cli import main as command
from socialsupport_core.cli.errors import explained, told
from socialsupport_core.contract import Unavailable

SOCIALSUPPORT = (sys.executable, "-m", "socialsupport_core.cli.main")
APP: Any = typer.main.get_command(command.assembled())
VERBS = sorted(APP.commands)


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces all verbs by one that raises `error`."""

    def fail() -> None:
        raise error

    module = SimpleNamespace(add=lambda app: app.command()(fail))
    general = import_module("socialsupport_core.cli.general")
    monkeypatch.setattr(command, "VERBS", ("fail",))
    monkeypatch.setattr(command, "import_module", lambda name: module if name.endswith(".fail") else general)


# help


def test_help_names_every_verb_and_is_quick() -> None:
    began = time.monotonic()
    ran = subprocess.run([*SOCIALSUPPORT, "--help"], capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [verb for verb in VERBS if f"  {verb} " not in ran.stdout] == []
    assert took < 2.5  # half a second on an idle machine


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from socialsupport_core.cli.main import main; main(['--help']); "
        "sys.stderr.write(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"httpx", "rich", "pluggy", "pytest", "starlette", "regex"} & set(ran.stderr.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(run: Any, verb: str) -> None:
    ran = run(verb, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"Usage: socialsupport {verb}" in ran.out


def test_the_verbs_of_the_documentation_are_there() -> None:
    assert set(VERBS) >= {"translate", "compose", "plan", "check", "new", "plugins", "schema"}


def test_nothing_at_all_is_a_call_for_help(run: Any) -> None:
    assert run() == run("--help")


def test_the_version(run: Any) -> None:
    assert run("--version").out == version("socialsupport") + "\n"


# errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("translat",), "Did you mean 'translate'?; see socialsupport --help"),
        (("translate",), "Missing argument 'CONNECTOR'; see socialsupport translate --help"),
        (("new",), "Missing command; see socialsupport new --help"),
        (("--colour",), "No such option: --colour; see socialsupport --help"),
    ],
)
def test_misuse(run: Any, arguments: tuple[str, ...], said: str) -> None:
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.rstrip("\n").endswith(said)
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Unavailable("the network\nis away"), "the network; is away"),
        (FileNotFoundError(2, "No such file or directory", "x.toml"), "x.toml: No such file or directory"),
        (PermissionError(13, "Permission denied", "x"), "x: Permission denied"),
        (OSError(28, "No space left on device"), "the system: No space left on device"),
        (
            ModuleNotFoundError("No module named 'starlette'", name="starlette.routing"),
            "this needs the module starlette, which is missing; install it with: pip install 'socialsupport[server]'",
        ),
        (
            ModuleNotFoundError("No module named 'odd'", name="odd"),
            "this needs the module odd, which is missing; install it and try again",
        ),
        (typer.Abort(), "given up at your word; nothing more was done"),
        (
            KeyError("x"),
            "KeyError: 'x'; that is a mistake in the program, not in what you typed "
            "(put --traceback in front of the verb to see where)",
        ),
        (SystemExit("a plugin leaves"), "SystemExit: a plugin leaves; that is a mistake in the program"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_is_one_line(run: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException, line: str) -> None:
    failing(error, monkeypatch)
    ran = run("fail")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(f"socialsupport: {line}")
    assert ran.err.count("\n") == 1


def test_traceback_shows_where_it_came_from(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(KeyError("x"), monkeypatch)
    assert "Traceback" not in run("fail").err
    ran = run("--traceback", "fail")
    assert "in fail\n" in ran.err
    assert ran.err.splitlines()[-1].startswith("socialsupport: KeyError")


def test_a_missing_part_of_ours_is_not_to_be_installed_by_hand() -> None:
    missing = ModuleNotFoundError("", name="socialsupport_core.web.schema")
    assert explained(missing)[0] == "this release has no socialsupport_core.web.schema; install a newer one"


def test_a_server_that_ends_well_has_ended_well(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(SystemExit(0), monkeypatch)
    ran = run("fail")
    assert (ran.status, ran.err) == (0, "")


# interruptions


def test_an_interruption_is_quiet(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(KeyboardInterrupt(), monkeypatch)
    ran = run("fail")
    assert (ran.status, ran.out, ran.err.strip()) == (130, "", "")
    assert told(KeyboardInterrupt()) == 130


def test_a_reader_who_was_never_there_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([*SOCIALSUPPORT, "--version"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_a_reader_who_leaves_is_no_error(tmp_path: Path) -> None:
    code = (
        "import sys; from socialsupport_core.cli import output\n"
        "from socialsupport_core.cli import main as command\n"
        "from types import SimpleNamespace\n"
        "from importlib import import_module\n"
        "def flood():\n    while True: output.json_line({'a': 'b' * 1000})\n"
        "general = import_module('socialsupport_core.cli.general')\n"
        "command.VERBS = ('flood',)\n"
        "module = SimpleNamespace(add=lambda app: app.command()(flood))\n"
        "command.import_module = lambda name: module if name.endswith('flood') else general\n"
        "sys.exit(command.main(['flood']))\n"
    )
    script = tmp_path / "flood.py"
    script.write_text(code)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as flood:
        assert flood.stdout is not None
        assert flood.stderr is not None
        flood.stdout.readline()
        flood.stdout.close()
        assert flood.wait(30) == 141
        assert flood.stderr.read() == b""
