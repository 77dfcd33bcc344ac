"""Both sides at once: the connector against a Telegram that checks its calls."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    RateLimited,
    ReadBlob,
    Unavailable,
    Uncertain,
    Unreachable,
    drive,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    DeleteMessage,
    EditMessage,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionReceived,
    OpenPrivate,
    Payload,
    React,
    Receipt,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_telegram import Telegram, TelegramSettings
from socialsupport_telegram.simulator import GROUP, TelegramSimulator

DM = Thread(id="1000", visibility="private")
HERE = Thread(id=str(GROUP), visibility="public")
TOKEN = "abcdefghijklmnopqrstuvwx23"
LINK = "https://api.telegram.org/bot123456:ABC"


class Desk:
    """A support desk at a simulated Telegram; Kerry's private chat is 1000."""

    def __init__(self, **settings: Any) -> None:
        known = TelegramSettings(token="123456:ABC", **settings)
        self.telegram = Telegram(known)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.sim = TelegramSimulator(known, clock=lambda: self.now)
        self.blobs = {"photo": Blob(content=b"pixels", media_type="image/png", name="box.png")}

    def run(self, flow: Flow[Any]) -> Any:
        return drive(flow, self._respond, self.telegram.failure)

    def _respond(self, ask: Any) -> Any:
        if isinstance(ask, ReadBlob):
            return self.blobs[ask.digest]
        try:
            return self.sim.handle(ask)
        except httpx.ReadError as error:
            raise Uncertain("the connection was cut") from error

    def received(self) -> list[Event]:
        """What the webhooks that are due say, verified."""
        found: list[Event] = []
        for payload in self.sim.due():
            self.telegram.verify(payload)
            found += self.telegram.parse(payload)
        return found

    def heard(self) -> Interaction:
        interactions = [event.interaction for event in self.received() if isinstance(event, InteractionReceived)]
        return interactions[-1]

    def send(self, text: str | None = "Hello", thread: Thread = DM, **more: Any) -> Receipt:
        intent = SendMessage(key="k", own_account="123456", thread=thread, text=text, **more)
        receipt: Receipt = self.run(self.telegram.send(intent))
        return receipt

    def do(self, kind: Callable[..., Any], **more: Any) -> Receipt:
        receipt: Receipt = self.run(self.telegram.send(kind(key="k", own_account="123456", thread=DM, **more)))
        return receipt


@pytest.fixture
def desk() -> Desk:
    desk = Desk(secret_token="s3cret")
    desk.sim.speak("kerry", "My parcel never came.")
    return desk


def ours(desk: Desk, receipt: Receipt, **more: Any) -> Interaction:
    """What we said, as the core stores it."""
    heard = {"network": "telegram", "kind": "message", "direction": "outbound", "own_account": "123456"}
    where = {"thread": DM, "author": {"is_self": True}, "sent_at": desk.now, "native_id": receipt.native_id}
    return Interaction.model_validate({**heard, **where, **more})


# a conversation


def test_a_question_and_its_answer(desk: Desk) -> None:
    question = desk.heard()
    assert (question.text, question.author.name, question.thread) == ("My parcel never came.", "Kerry", DM)
    receipt = desk.send("We are **looking** into it.", target=question)
    answer = desk.sim.heard("kerry")[-1]
    assert (answer.id, answer.author, answer.text) == (receipt.native_id, "us", "We are looking into it.")
    said = desk.sim.messages[1000, int(answer.id)]
    assert said["entities"] == [{"type": "bold", "offset": 7, "length": 7}]
    assert said["reply_to_message"]["text"] == "My parcel never came."


def test_everybody_reads_what_is_said_in_the_group(desk: Desk) -> None:
    desk.sim.speak("ann", "Same here", "group")
    asked = desk.heard()
    assert asked.thread == HERE
    desk.send("Sorry!", HERE, target=asked)
    assert [said.text for said in desk.sim.heard("kerry")] == ["My parcel never came.", "Same here", "Sorry!"]


def test_a_private_word_with_somebody_from_the_group(desk: Desk) -> None:
    desk.sim.speak("kerry", "Who can help?", "group")
    receipt = desk.do(OpenPrivate, text="Let us talk here.", target=desk.heard())
    assert receipt.thread == DM
    assert desk.sim.said[-1].place == "dm"


def test_who_never_started_the_bot_cannot_be_written_to(desk: Desk) -> None:
    desk.sim.speak("ann", "Who can help?", "group")
    with pytest.raises(Unreachable, match="chat not found"):
        desk.do(OpenPrivate, text="Let us talk here.", target=desk.heard())


def test_a_link_brings_the_token(desk: Desk) -> None:
    desk.received()
    desk.sim.start("kerry", TOKEN)
    claim, started = desk.received()
    assert isinstance(claim, IdentityClaimed)
    assert claim.token == TOKEN
    assert isinstance(started, InteractionReceived)


def test_a_shared_contact_proves_the_number(desk: Desk) -> None:
    desk.received()
    desk.sim.share_contact("kerry", "15551234567")
    claim, _ = desk.received()
    assert isinstance(claim, IdentityClaimed)
    assert (str(claim.claims[0]), claim.tier) == ("phone:+15551234567", "asserted")


def test_a_button(desk: Desk) -> None:
    desk.received()
    sent = desk.send("Did that help?", choices=(Choice(title="Yes", value="y"), Choice(title="No", value="n")))
    assert desk.sim.said[-1].choices == ("Yes", "No")
    desk.sim.press("kerry", "No")
    (payload,) = desk.sim.due()
    (event,) = desk.telegram.parse(payload)
    assert isinstance(event, InteractionReceived)
    pressed = event.interaction
    assert (pressed.text, pressed.choice, pressed.in_reply_to) == ("No", "n", sent.native_id)
    assert desk.telegram.acknowledge(payload).body
    desk.send("Oh dear.", target=pressed)
    assert "reply_to_message" not in desk.sim.messages[1000, int(desk.sim.said[-1].id)]


def test_edits_go_both_ways(desk: Desk) -> None:
    desk.received()
    desk.sim.edit("kerry", desk.sim.said[0], "My parcel came.")
    (edited,) = desk.received()
    assert edited.type == "interaction.edited"
    assert edited.interaction.text == "My parcel came."
    ours_then = ours(desk, desk.send("It comes."))
    for _ in range(2):  # the second changes nothing, and that is fine
        assert desk.do(EditMessage, text="It *came*.", target=ours_then).native_id == ours_then.native_id
    assert (desk.sim.said[-1].text, desk.sim.said[-1].edited) == ("It came.", True)


def test_a_message_is_deleted_once(desk: Desk) -> None:
    sent = ours(desk, desk.send("Oops"))
    for _ in range(2):
        assert desk.do(DeleteMessage, target=sent).native_id == sent.native_id
    assert desk.sim.said[-1].deleted


def test_reactions_go_both_ways(desk: Desk) -> None:
    question = desk.heard()
    desk.do(React, reaction="❤️", target=question)
    assert desk.sim.reactions["1", "1000", "us"] == [{"type": "emoji", "emoji": "❤"}]
    with pytest.raises(ContentRejected, match="REACTION_INVALID"):
        desk.do(React, reaction="🦖", target=question)
    desk.do(React, reaction="", target=question)
    assert desk.sim.reactions["1", "1000", "us"] == []
    answer = desk.send("Thanks!")
    assert answer.native_id
    for emoji in ("👍", "🔥", ""):
        desk.sim.react("kerry", desk.sim.said[-1], emoji)
    changes = [(event.type, getattr(event, "reaction", None)) for event in desk.received()]
    added, removed = "reaction.added", "reaction.removed"
    assert changes == [(added, "👍"), (removed, "👍"), (added, "🔥"), (removed, "🔥")]


def test_typing_is_seen(desk: Desk) -> None:
    desk.do(Typing)
    assert desk.sim.typing == ["1000"]


def test_a_block_is_told_and_ends_everything(desk: Desk) -> None:
    desk.received()
    desk.sim.block("kerry")
    with pytest.raises(Unreachable, match="blocked"):
        desk.send()
    desk.sim.block("kerry", unblock=True)
    assert [getattr(event, "change", None) for event in desk.received()] == ["blocked", "unblocked"]
    assert desk.send().native_id


# files


def test_a_picture_comes(desk: Desk) -> None:
    desk.sim.send_photo("kerry", b"a broken box", "See *here*")
    heard = desk.heard()
    assert heard.text == "See \\*here\\*"
    blob = desk.run(desk.telegram.fetch(heard.attachments[0]))
    assert (blob.content, blob.media_type) == (b"a broken box", "image/jpeg")


def test_a_picture_goes_and_its_caption_is_edited(desk: Desk) -> None:
    file = Attachment(media_type="image/png", blob="photo", name='a "box"\r\n.png')
    sent = desk.send("12345", attachments=(file,), choices=(Choice(title="Yes", value="y"),))
    message = desk.sim.messages[1000, int(sent.native_id or 0)]
    assert (message["caption"], desk.sim.files[message["photo"][0]["file_id"]]) == ("12345", b"pixels")
    desk.do(EditMessage, text="The *new* box", target=ours(desk, sent, attachments=[{"media_type": "image/png"}]))
    assert desk.sim.said[-1].text == "The new box"


def test_a_file_can_be_sent_again_by_its_id(desk: Desk) -> None:
    desk.send(None, attachments=(Attachment(media_type="image/png", native_id="known"),))
    assert "photo" in desk.sim.messages[1000, int(desk.sim.said[-1].id)]


def test_a_file_that_is_gone(desk: Desk) -> None:
    with pytest.raises(ContentRejected, match="invalid file_id"):
        desk.run(desk.telegram.fetch(Attachment(native_id="gone")))


# trouble


@pytest.mark.parametrize(
    ("fault", "error"),
    [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired), ("drop", Uncertain)],
)
def test_trouble_on_demand(desk: Desk, fault: str, error: type[DeliveryError]) -> None:
    setattr(desk.sim.faults, fault, 1)
    with pytest.raises(error) as caught:
        desk.send()
    assert "ABC" not in str(caught.value)
    assert getattr(caught.value, "retry_after", 5) in (5, None)
    assert (desk.sim.said[-1].author == "us") is (fault == "drop")
    assert desk.send().native_id


def test_a_wrong_token_is_refused(desk: Desk) -> None:
    desk.sim.token = "123456:OTHER"
    with pytest.raises(AuthExpired):
        desk.run(desk.telegram.probe())


# set up


def test_the_connection_test(desk: Desk) -> None:
    facts = desk.run(desk.telegram.probe())
    assert (facts.own_account, facts.handle) == ("123456", "acme_support_bot")


def test_a_profile(desk: Desk) -> None:
    party = desk.run(desk.telegram.profile(Identifier(kind="telegram.user", value="1000")))
    assert (party.name, party.handle) == ("Kerry", "kerry_1000")


def test_the_door_moves(desk: Desk) -> None:
    desk.received()
    desk.run(desk.telegram.subscribe("https://hub.example/hooks/new"))
    desk.sim.speak("kerry", "Anybody?")
    (payload,) = desk.sim.due()
    assert payload.url == "https://hub.example/hooks/new"


def test_telegram_wants_https(desk: Desk) -> None:
    with pytest.raises(ContentRejected, match="HTTPS"):
        desk.run(desk.telegram.subscribe("http://hub.example/hooks/new"))


def test_no_door_without_a_secret() -> None:
    desk = Desk()
    with pytest.raises(Forbidden, match="secret_token"):
        desk.run(desk.telegram.subscribe("https://hub.example/hooks/new"))
    assert desk.sim.calls == []


def test_polling_gives_what_webhooks_give(desk: Desk) -> None:
    polled = Desk()
    polled.sim.speak("kerry", "My parcel never came.")
    polled.sim.speak("kerry", "Anybody? 👋")
    desk.sim.speak("kerry", "Anybody? 👋")
    page = polled.run(polled.telegram.poll(None))
    events = [event for payload in page.payloads for event in polled.telegram.parse(payload)]
    assert events == desk.received()
    assert {payload.source for payload in page.payloads} == {"poll"}
    assert page.payloads[0].received_at == polled.now
    assert polled.run(polled.telegram.poll(page.cursor)).payloads == ()
    assert polled.sim.pending == []


def test_polling_waits_longer_than_telegram_does(desk: Desk) -> None:
    request = next(desk.telegram.poll(None))
    assert request.extensions["timeout"]["read"] > int(request.url.params["timeout"])


def test_a_webhook_forbids_polling(desk: Desk) -> None:
    with pytest.raises(Forbidden, match="webhook is active"):
        desk.run(desk.telegram.poll(None))


# the simulator is as strict as Telegram


def ask(desk: Desk, method: str, **fields: Any) -> dict[str, Any]:
    response = desk.sim.handle(httpx.Request("POST", f"{LINK}/{method}", json=fields))
    body: dict[str, Any] = response.json()
    assert body["ok"] is (response.status_code == 200)
    return body


@pytest.mark.parametrize(
    ("method", "fields", "complaint"),
    [
        ("sendMessage", {"chat_id": 1000}, "text is empty"),
        ("sendMessage", {"chat_id": 1000, "text": " \n"}, "text is empty"),
        ("sendMessage", {"chat_id": 1000, "text": "👋" * 2049}, "message is too long"),
        ("sendMessage", {"chat_id": 1, "text": "x"}, "chat not found"),
        ("sendMessage", {"chat_id": 1000, "text": "x", "colour": "red"}, "no field colour"),
        ("sendMessage", {"chat_id": True, "text": "x"}, "wrong type"),
        ("sendMessage", {"chat_id": 1000, "text": "x", "message_thread_id": 9}, "message thread not found"),
        ("sendMessage", {"chat_id": 1000, "text": "x", "reply_parameters": {"message_id": 99}}, "replied not found"),
        ("sendPhoto", {"chat_id": 1000, "photo": "x", "caption": "x" * 1025}, "caption is too long"),
        ("editMessageText", {"chat_id": 1000, "message_id": 1, "text": "x"}, "can't be edited"),
        ("editMessageText", {"chat_id": 1000, "message_id": 99, "text": "x"}, "edit not found"),
        ("setMessageReaction", {"chat_id": 1000, "message_id": 99}, "react not found"),
        ("answerQuery", {}, "method not found"),
    ],
)
def test_a_wrong_call_is_refused(desk: Desk, method: str, fields: dict[str, Any], complaint: str) -> None:
    assert complaint in ask(desk, method, **fields)["description"]


@pytest.mark.parametrize(
    ("entity", "complaint"),
    [
        ({"type": "bold", "offset": 0, "length": 2}, None),
        ({"type": "bold", "offset": 1, "length": 2}, "BOUNDS"),
        ({"type": "bold", "offset": 0, "length": 0}, "BOUNDS"),
        ({"type": "fat", "offset": 0, "length": 1}, "unknown type"),
        ({"type": "text_link", "offset": 0, "length": 1}, "needs url"),
        ({"type": "text_mention", "offset": 0, "length": 1}, "needs user"),
    ],
)
def test_entities_are_checked(desk: Desk, entity: dict[str, Any], complaint: str | None) -> None:
    answer = ask(desk, "sendMessage", chat_id=1000, text="👋", entities=[entity])
    assert answer["ok"] if complaint is None else complaint in answer["description"]


@pytest.mark.parametrize("button", [{"text": "x"}, {"text": "x", "callback_data": "ä" * 33}])
def test_buttons_are_checked(desk: Desk, button: dict[str, str]) -> None:
    markup = {"inline_keyboard": [[button]]}
    answer = ask(desk, "sendMessage", chat_id=1000, text="x", reply_markup=markup)
    assert "BUTTON_DATA_INVALID" in answer["description"]


def test_only_what_was_asked_for_is_told(desk: Desk) -> None:
    desk.received()
    ask(desk, "setWebhook", url=desk.sim.door, secret_token="s3cret", allowed_updates=["message"])
    desk.sim.block("kerry")
    assert desk.received() == []


def test_updates_wait_while_there_is_no_door(desk: Desk) -> None:
    desk.received()
    ask(desk, "deleteWebhook")
    desk.sim.speak("kerry", "Anybody?")
    assert desk.sim.due() == []
    ask(desk, "setWebhook", url=desk.sim.door, secret_token="s3cret")
    assert desk.heard().text == "Anybody?"


def test_a_query_is_answered(desk: Desk) -> None:
    ask(desk, "answerCallbackQuery", callback_query_id="7")
    assert desk.sim.answered == ["7"]


@pytest.mark.parametrize("path", ["/", "/bot123456:ABC", "/file/bot123456:ABC/files/none", "/other/x"])
def test_other_addresses_are_not_found(desk: Desk, path: str) -> None:
    assert desk.sim.handle(httpx.Request("GET", f"https://api.telegram.org{path}")).status_code == 404


def test_a_webhook_carries_the_secret(desk: Desk) -> None:
    (payload,) = desk.sim.due()
    assert isinstance(payload, Payload)
    assert payload.header("X-Telegram-Bot-Api-Secret-Token") == "s3cret"
    assert payload.method == "POST"
