import io
import json
import sys
import time
from typing import Any

import pytest

from socialsupport_core.cli import output


@pytest.mark.parametrize("text", ["né 木 👩‍👩‍👧", "\u2028", "line\nbreak", "\ud800"])
def test_a_json_line_is_one_line_that_reads_back(capsys: pytest.CaptureFixture[str], text: str) -> None:
    output.json_line({"text": text})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"text": text}


def test_json_is_utf8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    output.json_line("木")
    assert raw.getvalue() == '"木"\n'.encode()


def test_what_was_printed_before_comes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw))
    print("first", end=" ")
    output.line("second")
    assert raw.getvalue() == b"first second\n"


def test_a_stream_without_bytes_takes_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    output.json_line("木")
    assert sys.stdout.getvalue() == '"木"\n'  # type: ignore[attr-defined]


def test_cells_are_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("who", "said"), [("kea", "[bold]hi[/bold]"), ("ara", ":smile: [/]")], title="talk")
    out = capsys.readouterr().out
    assert "[bold]hi[/bold]" in out
    assert ":smile: [/]" in out
    assert out.index("talk") < out.index("who") < out.index("kea") < out.index("ara")


def test_a_complaint_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output.complain("it broke\n\n  badly\r\n")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "socialsupport: it broke; badly\n")


def test_without_a_terminal_there_is_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(output.progress([1, 2], doing="counting")) == [1, 2]
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("patience", "shown"), [(60.0, False), (0.0, True)])
def test_progress_appears_when_patience_ends(monkeypatch: Any, patience: float, shown: bool) -> None:
    monkeypatch.setattr(output, "PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    for _ in output.progress(range(3), 3, doing="counting"):
        time.sleep(0.15)  # the bar is drawn ten times a second
    assert ("counting" in terminal.getvalue()) is shown


def test_what_is_no_loop_has_its_progress_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with output.moving("counting") as moved:
        for done in range(3):
            moved(done, 4)
            time.sleep(0.15)
    assert "50%" in terminal.getvalue()


def test_moving_without_a_terminal_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with output.moving("counting") as moved:
        moved(1, None)
    assert capsys.readouterr() == ("", "")


NAMES = ("", "email", "telegram", "a_very_long_name")
CLAIMS = [
    ("interaction.received", "yes", "not yet", "shared_secret"),
    ("receives", "file, webhook", "poll, webhook", "private, public"),
]


@pytest.mark.parametrize(("width", "tables"), [(100, 1), (64, 1), (63, 2), (45, 2), (44, 3), (30, 3)])
def test_a_folded_table_breaks_no_word(capsys: Any, monkeypatch: Any, width: int, tables: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    output.folded_table(NAMES, CLAIMS, title="claims")
    out = capsys.readouterr().out
    assert out.count("claims") == 1
    assert max(map(len, out.splitlines())) <= width
    if width > 30:
        words = set(out.split())
        assert {"interaction.received", "shared_secret", "a_very_long_name", "webhook", "public"} <= words
        assert out.count("interaction.received") == tables


def test_a_folded_table_uses_the_room_that_there_is(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    output.folded_table(NAMES, CLAIMS)
    assert "file, webhook" in capsys.readouterr().out
