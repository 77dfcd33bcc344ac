"""Every block of the documentation is run, loaded or parsed, in order, page by page; what cannot be says why.

`python` runs in the page's own namespace, or becomes the file that its title names; a `text` block after it is what it
has printed. `console` holds commands after `$` and what they print, `...` standing for anything; `sh` holds commands
alone; `bash` is a script that its title names. `toml` of a hub is opened, other `toml`, `json` and `csv` is parsed. A block without a language is a picture.
Two comments before a block change this: `<!-- not run: REASON -->` and `<!-- exit status: 1 -->`.
A page that speaks of `db.example` is followed beside a PostgreSQL server of its own.
"""

import contextlib
import csv
import importlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from socialsupport_core.config import load, open_hub
from socialsupport_core.model import EVENT, INTENT
from socialsupport_core.testing import postgresql

HOUSE = Path(__file__).parents[2]
PAGES = sorted(
    [HOUSE / "README.md", *(HOUSE / "plugins").glob("*/README.md")]
    + [page for page in (HOUSE / "docs").rglob("*.md") if HOUSE / "docs/reference" not in page.parents]
)
GIVEN = "pip install uv"
"""Needs an index; what it sets up is what runs these tests."""
LASTING = re.compile(r"socialsupport (demo(?!.*--script)|serve|work)\b")
READY = re.compile(r"Ctrl-C ends it|listening on|Starting development server")
PORT, OTHER_PORT = "8765", "8766"
"""Stand for free ones."""
SERVER = "db.example"
"""Stands for a PostgreSQL server on loopback."""
LIBRARY = "/var/lib/socialsupport"
"""Stands for a folder of the page."""
LEFT_OUT = {
    "it takes an hour",
    "it takes half an hour",
    "needs an account at a network",
    "it is what runs this test",
    "it needs a clone beside your project",
    "it needs a project whose database is PostgreSQL",
}
"""Why a block may not be run."""
PATIENCE = 120.0
"""Seconds for one command, on a machine that has much to do."""


@dataclass(frozen=True)
class Block:
    language: str
    title: str | None
    content: str
    line: int
    not_run: str | None
    status: int


def blocks(page: Path) -> Iterator[Block]:
    mark = ""
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "fence":
            language, _, more = token.info.strip().partition(" ")
            title = re.search(r'title="([^"]+)"', more)
            reason = re.search(r"<!-- not run: (.+?) -->", mark)
            status = re.search(r"<!-- exit status: (\d+) -->", mark)
            yield Block(
                language,
                title[1] if title else None,
                token.content,
                token.map[0] + 1 if token.map else 0,
                reason[1] if reason else None,
                int(status[1]) if status else 0,
            )
        mark = token.content if token.type == "html_block" else ""


def name_of(page: Path) -> str:
    return str(page.relative_to(HOUSE))


class Tags(HTMLParser):
    """Keeps the tags that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@dataclass
class Reader:
    """Somebody who follows one page, in an empty folder."""

    page: Path
    folder: Path
    port: str
    other_port: str
    server: postgresql.Server | None = None
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})
    printed: str = ""
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        verb = getattr(self, f"follow_{block.language}", None)
        assert verb, f"{name_of(self.page)}:{block.line}: nobody runs {block.language!r}"
        verb(block, self.placed(block.content))

    def placed(self, content: str) -> str:
        """With the addresses and folders of this run."""
        if self.server is not None:
            content = content.replace(SERVER, f"127.0.0.1:{self.server.port}")
        ports = {PORT: self.port, OTHER_PORT: self.other_port}
        content = re.sub("|".join(ports), lambda found: ports[found[0]], content)
        return content.replace(LIBRARY, str(self.folder_of_all / "library"))

    def follow_python(self, block: Block, content: str) -> None:
        code = compile(content, f"{name_of(self.page)}:{block.line}", "exec")
        if block.title:
            self.write(block.title, content)
            return
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, self.namespace)
        self.printed = out.getvalue()

    def follow_text(self, block: Block, content: str) -> None:
        assert_fits(self.printed, content, where=f"{name_of(self.page)}:{block.line}")

    def follow_json(self, block: Block, content: str) -> None:
        value = json.loads(content)
        kind = value.get("type", "") if isinstance(value, dict) else ""
        if "interaction" in value and kind.startswith("interaction."):
            EVENT.validate_python(value)
        elif "own_account" in value and "thread" in value and "key" in value:
            INTENT.validate_python(value)
        if block.title:
            self.write(block.title, content)

    def follow_toml(self, block: Block, content: str) -> None:
        path = self.write(block.title or f"block-{block.line}.toml", content)
        if {"hub", "tenants", "apps"} & tomllib.loads(content).keys():
            trial = self.folder / f"trial-{block.line}"
            trial.mkdir()
            open_hub(load(path), trial).close()

    def follow_bash(self, block: Block, content: str) -> None:
        assert block.title, f"{name_of(self.page)}:{block.line}: a script is a file; its title names it"
        self.write(block.title, content)

    def follow_yaml(self, block: Block, content: str) -> None:
        assert isinstance(yaml.safe_load(content), dict)
        if block.title:
            self.write(block.title, content)

    def follow_csv(self, block: Block, content: str) -> None:
        names, *rows = csv.reader(content.splitlines())
        assert block.title, f"{name_of(self.page)}:{block.line}: a table is a file; its title names it"
        assert all(len(row) == len(names) for row in rows), f"{name_of(self.page)}:{block.line}"
        self.write(block.title, content)

    def follow_ini(self, block: Block, content: str) -> None:
        parser = ConfigParser(interpolation=None)
        parser.read_string(content)
        assert parser.sections()

    def follow_html(self, block: Block, content: str) -> None:
        tags = Tags()
        tags.feed(content)
        assert tags.open == [], f"{name_of(self.page)}:{block.line}: {tags.open} stays open"

    def follow_sh(self, block: Block, content: str) -> None:
        for command in content.splitlines():
            self.command(command, None, block)

    def follow_console(self, block: Block, content: str) -> None:
        for command, output in commands(content):
            self.command(command, output, block)

    def command(self, written: str, expected: str | None, block: Block) -> None:
        command = written.removeprefix(GIVEN).removeprefix(" && ").replace("uv run ", "").strip()
        where = f"{name_of(self.page)}:{block.line}: $ {written}"
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
        elif command.startswith("uv pip install -e "):
            self.install(self.folder / command.removeprefix("uv pip install -e "))
        elif command.endswith(" &") or LASTING.search(command):
            self.start(command.removesuffix(" &"), expected, where)
        elif command:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
            printed = done.stdout.decode()
            assert done.returncode == block.status, f"{where}\nended with {done.returncode}:\n{printed}"
            if expected is not None:
                assert_fits(printed, expected, where)

    def start(self, command: str, expected: str | None, where: str) -> None:
        """Goes on as soon as what is expected has been printed; the process ends with the page."""
        out = self.folder / f"running-{len(self.running)}.txt"
        with out.open("wb") as stream:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.environment() | {"PYTHONUNBUFFERED": "1"},
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_heeds_ctrl_c,  # noqa: PLW1509 - it takes no lock
            )
        self.running.append(process)
        end = time.monotonic() + PATIENCE
        while not self.is_ready(out.read_text(), expected):
            assert process.poll() is None, f"{where}\nended with {process.returncode}:\n{out.read_text()}"
            assert time.monotonic() < end, f"{where}\nis not ready:\n{out.read_text()}"
            time.sleep(0.1)

    def is_ready(self, printed: str, expected: str | None) -> bool:
        if expected:
            return fits(printed, expected)
        return bool(READY.search(printed)) if expected is None else self.listens()

    def listens(self) -> bool:
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", int(self.port))) == 0

    def environment(self) -> dict[str, str]:
        keep = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        if self.server is not None:
            keep |= {"PGHOST": "127.0.0.1", "PGPORT": str(self.server.port), "PGUSER": "support"}
            keep |= {"PGDATABASE": "postgres"}
        return keep | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "PYTHONPATH": ":".join(path for path in sys.path if path.startswith(str(self.folder_of_all))),
        }

    @property
    def folder_of_all(self) -> Path:
        return next(path for path in (self.folder, *self.folder.parents) if path.name == "page")

    def install(self, plugin: Path) -> None:
        """What an editable install comes to: the folder on the path, and its entry points beside it."""
        about = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
        info = plugin / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
        info.mkdir(exist_ok=True)
        lines = [f"{name} = {value}" for name, value in about["entry-points"]["socialsupport"].items()]
        (info / "entry_points.txt").write_text("[socialsupport]\n" + "\n".join(lines))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
        sys.path.insert(0, str(plugin))
        importlib.invalidate_caches()

    def write(self, title: str, content: str) -> Path:
        path = self.folder / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        return path

    def leave(self) -> None:
        for process in self.running:
            os.killpg(process.pid, signal.SIGINT)
        for process in self.running:
            try:
                process.wait(PATIENCE / 2)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise


def _heeds_ctrl_c() -> None:
    """Even where these tests run in the background, and were told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def commands(content: str) -> Iterator[tuple[str, str]]:
    """Each command and what it prints; a command goes on after a backslash."""
    joined = content.replace("\\\n", "")
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def assert_fits(printed: str, expected: str, where: str) -> None:
    if expected.strip():
        assert fits(printed, expected), f"{where}\nprinted:\n{printed}\nand not:\n{expected}"


def fits(printed: str, expected: str) -> bool:
    """Blank lines and what stands at the end of a line count for nothing."""
    lines = [line.rstrip() for line in expected.splitlines() if line.strip()]
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + r"\n" for line in lines
    )
    told = "".join(f"{line.rstrip()}\n" for line in printed.splitlines() if line.strip())
    return re.fullmatch(pattern, told) is not None


@pytest.fixture
def reader(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    before = set(sys.modules)
    with socket.socket() as taken, socket.socket() as other:
        taken.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = [str(one.getsockname()[1]) for one in (taken, other)]
    one = Reader(request.param, folder, *ports)
    with contextlib.ExitStack() as stack:
        if SERVER in one.page.read_text("utf-8"):
            if postgresql.programs() is None or shutil.which("psql") is None:
                pytest.skip(postgresql.MISSING)
            one.server = stack.enter_context(contextlib.closing(postgresql.Server()))
        stack.callback(one.leave)
        yield one
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reader", PAGES, ids=name_of, indirect=True)
def test_the_page_can_be_followed(reader: Reader) -> None:
    for block in blocks(reader.page):
        if block.language and not block.not_run:
            reader.follow(block)


def test_blocks_are_left_out_only_for_what_no_test_can_have() -> None:
    left_out = {f"{name_of(page)}:{one.line}": one.not_run for page in PAGES for one in blocks(page) if one.not_run}
    assert not {where: reason for where, reason in left_out.items() if reason not in LEFT_OUT}


@pytest.mark.parametrize(
    ("printed", "expected", "does"),
    [
        ("a\nb\n", "a\nb", True),
        ("a   \n\nb\n", "a\nb", True),
        ("a 17 s\nb\n", "a ... s\nb", True),
        ("a\nx\ny\nb\n", "a\n...\nb", True),
        ("a\nb\n", "a\n...\nb", True),
        ("a\nb\nc\n", "a\nb", False),
        ("a b\n", "a", False),
        ("", "a", False),
    ],
)
def test_what_fits(printed: str, expected: str, does: bool) -> None:
    assert fits(printed, expected) is does
