"""From intents to calls, where a golden case alone does not say it; settings and failures."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    ReadBlob,
    Uncertain,
    Unreachable,
    Unsupported,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    EditMessage,
    Interaction,
    MarkRead,
    Party,
    React,
    SendMessage,
    Thread,
)
from socialsupport_telegram import Telegram, TelegramSettings
from socialsupport_telegram.address import Address
from socialsupport_telegram.failures import BY_DESCRIPTION

TELEGRAM = Telegram(TelegramSettings(token="123456:ABC", secret_token="s3cret"))
DM = Thread(id="42", visibility="private")
BUSINESS = Thread(id="42:business:AbC", visibility="private")


def target(thread: Thread = DM, native_id: str = "7", **more: Any) -> Interaction:
    return Interaction(
        network="telegram",
        native_id=native_id,
        kind="message",
        direction="inbound",
        own_account="123456",
        thread=thread,
        author=Party(),
        sent_at=datetime(2026, 1, 1, tzinfo=UTC),
        **more,
    )


def message(thread: Thread = DM, **more: Any) -> SendMessage:
    return SendMessage(key="k", own_account="123456", thread=thread, **more)


def first(intent: Any) -> Any:
    return next(TELEGRAM.send(intent))


def asked(intent: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(first(intent).read())
    return body


def answer(code: int, description: Any, status: int | None = None, **more: Any) -> httpx.Response:
    body = {"ok": False, "error_code": code, "description": description, **more}
    return httpx.Response(status or code, json=body, request=httpx.Request("POST", "https://api.telegram.org/"))


# threads


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ("42", {"chat_id": 42}),
        ("-1001234567890", {"chat_id": -1001234567890}),
        ("@acme_news", {"chat_id": "@acme_news"}),
        ("-100:9", {"chat_id": -100, "message_thread_id": 9}),
        ("-100:direct:42", {"chat_id": -100, "direct_messages_topic_id": 42}),
        ("42:business:A:b-C", {"chat_id": 42, "business_connection_id": "A:b-C"}),
    ],
)
def test_a_thread_says_where_to_write(written: str, fields: dict[str, Any]) -> None:
    address = Address.read(written)
    assert address.thread_id == written
    assert address.fields() == fields


@pytest.mark.parametrize("written", ["", "kerry", "42:", "42:x", "4 2", "42:direct:x", "42:business:", "٤٢"])
def test_other_threads_are_unreachable(written: str) -> None:
    with pytest.raises(Unreachable, match="no thread of Telegram"):
        Address.read(written)


@given(st.text(max_size=20))
def test_reading_a_thread_is_total(written: str) -> None:
    with suppress(Unreachable):
        assert Address.read(written).fields()


# messages


def test_what_is_written_in_another_chat_cannot_be_quoted() -> None:
    public = Thread(id="-1001234567890", visibility="public")
    assert "reply_parameters" not in asked(message(text="x", target=target(public)))
    assert "reply_parameters" not in asked(message(text="x", target=target(BUSINESS)))


def test_what_is_written_in_another_topic_can() -> None:
    topic, general = Thread(id="-100:9", visibility="private"), Thread(id="-100", visibility="private")
    assert asked(message(general, text="x", target=target(topic)))["reply_parameters"]["message_id"] == 7


@pytest.mark.parametrize("native_id", ["callback", "7x", "-7", "٤٢"])
def test_only_messages_can_be_quoted(native_id: str) -> None:
    assert "reply_parameters" not in asked(message(text="x", target=target(native_id=native_id)))


def test_the_value_of_a_button_is_measured_in_bytes() -> None:
    assert asked(message(text="x", choices=(Choice(title="ok", value="ä" * 32),)))
    with pytest.raises(ContentRejected, match="66 bytes, Telegram takes 64"):
        first(message(text="x", choices=(Choice(title="no", value="ä" * 33),)))


@pytest.mark.parametrize(
    ("media_type", "size", "method"),
    [
        ("image/jpeg", 10_000_000, "sendPhoto"),
        ("image/jpeg", 10_000_001, "sendDocument"),
        ("image/svg+xml", 1, "sendDocument"),
        ("video/quicktime", 1, "sendDocument"),
        ("audio/mp4", 1, "sendAudio"),
    ],
)
def test_how_a_file_is_shown(media_type: str, size: int, method: str) -> None:
    flow = TELEGRAM.send(message(attachments=(Attachment(media_type=media_type, blob="d", name="box"),)))
    assert next(flow) == ReadBlob("d")
    request = flow.send(Blob(content=b"x" * size))
    assert request.url.path.endswith(method)
    body = request.read()
    assert f"Content-Type: {media_type}\r\n".encode() in body
    assert b'filename="box"' in body


def test_a_large_picture_that_telegram_fetches_is_a_document_too() -> None:
    file = Attachment(media_type="image/jpeg", url="https://acme.example/box.jpg", size=20_000_000)
    assert asked(message(attachments=(file,)))["document"] == "https://acme.example/box.jpg"


def test_a_caption_is_shorter_than_a_text() -> None:
    file = Attachment(media_type="image/jpeg", native_id="p1")
    assert len(asked(message(text="x" * 1024, attachments=(file,)))["caption"]) == 1024
    with pytest.raises(ContentRejected, match="1024 characters on Telegram, this one has 1026"):
        first(message(text="👋" * 513, attachments=(file,)))


@pytest.mark.parametrize("kind", [EditMessage, React, MarkRead])
@pytest.mark.parametrize("pressed", [None, target(context='{"callback_query_id":"7"}')])
def test_changes_need_a_message(kind: Any, pressed: Interaction | None) -> None:
    more = {EditMessage: {"text": "x"}, React: {"reaction": "👍"}}.get(kind, {})
    with pytest.raises(ContentRejected, match="needs a target"):
        first(kind(key="k", own_account="123456", thread=DM, target=pressed, **more))


def test_bots_do_not_react_for_a_business_account() -> None:
    react = React(key="k", own_account="123456", thread=BUSINESS, target=target(BUSINESS), reaction="👍")
    with pytest.raises(Unsupported):
        first(react)
    assert "react" not in TELEGRAM.capabilities_in(BUSINESS).intents
    assert "mark.read" not in TELEGRAM.capabilities_in(DM).intents


@given(st.text(max_size=300))
def test_what_is_measured_is_what_is_sent(text: str) -> None:
    measured = TELEGRAM.measured(text)
    if measured:
        assert asked(message(text=text))["text"] == measured


# settings


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"token": "s3cret-token"}, "looks like 123456:ABC-DEF"),
        ({"token": "123456:ABC\n"}, "looks like 123456:ABC-DEF"),
        ({"secret_token": "with space"}, "1 to 256 characters"),
        ({"secret_token": ""}, "1 to 256 characters"),
        ({"secret_token": "x" * 257}, "1 to 256 characters"),
        ({"api": "ftp://acme.example"}, "api"),
        ({"api": "https://acme.example/"}, "api"),
        ({"api": "https://user@acme.example"}, "api"),
        ({"tokn": "x"}, "tokn"),
    ],
)
def test_wrong_settings_are_explained_and_not_repeated(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        TelegramSettings.model_validate({"token": "123456:ABC", **wrong})
    assert "s3cret" not in str(caught.value)


def test_a_server_of_ones_own() -> None:
    own = Telegram(TelegramSettings(token="123456:ABC", api="http://localhost:8081/bots"))
    assert own.hosts == {"localhost"}
    assert str(next(own.probe()).url) == "http://localhost:8081/bots/bot123456:ABC/getMe"


# failures


@pytest.mark.parametrize(("part", "kind"), BY_DESCRIPTION)
def test_descriptions_decide(part: str, kind: type[DeliveryError]) -> None:
    assert type(TELEGRAM.failure(answer(400, f"Bad Request: {part.upper()} here"))) is kind


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(400, "Bad Request: something new"), ContentRejected),
        (answer(403, None), Forbidden),
        (answer(409, "Conflict: terminated by other getUpdates request"), Forbidden),
        (answer(413, "Request Entity Too Large"), ContentRejected),
        (answer(418, "I'm a teapot", status=200), Uncertain),
        (answer(500, "Internal Server Error", status=200), Uncertain),
        (httpx.Response(401, text="no JSON"), AuthExpired),
        (httpx.Response(400, content=b"[1", headers={"content-type": "application/json"}), ContentRejected),
        (httpx.Response(400, json=[1]), ContentRejected),
        (httpx.Response(400, json={"ok": False}), ContentRejected),
    ],
)
def test_codes_decide_the_rest(response: httpx.Response, kind: type[DeliveryError]) -> None:
    assert type(TELEGRAM.failure(response)) is kind


@pytest.mark.parametrize(
    ("parameters", "header", "seconds"),
    [({"retry_after": 7}, {}, 7), ({}, {"retry-after": "9"}, 9), ("x", {}, None), ({"retry_after": "x"}, {}, None)],
)
def test_how_long_to_wait(parameters: Any, header: dict[str, str], seconds: float | None) -> None:
    response = answer(429, "Too Many Requests", parameters=parameters)
    response.headers.update(header)
    error = TELEGRAM.failure(response)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_group_that_moved_says_where_to() -> None:
    moved = answer(400, "group chat was upgraded to a supergroup chat", parameters={"migrate_to_chat_id": -1001234})
    assert "it is now -1001234" in str(TELEGRAM.failure(moved))


@pytest.mark.parametrize("content", [b"\xff\xd8", b'{"ok": false}', b"{}"])
def test_a_downloaded_file_is_no_failure_whatever_it_says(content: bytes) -> None:
    response = httpx.Response(200, content=content, headers={"content-type": "application/json"})
    assert TELEGRAM.failure(response) is None
