"""Matrix on the hub: polled, answered, and answered once even where the answer to the answer is lost."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Clock

import socialsupport_matrix
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.testing import Network
from socialsupport_matrix.settings import MatrixSettings
from socialsupport_matrix.simulator import MatrixSimulator

SETTINGS = {"homeserver": "https://matrix.acme.example", "access_token": "fake-access-token"}
KERRY = "matrix.user:@kerry:acme.example"


class Desk:
    """A hub with an account of ours, polled whenever the test says so."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.network = MatrixSimulator(MatrixSettings.model_validate(SETTINGS), clock=self.clock)
        self.hub = Hub.open(
            folder / "support.sqlite",
            public_url="https://hub.example",
            registry=Registry.of(socialsupport_matrix),
            transport=Network([self.network]).transport(),
            clock=self.clock,
        )
        self.hub.add_tenant("acme", "Acme")
        self.hub.add_agent("acme", "dana", "Dana")
        self.hub.add_channel("acme", "rooms", "matrix", SETTINGS)
        self.poll()

    def poll(self, times: int = 1) -> None:
        async def polled() -> None:
            try:
                for _ in range(times):
                    await self.hub.workers.poll("acme", "rooms")
            finally:
                await self.hub.wire.aclose()

        asyncio.run(polled())
        self.hub.drain()

    def texts(self) -> list[tuple[str, str]]:
        found = [one["interaction"] for one in self.hub.timeline("acme", KERRY)]
        return sorted((one["direction"], one.get("text", "")) for one in found)

    def reply(self, text: str) -> None:
        conversation = self.hub.customer("acme", KERRY)["conversations"][0]["id"]
        self.hub.reply("acme", conversation, text, agent="dana")
        self.hub.drain()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.hub.close()


def test_a_question_is_answered_and_the_echo_is_no_second_answer(desk: Desk) -> None:
    desk.network.speak("kerry", "Where is my parcel?")
    desk.poll(2)
    desk.reply("**On its way.**")
    desk.poll(2)
    assert desk.texts() == [("inbound", "Where is my parcel?"), ("outbound", "**On its way.**")]
    assert [said.text for said in desk.network.heard("kerry")] == ["Where is my parcel?", "On its way."]


def test_a_lost_answer_is_asked_for_again_and_sends_nothing_twice(desk: Desk) -> None:
    desk.network.speak("kerry", "Where is my parcel?")
    desk.poll(2)
    desk.network.faults.drop = 2  # the question whether the room is encrypted, and the message itself
    desk.reply("On its way.")
    for _ in range(3):
        desk.clock.forward(minutes=10)
        desk.hub.drain()
    desk.poll(2)
    assert desk.texts() == [("inbound", "Where is my parcel?"), ("outbound", "On its way.")]
    assert [said.text for said in desk.network.heard("kerry")] == ["Where is my parcel?", "On its way."]


def test_edits_and_redactions_are_told_in_place(desk: Desk) -> None:
    said = desk.network.speak("kerry", "Where is my parcel?")
    desk.poll(2)
    desk.network.edit("kerry", said, "Where is my red parcel?")
    desk.poll()
    assert desk.texts() == [("inbound", "Where is my red parcel?")]
    desk.network.redact("kerry", said.thread, said.id)
    desk.poll()
    assert desk.texts() == [("inbound", "")]


def test_a_room_that_moves_is_the_same_conversation(desk: Desk) -> None:
    desk.network.speak("kerry", "Where is my parcel?")
    desk.poll(2)
    desk.network.upgrade("kerry")
    desk.poll(2)
    desk.reply("Here it is.")
    desk.network.speak("kerry", "Thank you")
    desk.poll(2)
    conversations: list[Any] = desk.hub.customer("acme", KERRY)["conversations"]
    assert len(conversations) == 1
    assert desk.texts() == [("inbound", "Thank you"), ("inbound", "Where is my parcel?"), ("outbound", "Here it is.")]
