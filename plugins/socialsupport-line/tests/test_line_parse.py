"""What a webhook says, in the corners that the golden cases do not show."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from socialsupport_core.contract import MalformedPayload, SignatureError
from socialsupport_core.contract.lax import number_of
from socialsupport_core.model import Event, Interaction, InteractionReceived, Payload, Unrecognised
from socialsupport_line import Line, LineSettings
from socialsupport_line.native import CONTEXT, context, kept, moment_of

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
MILLISECONDS = int(AT.timestamp() * 1000)
SECRETS = {"channel_secret": "new", "previous_channel_secret": "old", "other_channel_secrets": ["second", "third"]}
LINE = Line(LineSettings.model_validate(SECRETS))


def payload(*events: Any, destination: Any = "Uus", secret: str = "new") -> Payload:
    body = json.dumps({"destination": destination, "events": events}).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return Payload(headers=(("x-line-signature", signature),), body=body, received_at=AT)


def event(kind: str = "message", **more: Any) -> dict[str, Any]:
    base = {"type": kind, "webhookEventId": "01E", "timestamp": MILLISECONDS, "replyToken": "r"}
    return {**base, "source": {"type": "user", "userId": "Ukerry"}, **more}


def said(message: Mapping[str, Any], **more: Any) -> Interaction:
    (found,) = LINE.parse(payload(event(message={"id": "7", **message}, **more)))
    assert isinstance(found, InteractionReceived)
    return found.interaction


def events(*natives: Any) -> list[Event]:
    return list(LINE.parse(payload(*natives)))


@pytest.mark.parametrize("secret", ["new", "old", "second", "third"])
def test_the_secrets_of_all_channels_open_the_door(secret: str) -> None:
    LINE.verify(payload(secret=secret))


def test_another_secret_does_not() -> None:
    with pytest.raises(SignatureError):
        LINE.verify(payload(secret="fourth"))


def test_every_secret_is_redacted() -> None:
    assert LINE.settings.secrets() == ["new", "old", "second", "third"]


@pytest.mark.parametrize("given", ["", "x", "é", None])
def test_nothing_else_does(given: str | None) -> None:
    headers = () if given is None else (("x-line-signature", given),)
    with pytest.raises(SignatureError):
        LINE.verify(payload().model_copy(update={"headers": headers}))


def test_one_door_serves_many_accounts() -> None:
    found = [next(iter(LINE.parse(payload(event("unfollow"), destination=own)))) for own in ("Uone", "Utwo")]
    assert [getattr(one, "own_account", None) for one in found] == ["Uone", "Utwo"]


def test_the_same_event_twice_in_a_request_is_one() -> None:
    assert len(events(event("unfollow"), event("unfollow"))) == 1


def test_a_new_delivery_flag_changes_no_id() -> None:
    first = events(event(message={"type": "text", "id": "7", "text": "x"}))
    again = events(event(message={"type": "text", "id": "7", "text": "x"}, deliveryContext={"isRedelivery": True}))
    assert first == again


def test_markup_of_people_is_no_markup() -> None:
    assert LINE.measured(said({"type": "text", "text": "*a* _b_ <c> (love)"}).text or "") == "*a* _b_ <c> (love)"


def test_who_is_mentioned_and_which_emoji_it_is() -> None:
    mentionees = [{"type": "all"}, {"type": "user", "userId": "Uus", "isSelf": True}, {"type": "user"}]
    emojis = [{"productId": "p", "emojiId": "1"}]
    found = said({"type": "text", "text": "x", "mention": {"mentionees": mentionees}, "emojis": emojis})
    read = json.loads(found.context or "")
    assert (read["mentions"], read["mentions_us"], read["emojis"]) == (["all", "Uus", "?"], True, ["p/1"])


def test_tokens_stay_when_the_rest_is_too_long() -> None:
    emojis = [{"productId": "p" * 24, "emojiId": str(n)} for n in range(500)]
    found = said({"type": "text", "text": "x", "emojis": emojis, "quoteToken": "q", "markAsReadToken": "m"})
    assert json.loads(found.context or "") == {"reply": "r", "quote": "q", "read": "m"}


def test_an_overlong_token_is_not_kept_at_all() -> None:
    assert context({"quote": "q" * CONTEXT}, {}) is None


@pytest.mark.parametrize("written", [None, "", "{", "[]", "7", '{"quote":[]}', "[" * 100_000])
def test_a_strange_context_holds_no_token(written: str | None) -> None:
    assert kept(written, "quote") is None


@pytest.mark.parametrize("stamp", [None, "soon", -1, 0, True, 10**40, 1e300])
def test_a_strange_time_is_the_moment_of_arrival(stamp: Any) -> None:
    assert moment_of({"timestamp": stamp}, "timestamp") is None
    assert said({"type": "text", "text": "x"}, timestamp=stamp).sent_at == AT


@pytest.mark.parametrize("value", ["7", None, True, 10**400, [], float("inf")])
def test_a_strange_number_is_none(value: Any) -> None:
    assert number_of({"x": value}, "x") is None


@pytest.mark.parametrize(
    "broken",
    [
        {"message": {"type": "text", "id": "7"}},
        {"message": {"type": "text", "text": "x"}},
        {"message": {"type": "location", "id": "7", "latitude": 1}},
        {"message": {"type": "location", "id": "7", "latitude": 91, "longitude": 0}},
        {"message": {"id": "7"}},
        {"source": {}, "message": {"type": "text", "id": "7", "text": "x"}},
        {"source": {"type": "planet", "planetId": "3"}, "message": {"type": "text", "id": "7", "text": "x"}},
        {"source": {"type": "group"}, "message": {"type": "text", "id": "7", "text": "x"}},
    ],
)
def test_what_lacks_the_needed_is_set_aside_beside_others(broken: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayload):
        events(event(**broken))
    aside, other = events(event(**broken), event("unfollow", webhookEventId="02E"))
    assert isinstance(aside, Unrecognised)
    assert (aside.native_type, other.id) == ("message", "02E")
    assert (aside.reason or "").startswith("it cannot be read")


def test_an_event_of_old_has_an_id_that_stays_and_differs_from_others() -> None:
    said = {"type": "text", "id": "7", "text": "x"}
    (old,) = events(event(webhookEventId=None, message=said))
    (again,) = events(event(webhookEventId=None, message=said, deliveryContext={"isRedelivery": True}, other=1))
    (next_one,) = events(event(webhookEventId=None, message={**said, "id": "8"}))
    assert old.id == again.id != next_one.id


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"destination": "U"}', b'{"destination": "U", "events": {}}', b"{"])
def test_a_body_of_another_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        LINE.parse(Payload(body=body, received_at=AT))


def test_an_event_that_is_no_object_is_set_aside() -> None:
    aside, _ = events("hello", event("unfollow"))
    assert isinstance(aside, Unrecognised)


@pytest.mark.parametrize("event_id", ["03E", None])
def test_what_is_set_aside_has_the_same_id_when_it_is_delivered_again(event_id: str | None) -> None:
    other = event("unfollow")
    broken = [
        event("unsend", webhookEventId=event_id, unsend={}, deliveryContext={"isRedelivery": again})
        for again in (False, True)
    ]
    first, second = (events(one, other)[0] for one in broken)
    assert first.id == second.id
    assert (first.id == "03E") == (event_id == "03E")


def test_members_without_members_are_not_passed_over() -> None:
    aside, _ = events(event("memberJoined", webhookEventId="02E", joined={"members": []}), event("unfollow"))
    assert isinstance(aside, Unrecognised)


def test_each_member_that_comes_is_told() -> None:
    members = [{"type": "user", "userId": f"U{n}"} for n in range(3)]
    found = events(event("memberJoined", source={"type": "group", "groupId": "C1"}, joined={"members": members}))
    assert [one.id for one in found] == ["01E:1", "01E:2", "01E:3"]


@pytest.mark.parametrize("kind", ["group", "room"])
def test_who_is_not_named_is_the_group(kind: str) -> None:
    found = said({"type": "text", "text": "x"}, source={"type": kind, f"{kind}Id": "C1"})
    assert found.author.account
    assert (found.author.account.kind, found.author.account.value) == (f"line.{kind}", "C1")


@pytest.mark.parametrize(
    ("sticker", "text"),
    [({"text": "Hi", "keywords": ["a"]}, "Hi"), ({"keywords": ["a", 7, "b"]}, "a, b"), ({}, "sticker")],
)
def test_a_sticker_says_what_is_known_of_it(sticker: dict[str, Any], text: str) -> None:
    assert said({"type": "sticker", "packageId": "1", "stickerId": "2", **sticker}).text == text


def test_a_recording_has_its_length() -> None:
    found = said({"type": "audio", "duration": 4500})
    assert (found.duration, found.attachments[0].native_id) == (4.5, "7")


def test_a_file_has_its_name_and_size() -> None:
    (file,) = said({"type": "file", "fileName": "a.pdf", "fileSize": 2138}).attachments
    assert (file.name, file.size, file.native_id) == ("a.pdf", 2138, "7")
