"""The JSON of the documentation, exactly; and back."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from socialsupport_core import model
from socialsupport_core.model import EVENT, INTENT, EventType, Identifier, Interaction, Payload, Value
from socialsupport_core.model.event import Event
from socialsupport_core.model.intent import Intent, IntentType

INTERACTION: dict[str, Any] = {
    "network": "whatsapp",
    "native_id": "wamid.A",
    "kind": "message",
    "direction": "inbound",
    "own_account": "15550001111",
    "thread": {"id": "15550002222", "visibility": "private"},
    "author": {
        "identifiers": [
            {"kind": "whatsapp.user", "value": "15550002222"},
            {"kind": "phone", "value": "+15550002222"},
        ],
        "name": "Kerry Fisher",
        "is_self": False,
        "is_bot": False,
    },
    "text": "Hello World",
    "attachments": [
        {"media_type": "image/jpeg", "url": "https://x.example/1", "native_id": "1", "name": "a", "size": 1}
    ],
    "reach": {"followers": 120, "likes": 3, "shares": 0},
    "sent_at": "2016-01-30T01:57:09Z",
}
RECEIVED = {"type": "interaction.received", "id": "wamid.A", "interaction": INTERACTION}
THREAD = INTERACTION["thread"]
PARTY = INTERACTION["author"]
AT = "2026-03-01T12:00:00Z"
ABOUT = {"own_account": "15550001111", "at": AT}

EVENTS: list[dict[str, Any]] = [
    RECEIVED,
    {"type": "interaction.edited", "id": "1", "interaction": INTERACTION, "edited_at": AT},
    {"type": "interaction.deleted", "id": "1", "native_id": "m", **ABOUT},
    {
        "type": "reaction.added",
        "id": "1",
        "thread": THREAD,
        "native_id": "m",
        "author": PARTY,
        "reaction": "👍",
        **ABOUT,
    },
    {
        "type": "reaction.removed",
        "id": "1",
        "thread": THREAD,
        "native_id": "m",
        "author": PARTY,
        "reaction": "x",
        **ABOUT,
    },
    {"type": "delivery.updated", "id": "1", "state": "failed", "code": "131047", "client_key": "k", **ABOUT},
    {"type": "profile.updated", "id": "1", "party": PARTY, **ABOUT},
    {
        "type": "identity.claimed",
        "id": "1",
        "subject": {"kind": "x.user", "value": "1"},
        "tier": "verified",
        "proof": "handoff_token",
        "token": "t",
        **ABOUT,
    },
    {"type": "thread.updated", "id": "1", "thread": THREAD, "change": "closed", **ABOUT},
    {"type": "typing.started", "id": "1", "thread": THREAD, "author": PARTY, **ABOUT},
    {"type": "erasure.requested", "id": "1", "identifiers": [{"kind": "x.user", "value": "1"}], **ABOUT},
    {"type": "unrecognised", "id": "1", "native_type": "moulting", "reason": "new"},
]
ASKED = {"key": "k", "own_account": "15550001111", "thread": THREAD}
INTENTS: list[dict[str, Any]] = [
    {"type": "send.message", **ASKED, "text": "hi", "choices": [{"title": "Yes", "value": "y"}], "target": INTERACTION},
    {"type": "edit.message", **ASKED, "text": "hi"},
    {"type": "delete.message", **ASKED},
    {"type": "react", **ASKED, "reaction": ""},
    {"type": "open.private", **ASKED, "text": "hi", "recipient": PARTY},
    {"type": "mark.read", **ASKED},
    {"type": "typing", **ASKED},
]


@pytest.mark.parametrize("written", EVENTS, ids=lambda one: one["type"])
def test_an_event_comes_back_as_it_was_written(written: dict[str, Any]) -> None:
    """Absent optional fields stay absent, moments end in Z, nothing is added."""
    event = EVENT.validate_python(written)
    assert json.loads(event.to_json()) == written
    assert EVENT.validate_json(event.to_json()) == event


@pytest.mark.parametrize("written", INTENTS, ids=lambda one: one["type"])
def test_an_intent_comes_back_as_it_was_written(written: dict[str, Any]) -> None:
    intent = INTENT.validate_python(written)
    assert json.loads(intent.to_json()) == written
    assert INTENT.validate_json(intent.to_json()) == intent


def test_every_type_of_the_vocabulary_is_written_here() -> None:
    assert [one["type"] for one in EVENTS] == list(get_args(EventType))
    assert [one["type"] for one in INTENTS] == list(get_args(IntentType))
    assert len(get_args(Event)) == len(EVENTS)
    assert len(get_args(Intent)) == len(INTENTS)


def holes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all objects within the value."""
    found = [path] if isinstance(value, dict) else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += holes(child, (*path, key))
    return found


@pytest.mark.parametrize("place", holes(RECEIVED), ids=str)
def test_our_own_words_are_exact_at_every_depth(place: tuple[Any, ...]) -> None:
    changed = json.loads(json.dumps(RECEIVED))
    target = changed
    for key in place:
        target = target[key]
    target["colour"] = "red"
    with pytest.raises(ValidationError) as refused:
        EVENT.validate_python(changed)
    assert refused.value.errors()[0]["type"] == "extra_forbidden"


@pytest.mark.parametrize("moment", ["2026-03-01T12:00:00", "today", 10**30, "0001-01-01T00:00:00+14:00", None, True])
def test_a_moment_without_a_place_in_time_is_refused(moment: Any) -> None:
    with pytest.raises(ValidationError):
        Interaction.model_validate(INTERACTION | {"sent_at": moment})


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),  # noqa: DTZ001 - the zone is added
    st.integers(-14 * 60, 14 * 60),
)
def test_every_moment_is_kept_in_utc(naive: datetime, minutes: int) -> None:
    local = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    kept = Interaction.model_validate(INTERACTION | {"sent_at": local})
    assert kept.sent_at == local
    assert kept.sent_at.tzinfo is UTC
    assert json.loads(kept.to_json())["sent_at"].endswith("Z")


kinds = st.from_regex(r"[a-z][a-z0-9_]{0,8}(\.[a-z][a-z0-9_]{0,8}){0,2}", fullmatch=True)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
scopes = st.none() | words.filter(lambda text: ":" not in text)


@given(kinds, scopes, words)
def test_an_identifier_survives_being_written(kind: str, scope: str | None, value: str) -> None:
    one = Identifier(kind=kind, scope=scope, value=value)
    assert Identifier.parse(str(one)) == one


@given(kinds, scopes, words, kinds, scopes, words)
def test_two_identifiers_are_never_written_alike(a: str, b: str | None, c: str, d: str, e: str | None, f: str) -> None:
    one, other = Identifier(kind=a, scope=b, value=c), Identifier(kind=d, scope=e, value=f)
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    "text", ["", ":", "phone", "phone:", ":1", "Phone:1", "a..b:1", "a@:1", "@s:1", "a@b", "1a:b", ".a:b"]
)
def test_what_is_no_identifier_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"kind:value|pattern"):
        Identifier.parse(text)


def test_values_do_not_change() -> None:
    one = Interaction.model_validate(INTERACTION)
    with pytest.raises(ValidationError):
        one.text = "other"  # type: ignore[misc]
    assert hash(one) == hash(Interaction.model_validate(INTERACTION))


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b"-Infinity", b"[" * 100_000, b"\xff", b"", b"{}{}"])
def test_json_that_is_none_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        Payload(body=body, received_at=AT).json()


def test_a_payload_reads_headers_query_and_form_and_shows_neither_in_its_repr() -> None:
    one = Payload(
        url="https://hub.example/hooks/x?a=1&b=&c=%2F",
        headers=(("X-Signature", "secret-signature"),),
        body=b"d=4&e=%C3%A9&secret=body",
        received_at=AT,
    )
    assert one.header("x-signature") == "secret-signature"
    assert one.header("missing") is None
    assert one.query == {"a": "1", "b": "", "c": "/"}
    assert one.form == {"d": "4", "e": "é", "secret": "body"}
    assert "secret" not in repr(one)


def test_the_counterpart_is_the_one_it_hangs_on() -> None:
    inbound = Interaction.model_validate(INTERACTION)
    assert inbound.counterpart == inbound.author
    us = {"is_self": True}
    outbound = Interaction.model_validate(
        INTERACTION | {"direction": "outbound", "author": us, "recipients": [us, PARTY]}
    )
    assert outbound.counterpart == inbound.author
    assert Interaction.model_validate(INTERACTION | {"direction": "outbound", "author": us}).counterpart is None


def test_everything_public_is_a_value_or_its_reader() -> None:
    for name in model.__all__:
        one = getattr(model, name)
        if isinstance(one, type) and issubclass(one, Value):
            assert one.model_config["extra"] == "forbid", name
            assert one.model_config["frozen"] is True, name
