"""The desk: what people say comes out, what is sent goes in, and what does not work is told."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import Connector, Flow, ReadBlob, Settings, SignatureError, Uncertain, Wait, hookimpl
from socialsupport_core.model import (
    Blob,
    Capabilities,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionReceived,
    Page,
    Party,
    Payload,
    Receipt,
    SendMessage,
    Thread,
)
from socialsupport_core.testing import Desk, Said, Simulator, simulated_hub

ROOM = Thread(id="room", visibility="private")


class Wall(Connector[Settings]):
    """A wall on which notes are pinned; each webhook, or each page of a poll, is one note."""

    name = "wall"
    settings_model = Settings
    capabilities = Capabilities(
        receives=frozenset({"webhook"}),
        verification="signature",
        events=frozenset({"interaction.received"}),
        intents=frozenset({"send.message"}),
        sends=frozenset({"private"}),
    )

    @property
    def hosts(self) -> frozenset[str]:
        return WallSimulator.hosts

    def verify(self, payload: Payload) -> None:
        if payload.header("signed") != "yes":
            raise SignatureError("the note is not signed")

    def parse(self, payload: Payload) -> Iterable[Event]:
        note = json.loads(payload.body)
        interaction = Interaction(
            kind="message",
            network="wall",
            native_id=note["id"],
            direction="inbound",
            own_account="us",
            thread=ROOM,
            author=Party(identifiers=(Identifier(kind="wall.user", value=note["by"]),), name=note["by"]),
            sent_at=payload.received_at,
            text=note["text"],
        )
        return [InteractionReceived(id=note["id"], interaction=interaction)]

    def poll(self, cursor: str | None) -> Flow[Page]:
        response: httpx.Response = yield httpx.Request("GET", "https://wall.example", params={"after": cursor or "0"})
        payloads = tuple(
            Payload(source="poll", body=note.encode(), received_at=Desk.now) for note in response.json()["notes"]
        )
        return Page(payloads=payloads, cursor=str(int(cursor or 0) + len(payloads)), more=response.json()["more"])

    def send(self, intent: Any) -> Flow[Receipt]:
        files = []
        for attachment in intent.attachments:
            blob: Blob = yield ReadBlob(attachment.blob)
            yield Wait(2.5)
            files.append(blob.content.decode())
        yield httpx.Request("POST", "https://wall.example", json={"text": intent.text, "files": files})
        return Receipt(native_id=intent.key)

    def authorize(self, request: httpx.Request, *_: Any) -> httpx.Request:
        request.headers["signed"] = "yes"
        return request


class PolledWall(Wall):
    capabilities = Wall.capabilities.model_copy(update={"receives": frozenset({"poll"})})


class WallSimulator(Simulator):
    network = "wall"
    hosts = frozenset({"wall.example"})
    endless = False

    def respond(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["signed"] == "yes"
        if request.method == "GET":
            notes = self.notes[int(request.url.params["after"]) :]
            return httpx.Response(200, json={"notes": notes[:1], "more": self.endless or len(notes) > 1})
        self.keep("us", json.loads(request.read())["text"] or "")
        return httpx.Response(200, json={})

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        said = self.keep(person, text)
        body = json.dumps({"id": said.id, "by": person, "text": text} | more)
        self.notes = [*getattr(self, "notes", []), body]
        self.emit(Payload(headers=(("signed", self.signature),), body=body.encode(), received_at=self.clock()))
        return said

    signature = "yes"

    def keep(self, author: str, text: str) -> Said:
        self.said.append(Said(f"n-{len(self.said)}", "wall", "room", author, text, self.clock()))
        return self.said[-1]


class WallDesk(Desk[Wall, WallSimulator]):
    own_account = "us"

    def __init__(self, kind: type[Wall] = Wall) -> None:
        settings = Settings()
        sim = WallSimulator(settings, clock=self.clock)
        super().__init__(kind(settings), sim, blob=Blob(content=b"a picture"))


@pytest.mark.parametrize("kind", [Wall, PolledWall])
def test_what_people_say_comes_out_once(kind: type[Wall]) -> None:
    desk = WallDesk(kind)
    asked = desk.asked()
    assert (asked.text, asked.author.name, asked.sent_at.year) == ("Where is my parcel?", "kerry", 2026)
    desk.sim.speak("robin", "one")
    assert desk.asked("two").text == "two"
    assert desk.events() == []


def test_the_only_event_is_of_the_kind_that_was_meant() -> None:
    desk = WallDesk()
    desk.sim.speak("kerry", "one")
    assert desk.only(InteractionReceived).interaction.text == "one"
    desk.sim.speak("kerry", "two")
    with pytest.raises(AssertionError, match=r"it is interaction\.received"):
        desk.only(IdentityClaimed)
    with pytest.raises(ValueError, match="unpack"):
        desk.only(InteractionReceived)


def test_what_is_not_signed_is_not_heard() -> None:
    desk = WallDesk()
    desk.sim.signature = "no"
    with pytest.raises(SignatureError):
        desk.asked()


def test_a_poll_that_does_not_end_is_told() -> None:
    desk = WallDesk(PolledWall)
    desk.asked()
    desk.sim.endless = True
    with pytest.raises(AssertionError, match="after 20 pages"):
        desk.events()


def test_what_is_sent_arrives() -> None:
    desk = WallDesk()
    asked = desk.asked()
    assert desk.send(asked).native_id == "k-1"
    assert desk.send(asked, "Tomorrow", key="k-2").native_id == "k-2"
    desk.send(asked, None, attachments=({"media_type": "image/png", "blob": "a" * 64},))
    assert desk.ours() == ["It is **on its way**.", "Tomorrow", ""]
    assert b"a picture" in desk.sim.calls[-1].read()
    assert desk.waited == 2.5


def test_an_intent_answers_what_was_heard() -> None:
    desk = WallDesk()
    asked = desk.asked()
    wanted = SendMessage(key="k-1", own_account="us", thread=ROOM, target=asked, text="x")
    assert desk.intent(SendMessage, asked, text="x") == wanted
    assert desk.intent(SendMessage, asked, text="x", target=None).target is None


def test_trouble_is_given_back() -> None:
    desk = WallDesk()
    assert isinstance(desk.trouble("drop"), Uncertain)
    assert len(desk.ours()) == 1
    with pytest.raises(AssertionError, match="in spite of reorder"):
        desk.trouble("reorder")


def test_a_simulated_hub_hears_and_answers(tmp_path: Path) -> None:
    plugin = SimpleNamespace(socialsupport_connectors=hookimpl(lambda: (PolledWall,)))
    sim = WallSimulator(Settings(), clock=lambda: Desk.now)
    hub = simulated_hub(tmp_path, plugin, sim)
    try:
        hub.add_channel("acme", "wall", "wall", {})
        sim.speak("kerry", "Where is my parcel?")
        asyncio.run(hub.workers.poll("acme", "wall"))
        hub.drain()
        (waiting,) = hub.queue("acme")
        hub.reply("acme", waiting["id"], "On its way", agent="dana")
        hub.drain()
        assert [said.text for said in sim.said] == ["Where is my parcel?", "On its way"]
    finally:
        hub.close()
