"""`work`, as a supervisor runs it: real processes beside the one that takes things in."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload
from socialsupport_core.store.secrets import new_key

NewStore = Callable[[str, Path], str]
COMMAND = (sys.executable, "-c", "import sys; from socialsupport_core.cli.main import main; sys.exit(main())")
SETTINGS = {"number": "+4930123456", "signing_secret": "a-secret-of-your-own"}
FILE = """
[hub]
store = "{store}"
folder = "data"

[tenants.acme]
name = "Another name"

[tenants.acme.channels.phone]
connector = "phone"
settings = {{ number = "+4930123456", signing_secret = "a-secret-of-your-own" }}
"""


@pytest.fixture(autouse=True)
def registry() -> Registry:
    """The plugins that are installed, as a process finds them."""
    return Registry.discover(only=frozenset({"phone"}))


@pytest.fixture
def url(new_store: NewStore, tmp_path: Path) -> str:
    pytest.importorskip("psycopg")
    return str(new_store("postgresql", tmp_path))


@pytest.fixture
def config(url: str, tmp_path: Path) -> Path:
    path = tmp_path / "socialsupport.toml"
    path.write_text(FILE.format(store=url), encoding="utf-8")
    return path


@pytest.fixture
def hub(url: str, tmp_path: Path, registry: Registry) -> Iterator[Hub]:
    """Takes in and records nothing."""
    made = Hub.open(url, public_url="https://support.example", folder=tmp_path / "data", registry=registry)
    made.add_tenant("acme", "Acme")
    made.add_channel("acme", "phone", "phone", SETTINGS)
    yield made
    made.close()


Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def work(config: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        command = [*COMMAND, "work", "--config", str(config)]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline().startswith("working on postgresql://127.0.0.1")
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()
        assert worker.stdout is not None
        worker.stdout.close()


def accept(hub: Hub, count: int) -> None:
    """Payloads that nobody can read: they need no network, and each ends in quarantine."""
    (live,) = hub.channels.all().values()
    taken = [hub._database.gather(_append, (live.channel.door, n), None) for n in range(count)]
    for one in taken:
        one.result()


def _append(tx: Any, items: list[tuple[str, int]]) -> None:
    from datetime import UTC, datetime

    from socialsupport_core.store import journal

    now = datetime.now(UTC)
    journal.append(tx, [("acme", door, Payload(body=f"call {n}".encode(), received_at=now)) for door, n in items])


def until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def journal_of(hub: Hub) -> dict[str, int]:
    found: dict[str, int] = hub.health(audited=True)["journal"]
    assert found["unexplained"] == 0
    return found


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_end_finishes_and_gives_everything_back(
    hub: Hub, work: Start, asked: signal.Signals
) -> None:
    worker = work()
    accept(hub, 200)
    until(lambda: journal_of(hub)["quarantined"] > 0)
    worker.send_signal(asked)
    assert worker.wait(20) == 0
    found = journal_of(hub)
    assert found["waiting"] + found["quarantined"] == found["accepted"] == 200
    held = hub._database.read(lambda tx: tx.all("SELECT * FROM leases WHERE until > 0 AND worker <> ''"))
    assert held == []


def test_what_a_worker_begins_with_is_not_looked_through_for_garbage(hub: Hub, config: Path) -> None:
    told = "import atexit, gc; atexit.register(lambda: print('frozen', gc.get_freeze_count())); "
    command = [sys.executable, "-c", told + COMMAND[2], "work", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        worker.send_signal(signal.SIGTERM)
        word, count = worker.stdout.readlines()[-1].split()
    assert word == "frozen"
    assert int(count) > 10_000


def test_what_a_killed_worker_held_another_takes_over(hub: Hub, work: Start) -> None:
    first = work()
    accept(hub, 300)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    work()
    until(lambda: journal_of(hub)["quarantined"] == 300)
    assert hub.events("acme") == []


def test_a_worker_takes_from_its_file_where_the_store_is_and_changes_nothing_there(hub: Hub, work: Start) -> None:
    (before,) = hub.list_channels("acme")
    version = hub._database.read(lambda tx: tx.all("SELECT value FROM meta WHERE name = 'configuration'"))
    work()
    assert hub.list_tenants() == [{"id": "acme", "name": "Acme"}]
    assert hub.list_channels("acme") == [before]
    assert hub._database.read(lambda tx: tx.all("SELECT value FROM meta WHERE name = 'configuration'")) == version


def test_a_channel_that_was_added_a_moment_ago_is_known_to_the_worker(hub: Hub, work: Start) -> None:
    work()
    door = hub.add_channel("acme", "second", "phone", SETTINGS).rpartition("/")[2]
    hub._database.gather(_append, (door, 1), None).result()
    until(lambda: journal_of(hub)["quarantined"] == 1)
    (entry,) = hub.quarantine()
    assert entry.reason is not None
    assert "door" not in entry.reason


def ended(config: Path) -> tuple[int, str]:
    command = [*COMMAND, "work", "--config", str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stderr


def test_a_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    config = tmp_path / "socialsupport.toml"
    config.write_text('[hub]\nstore = "support.sqlite"\n', encoding="utf-8")
    status, told = ended(config)
    assert status == 1
    assert "support.sqlite is a file, on which `serve` works alone; more workers need a store on PostgreSQL" in told
    assert not (tmp_path / "support.sqlite").exists()


def test_a_store_without_tables_is_refused_with_the_remedy(server: Any, tmp_path: Path) -> None:
    config = tmp_path / "socialsupport.toml"
    config.write_text(f'[hub]\nstore = "{server.url}?schema=nowhere"\nfolder = "data"\n', encoding="utf-8")
    status, told = ended(config)
    assert (status, told.count("\n")) == (1, 1)
    assert "run socialsupport migrate" in told


def test_a_worker_without_the_others_key_is_refused_before_it_takes_anything(
    hub: Hub, config: Path, tmp_path: Path
) -> None:
    accept(hub, 3)
    config.write_text(config.read_text().replace('folder = "data"', 'folder = "elsewhere"'), encoding="utf-8")
    status, told = ended(config)
    assert (status, "sealed with a key, and there is none at" in told) == (1, True)
    assert not (tmp_path / "elsewhere" / "support.key").exists()
    assert journal_of(hub)["waiting"] == 3


def test_a_worker_with_another_key_is_refused_before_it_takes_anything(hub: Hub, config: Path, tmp_path: Path) -> None:
    accept(hub, 3)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "support.key").write_text(new_key(), encoding="ascii")
    config.write_text(config.read_text().replace('folder = "data"', 'folder = "elsewhere"'), encoding="utf-8")
    status, told = ended(config)
    assert (status, "the secret key opens none of the channels' settings" in told) == (1, True)
    assert journal_of(hub)["waiting"] == 3
