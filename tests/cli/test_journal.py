"""What lies in quarantine and how the store is, in the terminal."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> str:
    """With one payload that nobody can read."""
    path = tmp_path / "support.sqlite"
    hub = Hub.open(path, public_url="https://support.example", registry=registry)
    hub.add_tenant("acme", "Acme")
    door = hub.add_channel("acme", "bird", "parrot", {"token": "42", "secret": "s3cret"}).rpartition("/")[2]
    when = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    hub.receive(door, Payload(headers=(("x-secret", "s3cret"),), body=b"squawk", received_at=when)).result()
    hub.drain()
    hub.close()
    return str(path)


def test_the_quarantine_tells_the_moment_without_its_fractions(run: Any, store: str) -> None:
    (row,) = run("quarantine", "--store", store, "--json").lines
    assert row["received_at"] == "2026-03-01T12:00:00Z"
    assert (row["tenant"], row["bytes"]) == ("acme", 6)
    assert "2026-03-01T12:00:00Z" in run("quarantine", "--store", store).out


def test_the_doctor_says_that_nothing_has_been_sent(run: Any, store: str) -> None:
    ran = run("doctor", "--store", store)
    assert (ran.status, "nothing has been sent" in ran.out) == (0, True)
    found = json.loads(run("doctor", "--store", store, "--json").out)
    assert (found["outbox"], found["journal"]["quarantined"]) == ({}, 1)
