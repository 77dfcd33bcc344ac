"""A real network's connector and its simulator on the hub: from a message to an answer, and what goes wrong between."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Clock

import socialsupport_telegram
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.testing import Network
from socialsupport_telegram.settings import TelegramSettings
from socialsupport_telegram.simulator import TelegramSimulator

TOKEN = "123456:fake-token"
SETTINGS = {"token": TOKEN, "secret_token": "caw"}


class Desk:
    """A hub with a bot, and the people who write to it."""

    def __init__(self, folder: Path, settings: dict[str, str], mode: str) -> None:
        self.clock = Clock()
        self.network = TelegramSimulator(TelegramSettings(**settings), clock=self.clock)  # type: ignore[arg-type]
        self.hub = Hub.open(
            folder / "support.sqlite",
            public_url="https://hub.example",
            registry=Registry.of(socialsupport_telegram),
            transport=Network([self.network]).transport(),
            clock=self.clock,
        )
        self.hub.add_tenant("acme", "Acme")
        self.hub.add_agent("acme", "dana", "Dana")
        self.door = self.hub.add_channel("acme", "bot", "telegram", settings, mode=mode).rsplit("/", 1)[1]

    def bring(self) -> None:
        """Delivers the webhooks that are due, and everything that follows."""
        for payload in self.network.due():
            self.hub.receive(self.door, payload).result()
        self.hub.drain()

    def texts(self) -> list[str]:
        found = [one["interaction"].get("text", "(deleted)") for one in self.hub.timeline("acme", "telegram.user:1000")]
        return [one.strip() for one in found]

    def reply(self, text: str, **how: Any) -> None:
        con = self.hub.customer("acme", "telegram.user:1000")["conversations"][0]["id"]
        self.hub.reply("acme", con, text, agent="dana", **how)
        self.hub.drain()

    def states(self) -> list[str]:
        entries = self.hub.timeline("acme", "telegram.user:1000")
        return [one["state"] for one in entries if one["interaction"]["direction"] == "outbound"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, SETTINGS, "webhook")
    yield made
    made.hub.close()


def test_from_a_message_to_an_answer(desk: Desk) -> None:
    said = desk.network.speak("kerry", "my parcel is lost")
    desk.bring()
    desk.clock.forward(minutes=1)
    desk.reply("We are **on it**.")
    assert desk.texts() == ["my parcel is lost", "We are **on it**."]
    assert desk.states() == ["sent"]
    assert desk.network.heard("kerry")[-1].text == "We are on it."
    desk.network.edit("kerry", said, "my parcel was lost")
    desk.network.react("kerry", desk.network.heard("kerry")[-1], "👍")
    desk.bring()
    assert desk.texts()[0] == "my parcel was lost"
    assert desk.hub.timeline("acme", "telegram.user:1000")[-1]["reactions"] == ["👍"]


def test_delivered_twice_late_and_out_of_order(desk: Desk) -> None:
    desk.network.faults.duplicate = 3
    desk.network.faults.reorder = True
    for number in range(6):
        desk.network.speak("kerry", f"text {number}")
        desk.clock.forward(seconds=1)
    desk.bring()
    assert desk.texts() == [f"text {number}" for number in range(6)]
    assert desk.hub.health()["journal"]["unexplained"] == 0


def test_what_was_lost_comes_when_it_is_delivered_again(desk: Desk) -> None:
    desk.network.faults.lose = 1
    desk.network.speak("kerry", "first")
    desk.clock.forward(seconds=5)
    desk.network.speak("kerry", "second")
    desk.bring()
    assert desk.texts() == ["second"]
    desk.network.redeliver()
    desk.bring()
    assert desk.texts() == ["first", "second"]


def test_a_cut_connection_is_uncertain_and_one_message(desk: Desk) -> None:
    desk.network.speak("kerry", "hello")
    desk.bring()
    desk.network.faults.drop = 1
    desk.reply("hi")
    for _ in range(3):
        desk.clock.forward(minutes=30)
        desk.hub.drain()
    assert desk.states() == ["uncertain"]
    assert [one.text for one in desk.network.said if one.author == "us"] == ["hi"]


def test_who_has_blocked_the_bot_cannot_be_reached(desk: Desk) -> None:
    desk.network.speak("kerry", "hello")
    desk.network.block("kerry")
    desk.bring()
    desk.reply("hi")
    assert desk.states() == ["failed"]
    (failed,) = [one for one in desk.hub.events("acme") if one["data"].get("state") == "failed"]
    assert "blocked" in failed["data"]["reason"]


def test_the_networks_own_form_of_a_rate_limit_is_honoured(desk: Desk) -> None:
    desk.network.speak("kerry", "hello")
    desk.bring()
    desk.network.faults.rate_limit = 1
    desk.reply("hi")
    desk.clock.forward(seconds=4)
    desk.hub.drain()
    assert desk.states() == ["retrying"]
    desk.clock.forward(seconds=2)
    desk.hub.drain()
    assert desk.states() == ["sent"]


def test_no_token_reaches_the_log_or_the_journal(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.network.speak("kerry", "hello")
    desk.bring()
    desk.network.faults.expire = 1
    desk.reply("hi")
    shown = f"{desk.hub.events('acme')} {desk.hub.health()} {desk.hub.list_channels('acme')} {caplog.text}"
    assert "fake-token" not in shown
    assert desk.hub.health()["status"] == "degraded"


def test_a_file_arrives_and_is_kept(desk: Desk) -> None:
    desk.network.send_photo("kerry", b"\x89PNG picture", "look")
    desk.bring()
    (kept,) = desk.hub.timeline("acme", "telegram.user:1000")[0]["attachments"]
    assert kept["state"] == "stored"
    assert desk.hub.attachment("acme", kept["id"])[1] == b"\x89PNG picture"


def test_a_hand_off_link_brings_the_same_conversation_along(desk: Desk) -> None:
    desk.network.speak("kerry", "help", place="group")
    desk.bring()
    con = desk.hub.queue("acme")[0]["id"]
    token = desk.hub.hand_off("acme", con, agent="dana")["token"]
    ways = desk.hub.handoff_ways(token)
    assert ways is not None
    desk.network.start("kerry", token)
    desk.network.speak("kerry", "it is about order 4711")
    desk.bring()
    assert {leg["visibility"] for leg in desk.hub.conversation("acme", con)["legs"]} == {"public", "private"}
    assert len(desk.hub.queue("acme")) == 1


def test_polled_pages_go_the_same_way_and_the_cursor_with_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"token": TOKEN}, "poll")
    try:
        for number in range(5):
            desk.network.speak("kerry", f"text {number}")
            desk.clock.forward(seconds=1)
        asyncio.run(poll(desk))
        desk.hub.drain()
        assert desk.texts() == [f"text {number}" for number in range(5)]
        asked = len(desk.network.calls)
        asyncio.run(poll(desk))
        desk.hub.drain()
        assert desk.network.calls[asked].url.params["offset"]
        assert len(desk.texts()) == 5
    finally:
        desk.hub.close()


async def poll(desk: Desk) -> None:
    try:
        await desk.hub.workers.poll("acme", "bot")
    finally:
        await desk.hub.wire.aclose()
