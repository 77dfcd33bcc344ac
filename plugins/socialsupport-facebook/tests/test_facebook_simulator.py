"""Both sides at once: the connector against a Facebook that checks its calls."""

from datetime import timedelta
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
    Forbidden,
    RateLimited,
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
    DeleteMessage,
    DeliveryUpdated,
    EditMessage,
    Facts,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    MarkRead,
    OpenPrivate,
    React,
    ReactionAdded,
    Template,
    Thread,
    Typing,
)
from socialsupport_facebook import Facebook, FacebookSettings
from socialsupport_facebook.simulator import PAGE, FacebookSimulator

SIGN_IN = SignIn(state="s", redirect="https://hub.example/back", verifier=SecretStr("v" * 43))
TOKEN = "abcdefghijklmnopqrstuvwx23"
SETTINGS = {
    "app_id": "42",
    "app_secret": "an-app-secret",
    "verify_token": "our-token",
    "access_token": "page-token",
    "page_id": PAGE,
    "human_agent": True,
}
PIXELS = Blob(content=b"pixels", media_type="image/png", name="box.png")


class Desk(testing.Desk[Facebook, FacebookSimulator]):
    own_account = PAGE
    question = "My parcel never came."

    def __init__(self, **more: Any) -> None:
        settings = FacebookSettings.model_validate(SETTINGS | more)
        super().__init__(Facebook(settings), FacebookSimulator(settings, clock=self.clock), blob=PIXELS)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def complaint(desk: Desk) -> Interaction:
    return desk.asked("Nobody answers!", "post")


# in private


def test_a_question_its_answer_and_the_echo(desk: Desk) -> None:
    asked = desk.asked()
    assert (asked.text, asked.thread.visibility, asked.own_account) == ("My parcel never came.", "private", PAGE)
    receipt = desk.send(asked, "We are **looking** into it.")
    assert desk.sim.heard("kerry")[-1].text == "We are looking into it."
    echo = desk.heard()
    assert (echo.native_id, echo.client_key, echo.author.is_self) == (receipt.native_id, "k-1", True)
    assert echo.recipients[0].account == asked.author.account


def test_quick_replies_come_back_with_their_value(desk: Desk) -> None:
    desk.send(desk.asked(), "Which one?", choices=(Choice(title="Red", value="R"), Choice(title="Blue", value="B")))
    desk.events()
    desk.sim.press("kerry", "Blue")
    assert (pressed := desk.heard()).choice == "B"
    assert pressed.text == "Blue"


@pytest.mark.parametrize("choice", [Choice(title="t" * 21, value="v"), Choice(title="t", value="v" * 1001)])
def test_a_choice_that_would_be_cut_is_refused(desk: Desk, choice: Choice) -> None:
    with pytest.raises(ContentRejected, match="fit"):
        desk.send(desk.asked(), choices=(choice,))
    assert not desk.sim.calls


def test_a_file_is_uploaded_and_then_shown(desk: Desk) -> None:
    asked = desk.asked()
    file = Attachment(media_type="image/png", blob="a" * 64)
    receipt = desk.send(asked, None, attachments=(file,))
    assert list(desk.sim.files.values()) == [b"pixels"]
    echo = desk.heard()
    assert echo.native_id == receipt.native_id
    assert echo.attachments[0].url == f"https://cdn.fbsbx.com/{receipt.native_id}"


def test_an_upload_whose_answer_is_lost_has_sent_nothing(desk: Desk) -> None:
    asked = desk.asked()
    desk.sim.faults.drop = 1
    with pytest.raises(Unavailable, match="upload"):
        desk.send(asked, None, attachments=(Attachment(media_type="application/pdf", blob="a" * 64),))
    assert [said.author for said in desk.sim.said] == ["kerry"]


def test_after_a_day_only_a_person_may_answer(desk: Desk) -> None:
    asked = desk.asked()
    desk.now += timedelta(days=3)
    with pytest.raises(Unreachable) as refused:
        desk.send(asked)
    assert refused.value.code == "10/2018278"
    desk.send(asked, by_person=True)
    assert [said.author for said in desk.sim.said] == ["kerry", "us"]
    desk.now += timedelta(days=5)
    with pytest.raises(Unreachable):
        desk.send(asked, by_person=True)


def test_without_the_permission_a_person_is_held_to_a_day_too() -> None:
    desk = Desk(human_agent=False)
    asked = desk.asked()
    desk.now += timedelta(days=3)
    with pytest.raises(Unreachable):
        desk.send(asked, by_person=True)
    private = Thread(id="1", visibility="private")
    assert desk.connector.capabilities_in(private).person_window is None
    assert Desk().connector.capabilities_in(private).person_window == timedelta(days=7)


def test_within_a_day_the_tag_is_not_used(desk: Desk) -> None:
    desk.send(desk.asked(), by_person=True)
    assert b"HUMAN_AGENT" not in desk.sim.calls[-1].read()
    assert len(desk.sim.calls) == 1


def test_seen_typing_and_reactions(desk: Desk) -> None:
    asked = desk.asked()
    desk.do(MarkRead, asked)
    desk.do(Typing, asked)
    desk.do(React, asked, reaction="🎉")
    assert desk.sim.reactions == {asked.native_id: "🎉"}
    desk.do(React, asked, reaction="")
    assert desk.sim.reactions == {}
    assert [action for action, _ in desk.sim.acted] == ["mark_seen", "typing_on", "react", "unreact"]


def test_what_people_do_later(desk: Desk) -> None:
    asked = desk.asked()
    said = desk.sim.said[0]
    desk.sim.unsend("kerry", said)
    desk.sim.happened("kerry", message_edit={"mid": said.id, "text": "It came.", "num_edit": 1})
    desk.sim.happened("kerry", reaction={"mid": said.id, "action": "react", "emoji": "❤️"})
    desk.sim.happened("kerry", read={"watermark": desk.sim.stamp()})
    deleted, edited, reacted, read = desk.events()
    assert isinstance(deleted, InteractionDeleted)
    assert deleted.native_id == asked.native_id
    assert isinstance(edited, InteractionEdited)
    assert edited.interaction.text == "It came."
    assert isinstance(reacted, ReactionAdded)
    assert reacted.reaction == "❤️"
    assert isinstance(read, DeliveryUpdated)
    assert (read.state, read.native_id, read.thread) == ("read", None, asked.thread)


def test_a_link_brings_its_token_along(desk: Desk) -> None:
    assert desk.connector.invitation(TOKEN) == f"https://m.me/{PAGE}?ref={TOKEN}"
    desk.sim.happened("kerry", referral={"ref": TOKEN, "source": "SHORTLINK", "type": "OPEN_THREAD"})
    claimed, _ = desk.events()
    assert isinstance(claimed, IdentityClaimed)
    assert (claimed.token, claimed.proof) == (TOKEN, "handoff_token")


@pytest.mark.parametrize("kind", [EditMessage, DeleteMessage, OpenPrivate])
def test_what_messenger_has_not(desk: Desk, kind: Any) -> None:
    asked = desk.asked()
    words = {} if kind is DeleteMessage else {"text": "x"}
    with pytest.raises(Unsupported):
        desk.do(kind, asked, **words)


def test_there_are_no_templates(desk: Desk) -> None:
    with pytest.raises(Unsupported):
        desk.send(desk.asked(), None, template=Template(name="hello", language="en_US"))


# in public


def test_a_comment_and_the_reply_below_it(desk: Desk) -> None:
    comment = complaint(desk)
    assert (comment.kind, comment.thread.visibility, comment.author.name) == ("comment", "public", "Kerry")
    receipt = desk.send(comment, "We have written to you.")
    echo = desk.heard()
    assert (echo.native_id, echo.in_reply_to, echo.author.is_self) == (receipt.native_id, comment.native_id, True)


def test_one_person_in_public_and_in_private_is_one_account(desk: Desk) -> None:
    assert complaint(desk).author.account == desk.asked().author.account


def test_the_private_reply_opens_the_conversation(desk: Desk) -> None:
    comment = complaint(desk)
    receipt = desk.do(OpenPrivate, comment, text="May we have your order number?")
    assert receipt.thread is not None
    assert receipt.thread.visibility == "private"
    assert desk.sim.heard("kerry")[-1].text == "May we have your order number?"
    assert desk.heard().thread == receipt.thread
    with pytest.raises(Unreachable):  # one for each comment
        desk.do(OpenPrivate, comment, text="Hello?")
    assert desk.asked("A-17").thread == receipt.thread


def test_the_private_reply_to_a_visitor(desk: Desk) -> None:
    desk.sim.visit("kerry", "Nobody answers the phone.")
    post = desk.heard()
    assert (post.kind, post.thread.id) == ("mention", post.native_id)
    desk.do(OpenPrivate, post, text="Hello")
    assert b'"post_id"' in desk.sim.calls[-1].read()


def test_a_private_reply_comes_too_late_after_a_week(desk: Desk) -> None:
    comment = complaint(desk)
    desk.now += timedelta(days=8)
    with pytest.raises(Unreachable):
        desk.do(OpenPrivate, comment, text="Hello")


def test_a_comment_with_a_picture(desk: Desk) -> None:
    desk.send(complaint(desk), "Look", attachments=(Attachment(media_type="image/png", blob="a" * 64),))
    assert desk.sim.said[-1].text == "Look"
    assert b"pixels" in desk.sim.calls[-1].read()


def test_keeping_order(desk: Desk) -> None:
    comment = complaint(desk)
    desk.send(comment, "Sorry!")
    ours = desk.heard()
    desk.do(EditMessage, ours, text="We are sorry.")
    assert desk.sim.said[-1].text == "We are sorry."
    desk.do(DeleteMessage, ours)
    assert desk.sim.said[-1].deleted
    desk.do(DeleteMessage, comment)
    assert desk.sim.hidden == {comment.native_id}
    assert not desk.sim.said[0].deleted


def test_the_operator_may_want_it_deleted() -> None:
    desk = Desk(moderation="delete")
    desk.do(DeleteMessage, complaint(desk))
    assert desk.sim.said[0].deleted
    assert not desk.sim.hidden


def test_likes(desk: Desk) -> None:
    comment = complaint(desk)
    desk.do(React, comment, reaction="👍")
    assert desk.sim.liked == {comment.native_id}
    desk.do(React, comment, reaction="")
    assert desk.sim.liked == set()
    with pytest.raises(Unsupported, match="like"):
        desk.do(React, comment, reaction="🎉")


# trouble


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired), ("drop", Uncertain)],
)
def test_trouble(desk: Desk, fault: str, kind: type[DeliveryError]) -> None:
    assert type(desk.trouble(fault)) is kind


def test_a_rate_says_how_long_to_wait(desk: Desk) -> None:
    met = desk.trouble("rate_limit")
    assert isinstance(met, RateLimited)
    assert met.retry_after == 60


def test_a_lost_answer_is_told_by_the_echo(desk: Desk) -> None:
    asked = desk.asked()
    desk.sim.faults.drop = 1
    with pytest.raises(Uncertain):
        desk.send(asked)
    assert desk.heard().client_key == "k-1"


def test_a_wrong_token_is_refused(desk: Desk) -> None:
    stranger = Facebook(desk.connector.settings.model_copy(update={"access_token": SecretStr("guessed")}))
    asked = desk.asked()
    desk.connector = stranger
    with pytest.raises(AuthExpired):
        desk.send(asked)


# around


def test_who_we_are_and_who_they_are(desk: Desk) -> None:
    assert desk.run(desk.connector.probe()) == Facts(own_account=PAGE, name="Acme", handle="acme")
    asked = desk.asked()
    assert asked.author.account is not None
    assert desk.run(desk.connector.profile(asked.author.account)).name == "Kerry Fisher"
    with pytest.raises(Unreachable):
        desk.run(desk.connector.profile(Identifier(kind="facebook.psid", scope=PAGE, value="9")))


def test_the_app_is_installed(desk: Desk) -> None:
    desk.run(desk.connector.subscribe("https://hub.example/hooks/app/1"))
    assert {"messages", "feed", "mention", "message_echoes"} <= desk.sim.subscribed


def test_signing_in_ends_with_the_token_of_the_page(desk: Desk) -> None:
    back = httpx.URL(desk.sim.allow(desk.connector.connect_with(SIGN_IN)))
    assert back.params["state"] == "s"
    credentials = desk.run(desk.connector.exchange_with(back.params["code"], SIGN_IN))
    assert credentials.access_token.get_secret_value() in desk.sim.tokens
    assert credentials.expires_at is None
    with pytest.raises(DeliveryError):  # a code works once
        desk.run(desk.connector.exchange_with(back.params["code"], SIGN_IN))


def test_signing_in_to_another_page_is_told() -> None:
    desk = Desk()
    other = Facebook(desk.connector.settings.model_copy(update={"page_id": "777"}))
    code = httpx.URL(desk.sim.allow(other.connect_with(SIGN_IN))).params["code"]
    with pytest.raises(Forbidden, match=f"Acme .{PAGE}."):
        desk.run(other.exchange_with(code, SIGN_IN))


def test_what_is_missing_is_named() -> None:
    bare = FacebookSettings.model_validate({"app_secret": "an-app-secret", "verify_token": "our-token"})
    facebook = Facebook(bare)
    with pytest.raises(ConfigError, match="app_id"):
        facebook.connect_with(SIGN_IN)
    with pytest.raises(ConfigError, match="page_id"):
        next(facebook.subscribe("https://hub.example"))
    assert facebook.invitation(TOKEN) is None
    assert Facebook(bare, Facts(own_account="7")).invitation(TOKEN) == f"https://m.me/7?ref={TOKEN}"


@pytest.mark.parametrize(
    "url", ["", "http://scontent.xx.fbcdn.net/x", "https://evil.example/fbcdn.net", "https://[", "x"]
)
def test_files_are_fetched_from_facebook_only(desk: Desk, url: str) -> None:
    with pytest.raises(Unsupported):
        desk.run(desk.connector.fetch(Attachment(url=url)))


def test_the_token_goes_to_the_api_and_nowhere_else(desk: Desk) -> None:
    for url, told in (("https://graph.facebook.com/v25.0/me", True), ("https://scontent.xx.fbcdn.net/x", False)):
        request = desk.connector.authorize(httpx.Request("GET", url), None, desk.now, "0" * 32)
        assert ("authorization" in request.headers) is told
