"""Both sides at once: the connector against a Slack that checks its calls, by the door and over a socket."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import socialsupport_slack
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
    EditMessage,
    Facts,
    Identifier,
    IdentityClaimed,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    OpenPrivate,
    React,
    ReactionAdded,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_slack import Slack, SlackSettings
from socialsupport_slack.simulated import BOT, BOT_ID
from socialsupport_slack.simulator import GENERAL, SlackSimulator

TOKEN = "abcdefghijklmnopqrstuvwx23"
SETTINGS = {"signing_secret": "a-signing-secret", "bot_token": "a-bot-token"}
SOCKET = SETTINGS | {"app_token": "an-app-level-token"}
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


BILL = Blob(content=b"%PDF", name="bill.pdf")


class Desk(testing.Desk[Slack, SlackSimulator]):
    own_account = BOT
    now = NOW

    def __init__(self, **more: Any) -> None:
        settings = SlackSettings.model_validate(SETTINGS | more)
        connector = Slack(settings, Facts(own_account=BOT, extra={"bot_id": BOT_ID}))
        super().__init__(connector, SlackSimulator(settings, clock=self.clock), blob=BILL)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_question_and_its_answer(desk: Desk) -> None:
    question = desk.asked()
    receipt = desk.send(question)
    assert desk.ours() == ["It is on its way."]
    echo = desk.heard()
    assert (echo.native_id, echo.client_key, echo.direction) == (receipt.native_id, "k-1", "outbound")
    assert echo.author.is_self
    assert echo.text == "It is **on its way**."


def test_in_a_channel_one_answers_in_the_thread(desk: Desk) -> None:
    question = desk.asked(place=GENERAL)
    assert question.thread.visibility == "public"
    desk.send(question)
    answer = desk.heard()
    assert answer.thread == question.thread
    assert answer.in_reply_to == question.native_id


def test_two_threads_of_a_channel_are_two(desk: Desk) -> None:
    first = desk.sim.speak("kerry", "one", GENERAL)
    desk.sim.speak("robin", "two", GENERAL)
    desk.sim.speak("robin", "to one", GENERAL, thread=first)
    threads = [event.interaction.thread.id for event in desk.events() if isinstance(event, InteractionReceived)]
    assert threads[0] == threads[2] != threads[1]


def test_a_public_question_is_answered_in_private(desk: Desk) -> None:
    question = desk.asked(place=GENERAL)
    receipt = desk.do(OpenPrivate, question, recipient=question.author, text="Tell us more here")
    assert receipt.thread == Thread(id=desk.asked().thread.id, visibility="private")


def test_what_is_said_is_edited_deleted_and_reacted_to(desk: Desk) -> None:
    question = desk.asked()
    desk.send(question)
    ours = desk.heard()
    desk.do(EditMessage, ours, text="It was *sent*.")
    edited = desk.only(InteractionEdited)
    assert edited.interaction.text == "It was *sent*."
    desk.do(DeleteMessage, ours)
    deleted = desk.only(InteractionDeleted)
    assert deleted.native_id == ours.native_id
    for _ in range(2):
        desk.do(React, question, reaction="👀")
    assert desk.sim.reactions[tuple(question.native_id.split(":"))] == {"eyes": {BOT}}  # type: ignore[index]
    for _ in range(2):
        desk.do(React, question, reaction="")
    assert desk.sim.reactions[tuple(question.native_id.split(":"))] == {"eyes": set()}  # type: ignore[index]
    with pytest.raises(ContentRejected):
        desk.do(React, question, reaction="🪐")
    with pytest.raises(Forbidden):
        desk.do(DeleteMessage, question)


def test_customers_edit_delete_and_react_too(desk: Desk) -> None:
    said = desk.sim.speak("kerry", "Where?")
    desk.sim.edit(said, "Where is it?")
    desk.sim.react("kerry", said, "+1")
    desk.sim.delete(said)
    received, edited, reaction, deleted = desk.events()
    assert isinstance(received, InteractionReceived)
    assert isinstance(edited, InteractionEdited)
    assert edited.interaction.text == "Where is it?"
    assert isinstance(reaction, ReactionAdded)
    assert reaction.reaction == "👍"
    assert isinstance(deleted, InteractionDeleted)
    assert {received.interaction.native_id, reaction.native_id, deleted.native_id} == {said.id}


def test_a_button_is_pressed(desk: Desk) -> None:
    desk.send(desk.asked(), "Is it there?", choices=(Choice(title="Yes", value="yes"), Choice(title="No", value="no")))
    ours = desk.heard()
    desk.sim.press("kerry", "No")
    pressed = desk.heard()
    assert (pressed.choice, pressed.text, pressed.in_reply_to) == ("no", "No", ours.native_id)
    assert pressed.thread == ours.thread


def test_too_many_or_too_long_buttons_are_refused(desk: Desk) -> None:
    question = desk.asked()
    for choices in ([Choice(title="x", value="x")] * 26, [Choice(title="x" * 76, value="x")]):
        with pytest.raises(ContentRejected):
            desk.send(question, "?", choices=tuple(choices))


def test_files_there_and_back(desk: Desk) -> None:
    desk.sim.send_photo("kerry", b"PNG", "broken")
    photo = desk.heard()
    blob = desk.run(desk.connector.fetch(photo.attachments[0]))
    assert (blob.content, blob.media_type) == (b"PNG", "image/png")
    files = tuple(Attachment(media_type="application/pdf", name=name, blob="0" * 64) for name in ("a.pdf", "b.pdf"))
    receipt = desk.send(photo, "The bills", attachments=files)
    echo = desk.heard()
    assert receipt.native_id == echo.native_id
    assert [one.name for one in echo.attachments] == ["a.pdf", "b.pdf"]
    assert b"%PDF" in desk.sim.contents.values()


def test_a_file_elsewhere_is_not_fetched_with_our_token(desk: Desk) -> None:
    with pytest.raises(Unsupported):
        desk.run(desk.connector.fetch(Attachment(url="https://drive.example/x")))


def test_whether_it_was_sent_can_be_found_out(desk: Desk) -> None:
    for place in ("", GENERAL):
        question = desk.asked(place=place)
        desk.sim.faults.drop = 1
        with pytest.raises(Uncertain):
            desk.send(question, key=f"k-{place}")
        intent = SendMessage(key=f"k-{place}", own_account=BOT, thread=question.thread, target=question, text="x")
        found = desk.run(desk.connector.lookup(intent, NOW))
        assert found is not None
        assert found.native_id == desk.heard().native_id
        assert desk.run(desk.connector.lookup(intent.model_copy(update={"key": "another"}), NOW)) is None


def test_of_files_nobody_can_say_whether_they_were_sent(desk: Desk) -> None:
    question = desk.asked()
    intent = SendMessage(key="k", own_account=BOT, thread=question.thread, attachments=(Attachment(blob="0" * 64),))
    with pytest.raises(Uncertain):
        desk.run(desk.connector.lookup(intent, NOW))


def test_who_they_are(desk: Desk) -> None:
    author = desk.asked().author
    assert author.account is not None
    party = desk.run(desk.connector.profile(author.account))
    assert [str(one) for one in party.identifiers] == [str(author.account), "email:kerry@mail.example"]
    with pytest.raises(Unreachable):
        desk.run(desk.connector.profile(Identifier(kind="slack.user", scope="T0ACME", value="U0")))
    with pytest.raises(Unsupported):
        desk.run(desk.connector.profile(Identifier(kind="slack.bot", scope="T0ACME", value="B0")))


def test_who_comes_from_elsewhere_is_somebody_else(desk: Desk) -> None:
    here = desk.asked().author.account
    desk.sim.external.add("kerry")
    there = desk.asked().author.account
    assert here is not None
    assert there is not None
    assert (here.value, here.scope) == (there.value, "T0ACME")
    assert there.scope == "T0OTHER"


def test_a_token_is_brought_along_in_private_only(desk: Desk) -> None:
    desk.sim.speak("kerry", f"My number is {TOKEN}.")
    claim, said = desk.events()
    assert isinstance(claim, IdentityClaimed)
    assert claim.token == TOKEN
    assert isinstance(said, InteractionReceived)
    desk.sim.speak("kerry", TOKEN, GENERAL)
    assert len(desk.events()) == 1


@pytest.mark.parametrize(
    ("fault", "error"), [("rate_limit", RateLimited), ("expire", AuthExpired), ("unavailable", Unavailable)]
)
def test_trouble_is_what_it_is(desk: Desk, fault: str, error: type[DeliveryError]) -> None:
    assert type(desk.trouble(fault)) is error
    assert desk.ours() == []


def test_what_cannot_be_is_refused(desk: Desk) -> None:
    question = desk.asked()
    with pytest.raises(Unsupported):
        desk.do(Typing, question)
    with pytest.raises(ContentRejected):
        desk.send(question, "  ")
    with pytest.raises(ContentRejected):
        desk.run(desk.connector.send(EditMessage(key="k", own_account=BOT, thread=question.thread, text="x")))
    with pytest.raises(ContentRejected):
        desk.do(OpenPrivate, question, text="x", recipient=None)
    nowhere = question.model_copy(update={"thread": Thread(id="X1", visibility="private")})
    with pytest.raises(Unreachable):
        desk.send(nowhere)


def test_installing_and_rotating() -> None:
    desk = Desk(bot_token=None, client_id="1.2", client_secret="a-client-secret")
    sign_in = SignIn(state="s", redirect="https://hub.example/back", verifier="v" * 43)
    address = desk.connector.connect_with(sign_in)
    back = httpx.URL(desk.sim.pages.allow(f"{address}&response_type=code"))
    with pytest.raises(AuthExpired):
        desk.send(desk.asked())
    desk.credentials = desk.run(desk.connector.exchange_with(back.params["code"], sign_in))
    desk.send(desk.asked())
    assert desk.credentials is not None
    old = desk.credentials
    desk.credentials = desk.run(desk.connector.refresh(old))
    assert desk.credentials is not None
    assert desk.credentials.access_token != old.access_token
    desk.send(desk.asked())
    with pytest.raises(AuthExpired):
        desk.run(desk.connector.refresh(old.model_copy(update={"refresh_token": None})))
    with pytest.raises(ConfigError):
        Desk().connector.connect_with(sign_in)


# socket mode, with a hub


class House:
    def __init__(self, folder: Path, **settings: str) -> None:
        given = SOCKET | settings
        self.sim = SlackSimulator(SlackSettings.model_validate(given), clock=lambda: NOW)
        self.hub = testing.simulated_hub(folder, socialsupport_slack, self.sim)
        self.hub.add_channel("acme", "slack", "slack", given)

    def listen(self) -> int:
        count = asyncio.run(self.hub.workers.stream("acme", "slack"))
        self.hub.drain()
        return count

    def texts(self) -> list[str]:
        account = f"slack.user@T0ACME:{self.sim.user('kerry')}"
        return [one["interaction"]["text"] for one in self.hub.timeline("acme", account)]


@pytest.fixture
def house(tmp_path: Path) -> Any:
    made = House(tmp_path)
    yield made
    made.hub.close()


def test_an_app_token_means_socket_mode(house: House) -> None:
    assert house.hub.list_channels("acme")[0]["mode"] == "stream"


def test_what_waited_and_what_comes_is_recorded_and_acknowledged(house: House) -> None:
    house.sim.speak("kerry", "Where is it?")
    house.sim.speak("kerry", "Hello?")
    assert house.listen() == 2
    assert house.sim.unacknowledged == {}
    assert house.texts() == ["Where is it?", "Hello?"]
    conversation = house.hub.queue("acme")[0]["id"]
    house.hub.reply("acme", conversation, "On its way", agent="dana")
    house.hub.drain()
    house.listen()
    assert house.texts() == ["Where is it?", "Hello?", "On its way"]


def test_what_comes_twice_is_there_once(house: House) -> None:
    house.sim.speak("kerry", "Where is it?")
    envelope = next(iter(house.sim.unacknowledged.values()))
    house.sim.unacknowledged["again"] = envelope | {"envelope_id": "again", "retry_attempt": 1}
    assert house.listen() == 2
    assert house.texts() == ["Where is it?"]
    assert house.sim.unacknowledged == {}


def test_a_refresh_is_followed_by_another_connection(house: House) -> None:
    async def run() -> float:
        streaming, live = house.hub.workers.streaming, house.hub.channels.get("acme", "slack")
        task = asyncio.create_task(streaming.once(live))
        async with asyncio.timeout(5):
            while not house.sim.lines:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        house.sim.speak("kerry", "Where is it?")
        house.sim.hang_up()
        return await task

    assert asyncio.run(run()) == 0.0
    assert house.listen() == 0
    assert house.texts() == ["Where is it?"]


@pytest.mark.parametrize("end", ["uninstall", "switched off"])
def test_what_only_an_operator_can_mend_is_told(house: House, end: str) -> None:
    async def run() -> None:
        live = house.hub.channels.get("acme", "slack")
        task = asyncio.create_task(house.hub.workers.streaming.once(live))
        async with asyncio.timeout(5):
            while not house.sim.lines:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            house.sim.uninstall() if end == "uninstall" else house.sim.hang_up("link_disabled")
            while house.hub.list_channels("acme")[0]["state"] == "active":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    (channel,) = house.hub.list_channels("acme")
    assert channel["state"] == "failing"
    assert ("removed" if end == "uninstall" else "switched off") in channel["reason"]


def test_a_wrong_app_token_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.sim.settings = SlackSettings.model_validate(SOCKET | {"app_token": "another"})

    async def run() -> None:
        live = house.hub.channels.get("acme", "slack")
        task = asyncio.create_task(house.hub.workers.streaming.once(live))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert "invalid_auth" in house.hub.list_channels("acme")[0]["reason"]
    assert "an-app-level-token" not in json.dumps(house.hub.list_channels("acme"), default=str)
    house.hub.close()


@pytest.mark.parametrize("bot", [["U0ACMEBOT"], []])
def test_by_its_door_it_hears_the_end_too(tmp_path: Path, bot: list[str]) -> None:
    house = House(tmp_path)
    house.sim.settings = SlackSettings.model_validate(SETTINGS)
    path = house.hub.add_channel("acme", "slack", "slack", SETTINGS, mode="webhook")
    house.sim._tell({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": bot}})
    house.sim.speak("kerry", "the words app_uninstalled and tokens_revoked")
    for payload in house.sim.due():
        house.hub.receive(path.removeprefix("/hooks/"), payload).result()
    house.hub.drain()
    (channel,) = house.hub.list_channels("acme")
    assert channel["state"] == ("failing" if bot else "active")
    assert ("revoked" in channel.get("reason", "")) is bool(bot)
    asyncio.run(house.hub.test_channel("acme", "slack"))
    assert house.hub.list_channels("acme")[0]["state"] == "active"
    house.hub.close()
