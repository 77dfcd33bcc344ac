"""From updates to events, where a golden case alone does not say it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from socialsupport_core.contract import MalformedPayload, SignatureError, Unsupported
from socialsupport_core.model import Event, IdentityClaimed, InteractionReceived, Payload, Unrecognised
from socialsupport_telegram import Telegram, TelegramSettings

NOW = datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)
KERRY = {"id": 42, "is_bot": False, "first_name": "Kerry"}
DM = {"id": 42, "type": "private", "first_name": "Kerry"}


@pytest.fixture
def telegram() -> Telegram:
    return Telegram(TelegramSettings(token="123456:ABC", secret_token="one", previous_secret_token="zero"))


def message(**more: Any) -> dict[str, Any]:
    return {"message_id": 7, "date": 1767225600, "chat": DM, "from": KERRY, **more}


def payload(update: Any, **more: Any) -> Payload:
    return Payload(body=json.dumps(update).encode(), received_at=NOW, **more)


def events(telegram: Telegram, update: dict[str, Any], **more: Any) -> list[Event]:
    return list(telegram.parse(payload({"update_id": 1, **update}, **more)))


def one(telegram: Telegram, **content: Any) -> Event:
    (event,) = events(telegram, {"message": message(**content)})
    return event


# who sent it


@pytest.mark.parametrize("given", ["one", "zero"])
def test_both_secrets_are_believed(telegram: Telegram, given: str) -> None:
    telegram.verify(payload({}, headers=(("X-Telegram-Bot-Api-Secret-Token", given),)))


@pytest.mark.parametrize("given", ["", "on", "onee", "One", "two", "önë", "one\udcff"])
def test_no_other_secret_is(telegram: Telegram, given: str) -> None:
    # model_construct, as no door would let a lone surrogate through
    headers = (("X-Telegram-Bot-Api-Secret-Token", given),)
    forged = Payload.model_construct(headers=headers, body=b"{}", received_at=NOW)
    with pytest.raises(SignatureError, match="missing or not ours"):
        telegram.verify(forged)


def test_without_a_secret_nothing_is_believed() -> None:
    bare = Telegram(TelegramSettings(token="123456:ABC"))
    with pytest.raises(SignatureError, match="secret_token is missing"):
        bare.verify(payload({}, headers=(("X-Telegram-Bot-Api-Secret-Token", ""),)))


# what cannot be read


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "this is no Update"),
        (b"\xff", "this is no Update"),
        (b"[" * 10_000, "this is no Update"),
        (b'{"update_id": "1"}', "update_id"),
        (b'{"update_id": true}', "update_id"),
        (b'{"update_id": 1, "message": 5}', "message"),
        (b'{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {}}}', "chat.id"),
        (b'{"update_id": 1, "message": {"message_id": 1, "date": 1e300, "chat": {"id": 1}}}', "date"),
        (b'{"update_id": 1, "message": {"message_id": 1, "date": -1, "chat": {"id": 1}}}', "date"),
    ],
)
def test_the_reason_names_the_place(telegram: Telegram, body: bytes, place: str) -> None:
    with pytest.raises(MalformedPayload, match=place):
        telegram.parse(Payload(body=body, received_at=NOW))


def test_the_reason_quotes_nothing_that_the_customer_wrote(telegram: Telegram) -> None:
    with pytest.raises(MalformedPayload) as caught:
        events(telegram, {"message": message(text=["my PIN is 1234"])})
    assert "1234" not in str(caught.value)


def test_a_place_on_no_map_is_malformed(telegram: Telegram) -> None:
    with pytest.raises(MalformedPayload, match="latitude"):
        one(telegram, location={"latitude": 91, "longitude": 0})


def test_an_update_of_no_kind_is_kept(telegram: Telegram) -> None:
    (event,) = events(telegram, {})
    assert isinstance(event, Unrecognised)
    assert event.native_type == "update"


def test_what_surrounds_a_message_is_not_taken_for_its_content(telegram: Telegram) -> None:
    event = one(telegram, has_protected_content=True, successful_payment={})
    assert isinstance(event, Unrecognised)
    assert event.native_type == "message.successful_payment"


def test_a_saved_answer_of_get_updates_is_read_in_one_go(telegram: Telegram) -> None:
    saved = {"ok": True, "result": [{"update_id": number, "message": message(text="x")} for number in (1, 2)]}
    assert len(list(telegram.parse(payload(saved, source="file")))) == 2


# ids


def test_the_update_id_plays_no_part(telegram: Telegram) -> None:
    first = telegram.parse(payload({"update_id": 1, "message": message(text="x")}))
    again = telegram.parse(payload({"update_id": 2, "message": message(text="x")}, source="poll"))
    assert list(first) == list(again)


def test_of_two_edits_within_a_second_the_later_has_the_later_id(telegram: Telegram) -> None:
    said = message(text="a", edit_date=1767225601)
    first, again, later = (events(telegram, {"edited_message": said, "update_id": n})[0] for n in (9, 9, 10))
    assert first == again
    assert (len(first.id), first.id) < (len(later.id), later.id)


def test_an_undated_edit_happened_when_it_arrived(telegram: Telegram) -> None:
    (edit,) = events(telegram, {"edited_message": message(text="x")})
    assert edit.type == "interaction.edited"
    assert edit.edited_at == NOW


def test_a_chat_of_a_business_account_is_apart_from_the_chat_with_the_bot(telegram: Telegram) -> None:
    own = one(telegram, text="x")
    (theirs,) = events(telegram, {"business_message": message(text="x", business_connection_id="AbC")})
    assert own.id != theirs.id
    assert isinstance(own, InteractionReceived)
    assert isinstance(theirs, InteractionReceived)
    assert own.interaction.thread != theirs.interaction.thread


# tokens and numbers


@pytest.mark.parametrize("text", ["/start abcdefghijklmnopqrstuvwx23", "/start@acme_bot abcdefghijklmnopqrstuvwx23"])
def test_a_deep_link_claims_before_the_message(telegram: Telegram, text: str) -> None:
    claim, received = events(telegram, {"message": message(text=text)})
    assert isinstance(claim, IdentityClaimed)
    assert (claim.token, claim.proof) == ("abcdefghijklmnopqrstuvwx23", "handoff_token")
    assert str(claim.subject) == "telegram.user:42"
    assert isinstance(received, InteractionReceived)


@pytest.mark.parametrize(
    "text",
    [
        "/start",
        "/start abcdefghijklmnopqrstuvwx2",
        "/start abcdefghijklmnopqrstuvwx234",
        "/start ABCDEFGHIJKLMNOPQRSTUVWX23",
        "/start abcdefghijklmnopqrstuvwx01",
        "abcdefghijklmnopqrstuvwx23",
        "please /start abcdefghijklmnopqrstuvwx23",
    ],
)
def test_nothing_else_is_a_token(telegram: Telegram, text: str) -> None:
    assert [event.type for event in events(telegram, {"message": message(text=text)})] == ["interaction.received"]


def test_an_edit_brings_no_token(telegram: Telegram) -> None:
    edited = message(text="/start abcdefghijklmnopqrstuvwx23", edit_date=1767225601)
    assert [event.type for event in events(telegram, {"edited_message": edited})] == ["interaction.edited"]


@pytest.mark.parametrize(
    ("contact", "claimed"),
    [
        ({"phone_number": "+1 (555) 123-4567", "user_id": 42}, "phone:+15551234567"),
        ({"phone_number": "15551234567", "user_id": 42}, "phone:+15551234567"),
        ({"phone_number": "15551234567", "user_id": 43}, None),
        ({"phone_number": "15551234567"}, None),
        ({"phone_number": "112", "user_id": 42}, None),
    ],
)
def test_only_ones_own_number_is_asserted(telegram: Telegram, contact: dict[str, Any], claimed: str | None) -> None:
    found = events(telegram, {"message": message(contact={"first_name": "Kerry", **contact})})
    claims = [str(claim) for event in found if isinstance(event, IdentityClaimed) for claim in event.claims]
    assert claims == ([claimed] if claimed else [])


# who and where


def test_our_own_messages_are_ours_and_claim_nothing(telegram: Telegram) -> None:
    bot = {"id": 123456, "is_bot": True, "first_name": "Acme"}
    (event,) = events(telegram, {"message": message(**{"from": bot}, text="/start abcdefghijklmnopqrstuvwx23")})
    assert isinstance(event, InteractionReceived)
    assert (event.interaction.direction, event.interaction.author.is_self) == ("outbound", True)
    assert event.interaction.counterpart
    assert str(event.interaction.counterpart.account) == "telegram.user:42"


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ({"type": "private", "username": "kerry"}, "private"),
        ({"type": "group"}, "private"),
        ({"type": "supergroup"}, "private"),
        ({"type": "supergroup", "username": "acme"}, "public"),
        ({"type": "channel"}, "private"),
        ({"type": "channel", "username": "acme"}, "public"),
        ({"type": "supergroup", "username": "acme", "is_direct_messages": True}, "private"),
    ],
)
def test_public_is_what_has_a_public_name(telegram: Telegram, chat: dict[str, Any], expected: str) -> None:
    event = one(telegram, chat={"id": 42, **chat}, text="x")
    assert isinstance(event, InteractionReceived)
    assert event.interaction.thread.visibility == expected


def test_unknown_parts_of_a_rich_message_are_passed_over(telegram: Telegram) -> None:
    blocks = [
        {"type": "new", "text": 5, "blocks": "x", "items": [1], "cells": [None]},
        {"type": "paragraph", "text": [None, "read", {"type": "bold", "text": " on"}]},
        {
            "type": "details",
            "summary": "More",
            "blocks": [{"type": "pre", "text": "x = 1", "language": "py"}],
        },
    ]
    event = one(telegram, rich_message={"blocks": blocks})
    assert isinstance(event, InteractionReceived)
    assert event.interaction.text == "read **on**\n\nMore\n```py\nx = 1\n```"


def test_a_strange_file_in_a_rich_message_is_malformed(telegram: Telegram) -> None:
    with pytest.raises(MalformedPayload, match="file_id"):
        one(telegram, rich_message={"blocks": [{"type": "photo", "photo": [{"width": 1}]}]})


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"text": "x" * 8193}, "message.text"),
        ({"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 1}] * 1001}, "message.entities"),
        ({"rich_message": {"blocks": [{"text": "x" * 20_000}] * 2}}, "more than 32768 characters"),
        ({"checklist": {"title": "x", "tasks": [{"text": "x"}] * 101}}, "checklist.tasks"),
    ],
)
def test_what_is_far_longer_than_telegram_allows_is_refused(
    telegram: Telegram, content: dict[str, Any], place: str
) -> None:
    with pytest.raises(MalformedPayload, match=place):
        one(telegram, **content)


# what the door answers


def test_a_button_is_answered_at_once(telegram: Telegram) -> None:
    query = {"id": "77", "from": KERRY, "message": message(), "data": "x"}
    reply = telegram.acknowledge(payload({"update_id": 1, "callback_query": query}))
    assert json.loads(reply.body) == {"method": "answerCallbackQuery", "callback_query_id": "77"}


@pytest.mark.parametrize("body", [b"<html>", b'{"update_id": 1}'])
def test_everything_else_is_answered_with_nothing(telegram: Telegram, body: bytes) -> None:
    reply = telegram.acknowledge(Payload(body=body, received_at=NOW))
    assert (reply.status, reply.body) == (200, b"")


# what it counts


def test_updates_are_numbered_without_being_read(telegram: Telegram) -> None:
    assert list(telegram.numbered(payload({"update_id": 7, "unheard_of": {}}))) == [7]
    saved = {"ok": True, "result": [{"update_id": 8, "message": message()}, {"update_id": 9}]}
    assert list(telegram.numbered(payload(saved))) == [8, 9]


def test_nothing_can_be_read_back(telegram: Telegram) -> None:
    """An update that was told is kept no longer, and `poll` beside another poll is refused."""
    with pytest.raises(Unsupported, match="each update once"):
        telegram.history(NOW, None)
