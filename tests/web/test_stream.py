"""The event stream over a real socket: everything once, in order, from wherever one left off."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from raven import Roost, message

from socialsupport_core.cli.serving import bound
from socialsupport_core.store import StoreError
from socialsupport_core.web import create_app


@pytest.fixture
def address(roost: Roost) -> Iterator[str]:
    """The hub with its workers, served by a real server on loopback."""
    socket = bound("127.0.0.1", 0)
    app = create_app(roost.hub)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()
    socket.close()


@pytest.fixture
def desk(roost: Roost, address: str) -> Iterator[httpx.Client]:
    token = roost.hub.issue_token("acme", "dana")
    with httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=10) as client:
        yield client


def listen(desk: httpx.Client, wanted: int, **headers: str) -> list[dict[str, Any]]:
    """The first so many events; each with its id, its type and its data in agreement."""
    found: list[dict[str, Any]] = []
    with desk.stream("GET", "/api/events", headers={"accept": "text/event-stream", **headers}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        one: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name:
                one[name] = value
            elif "data" in one:
                found.append(json.loads(one["data"]))
                assert (one["id"], one["event"]) == (str(found[-1]["cursor"]), found[-1]["type"])
                one = {}
            else:
                one = {}
            if len(found) >= wanted:
                break
    return found


def webhook(roost: Roost, desk: httpx.Client, number: int) -> None:
    body = roost.payload(message(number, f"text {number}", at=number)).body
    answer = desk.post(f"/hooks/{roost.doors['acme']}", content=body, headers={"raven-secret": "caw-caw"})
    assert answer.status_code == 200


def test_what_happens_arrives_as_it_happens(roost: Roost, desk: httpx.Client) -> None:
    found: list[dict[str, Any]] = []
    listener = threading.Thread(target=lambda: found.extend(listen(desk, 6)))
    listener.start()
    for number in range(5):
        webhook(roost, desk, number)
        time.sleep(0.02)
    listener.join(10)
    texts = [one["data"]["interaction"]["text"] for one in found if one["type"] == "interaction.received"]
    assert texts == [f"text {number}" for number in range(5)]
    assert found[0]["type"] == "conversation.opened"


def test_one_goes_on_where_one_left_off(roost: Roost, desk: httpx.Client) -> None:
    for number in range(4):
        webhook(roost, desk, number)
    first = listen(desk, 3)
    rest = listen(desk, 2, **{"last-event-id": str(first[-1]["cursor"])})
    cursors = [one["cursor"] for one in (*first, *rest)]
    assert len(set(cursors)) == 5
    assert cursors == sorted(cursors)
    pages = desk.get("/api/events").json()["events"]
    assert [one["cursor"] for one in pages] == cursors
    assert desk.get(f"/api/events?after={cursors[-1]}").json() == {"events": [], "after": cursors[-1]}


def test_what_another_tenant_does_does_not_arrive(roost: Roost, desk: httpx.Client) -> None:
    body = roost.payload(message(1, "for rival")).body
    desk.post(f"/hooks/{roost.doors['rival']}", content=body, headers={"raven-secret": "caw-caw"})
    webhook(roost, desk, 2)
    found = listen(desk, 2)
    assert "for rival" not in json.dumps(found)


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "9" * 30])
def test_a_cursor_that_is_none_is_400(desk: httpx.Client, given: str) -> None:
    assert desk.get("/api/events", headers={"last-event-id": given}).status_code == 400


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_cursor_ahead_of_the_log_is_409_with_the_newest(roost: Roost, desk: httpx.Client, accept: str) -> None:
    nothing = desk.get("/api/events?after=7", headers={"accept": accept})
    assert (nothing.status_code, nothing.json()["newest"]) == (409, 0)
    webhook(roost, desk, 1)
    newest = listen(desk, 2)[-1]["cursor"]
    answer = desk.get(f"/api/events?after={newest + 1}", headers={"accept": accept})
    assert (answer.status_code, answer.json()["newest"]) == (409, newest)
    assert "the store is older than what you have read" in answer.json()["detail"]
    assert desk.get(f"/api/events?after={newest}").json()["events"] == []


def test_a_cursor_whose_event_has_been_erased_is_not_ahead(roost: Roost, desk: httpx.Client) -> None:
    webhook(roost, desk, 1)
    newest = listen(desk, 2)[-1]["cursor"]
    roost.hub._database.do(lambda tx: tx.run("DELETE FROM log WHERE cursor = ?", newest))
    assert desk.get(f"/api/events?after={newest}").json() == {"events": [], "after": newest}


def test_a_stream_ends_properly_when_the_store_does_not_answer(
    roost: Roost, desk: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook(roost, desk, 1)
    with desk.stream("GET", "/api/events", headers={"accept": "text/event-stream"}) as answer:
        lines = answer.iter_lines()
        assert any(line == "event: interaction.received" for line in lines)
        with monkeypatch.context() as broken:
            broken.setattr(roost.hub, "events", lambda *_: (_ for _ in ()).throw(StoreError("away")))
            roost.hub.bell.ring()
            rest = list(lines)  # until it ends
        assert [line[:6] for line in rest if line.startswith("event")] == []
    assert len(listen(desk, 2)) == 2


def test_clients_that_leave_in_the_middle_leave_the_hub_well(roost: Roost, desk: httpx.Client, address: str) -> None:
    for _ in range(5):
        with desk.stream("GET", "/api/events", headers={"accept": "text/event-stream"}):
            pass
    for number in range(10):
        webhook(roost, desk, number)
    assert desk.get("/health").json()["status"] == "ok"
    assert len(listen(desk, 11)) == 11
