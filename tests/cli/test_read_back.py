"""`import --since`: what the network still has, in the terminal; and what `doctor` says of channels."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "hub"))

from raven import Raven, Sky, message
from raven.connector import plugin

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.testing import Network
from socialsupport_core.wire import NetworkWire

Run = Callable[..., Any]


@pytest.fixture
def sky(monkeypatch: pytest.MonkeyPatch) -> Sky:
    """What every hub here speaks to."""
    made = Sky()
    transport = Network([made]).transport()
    monkeypatch.setattr(Registry, "discover", lambda only=None: Registry.of(plugin(Raven)))
    monkeypatch.setattr(
        "socialsupport_core.hub.base.NetworkWire",
        lambda *given, **more: NetworkWire(*given, **(more | {"transport": transport})),
    )
    return made


@pytest.fixture
def store(tmp_path: Path, sky: Sky) -> str:
    path = tmp_path / "support.sqlite"
    hub = Hub.open(path, public_url="https://hub.example")
    hub.add_tenant("acme", "Acme")
    hub.add_channel("acme", "tower", "raven", {})
    hub.close()
    return str(path)


def letters(sky: Sky, last: int) -> None:
    sky.letters = [json.loads(message(n, f"text {n}", at=n).to_json()) for n in range(last)]


def test_it_is_read_to_its_end_and_counted(run: Run, store: str, sky: Sky) -> None:
    letters(sky, 5)
    ran = run("import", "--channel", "tower", "--since", "2026-03-01", "--store", store)
    assert (ran.status, ran.out, ran.err) == (0, "since 2026-03-01: 5 recorded, 0 ignored, 0 quarantined\n", "")
    again = run("import", "--channel", "tower", "--since", "2026-03-01T09:00Z", "--store", store)
    assert again.status == 0
    hub = Hub.open(store, public_url="https://hub.example")
    texts = [one["interaction"]["text"] for one in hub.timeline("acme", "raven.ring:kerry")]
    hub.close()
    assert texts == [f"text {n}" for n in range(5)]


def test_what_holds_it_up_is_said(run: Run, store: str, sky: Sky) -> None:
    sky.faults.expire = 100
    ran = run("import", "--channel", "tower", "--since", "2026-03-01", "--store", store)
    assert ran.status == 1
    assert ran.err.startswith("socialsupport: it was not read to its end: the network answered 401")
    assert ran.err.endswith("; `serve` goes on with it, or run this again\n")
    sky.faults.expire = 0
    letters(sky, 3)
    hub = Hub.open(store, public_url="https://hub.example", clock=lambda: datetime.now(UTC) + timedelta(minutes=1))
    hub.drain()
    found = hub.backfilled("acme", "tower")
    hub.close()
    assert found is not None
    assert (found["state"], found["payloads"]) == ("done", 3)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "takes either files, or --since DATE"),
        (("old.mbox", "--since", "2026-03-01"), "takes either files, or --since DATE"),
        (("--since", "yesterday"), "--since 'yesterday' is no date; write it as 2026-03-01"),
        (("--since", "2999-01-01"), "since: this is still to come; give a moment in the past"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(run: Run, store: str, more: tuple[str, ...], told: str) -> None:
    ran = run("import", *more, "--channel", "tower", "--store", store)
    assert (ran.status != 0, told in ran.err, ran.err.count("\n")) == (True, True, 1)


def test_a_channel_that_is_not_there_is_named(run: Run, store: str) -> None:
    ran = run("import", "--channel", "nest", "--since", "2026-03-01", "--store", store)
    assert (ran.status != 0, "acme has no channel 'nest'" in ran.err) == (True, True)


def test_progress_is_shown_page_by_page(run: Run, store: str, sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    seen: list[tuple[int, int | None]] = []

    @contextmanager
    def moving(doing: str) -> Any:
        yield lambda done, total: seen.append((done, total))

    monkeypatch.setattr("socialsupport_core.cli.output.moving", moving)
    letters(sky, 5)
    run("import", "--channel", "tower", "--since", "2026-03-01", "--store", store)
    assert seen == [(2, None), (4, None), (5, None)]


def test_the_doctor_names_a_silent_channel_and_says_what_to_do(run: Run, store: str) -> None:
    hub = Hub.open(store, public_url="https://hub.example")
    hub.add_channel("acme", "tower", "raven", {}, expect_within=timedelta(microseconds=1))
    hub.examine()
    hub.close()
    ran = run("doctor", "--store", store)
    assert ran.status == 1
    assert "acme/tower: nothing has come in since" in ran.out.replace("\n", " ")
    assert "subscribe again" in ran.out
    found = json.loads(run("doctor", "--store", store, "--json").out)
    assert (found["status"], found["channels"]) == ("degraded", {"silent": 1})
