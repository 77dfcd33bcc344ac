"""Both sides at once: the connector against a WhatsApp that checks its calls."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from socialsupport_core import testing
from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    ContentRejected,
    DeliveryError,
    RateLimited,
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
    MarkRead,
    OpenPrivate,
    React,
    ReactionAdded,
    ReactionRemoved,
    SendMessage,
    Template,
    Thread,
    ThreadUpdated,
    Typing,
)
from socialsupport_whatsapp import WhatsApp, WhatsAppSettings
from socialsupport_whatsapp.simulator import NUMBER, NUMBER_ID, WhatsAppSimulator

TOKEN = "abcdefghijklmnopqrstuvwx23"
SETTINGS = {
    "app_secret": "an-app-secret",
    "verify_token": "our-token",
    "access_token": "system-user-token",
    "phone_number_id": NUMBER_ID,
    "business_account_id": "102290129340398",
}


PIXELS = Blob(content=b"pixels", media_type="image/png", name="box.png")


class Desk(testing.Desk[WhatsApp, WhatsAppSimulator]):
    own_account = NUMBER
    question = "Where is my *parcel*?"

    def __init__(self, **more: Any) -> None:
        settings = WhatsAppSettings.model_validate(SETTINGS | more)
        connector = WhatsApp(settings, Facts(own_account=NUMBER))
        super().__init__(connector, WhatsAppSimulator(settings, clock=self.clock), blob=PIXELS)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# a conversation


def test_a_question_its_answer_and_what_became_of_it(desk: Desk) -> None:
    question = desk.asked()
    assert (question.text, question.own_account, question.author.name) == ("Where is my **parcel**?", NUMBER, "Kerry")
    receipt = desk.send(question)
    answer = desk.sim.heard("kerry")[-1]
    assert (answer.id, answer.text) == (receipt.native_id, "It is *on its way*.")
    desk.sim.status(answer.id, "delivered")
    desk.sim.status(answer.id, "read")
    states = [(one.state, one.native_id, one.client_key) for one in desk.events() if isinstance(one, DeliveryUpdated)]
    assert states == [(state, answer.id, "k-1") for state in ("sent", "delivered", "read")]


def test_a_failure_comes_later_with_code_and_reason(desk: Desk) -> None:
    receipt = desk.send(desk.asked())
    desk.events()
    assert receipt.native_id is not None
    told = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "No WhatsApp here."}}
    desk.sim.status(receipt.native_id, "failed", errors=[told])
    failed = desk.only(DeliveryUpdated)
    assert (failed.state, failed.code, failed.reason) == ("failed", "131026", "No WhatsApp here.")


@pytest.mark.parametrize(("titles", "kind"), [(2, b'"button"'), (3, b'"button"'), (4, b'"list"'), (10, b'"list"')])
def test_choices_come_back_with_their_value(desk: Desk, titles: int, kind: bytes) -> None:
    choices = tuple(Choice(title=f"Row {n}", value=f"r{n}") for n in range(titles))
    desk.send(desk.asked(), "Which?", choices=choices)
    assert kind in desk.sim.calls[-1].read()
    desk.events()
    desk.sim.press("kerry", "Row 1")
    pressed = desk.heard()
    assert (pressed.text, pressed.choice, pressed.in_reply_to) == ("Row 1", "r1", desk.sim.said[-2].id)


def test_a_long_text_goes_ahead_of_its_choices(desk: Desk) -> None:
    desk.send(desk.asked(), "word " * 300, choices=(Choice(title="Yes", value="y"),))
    assert [said.text for said in desk.sim.said if said.author == "us"] == [("word " * 300).strip(), "Choose"]


@pytest.mark.parametrize("choice", [Choice(title="t" * 25, value="v"), Choice(title="t", value="v" * 257)])
def test_a_choice_that_fits_nowhere_is_refused(desk: Desk, choice: Choice) -> None:
    with pytest.raises(ContentRejected, match="fit"):
        desk.send(desk.asked(), choices=(choice,))
    assert not desk.sim.calls


def test_files_in_both_directions(desk: Desk) -> None:
    desk.sim.send_photo("kerry", b"torn", "The _box_")
    photo = desk.heard()
    assert (photo.text, photo.attachments[0].url) == ("The *box*", None)
    assert desk.run(desk.connector.fetch(photo.attachments[0])).content == b"torn"
    file = Attachment(media_type="image/png", blob="a" * 64)
    desk.send(photo, "Like **this**", attachments=(file,))
    assert desk.sim.said[-1].text == "Like *this*"
    assert b"pixels" in desk.sim.files.values()


def test_a_recording_takes_no_words(desk: Desk) -> None:
    desk.send(desk.asked(), "Listen", attachments=(Attachment(media_type="audio/ogg", blob="a" * 64),))
    assert [said.text for said in desk.sim.said if said.author == "us"] == ["", "Listen"]


def test_an_upload_whose_answer_is_lost_has_sent_nothing(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.faults.drop = 1
    with pytest.raises(Unavailable, match="upload"):
        desk.send(question, None, attachments=(Attachment(media_type="application/pdf", blob="a" * 64),))
    assert len(desk.sim.said) == 1


def test_seen_typing_and_reactions(desk: Desk) -> None:
    question = desk.asked()
    desk.do(MarkRead, question)
    assert desk.sim.read == {question.native_id}
    desk.do(Typing, question)
    assert desk.sim.typing == [question.native_id]
    desk.do(React, question, reaction="👍")
    assert desk.sim.reactions == {question.native_id: "👍"}
    desk.do(React, question, reaction="")
    assert desk.sim.reactions == {}
    said = desk.sim.said[0]
    desk.sim.react("kerry", said, "❤️")
    desk.sim.react("kerry", said, "")
    added, removed = desk.events()
    assert isinstance(added, ReactionAdded)
    assert added.reaction == "❤️"
    assert isinstance(removed, ReactionRemoved)


# the window


def test_after_a_day_only_a_template_goes_out(desk: Desk) -> None:
    question = desk.asked()
    desk.now += timedelta(hours=25)
    with pytest.raises(Unreachable) as refused:
        desk.send(question, by_person=True)
    assert refused.value.code == "131047"
    parameters = ("A-17", "Monday")
    desk.send(question, None, template=Template(name="parcel_update", language="en_US", parameters=parameters))
    desk.send(question, None, template=Template(name="hello_world", language="en_US"))
    assert [said.text for said in desk.sim.said[1:]] == ["parcel_update", "hello_world"]


@pytest.mark.parametrize(
    ("name", "language", "parameters", "code"),
    [("parcel_update", "en_US", ("A-17",), "132000"), ("parcel_update", "de", (), "132001")],
)
def test_a_template_must_be_one(desk: Desk, name: str, language: str, parameters: tuple[str, ...], code: str) -> None:
    with pytest.raises(ContentRejected) as refused:
        desk.send(desk.asked(), None, template=Template(name=name, language=language, parameters=parameters))
    assert refused.value.code == code


# who they are


def test_somebody_who_shows_no_number_is_known_and_answered(desk: Desk) -> None:
    desk.sim.hidden.add("sam")
    desk.sim.speak("sam", "Hello")
    hello = desk.heard()
    (only,) = hello.author.identifiers
    assert (only.kind, hello.author.handle, hello.thread.id) == ("whatsapp.bsuid", "sam", only.value)
    desk.send(hello)
    assert b'"recipient"' in desk.sim.calls[-1].read()
    assert b'"to"' not in desk.sim.calls[-1].read()
    assert desk.sim.said[-1].thread == only.value


def test_a_number_that_is_shown_comes_with_the_scoped_id(desk: Desk) -> None:
    kinds = [identifier.kind for identifier in desk.asked().author.identifiers]
    assert kinds == ["whatsapp.user", "whatsapp.bsuid", "phone"]


def test_a_new_number_is_the_same_person(desk: Desk) -> None:
    before = desk.asked().author.identifiers
    desk.sim.change_number("kerry", "15559990000")
    *claims, moved = desk.events()
    after = desk.asked().author.identifiers
    assert [claim.proof for claim in claims if isinstance(claim, IdentityClaimed)] == ["migration", "migration"]
    pairs = [(claim.subject, *claim.claims) for claim in claims if isinstance(claim, IdentityClaimed)]
    assert pairs == [(after[0], before[0]), (after[1], before[1])]
    assert all(isinstance(claim, IdentityClaimed) and claim.tier == "verified" for claim in claims)
    assert isinstance(moved, ThreadUpdated)
    assert moved.change == "migrated"


def test_a_link_brings_its_token_along(desk: Desk) -> None:
    assert desk.connector.invitation(TOKEN) == f"https://wa.me/{NUMBER}?text={TOKEN}"
    assert WhatsApp(desk.connector.settings).invitation(TOKEN) is None
    desk.sim.speak("kerry", TOKEN)
    claimed, _ = desk.events()
    assert isinstance(claimed, IdentityClaimed)
    assert (claimed.token, claimed.subject) == (TOKEN, Identifier(kind="whatsapp.user", value=desk.sim.people["kerry"]))


# what it has not, trouble, and around


@pytest.mark.parametrize("kind", [EditMessage, DeleteMessage, OpenPrivate])
def test_what_whatsapp_has_not(desk: Desk, kind: Any) -> None:
    with pytest.raises(Unsupported):
        desk.do(kind, desk.asked(), **({} if kind is DeleteMessage else {"text": "x"}))


def test_nothing_is_public(desk: Desk) -> None:
    public = Thread(id="1", visibility="public")
    assert not desk.connector.capabilities_in(public).intents
    with pytest.raises(Unsupported):
        desk.connector.send(SendMessage(key="k", own_account=NUMBER, thread=public, text="x"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired), ("drop", Uncertain)],
)
def test_trouble(desk: Desk, fault: str, kind: type[DeliveryError]) -> None:
    assert type(desk.trouble(fault)) is kind


def test_a_lost_answer_is_told_by_the_status(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.faults.drop = 1
    with pytest.raises(Uncertain):
        desk.send(question)
    sent = desk.only(DeliveryUpdated)
    assert (sent.state, sent.client_key) == ("sent", "k-1")


def test_who_we_are_and_where_our_door_is(desk: Desk) -> None:
    assert desk.run(desk.connector.probe()) == Facts(own_account=NUMBER, name="Acme")
    desk.run(desk.connector.subscribe("https://hub.example/hooks/1"))
    assert desk.sim.override == {"override_callback_uri": "https://hub.example/hooks/1", "verify_token": "our-token"}


def test_what_is_missing_is_named() -> None:
    bare = WhatsApp(WhatsAppSettings.model_validate({"app_secret": "a-secret", "verify_token": "our-token"}))
    with pytest.raises(ConfigError, match="phone_number_id"):
        next(bare.probe())
    with pytest.raises(ConfigError, match="business_account_id"):
        next(bare.subscribe("https://hub.example"))


def test_the_token_goes_where_files_lie_too(desk: Desk) -> None:
    for host in desk.connector.hosts:
        request = desk.connector.authorize(httpx.Request("GET", f"https://{host}/x"), None, desk.now, "0" * 32)
        assert request.headers["authorization"] == "Bearer system-user-token"
