"""`socialsupport erase` in the terminal, and what the doctor says is due."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Identifier, Interaction, Party, Thread

WHO = "phone:+15550147"


def opened(path: Path, registry: Registry) -> Hub:
    return Hub.open(path, public_url="https://support.example", registry=registry)


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> str:
    """Somebody has called."""
    path = tmp_path / "support.sqlite"
    hub = opened(path, registry)
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    called = Interaction(
        network="phone",
        native_id="call-1",
        kind="call",
        direction="inbound",
        own_account="+15550100",
        thread=Thread(id="call-1", visibility="private"),
        author=Party(identifiers=(Identifier.parse(WHO),), name="Kerry Canary"),
        text="it was about the parcel",
        sent_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )
    hub.record_interaction("acme", called)
    hub.drain()
    hub.close()
    return str(path)


def test_it_tells_what_went_where_and_what_may_be_left(run: Any, store: str) -> None:
    ran = run("erase", WHO, "--store", store, "--yes")
    assert ran.status == 0
    assert "interactions" in ran.out
    assert "cleaned in" in ran.out
    assert "may still hold something: copies of the store that were made before" in ran.out
    for file in (one for one in Path(store).parent.rglob("*") if one.is_file()):
        assert b"Canary" not in file.read_bytes()


def test_in_json_it_is_one_document_and_twice_is_once(run: Any, store: str) -> None:
    told = json.loads(run("erase", WHO, "--store", store, "--json").out)
    assert (told["state"], told["agent"], told["removed"]["interactions"]) == ("done", "dana", 1)
    again = json.loads(run("erase", told["customer"], "--store", store, "--json").out)
    assert again["removed"] == told["removed"]
    ran = run("timeline", told["customer"], "--store", store)
    assert ran.status == 1
    assert ran.err.strip().endswith(
        f"the customer {told['customer']} has been erased; nothing is known of them any more"
    )
    assert len(ran.err.strip().splitlines()) == 1


def test_who_is_not_known_is_one_line(run: Any, store: str) -> None:
    ran = run("erase", "phone:+1999", "--store", store, "--yes")
    assert (ran.status, len(ran.err.strip().splitlines())) == (1, 1)
    assert "nobody is known as 'phone:+1999'" in ran.err


def test_somebody_must_have_decided_it(run: Any, store: str, registry: Registry) -> None:
    hub = opened(Path(store), registry)
    hub.add_agent("acme", "bo", "Bo")
    hub.close()
    ran = run("erase", WHO, "--store", store, "--yes")
    assert (ran.status, "--agent: bo, dana" in ran.err) == (1, True)
    assert run("erase", WHO, "--store", store, "--yes", "--agent", "bo").status == 0


def test_the_doctor_says_what_is_due(run: Any, store: str, registry: Registry) -> None:
    hub = opened(Path(store), registry)
    hub.set_retention("acme", payloads=1)
    hub._database.do(lambda tx: tx.run("UPDATE journal SET received_at = received_at - ?", 10**15))
    hub.close()
    ran = run("doctor", "--store", store)
    assert "payloads" in ran.out
    assert json.loads(run("doctor", "--store", store, "--json").out)["due"]["payloads"] == 1
