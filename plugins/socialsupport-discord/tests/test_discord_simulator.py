"""Both sides at once: a hub and a Discord that checks what it is asked, over the gateway and at the door."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import socialsupport_discord
from socialsupport_core import testing
from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
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
    EditMessage,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    MarkRead,
    OpenPrivate,
    Payload,
    React,
    ReactionAdded,
    ReactionRemoved,
    Thread,
    Typing,
)
from socialsupport_core.pipeline import streaming
from socialsupport_discord import Discord, DiscordSettings
from socialsupport_discord.simulator import GENERAL, PUBLIC_KEY, DiscordSimulator

OWN = "1100000000000000001"
TOKEN = "abcdefghijklmnopqrstuvwx23"
SETTINGS = {"application_id": OWN, "bot_token": "a-bot-token", "public_key": PUBLIC_KEY}
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


BILL = Blob(content=b"%PDF", name="bill.pdf")


class Desk(testing.Desk[Discord, DiscordSimulator]):
    """It hears everything that the gateway tells."""

    own_account = OWN
    now = NOW

    def __init__(self) -> None:
        settings = DiscordSettings.model_validate(SETTINGS)
        super().__init__(Discord(settings), DiscordSimulator(settings, clock=self.clock), blob=BILL)
        self.told: list[Event] = []
        self.sim._tell = self._hear  # type: ignore[method-assign]
        self._number = 0

    def _hear(self, kind: str, content: Any) -> None:
        self._number += 1
        body = json.dumps({"t": kind, "s": self._number, "session": "session-1", "d": content}).encode()
        payload = Payload(source="stream", method="", body=body, received_at=self.now)
        self.told += self.connector.parse(payload)

    def events(self) -> list[Event]:
        told, self.told = self.told, []
        return told

    def at_the_door(self) -> Interaction:
        (payload,) = self.sim.due()
        self.connector.verify(payload)
        (event,) = self.connector.parse(payload)
        assert isinstance(event, InteractionReceived)
        return event.interaction


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("place", ["", GENERAL])
def test_a_question_and_its_answer(desk: Desk, place: str) -> None:
    question = desk.asked(place=place)
    assert question.thread.visibility == ("public" if place else "private")
    receipt = desk.send(question)
    echo = desk.heard()
    assert (echo.native_id, echo.direction, echo.in_reply_to) == (receipt.native_id, "outbound", question.native_id)
    assert echo.text == "It is **on its way**."
    assert desk.ours() == ["It is **on its way**."]


def test_what_may_have_been_sent_is_sent_once(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.faults.drop = 1
    with pytest.raises(Uncertain):
        desk.send(question)
    first = desk.heard()
    assert desk.send(question).native_id == first.native_id
    assert len(desk.ours()) == 1
    desk.send(question, key="k-2")
    assert len(desk.ours()) == 2


def test_a_public_question_is_answered_in_private(desk: Desk) -> None:
    question = desk.asked(place=GENERAL)
    receipt = desk.do(OpenPrivate, question, recipient=question.author, text="Tell us more here")
    assert receipt.thread == desk.asked().thread
    desk.sim.closed.add("kerry")
    with pytest.raises(Unreachable):
        desk.do(OpenPrivate, question, key="k-2", recipient=question.author, text="Hello?")


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
    desk.do(React, question, reaction="👍")
    assert [one["emoji"]["name"] for one in desk.sim.messages[question.native_id]["reactions"]] == ["👍"]
    desk.do(React, question, reaction="")
    assert desk.sim.messages[question.native_id]["reactions"] == []
    with pytest.raises(ContentRejected):
        desk.do(React, question, reaction="no emoji")
    with pytest.raises(Forbidden):
        desk.do(EditMessage, question, text="x")


def test_customers_edit_delete_and_react_too(desk: Desk) -> None:
    said, other = desk.sim.speak("kerry", "Where?", GENERAL), desk.sim.speak("robin", "Here", GENERAL)
    desk.sim.edit(said, "Where is it?")
    desk.sim.react("kerry", other, "👀")
    desk.sim.react("kerry", other, "👀", added=False)
    desk.sim.react("kerry", other, "👀")
    desk.sim.delete(said, other)
    _, _, edited, added, removed, again, *gone = desk.events()
    assert isinstance(edited, InteractionEdited)
    assert edited.interaction.text == "Where is it?"
    assert isinstance(added, ReactionAdded)
    assert isinstance(removed, ReactionRemoved)
    assert len({added.id, removed.id, again.id}) == 3
    assert [one.native_id for one in gone if isinstance(one, InteractionDeleted)] == [said.id, other.id]


def test_buttons_and_commands_come_to_the_door(desk: Desk) -> None:
    desk.send(desk.asked(), "Is it there?", choices=(Choice(title="Yes", value="yes"), Choice(title="No", value="no")))
    ours = desk.heard()
    desk.sim.press("kerry", "No")
    pressed = desk.at_the_door()
    assert (pressed.choice, pressed.text, pressed.in_reply_to) == ("no", "No", ours.native_id)
    assert pressed.thread == ours.thread
    desk.sim.command("kerry", "parcel", GENERAL, number="4711")
    given = desk.at_the_door()
    assert given.text == "/parcel\nnumber: 4711"
    assert given.author.account == pressed.author.account
    desk.send(given, "We look", key="k-3")


def test_buttons_that_cannot_be_are_refused(desk: Desk) -> None:
    question = desk.asked()
    same = [Choice(title="a", value="x"), Choice(title="b", value="x")]
    many = [Choice(title="x", value=str(number)) for number in range(26)]
    for choices in (same, many, [Choice(title="x" * 81, value="x")], [Choice(title="x", value="x" * 101)]):
        with pytest.raises(ContentRejected):
            desk.send(question, "?", choices=tuple(choices))


def test_files_there_and_back(desk: Desk) -> None:
    desk.sim.send_photo("kerry", b"PNG", "broken")
    photo = desk.heard()
    blob = desk.run(desk.connector.fetch(photo.attachments[0]))
    assert (blob.content, blob.media_type) == (b"PNG", "image/png")
    files = tuple(Attachment(media_type="application/pdf", name=name, blob="0" * 64) for name in ("a.pdf", "b.pdf"))
    receipt = desk.send(photo, None, attachments=files)
    echo = desk.heard()
    assert receipt.native_id == echo.native_id
    assert [one.name for one in echo.attachments] == ["a.pdf", "b.pdf"]
    with pytest.raises(Unsupported):
        desk.run(desk.connector.fetch(Attachment(url="https://drive.example/x")))


def test_who_they_are_and_who_we_are(desk: Desk) -> None:
    author = desk.asked().author
    assert author.account is not None
    assert desk.run(desk.connector.profile(author.account)).name == "Kerry"
    assert desk.run(desk.connector.probe()).own_account == OWN
    with pytest.raises(Unreachable):
        desk.run(desk.connector.profile(Identifier(kind="discord.user", value="1")))
    with pytest.raises(Unsupported):
        desk.run(desk.connector.profile(Identifier(kind="discord.webhook", value="1")))


def test_a_token_is_brought_along_in_private_only(desk: Desk) -> None:
    desk.sim.speak("kerry", TOKEN)
    claim, _ = desk.events()
    assert isinstance(claim, IdentityClaimed)
    assert claim.token == TOKEN
    desk.sim.speak("kerry", TOKEN, GENERAL)
    assert len(desk.events()) == 1


def test_typing_is_shown(desk: Desk) -> None:
    question = desk.asked()
    desk.do(Typing, question)
    assert desk.sim.typing == [question.thread.id]


@pytest.mark.parametrize(
    ("fault", "error", "seconds"),
    [("rate_limit", RateLimited, 0.65), ("expire", AuthExpired, None), ("unavailable", Unavailable, None)],
)
def test_trouble_is_what_it_is(desk: Desk, fault: str, error: type[DeliveryError], seconds: float | None) -> None:
    met = desk.trouble(fault)
    assert (type(met), getattr(met, "retry_after", None)) == (error, seconds)
    assert desk.ours() == []


def test_what_cannot_be_is_refused(desk: Desk) -> None:
    question = desk.asked()
    with pytest.raises(Unsupported):
        desk.do(MarkRead, question)
    with pytest.raises(ContentRejected):
        desk.send(question, "  ")
    with pytest.raises(ContentRejected):
        desk.run(desk.connector.send(EditMessage(key="k", own_account=OWN, thread=question.thread, text="x")))
    with pytest.raises(Unreachable):
        desk.send(question.model_copy(update={"thread": Thread(id="1", visibility="private")}))


# the gateway, with a hub


class House:
    def __init__(self, folder: Path, **settings: str) -> None:
        self.now = NOW
        self.sim = DiscordSimulator(DiscordSettings.model_validate(SETTINGS), clock=lambda: self.now)
        self.hub = testing.simulated_hub(folder, socialsupport_discord, self.sim)
        self.hub.add_channel("acme", "discord", "discord", SETTINGS | settings)

    def listen(self, *, times: int = 1) -> None:
        for _ in range(times):
            asyncio.run(self.hub.workers.stream("acme", "discord"))
        self.hub.drain()

    def during(self, act: Callable[[], None], until: Callable[[], Any]) -> None:
        """While it is connected."""

        async def run() -> None:
            live = self.hub.channels.get("acme", "discord")
            task = asyncio.create_task(self.hub.workers.streaming.forever(live))
            async with asyncio.timeout(10):
                while not (self.sim.lines and self.sim.of_line):  # noqa: ASYNC110 - the simulator has no events
                    await asyncio.sleep(0.01)
                act()
                while not until():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(run())
        self.hub.drain()

    def texts(self) -> list[str]:
        account = f"discord.user:{self.sim.user('kerry')}"
        if not self.hub.find_customers("acme", "kerry"):
            return []
        return [one["interaction"]["text"] for one in self.hub.timeline("acme", account)]

    def accepted(self) -> int:
        return int(self.hub.health()["journal"]["accepted"])

    @property
    def channel(self) -> dict[str, Any]:
        found: dict[str, Any] = self.hub.list_channels("acme")[0]
        return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.hub.close()


def test_it_hears_over_the_gateway_and_answers(house: House) -> None:
    assert house.channel["mode"] == "stream"
    house.during(lambda: house.sim.speak("kerry", "Where is it?") and None, lambda: house.accepted() == 1)
    assert house.texts() == ["Where is it?"]
    house.hub.reply("acme", house.hub.queue("acme")[0]["id"], "On its way", agent="dana")
    house.hub.drain()
    assert [said.text for said in house.sim.said] == ["Where is it?", "On its way"]
    assert len(house.sim.sessions) == 1


def test_a_session_is_resumed_and_nothing_is_missed(house: House) -> None:
    house.listen()
    house.sim.speak("kerry", "While nobody listened")
    house.listen()
    assert house.texts() == ["While nobody listened"]
    assert list(house.sim.sessions) == ["session-1"]
    house.listen()
    assert house.accepted() == 1


def test_who_is_asked_to_reconnect_resumes(house: House) -> None:
    def act() -> None:
        house.sim.ask_to_reconnect()
        house.sim.speak("kerry", "In between")

    house.during(act, lambda: house.accepted() == 1)
    assert list(house.sim.sessions) == ["session-1"]
    assert house.texts() == ["In between"]


def test_what_a_lost_session_has_missed_is_read_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST_PAUSE", 0.05)
    house.during(lambda: house.sim.speak("kerry", "First", GENERAL) and None, lambda: house.accepted() == 1)
    house.sim.forget_sessions()
    house.now += timedelta(hours=1)
    house.sim.speak("kerry", "While nobody listened", GENERAL)
    house.listen(times=2)
    assert list(house.sim.sessions) == ["session-1", "session-2"]
    assert house.texts() == ["First", "While nobody listened"]
    assert house.channel["backfill"]["state"] == "done"


def test_heartbeats_go_on_and_a_deaf_line_is_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from socialsupport_discord import gateway

    house.sim.beat = 1000
    spoken_to = house.sim.spoken_to
    house.during(lambda: None, lambda: house.sim.heartbeats >= 2)
    deaf: list[str] = []

    def ignore(line: Any, text: str) -> None:
        if json.loads(text)["op"] == gateway.HEARTBEAT:
            deaf.append(text)
        else:
            spoken_to(line, text)

    monkeypatch.setattr(house.sim, "spoken_to", ignore)
    lines = len([call for call in house.sim.calls if "gateway" in call.url.path])
    house.during(lambda: None, lambda: len(deaf) >= 2)
    assert len([call for call in house.sim.calls if "gateway" in call.url.path]) == lines, (
        "it resumes; it asks for no address"
    )


@pytest.mark.parametrize(("settings", "reason"), [({"bot_token": "another"}, "401"), ({}, "token is wrong")])
def test_a_dead_token_is_told(tmp_path: Path, settings: dict[str, str], reason: str) -> None:
    house = House(tmp_path, **settings)
    if not settings:
        house.listen()
        house.sim.settings = DiscordSettings.model_validate(SETTINGS | {"bot_token": "renewed"})

    async def run() -> None:
        live = house.hub.channels.get("acme", "discord")
        task = asyncio.create_task(house.hub.workers.streaming.once(live))
        async with asyncio.timeout(5):
            while house.channel["state"] == "active":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert reason in house.channel["reason"]
    house.hub.close()
