"""A webhook is a batch: of accounts, of events, in the forms in which they come and are printed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import Json, needed, objects_of
from socialsupport_core.model import Event, Payload, Unrecognised
from socialsupport_meta.batch import Native, Scene, changes, translated

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)


def find(entry: Json, scene: Scene) -> Iterator[Native]:
    yield from (Native("message", event, scene, _read) for event in objects_of(entry, "messaging"))
    yield from (Native(field, value, scene, _read) for field, value in changes(entry))


def _read(event: Json, scene: Scene) -> list[Event]:
    """An event that shows what it was read from."""
    return [Unrecognised(id=needed(event, "id"), own_account=scene.own or None, native_type=scene.at.isoformat())]


def read(content: Any) -> list[tuple[str, str | None]]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    events = translated(Payload(body=body, received_at=NOW), find)
    return [(event.id, getattr(event, "own_account", None)) for event in events]


def entry(own: str, *ids: str, **more: Any) -> dict[str, Any]:
    return {"id": own, "messaging": [{"id": one} for one in ids], **more}


def test_entries_of_many_accounts() -> None:
    content = {"object": "page", "entry": [entry("1", "a", "b"), entry("2", "c")]}
    assert read(content) == [("a", "1"), ("b", "1"), ("c", "2")]


def test_the_same_event_twice_is_one() -> None:
    assert read({"entry": [entry("1", "a"), entry("1", "a", "b")]}) == [("a", "1"), ("b", "1")]


@pytest.mark.parametrize(
    "content",
    [
        [{"entry": [entry("1", "a")]}],
        entry("1", "a"),
        {"field": "feed", "value": {"id": "a", "recipient": {"id": "1"}}},
        {"entry": [{"id": "1", "field": "comments", "value": {"id": "a"}}]},
        {"id": "1", "changes": [{"field": "feed", "value": {"id": "a"}}]},
        {"id": "a", "sender": {"id": "9"}, "recipient": {"id": "1"}},
        {"id": "a", "sender": {"id": "1"}, "recipient": {"id": "9"}, "message": {"is_echo": True}},
    ],
)
def test_forms_in_which_pages_print_events(content: Any) -> None:
    assert read(content) == [("a", "1")]


def test_an_event_that_cannot_be_read_leaves_the_others_alone() -> None:
    broken = {"entry": [{"id": "1", "messaging": [{"id": "a"}, {"text": "no id"}, {"id": "b"}]}]}
    found = list(translated(Payload(body=json.dumps(broken).encode(), received_at=NOW), find))
    assert [event.id for event in found if event.id in "ab"] == ["a", "b"]
    (aside,) = [event for event in found if event.id not in "ab"]
    assert isinstance(aside, Unrecognised)
    assert aside.reason == "it cannot be read: id is missing"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]x", b'"page"', b"{}", b'{"entry": []}', b'{"entry": [null]}', b'{"entry": {"id": 1}}',
     b'[{"entry": 1}]', b"[" * 100_000, b'{"entry": [{"id": "1", "messaging": [{"text": "no id"}]}]}'],
)  # fmt: skip
def test_what_is_no_webhook_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        translated(Payload(body=body, received_at=NOW), find)


def test_the_entry_dates_what_meta_does_not() -> None:
    (event,) = translated(
        Payload(body=b'{"entry":[{"id":"1","time":1772445600,"messaging":[{"id":"a"}]}]}', received_at=NOW), find
    )
    assert isinstance(event, Unrecognised)
    assert event.native_type == "2026-03-02T10:00:00+00:00"
    (event,) = translated(Payload(body=b'{"entry":[{"id":"1","messaging":[{"id":"a"}]}]}', received_at=NOW), find)
    assert isinstance(event, Unrecognised)
    assert event.native_type == NOW.isoformat()


def test_an_unknown_event_is_named_and_kept() -> None:
    scene = Scene(own="1", at=NOW)
    one, same, other = (
        Native("sho\ud800p" * 50, body, scene).unrecognised() for body in ({"a": 1}, {"a": 1}, {"a": 2})
    )
    assert one == same
    assert one.id != other.id
    assert one.native_type.startswith("sho?p")
    assert len(one.native_type) == 100
