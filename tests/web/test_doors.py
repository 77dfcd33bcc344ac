"""The doors: verify, journal, commit, and only then acknowledge. Whatever else is said over HTTP gets its number."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import SECRET, Raven, Roost, message
from raven.web import Web
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount

from socialsupport_core.hub import Hub
from socialsupport_core.store import StoreError, journal
from socialsupport_core.store.blobs import FolderBlobs
from socialsupport_core.store.secrets import new_key
from socialsupport_core.web import create_app, doors
from socialsupport_core.web.doors import MAX_BODY

NOWHERE = FolderBlobs(Path(tempfile.gettempdir()))


@pytest.fixture
def door(roost: Roost) -> str:
    return f"/hooks/{roost.doors['acme']}"


def knock(web: Web, door: str, roost: Roost, *events: Any, secret: str = SECRET, **more: Any) -> Any:
    payload = roost.payload(*events)
    return web.post(door, content=more.pop("content", payload.body), headers={"raven-secret": secret}, **more)


def test_what_is_genuine_is_kept_and_acknowledged_in_the_networks_way(web: Web, roost: Roost, door: str) -> None:
    answer = knock(web, door, roost, message(1, "hello"))
    assert (answer.status_code, answer.text) == (200, f"caw https://hub.example{door}")
    assert roost.journal()["waiting"] == 1
    roost.hub.drain()
    assert roost.texts() == ["hello"]


def test_a_forgery_is_401_and_leaves_nothing_but_the_counter(web: Web, roost: Roost, door: str) -> None:
    answer = knock(web, door, roost, message(1, "forged"), secret="near-miss")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    roost.settle()
    roost.hub.drain()
    health = web.get("/health").json()
    assert (health["refused"], health["journal"]["accepted"]) == (1, 0)
    dump = roost.dump()
    assert "forged" not in dump
    assert "near-miss" not in dump


@pytest.mark.parametrize("path", ["/hooks/nobody", "/hooks/app/nobody", "/hooks/api:acme", "/hooks/api%3Aacme"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_where_nobody_lives_it_is_404(web: Web, roost: Roost, path: str, method: str) -> None:
    body = message(1, "sneaked in").interaction.to_json()
    assert web.request(method, path, content=body).status_code == 404
    roost.hub.drain()
    assert roost.journal()["accepted"] == 0


def test_a_handshake_is_answered_and_nothing_is_journalled(web: Web, roost: Roost, door: str) -> None:
    assert web.get(f"{door}?echo=42").text == "42"
    assert web.get(door).status_code == 404
    assert roost.journal()["accepted"] == 0


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_the_limit_is_413(web: Web, roost: Roost, door: str, announced: bool) -> None:
    """With its length told, and as a stream that never tells it."""

    def stream() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 2):
            yield b" " * 65536

    content: Any = b" " * (MAX_BODY + 1) if announced else stream()
    assert knock(web, door, roost, content=content).status_code == 413
    assert roost.journal()["accepted"] == 0
    assert knock(web, door, roost, content=b"[]".ljust(MAX_BODY)).status_code == 200


@pytest.mark.parametrize("length", ["ten", "1e3", "-1", " ", "9" * 5000])
def test_a_length_that_is_none_is_broken_http(web: Web, roost: Roost, door: str, length: str) -> None:
    headers = {"content-length": length, "raven-secret": SECRET}
    assert web.post(door, headers=headers).status_code in (400, 413)


def test_a_header_that_comes_twice_is_400(web: Web, roost: Roost, door: str) -> None:
    doubled = [("raven-secret", SECRET), ("Raven-Secret", "other")]
    answer = web.post(door, content=b"[]", headers=doubled)
    assert (answer.status_code, "raven-secret" in answer.text) == (400, True)
    assert roost.journal()["accepted"] == 0
    fine = [("raven-secret", SECRET), ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "5.6.7.8")]
    assert web.post(door, content=b"[]", headers=fine).status_code == 200


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"{", b'{"a": NaN}', b"[" * 100_000, b'"\\ud800"', b"null"])
def test_what_is_genuine_and_unreadable_is_200_and_quarantined(web: Web, roost: Roost, door: str, body: bytes) -> None:
    assert knock(web, door, roost, content=body).status_code == 200
    roost.hub.drain()
    (entry,) = roost.hub.quarantine()
    assert entry.payload.body == body
    assert entry.reason
    assert web.get("/health").json()["journal"]["unexplained"] == 0


def test_while_the_store_cannot_write_it_is_503_and_nothing_is_acknowledged(
    web: Web, roost: Roost, door: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise roost.trouble("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("socialsupport_core.store.journal.append", full)
        answer = knock(web, door, roost, message(1, "hello"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "caw" not in answer.text
    assert str(roost.path) not in answer.text
    assert "disk is full" not in answer.text
    assert "disk is full" in caplog.text
    assert knock(web, door, roost, message(1, "hello")).status_code == 200
    roost.hub.drain()
    assert roost.texts() == ["hello"]


def test_a_channel_that_cannot_run_is_503_so_that_the_network_comes_again(roost: Roost) -> None:
    door = f"/hooks/{roost.doors['acme']}"
    right = roost.key.read_text()
    roost.hub.close()
    roost.key.write_text(new_key())
    web = Web(create_app(roost.reopen(), run_workers=False))
    answer = knock(web, door, roost, message(1, "hello"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "cannot run at the moment" in answer.json()["detail"]
    assert web.post("/hooks/nobody").status_code == 404
    roost.hub.close()
    roost.key.write_text(right)
    web = Web(create_app(roost.reopen(), run_workers=False))
    assert knock(web, door, roost, message(1, "hello")).status_code == 200


def test_a_door_that_another_process_has_just_made_is_there(roost: Roost, web: Web, store: str | Path) -> None:
    roost.hub.channels.all()
    other = Hub.open(
        store, public_url="https://hub.example", registry=roost.hub.registry, secret_keys=keys_of(roost), blobs=NOWHERE
    )
    door = other.add_channel("acme", "second", "raven", {"secret": SECRET})
    assert knock(web, door, roost, message(1, "hello")).status_code == 200
    other.close()


def test_two_that_make_a_channel_at_once_name_the_same_door(
    roost: Roost, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = roost.hub.add_channel("acme", "second", "raven", {"secret": SECRET})
    monkeypatch.setattr(roost.hub, "_known", lambda *_: None)  # as it looked to the other a moment before
    assert roost.hub.add_channel("acme", "second", "raven", {"secret": SECRET}) == first
    assert knock(web, first, roost, message(1, "hello")).status_code == 200


def keys_of(roost: Roost) -> list[str]:
    keys: list[str] = roost.key.read_text().split()
    return keys


def test_after_the_end_it_is_503(web: Web, roost: Roost, door: str) -> None:
    roost.hub.close()
    assert knock(web, door, roost, message(1, "too late")).status_code == 503
    with pytest.raises(StoreError):
        roost.journal()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:99999", "", "[::1", "hub.example"])
def test_the_address_is_the_public_one_whatever_the_host_says(web: Web, roost: Roost, door: str, host: str) -> None:
    forwarded = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    headers = {"host": host, "raven-secret": SECRET} | forwarded
    answer = web.post(f"{door}?a=%2F&b", content=b"[]", headers=headers)
    assert answer.text == f"caw https://hub.example{door}?a=%2F&b"


def test_mounted_below_a_path_the_doors_are_open_and_the_address_is_whole(tmp_path: Path) -> None:
    roost = Roost(tmp_path, public_url="https://hub.example/support")
    try:
        inner = create_app(roost.hub, run_workers=False)
        web = Web(Starlette(routes=[Mount("/support", inner)]), base_url="http://10.0.0.7")
        door = f"/hooks/{roost.doors['acme']}"
        answer = knock(web, f"/support{door}", roost)
        assert (answer.status_code, answer.text) == (200, f"caw https://hub.example/support{door}")
        assert web.get("/support/health").status_code == 200
        assert web.get("/support/api/me").status_code == 421
    finally:
        roost.hub.close()


def test_a_secret_may_be_replaced_at_run_time(web: Web, roost: Roost, door: str) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {"secret": "fresh"})
    assert knock(web, door, roost).status_code == 401
    assert knock(web, door, roost, secret="fresh").status_code == 200


def test_a_door_of_a_removed_channel_is_shut(web: Web, roost: Roost, door: str) -> None:
    knock(web, door, roost, message(1, "in time"))
    roost.hub.remove_channel("acme", "tower")
    assert knock(web, door, roost, message(2, "too late")).status_code == 404
    roost.hub.drain()
    assert roost.journal()["unexplained"] == 0
    assert "its door is gone" in (roost.hub.quarantine()[0].reason or "")


def test_what_came_before_its_connector_broke_waits_until_it_is_mended_and_holds_up_nobody(
    web: Web, roost: Roost, door: str
) -> None:
    class Fragile(Raven):
        def __init__(self, *given: Any) -> None:
            raise RuntimeError

    class Owl(Raven):
        name = "owl"

    for number in range(300):  # more than a batch
        knock(web, door, roost, message(number, "in time"))
    roost.reopen(Fragile, Owl)
    letter = roost.hub.add_channel("acme", "tree", "owl", {}).rsplit("/", 1)[1]
    roost.hub.receive(letter, roost.payload(message("hoot", "from elsewhere", "olga"))).result()
    roost.hub.drain()
    assert roost.texts("olga") == ["from elsewhere"]
    assert (roost.journal()["waiting"], roost.journal()["quarantined"], roost.journal()["unexplained"]) == (300, 0, 0)
    roost.reopen()
    roost.hub.drain()
    assert (roost.journal()["waiting"], roost.journal()["recorded"]) == (0, 301)


def test_of_more_closed_doors_than_a_statement_takes_the_rest_is_quarantined_and_nothing_is_lost(
    web: Web, roost: Roost, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fragile(Raven):
        def __init__(self, *given: Any) -> None:
            raise RuntimeError

    other = roost.hub.add_channel("acme", "tree", "raven", {})
    for each in (door, other):
        knock(web, each, roost, message(each, "hello"))
    monkeypatch.setattr(journal, "CLOSED", 0)
    roost.reopen(Fragile)
    roost.hub.drain()
    assert (roost.journal()["waiting"], roost.journal()["quarantined"]) == (0, 2)
    roost.reopen()
    roost.hub.replay()
    roost.hub.drain()
    assert roost.journal()["recorded"] == 2


def test_doors_cannot_be_guessed_from_one_another(roost: Roost) -> None:
    doors = [roost.hub.add_channel("acme", f"c{n}", "raven", {}).rsplit("/", 1)[1] for n in range(5)]
    assert len({door[:4] for door in doors}) == 5
    assert all(len(door) >= 22 for door in doors)
    assert roost.hub.add_channel("acme", "c0", "raven", {}).rsplit("/", 1)[1] == doors[0]


def test_who_writes_too_much_is_heard_out_and_told(web: Web, roost: Roost, door: str) -> None:
    """A line that is cut while they write would have them come again."""
    written: list[int] = []

    def stream() -> Iterator[bytes]:
        for number in range(3 * MAX_BODY // 65536):
            written.append(number)
            yield b" " * 65536

    assert knock(web, door, roost, content=stream()).status_code == 413
    assert len(written) == 3 * MAX_BODY // 65536


def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch, web: Web, roost: Roost, door: str) -> None:
    monkeypatch.setattr(doors, "MOST_UNREAD", 2 * MAX_BODY)
    written: list[int] = []

    def stream() -> Iterator[bytes]:
        for number in range(10 * MAX_BODY // 65536):
            written.append(number)
            yield b" " * 65536

    assert knock(web, door, roost, content=stream()).status_code == 413
    assert len(written) < 4 * MAX_BODY // 65536


def test_a_body_that_does_not_come_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "PATIENCE", 0.02)
    monkeypatch.setattr(doors, "SLOWEST", 1 << 30)
    begun = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> Any:
        if (first := next(begun, None)) is None:
            await asyncio.Event().wait()
        return first

    with pytest.raises(HTTPException, match="not there after") as refused:
        asyncio.run(doors.read_body(Request({"type": "http", "headers": []}, receive), 100))
    assert refused.value.status_code == 408
