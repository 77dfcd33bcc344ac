"""What the connector makes of payloads, beside the golden cases."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import MalformedPayload, SignatureError, drive
from socialsupport_core.model import (
    INTENT,
    DeliveryUpdated,
    Event,
    Identifier,
    IdentityClaimed,
    InteractionReceived,
    Payload,
    TypingStarted,
    Unrecognised,
)
from socialsupport_webchat import Webchat, WebchatSettings
from socialsupport_webchat.protocol import sign

VISITOR = "3f9a1c0b7d2e4f5a8b6c9d0e1f2a3b4c"
MESSAGE = "0b8f4c1e-5a7d-4e2b-9c3f-6d1a2b3c4d5e"
TOKEN = "k5vq3m7xw2p4ny6zr7b3cdaejh"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SETTINGS = WebchatSettings(
    own_account="acme-web",
    secret=SecretStr("the-secret-of-today"),
    previous_secret=SecretStr("the-secret-of-yesterday"),
)
CHAT = Webchat(SETTINGS)


def payload(body: bytes, secret: SecretStr = SETTINGS.secret) -> Payload:
    return Payload(body=body, headers=(("X-Webchat-Signature", sign(secret, body)),), received_at=NOW)


def parsed(kind: str, **fields: Any) -> list[Event]:
    body = json.dumps({"type": kind, "visitor": VISITOR, **fields}).encode()
    return list(CHAT.parse(payload(body)))


def message(**fields: Any) -> InteractionReceived:
    event = parsed("message", **{"id": MESSAGE, "text": "Hello", **fields})[-1]
    assert isinstance(event, InteractionReceived)
    return event


def test_a_message_is_an_interaction_on_the_visitors_account() -> None:
    interaction = message(text="**Hi**").interaction
    assert interaction.text == "**Hi**"
    assert interaction.author.account == Identifier(kind="webchat.visitor", scope="acme-web", value=VISITOR)
    assert (interaction.thread.id, interaction.thread.visibility) == (VISITOR, "private")
    assert (interaction.own_account, interaction.native_id) == ("acme-web", MESSAGE)


def test_the_same_message_again_has_the_same_id_whatever_else_changed() -> None:
    assert message().id == message(at="2026-11-19T00:00:00Z", text="Hello again").id


def test_two_visitors_never_share_an_id() -> None:
    other = "f" * 32
    assert message().id != message(visitor=other).id


@pytest.mark.parametrize(
    ("at", "believed"),
    [
        ("2026-11-20T09:29:00Z", NOW - timedelta(minutes=1)),
        ("2026-11-20T12:29:00+03:00", NOW - timedelta(minutes=1)),
        ("2026-11-14T09:30:00Z", NOW - timedelta(days=6)),
        ("2026-11-20T09:30:01Z", NOW),  # from the future
        ("2019-01-01T00:00:00Z", NOW),  # a clock that was never set
        ("0001-01-01T00:00:00+14:00", NOW),  # before the first moment that UTC can say
        ("9999-12-31T23:59:59-14:00", NOW),
        (None, NOW),
    ],
)
def test_the_browsers_clock_is_believed_within_reason(at: str | None, believed: datetime) -> None:
    assert message(at=at).interaction.sent_at == believed


@settings(deadline=None)
@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])))
def test_no_clock_breaks_the_parser(at: datetime) -> None:
    assert message(at=at.isoformat()).interaction.sent_at <= NOW


def test_a_pressed_button_says_its_title_and_its_value() -> None:
    interaction = message(text="Refund", choice="refund", reply_to="abc").interaction
    assert (interaction.text, interaction.choice, interaction.in_reply_to) == ("Refund", "refund", "abc")


def test_a_hand_off_comes_before_the_message() -> None:
    claim, interaction = parsed("message", id=MESSAGE, text="Hello", handoff=TOKEN)
    assert isinstance(claim, IdentityClaimed)
    assert isinstance(interaction, InteractionReceived)
    assert (claim.proof, claim.token, claim.tier) == ("handoff_token", TOKEN, "claimed")
    assert claim.thread == interaction.interaction.thread


@pytest.mark.parametrize("token", ["", "K5VQ3M7XW2P4NY6ZR7B3CDAEJH", TOKEN[:-1], TOKEN + "a", TOKEN + "\n", "1" * 26])
def test_a_bad_hand_off_costs_nobody_the_message(token: str) -> None:
    problem, interaction = parsed("message", id=MESSAGE, text="Hello", handoff=token)
    assert isinstance(problem, Unrecognised)
    assert isinstance(interaction, InteractionReceived)


def test_typing() -> None:
    (event,) = parsed("typing", id=MESSAGE)
    assert isinstance(event, TypingStarted)
    assert event.thread.id == VISITOR


def test_reading_is_told_once_for_each_message() -> None:
    events = parsed("read", messages=["a", "b", "a"])
    assert [(type(event), getattr(event, "native_id", None)) for event in events] == [
        (DeliveryUpdated, "a"),
        (DeliveryUpdated, "b"),
    ]


def test_a_type_of_a_later_protocol_is_kept() -> None:
    (event,) = parsed("dance", id=MESSAGE)
    assert isinstance(event, Unrecognised)
    assert event.native_type == "dance"


@pytest.mark.parametrize(
    "fields",
    [
        {"id": MESSAGE},
        {"id": MESSAGE, "text": ""},
        {"id": MESSAGE, "text": " \n "},
        {"id": MESSAGE, "text": "x" * 4001},
        {"id": MESSAGE, "text": "a\x00b"},
        {"id": MESSAGE, "text": "\ud800"},
        {"id": MESSAGE.upper(), "text": "Hello"},
        {"id": "reply-7", "text": "the id of a reply of ours"},
        {"id": 7, "text": "Hello"},
        {"id": MESSAGE, "text": "Hello", "at": "yesterday"},
        {"id": MESSAGE, "text": "Hello", "at": "2026-11-20T09:29:00"},
        {"id": MESSAGE, "text": "Hello", "visitor": "../etc"},
        {"id": MESSAGE, "text": "Hello", "visitor": VISITOR + "\n"},
    ],
)
def test_what_cannot_be_read_is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayload):
        parsed("message", **fields)


def test_the_reason_names_the_field_and_not_the_value() -> None:
    with pytest.raises(MalformedPayload, match="text") as caught:
        parsed("message", id=MESSAGE, text="my card is 4111\x00")
    assert "4111" not in str(caught.value)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_parse_is_total_on_bytes(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        list(CHAT.parse(payload(body)))


@pytest.mark.parametrize("secret", ["the-secret-of-today", "the-secret-of-yesterday"])
def test_both_secrets_are_good_while_they_rotate(secret: str) -> None:
    CHAT.verify(payload(b"{}", SecretStr(secret)))


@pytest.mark.parametrize(
    "signature", ["", "0" * 64, "ü", sign(SETTINGS.secret, b"{} "), sign(SETTINGS.secret, b"{}").upper()]
)
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        CHAT.verify(Payload(body=b"{}", headers=(("x-webchat-signature", signature),), received_at=NOW))


def test_no_signature_is_refused() -> None:
    with pytest.raises(SignatureError, match="missing"):
        CHAT.verify(Payload(body=b"{}", received_at=NOW))


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "short"},
        {"own_account": "Acme Web"},
        {"own_account": "a:b"},
        {"accent": "red; } body { display: none"},
        {"allowed_origins": ["https://a.example/path"]},
        {"allowed_origins": ["https://a.example; script-src *"]},
        {"allowed_origins": ["*"]},
        {"colour": "#ffffff"},
    ],
)
def test_settings_that_would_do_harm_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebchatSettings.model_validate({"own_account": "acme-web", "secret": "a-secret-for-a-test", **wrong})


def test_a_retried_reply_is_the_same_message() -> None:
    thread = {"id": VISITOR, "visibility": "private"}
    intent = {"type": "send.message", "key": "tenant-7-reply-12", "own_account": "acme-web", "thread": thread}
    sends = [CHAT.send(INTENT.validate_python({**intent, "text": "Hello"})) for _ in range(2)]
    first, again = (drive(flow, pytest.fail, CHAT.failure) for flow in sends)
    assert first == again
    assert first.native_id == "tenant-7-reply-12"
