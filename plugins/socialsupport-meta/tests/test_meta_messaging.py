"""What is said in conversations, in the form that Messenger and Instagram share."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.model import (
    DeliveryUpdated,
    Event,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    ReactionAdded,
    ReactionRemoved,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_core.text import plain
from socialsupport_meta.batch import Scene
from socialsupport_meta.content import attachments, linked, location, media_type
from socialsupport_meta.messaging import Messaging, content

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
STAMP = int(NOW.timestamp() * 1000)
TOKEN = "abcdefghijklmnopqrstuvwx23"
PAGES = Messaging("facebook", "facebook.psid", "facebook.page")
SCENE = Scene("77", NOW)
CDN = "https://scontent.xx.fbcdn.net/v/t39/box.png?oh=1"


def events(**told: Any) -> list[Event]:
    event = {"sender": {"id": "42"}, "recipient": {"id": "77"}, "timestamp": STAMP, **told}
    return PAGES.native(event, SCENE).events()


def only(**told: Any) -> Event:
    (event,) = events(**told)
    return event


def message(**message: Any) -> Interaction:
    event = only(message={"mid": "m_1", **message})
    assert isinstance(event, InteractionReceived)
    return event.interaction


def file(kind: str, url: str | None = CDN, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "payload": ({"url": url} if url else {}) | payload}


# words


def test_words() -> None:
    said = message(text="where is *it*?")
    assert (plain(said.text or ""), said.sent_at, said.thread.id) == ("where is *it*?", NOW, "42")
    assert str(said.author.account) == "facebook.psid@77:42"


@pytest.mark.parametrize("text", ["*a*", "# a", "[a](b)", "<b>", "1. a", "`a`", "a\n\n- b"])
def test_what_looks_like_markup_is_text(text: str) -> None:
    assert plain(message(text=text).text or "") == text


def test_an_answer_names_what_it_answers() -> None:
    assert message(text="yes", reply_to={"mid": "m_0"}).in_reply_to == "m_0"


def test_a_pressed_reply_brings_its_value() -> None:
    assert message(text="Yes", quick_reply={"payload": "yes:1"}).choice == "yes:1"


def test_an_echo_is_ours_and_brings_our_key_along() -> None:
    parties = {"sender": {"id": "77"}, "recipient": {"id": "42"}}
    event = only(**parties, message={"mid": "m_1", "text": "hi", "is_echo": True, "metadata": "out_1"})
    assert isinstance(event, InteractionReceived)
    said = event.interaction
    assert (said.direction, said.author.is_self, said.client_key) == ("outbound", True, "out_1")
    assert [str(one.account) for one in said.recipients] == ["facebook.psid@77:42"]


def test_what_somebody_else_calls_our_key_is_none() -> None:
    assert message(text="hi", metadata="out_1").client_key is None


def test_without_a_page_of_its_own_an_id_has_no_scope() -> None:
    assert str(PAGES.identifier("42", Scene("", NOW))) == "facebook.psid:42"


def test_who_came_by_a_plugin_of_a_web_page_has_a_reference() -> None:
    event = only(sender={"user_ref": "shop-1"}, message={"mid": "m_1", "text": "hi"})
    assert isinstance(event, InteractionReceived)
    assert str(event.interaction.author.account) == "facebook.user_ref@77:shop-1"


@pytest.mark.parametrize("parties", [{"sender": {}}, {"sender": None}, {"sender": {"id": ""}}, {"sender": "42"}])
def test_nobody_says_nothing(parties: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        events(**parties, message={"mid": "m_1", "text": "hi"})


# files


@pytest.mark.parametrize(
    ("kind", "url", "media"),
    [
        ("image", "https://scontent.xx.fbcdn.net/a.png", "image/png"),
        ("image", "https://scontent.xx.fbcdn.net/a", "image/jpeg"),
        ("image", "https://scontent.xx.fbcdn.net/a.exe", "image/jpeg"),
        ("video", "https://video.xx.fbcdn.net/a.mp4", "video/mp4"),
        ("audio", "https://cdn.fbsbx.com/a.mp3", "audio/mpeg"),
        ("file", "https://cdn.fbsbx.com/a.pdf", "application/pdf"),
        ("file", "https://cdn.fbsbx.com/a", "application/octet-stream"),
        ("share", "https://scontent.xx.fbcdn.net/a.jpg", "image/jpeg"),
        ("ig_reel", "https://scontent.cdninstagram.com/a", "video/mp4"),
    ],
)
def test_files(kind: str, url: str, media: str) -> None:
    (found,) = message(attachments=[file(kind, url)]).attachments
    assert (found.media_type, found.url) == (media, url)


def test_a_sticker_is_one_picture_though_it_comes_twice() -> None:
    twice = [file("image", sticker_id=1), file("sticker", sticker_id=1), file("image", sticker_id=2)]
    assert [one.media_type for one in attachments(twice, {})] == ["image/png", "image/png"]


def test_a_story_is_named_and_never_fetched() -> None:
    said = message(text="nice", reply_to={"story": {"id": "17", "url": CDN}})
    assert (said.in_reply_to, said.attachments[0].native_id, said.kind) == ("17", "story:17", "message")
    mentioned = message(attachments=[file("story_mention", id="18")])
    assert (mentioned.attachments[0].native_id, mentioned.kind) == ("story:18", "mention")


@pytest.mark.parametrize(
    ("native", "text"),
    [
        (file("share", "https://acme.example/p"), "https://acme.example/p"),
        (file("share", "https://acme.example/p", title="Box"), "Box"),
        (file("fallback", None) | {"title": "Box", "url": "https://acme.example/p"}, "Box"),
        (file("template", None, elements=[{"title": "Two boxes"}]), "Two boxes"),
        (file("template", None, product={"elements": [{"title": "A box"}]}), "A box"),
    ],
)
def test_what_was_shared_is_a_link_or_its_words(native: dict[str, Any], text: str) -> None:
    assert plain(message(attachments=[native]).text or "") == text


def test_a_link_leads_where_it_did() -> None:
    shared = file("share", "https://acme.example/p", title="Box")
    assert linked([shared]) == "[Box](https://acme.example/p)"


def test_a_place() -> None:
    point = {"type": "location", "title": "Here", "payload": {"coordinates": {"lat": 52.5, "long": 13.25}}}
    found = message(attachments=[point]).location
    assert found is not None
    assert (found.latitude, found.longitude, found.name) == (52.5, 13.25, "Here")
    assert location([{"type": "location", "payload": {"coordinates": {"lat": 52.5}}}]) is None


@given(st.text(max_size=60), st.sampled_from(["image/jpeg", "application/octet-stream"]))
def test_any_address_has_a_type(url: str, otherwise: str) -> None:
    assert "/" in media_type(url, otherwise)


# what else happens


def test_what_says_nothing_is_kept() -> None:
    for told, words in (({}, "nothing"), ({"is_unsupported": True, "text": "x"}, "does not show")):
        event = only(message={"mid": "m_1", **told})
        assert isinstance(event, Unrecognised)
        assert words in (event.reason or "")


def test_unsent() -> None:
    event = only(message={"mid": "m_1", "is_deleted": True})
    assert isinstance(event, InteractionDeleted)
    assert (event.id, event.native_id) == ("m_1:deleted", "m_1")


def test_edited_twice_is_two_events() -> None:
    first, second = (only(message_edit={"mid": "m_1", "text": "b", "num_edit": count}) for count in (1, 2))
    assert isinstance(first, InteractionEdited)
    assert first.id != second.id
    assert first.interaction.native_id == "m_1"


def test_a_button_without_a_message_has_an_id_that_stays() -> None:
    pressed = [only(postback={"title": "Start", "payload": "start"}) for _ in range(2)]
    assert pressed[0].id == pressed[1].id == f"postback:42:{STAMP}"


def test_reactions_of_which_everybody_has_one() -> None:
    added, removed = (only(reaction={"mid": "m_1", "action": action, "emoji": "❤️"}) for action in ("react", "unreact"))
    assert isinstance(added, ReactionAdded)
    assert isinstance(removed, ReactionRemoved)
    assert added.id != removed.id
    assert (added.reaction, added.sole, removed.sole) == ("❤️", True, True)


def test_a_removal_that_does_not_tell_which() -> None:
    removed = only(reaction={"mid": "m_1", "action": "unreact"})
    assert isinstance(removed, ReactionRemoved)
    assert (removed.reaction, removed.sole) == ("other", True)


def test_read_until_a_moment_or_one_message() -> None:
    until, one = only(read={"watermark": STAMP}), only(read={"mid": "m_1"})
    assert isinstance(until, DeliveryUpdated)
    assert isinstance(one, DeliveryUpdated)
    assert (until.native_id, until.at, one.native_id) == (None, NOW, "m_1")


def test_deliveries_are_one_event_a_message() -> None:
    found = events(delivery={"mids": ["m_1", "m_2"], "watermark": STAMP})
    assert [event.id for event in found] == ["m_1:delivered", "m_2:delivered"]
    assert [event.id for event in events(delivery={"watermark": STAMP})] == [f"delivered:42:{STAMP}"]


@pytest.mark.parametrize(
    "told",
    [
        {"message": {"mid": "m_1", "text": TOKEN}},
        {"message": {"mid": "m_1", "text": f"go on: https://hub.example/h/{TOKEN}."}},
        {"message": {"mid": "m_1", "text": "hi", "referral": {"ref": TOKEN}}},
        {"postback": {"mid": "m_1", "title": "Start", "payload": "x", "referral": {"ref": TOKEN}}},
    ],
)
def test_a_token_is_claimed_before_what_brings_it(told: dict[str, Any]) -> None:
    claim, said = events(**told)
    assert isinstance(claim, IdentityClaimed)
    assert isinstance(said, InteractionReceived)
    assert (claim.token, claim.proof, str(claim.subject)) == (TOKEN, "handoff_token", "facebook.psid@77:42")


@pytest.mark.parametrize("text", [f"x{TOKEN}", f"{TOKEN}x", TOKEN[:-1], TOKEN.upper(), f"/x/{TOKEN}"])
def test_what_only_looks_like_a_token_is_none(text: str) -> None:
    assert isinstance(only(message={"mid": "m_1", "text": text}), InteractionReceived)


def test_an_echo_claims_nothing() -> None:
    parties = {"sender": {"id": "77"}, "recipient": {"id": "42"}}
    assert len(events(**parties, message={"mid": "m_1", "text": TOKEN, "is_echo": True})) == 1


def test_who_comes_back_by_a_link() -> None:
    assert isinstance(only(referral={"ref": "summer", "source": "SHORTLINK"}), ThreadUpdated)


def test_where_somebody_came_from_is_kept_and_cut() -> None:
    said = content({"text": "hi", "referral": {"ref": "summer", "source": "ADS", "ad_id": "1" * 900, "more": "x"}})
    assert "summer" in said["context"]
    assert len(said["context"]) < 700


@pytest.mark.parametrize("kind", ["optin", "account_linking", "take_thread_control"])
def test_what_is_known_to_say_nothing_has_a_reason(kind: str) -> None:
    native = PAGES.native({"sender": {"id": "42"}, kind: {}}, SCENE)
    assert (native.reader, native.type) == (None, kind)
    assert native.reason


def test_conversations_of_another_app_are_read_too() -> None:
    standby = {"sender": {"id": "42"}, "message": {"mid": "m_1", "text": "hi"}}
    assert [one.type for one in PAGES.natives({"standby": [standby]}, SCENE)] == ["message"]
