"""Both sides at once: the connector against an Instagram that checks its calls."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core import testing
from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    ContentRejected,
    DeliveryError,
    RateLimited,
    SignatureError,
    SignIn,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    Credentials,
    DeleteMessage,
    DeliveryUpdated,
    EditMessage,
    Facts,
    IdentityClaimed,
    InteractionReceived,
    MarkRead,
    OpenPrivate,
    Payload,
    React,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_instagram import Instagram, InstagramSettings
from socialsupport_instagram.simulator import ACCOUNT, InstagramSimulator

TOKEN = "abcdefghijklmnopqrstuvwx23"
SETTINGS = {
    "app_id": "42",
    "app_secret": "an-app-secret",
    "verify_token": "our-token",
    "access_token": "page-token",
    "account_id": ACCOUNT,
    "human_agent": True,
}
DM = Thread(id="1", visibility="private")


PIXELS = Blob(content=b"pixels", media_type="image/png")


class Desk(testing.Desk[Instagram, InstagramSimulator]):
    own_account = ACCOUNT
    question = "Do you have it in red?"

    def __init__(self, **more: Any) -> None:
        settings = InstagramSettings.model_validate(SETTINGS | more)
        sim = InstagramSimulator(settings, clock=self.clock)
        super().__init__(Instagram(settings, Facts(handle="acme")), sim, blob=PIXELS)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# in private


def test_a_question_its_answer_and_the_echo(desk: Desk) -> None:
    question = desk.asked()
    receipt = desk.send(question, "Yes, **we do**.")
    assert desk.sim.heard("kerry")[-1].text == "Yes, we do."
    echo = desk.heard()
    assert (echo.native_id, echo.text, echo.author.is_self, echo.client_key) == (
        receipt.native_id, "Yes, we do.", True, None)  # fmt: skip


def test_quick_replies_come_back_with_their_value(desk: Desk) -> None:
    desk.do(SendMessage, desk.asked(), text="Which?", choices=(Choice(title="Red", value="R"),))
    desk.events()
    desk.sim.press("kerry", "Red")
    assert desk.heard().choice == "R"


def test_an_ice_breaker(desk: Desk) -> None:
    desk.sim.happened("kerry", postback={"mid": "m", "title": "Where is my parcel?", "payload": "TRACK"})
    opened = desk.heard()
    assert (opened.text, opened.choice) == ("Where is my parcel?", "TRACK")


def test_a_picture_is_uploaded_to_the_page(desk: Desk) -> None:
    file = Attachment(media_type="image/png", blob="a" * 64)
    desk.do(SendMessage, desk.asked(), text=None, attachments=(file,))
    assert list(desk.sim.files.values()) == [b"pixels"]


def test_by_instagrams_own_login_there_are_no_files() -> None:
    desk = Desk(login="instagram")
    assert desk.connector.capabilities_in(DM).media == ()
    desk.send(desk.asked(), "Yes")
    assert desk.sim.calls[-1].url.host == "graph.instagram.com"
    assert "graph.facebook.com" not in desk.connector.hosts
    assert desk.run(desk.connector.probe()).own_account == ACCOUNT


def test_bytes_are_counted(desk: Desk) -> None:
    question = desk.asked()
    desk.send(question, "ä" * 500)
    with pytest.raises(ContentRejected):
        desk.send(question, "ä" * 501)


def test_after_a_day_only_a_person_may_answer(desk: Desk) -> None:
    question = desk.asked()
    desk.now += timedelta(days=2)
    with pytest.raises(Unreachable):
        desk.send(question, "Yes")
    desk.send(question, "Yes", by_person=True)
    assert b"HUMAN_AGENT" in desk.sim.calls[-1].read()
    assert Desk(human_agent=False).connector.capabilities_in(DM).person_window is None


def test_a_mention_in_a_story_can_be_answered_and_not_kept(desk: Desk) -> None:
    desk.sim.mention_in_story("kerry")
    story = desk.heard()
    assert (story.kind, story.thread.visibility) == ("mention", "private")
    with pytest.raises(Unsupported, match="kept"):
        desk.run(desk.connector.fetch(story.attachments[0]))
    desk.send(story, "Thank you!")
    assert desk.sim.heard("kerry")[-1].text == "Thank you!"


def test_seen_typing_and_hearts(desk: Desk) -> None:
    question = desk.asked()
    desk.do(MarkRead, question)
    desk.do(Typing, question)
    desk.do(React, question, reaction="❤️")
    assert desk.sim.reactions == {question.native_id: "love"}
    desk.do(React, question, reaction="")
    assert desk.sim.reactions == {}
    desk.sim.happened("kerry", read={"mid": "m_1"})
    read = desk.only(DeliveryUpdated)
    assert (read.state, read.native_id) == ("read", "m_1")


def test_a_link_brings_its_token_along(desk: Desk) -> None:
    assert desk.connector.invitation(TOKEN) == f"https://ig.me/m/acme?ref={TOKEN}"
    assert Instagram(desk.connector.settings).invitation(TOKEN) is None
    desk.sim.happened("kerry", referral={"ref": TOKEN, "source": "IGME-SOURCE-LINK", "type": "OPEN_THREAD"})
    claimed, _ = desk.events()
    assert isinstance(claimed, IdentityClaimed)
    assert claimed.token == TOKEN


# in public


def test_a_comment_its_reply_and_the_echo(desk: Desk) -> None:
    comment = desk.asked(place="media")
    assert (comment.kind, comment.author.handle, comment.in_reply_to) == ("comment", "kerry", comment.thread.id)
    receipt = desk.send(comment, "Yes!")
    echo = desk.heard()
    assert (echo.native_id, echo.in_reply_to, echo.author.is_self) == (receipt.native_id, comment.native_id, True)


def test_one_person_in_public_and_in_private_is_one_account(desk: Desk) -> None:
    assert desk.asked(place="media").author.account == desk.asked().author.account


def test_the_private_reply_opens_the_conversation(desk: Desk) -> None:
    comment = desk.asked(place="media")
    receipt = desk.do(OpenPrivate, comment, text="Your size?")
    assert desk.heard().thread == receipt.thread == desk.asked().thread
    with pytest.raises(Unreachable):
        desk.do(OpenPrivate, comment, text="Hello?")


def test_a_mention_elsewhere_is_read_and_answered(desk: Desk) -> None:
    desk.sim.mention("kerry", "Ask @acme")
    mention = desk.heard()
    assert (mention.kind, mention.text, mention.thread.visibility) == ("mention", None, "public")
    words = desk.run(desk.connector.fetch(mention.attachments[0]))
    assert words.content == b"@kerry: Ask @acme"
    desk.send(mention, "Here we are.")
    assert desk.sim.said[-1].text == "Here we are."
    with pytest.raises(ContentRejected, match="comment"):
        desk.do(OpenPrivate, mention, text="Hello")


def test_keeping_order(desk: Desk) -> None:
    comment = desk.asked(place="media")
    desk.send(comment, "Yes!")
    desk.do(DeleteMessage, desk.heard())
    assert desk.sim.said[-1].deleted
    desk.do(DeleteMessage, comment)
    assert desk.sim.hidden == {comment.native_id}
    strict = Desk(moderation="delete")
    strict.do(DeleteMessage, strict.asked(place="media"))
    assert strict.sim.said[0].deleted


@pytest.mark.parametrize(("kind", "more"), [(React, {"reaction": "❤️"}), (EditMessage, {"text": "x"}), (Typing, {})])
def test_what_comments_have_not(desk: Desk, kind: Any, more: dict[str, str]) -> None:
    with pytest.raises(Unsupported):
        desk.do(kind, desk.asked(place="media"), **more)


@pytest.mark.parametrize("kind", [DeleteMessage, OpenPrivate, EditMessage])
def test_what_messages_have_not(desk: Desk, kind: Any) -> None:
    with pytest.raises(Unsupported):
        desk.do(kind, desk.asked(), **({} if kind is DeleteMessage else {"text": "x"}))


# trouble, and around


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired), ("drop", Uncertain)],
)
def test_trouble(desk: Desk, fault: str, kind: type[DeliveryError]) -> None:
    assert type(desk.trouble(fault)) is kind


def test_the_second_secret_of_an_app_signs_too(desk: Desk) -> None:
    desk.asked()
    desk.sim.speak("kerry", "Hello?")
    (payload,) = desk.sim.due()
    more = {"app_secret": "another-secret", "instagram_app_secret": "an-app-secret"}
    Instagram(InstagramSettings.model_validate(SETTINGS | more)).verify(payload)
    with pytest.raises(SignatureError):
        Instagram(InstagramSettings.model_validate(SETTINGS | {"app_secret": "another-secret"})).verify(payload)


def test_who_we_are_and_who_they_are(desk: Desk) -> None:
    assert desk.run(desk.connector.probe()) == Facts(own_account=ACCOUNT, name="Acme", handle="acme")
    author = desk.asked().author.account
    assert author is not None
    known = desk.run(desk.connector.profile(author))
    assert (known.name, known.handle) == ("Kerry", "kerry")
    desk.run(desk.connector.subscribe("https://hub.example/hooks/app/1"))
    assert desk.sim.subscribed == {"messages"}


def test_signing_in_ends_with_the_token_of_the_linked_page(desk: Desk) -> None:
    sign_in = SignIn(state="s", redirect="https://hub.example/back", verifier=SecretStr("v" * 43))
    code = httpx.URL(desk.sim.allow(desk.connector.connect_with(sign_in))).params["code"]
    credentials = desk.run(desk.connector.exchange_with(code, sign_in))
    assert credentials.access_token.get_secret_value() in desk.sim.tokens


BY_INSTAGRAM = {"login": "instagram", "instagram_app_id": "43", "instagram_app_secret": "second-app-secret"}


def by_instagram() -> tuple[Desk, Credentials]:
    """A desk that somebody has signed in at, and what that gave."""
    desk = Desk(**BY_INSTAGRAM)
    sign_in = SignIn(state="s", redirect="https://hub.example/back", verifier=SecretStr("v" * 43))
    code = httpx.URL(desk.sim.allow(desk.connector.connect_with(sign_in))).params["code"]
    return desk, desk.run(desk.connector.exchange_with(code, sign_in))


def test_signing_in_by_instagram_ends_with_a_token_of_sixty_days() -> None:
    desk, granted = by_instagram()
    assert granted.expires_at == desk.now + timedelta(days=60)
    desk.credentials = granted
    assert desk.run(desk.connector.probe()).own_account == ACCOUNT
    assert {"api.instagram.com", "graph.instagram.com"} <= desk.connector.hosts


def test_a_token_of_sixty_days_is_renewed() -> None:
    desk, granted = by_instagram()
    desk.now += timedelta(days=59)
    renewed = desk.run(desk.connector.refresh(granted))
    assert renewed.expires_at == desk.now + timedelta(days=60)
    desk.credentials = renewed
    assert desk.run(desk.connector.probe()).handle == "acme"


@pytest.mark.parametrize("age", [timedelta(hours=23), timedelta(days=60)])
def test_a_token_too_young_or_past_its_end_is_not_renewed(age: timedelta) -> None:
    desk, granted = by_instagram()
    desk.now += age
    with pytest.raises(AuthExpired):
        desk.run(desk.connector.refresh(granted))


def test_a_renewal_asks_for_what_is_documented() -> None:
    connector = Desk(**BY_INSTAGRAM).connector
    old = Credentials(access_token=SecretStr("old-token"), expires_at=datetime(2026, 3, 3, tzinfo=UTC))
    request = next(connector.refresh(old))
    wanted = "https://graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token&access_token=old-token"
    assert (request.method, str(request.url)) == ("GET", wanted)


def test_a_code_comes_alone_or_in_a_list() -> None:
    sign_in = SignIn(state="s", redirect="https://hub.example/back", verifier=SecretStr("v" * 43))
    for body in ({"access_token": "short", "user_id": 1}, {"data": [{"access_token": "short", "user_id": "1"}]}):
        flow = Desk(**BY_INSTAGRAM).connector.exchange_with("c", sign_in)
        next(flow)
        assert flow.send(httpx.Response(200, json=body)).url.params["access_token"] == "short"


def test_signing_in_by_instagram_wants_the_apps_second_number() -> None:
    sign_in = SignIn(state="s", redirect="https://hub.example/back", verifier=SecretStr("v" * 43))
    with pytest.raises(ConfigError, match="instagram_app_id"):
        Desk(login="instagram").connector.connect_with(sign_in)


def test_the_token_of_a_page_has_no_end(desk: Desk) -> None:
    with pytest.raises(AuthExpired, match="no end"):
        desk.run(desk.connector.refresh(Credentials(access_token=SecretStr("page-token"))))


def test_a_comment_comes_with_the_time_of_its_notification(desk: Desk) -> None:
    body = b'{"object":"instagram","entry":[{"id":"1","time":1772445602,"changes":[{"field":"comments","value":' \
           b'{"id":"2","from":{"id":"3"},"text":"x","media":{"id":"4"}}}]}]}'  # fmt: skip
    (event,) = desk.connector.parse(Payload(body=body, received_at=desk.now))
    assert isinstance(event, InteractionReceived)
    assert event.interaction.sent_at == datetime(2026, 3, 2, 10, 0, 2, tzinfo=UTC)
