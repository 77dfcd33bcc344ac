"""Both sides at once: the connector against a server that checks its calls."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

import socialsupport_bluesky
from socialsupport_bluesky import Bluesky, BlueskySettings
from socialsupport_bluesky.records import LIKE, POST, tid
from socialsupport_bluesky.simulator import PDS, US, BlueskySimulator
from socialsupport_core import testing
from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    ContentRejected,
    Forbidden,
    RateLimited,
    SignIn,
    Uncertain,
    Unreachable,
    Unsupported,
)
from socialsupport_core.hub import Hub
from socialsupport_core.model import (
    Attachment,
    DeleteMessage,
    Identifier,
    IdentityClaimed,
    InteractionReceived,
    OpenPrivate,
    React,
    ReactionAdded,
    ReactionRemoved,
    SendMessage,
    Typing,
)

SETTINGS = {"handle": "acme.example.com", "app_password": "an-app-password"}
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TOKEN = "abcdefghijklmnopqrstuvwx23"
SIGN_IN = SignIn(state="s", redirect="https://hub.example/connect/callback", verifier=SecretStr("v" * 43))


class Desk(testing.Desk[Bluesky, BlueskySimulator]):
    own_account = US
    question = "where is my parcel?"
    now = NOW

    def __init__(self, **more: Any) -> None:
        settings = BlueskySettings.model_validate(SETTINGS | more)
        super().__init__(Bluesky(settings), BlueskySimulator(settings, clock=self.clock))
        back = httpx.URL(self.connector.connect_with(SIGN_IN))
        self.credentials = self.run(self.connector.exchange_with(back.params["code"], SIGN_IN))
        self.connector = Bluesky(settings, self.run(self.connector.probe()))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_thread_goes_on(desk: Desk) -> None:
    question = desk.asked()
    first = desk.send(question, "It is **on its way**.")
    written = desk.sim.records[first.native_id]
    assert written["text"] == "It is on its way."
    assert written["reply"]["root"] == written["reply"]["parent"]
    ref = {"uri": first.native_id, "cid": "bafyrei"}
    thanks = desk.asked("thanks", reply={"root": written["reply"]["root"], "parent": ref})
    assert (thanks.kind, thanks.in_reply_to, thanks.thread) == ("comment", first.native_id, question.thread)
    again = desk.do(SendMessage, thanks, "k-2", text="Welcome")
    reply = desk.sim.records[again.native_id]["reply"]
    assert (reply["root"]["uri"], reply["parent"]["uri"]) == (question.native_id, thanks.native_id)
    assert again.thread == question.thread


def test_what_is_sent_twice_is_one_post(desk: Desk) -> None:
    question = desk.asked()
    intent = desk.intent(SendMessage, question, text="Yes")
    desk.sim.faults.drop = 2  # the question for the post is harmless
    with pytest.raises(Uncertain):
        desk.run(desk.connector.send(intent))
    desk.sim.faults.drop = 0
    assert desk.run(desk.connector.lookup(intent, NOW)) is None
    first = desk.run(desk.connector.send(intent))
    assert desk.run(desk.connector.send(intent)).native_id == first.native_id
    assert desk.ours() == ["Yes"]
    found = desk.run(desk.connector.lookup(intent, NOW))
    assert (found.native_id, found.thread) == (first.native_id, question.thread)
    assert first.native_id == f"at://{US}/{POST}/{tid('k-1')}"


def test_pictures_and_their_words(desk: Desk) -> None:
    picture = Attachment(media_type="image/png", blob="a" * 64, text="a dot")
    receipt = desk.do(SendMessage, desk.asked(), attachments=(picture, picture))
    images = desk.sim.records[receipt.native_id]["embed"]["images"]
    assert [one["alt"] for one in images] == ["a dot", "a dot"]
    with pytest.raises(ContentRejected, match="no content"):
        desk.do(SendMessage, desk.asked("and now?"), attachments=(Attachment(media_type="image/png"),))


def test_likes_in_both_directions(desk: Desk) -> None:
    question = desk.asked()
    receipt = desk.send(question, "Yes")
    desk.sim.like("kerry", receipt.native_id)
    event = desk.only(ReactionAdded)
    assert (event.native_id, event.thread) == (receipt.native_id, question.thread)
    desk.do(React, question, reaction="👍")
    like = f"at://{US}/{LIKE}/{tid(f'like {question.native_id}')}"
    assert desk.sim.records[like]["subject"]["uri"] == question.native_id
    desk.do(React, question, reaction="")
    assert like not in desk.sim.records
    with pytest.raises(ContentRejected, match="likes only"):
        desk.do(React, question, reaction="💩")


def test_our_posts_can_be_deleted_and_no_others(desk: Desk) -> None:
    question = desk.asked()
    receipt = desk.send(question, "Oops")
    desk.do(DeleteMessage, question.model_copy(update={"native_id": receipt.native_id}))
    assert desk.ours() == []
    with pytest.raises(ContentRejected, match="ourselves"):
        desk.do(DeleteMessage, question)


def test_a_private_talk(desk: Desk) -> None:
    question = desk.asked()
    receipt = desk.do(OpenPrivate, question, text="Your number, please")
    assert receipt.thread.visibility == "private"
    desk.sim.speak("kerry", f"it is {TOKEN}", "messages")
    echo, claimed, said = desk.events()
    assert isinstance(echo, InteractionReceived)
    assert isinstance(claimed, IdentityClaimed)
    assert isinstance(said, InteractionReceived)
    assert (echo.interaction.native_id, echo.interaction.direction) == (receipt.native_id, "outbound")
    assert echo.interaction.counterpart == question.author
    assert said.interaction.thread == receipt.thread
    assert said.interaction.author == question.author
    answer = desk.intent(SendMessage, said.interaction, "k-2", text="Thank you")
    assert desk.run(desk.connector.lookup(answer, NOW)) is None
    sent = desk.run(desk.connector.send(answer))
    assert desk.run(desk.connector.lookup(answer, NOW)).native_id == sent.native_id
    opened = desk.intent(OpenPrivate, question, text="Your number, please")
    assert desk.run(desk.connector.lookup(opened, NOW)).native_id == receipt.native_id


def test_reactions_to_messages(desk: Desk) -> None:
    desk.asked(place="messages")
    (message,) = desk.sim.messages[desk.sim.convo(desk.sim.did("kerry"))]
    desk.sim.react("kerry", message, "👍")
    desk.sim.react("kerry", message, "👍", again=False)
    added, removed = desk.events()
    assert isinstance(added, ReactionAdded)
    assert isinstance(removed, ReactionRemoved)
    assert added.id != removed.id


def test_who_takes_no_messages_cannot_be_reached_there(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.closed.add(desk.sim.did("kerry"))
    with pytest.raises(Unreachable, match="disabled"):
        desk.do(OpenPrivate, question, text="Your number, please")


def test_rounds_take_everything_once(desk: Desk) -> None:
    desk.asked()
    for number in range(60):
        desk.sim.speak("kerry", f"question {number}")
    for number in range(25):
        desk.sim.speak("sam", f"message {number}", "messages")
    ids = [event.id for event in desk.events()]
    assert len(ids) == len(set(ids)) == 85
    calls = len(desk.sim.calls)
    assert desk.events() == []
    assert len(desk.sim.calls) - calls == 2  # neither are posts asked for, nor is anything kept


def test_one_more_of_the_same_moment_is_not_lost(desk: Desk) -> None:
    desk.asked()
    twin = desk.sim.notifications[-1]
    desk.sim.speak("sam", "at the same time")
    desk.sim.notifications[-1]["indexedAt"] = twin["indexedAt"]
    assert desk.heard().text == "at the same time"
    assert desk.events() == []


def test_without_messages_the_log_is_not_read() -> None:
    desk = Desk(messages=False)
    desk.sim.speak("kerry", "psst", "messages")
    assert desk.events() == []


def test_what_is_gone_cannot_be_answered(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.withdraw(question.native_id)
    with pytest.raises(Unreachable, match="gone"):
        desk.send(question, "Yes")
    assert desk.ours() == []


def test_slow_down(desk: Desk) -> None:
    desk.sim.faults.rate_limit = 1
    with pytest.raises(RateLimited) as caught:
        desk.events()
    assert caught.value.retry_after == 60


def test_tokens_are_renewed_and_the_password_serves_when_they_cannot_be(desk: Desk) -> None:
    assert desk.credentials is not None
    old = desk.credentials
    assert old.expires_at is not None
    assert (old.expires_at - NOW).total_seconds() == 7200
    desk.credentials = desk.run(desk.connector.refresh(old))
    assert desk.credentials is not None
    assert desk.credentials.refresh_token != old.refresh_token
    assert desk.sim.sign_ins == 1
    desk.asked()
    desk.credentials = desk.run(desk.connector.refresh(old))  # used up
    assert desk.sim.sign_ins == 2
    desk.asked("again")


def test_an_old_token_is_told(desk: Desk) -> None:
    desk.sim.access.clear()
    with pytest.raises(AuthExpired):
        desk.events()


def test_calls_go_to_the_accounts_own_server(desk: Desk) -> None:
    desk.asked()
    assert {call.url.host for call in desk.sim.calls[3:]} == {PDS}


def test_what_the_operator_must_do_is_said(desk: Desk) -> None:
    bare = Bluesky(desk.connector.settings)
    with pytest.raises(ConfigError, match="connection test"):
        bare.poll(None)
    with pytest.raises(ConfigError, match="cursor"):
        desk.connector.poll("what?")
    with pytest.raises(Forbidden):
        bare.exchange_with("another code", SIGN_IN)
    with pytest.raises(Unsupported, match=r"x\.user"):
        desk.run(desk.connector.profile(Identifier(kind="x.user", value="1")))
    with pytest.raises(Unsupported, match="typing"):
        desk.do(Typing, desk.asked())


async def connected(hub: Hub) -> None:
    """What the operator's browser does: it is sent straight back to us."""
    back = httpx.URL(hub.connect("acme", "bluesky", agent="dana"))
    arrival = await hub.connecting.arrive(back.params["state"])
    await hub.connecting.finish(arrival, back.params["code"])


def test_a_hub_polls_it(tmp_path: Path) -> None:
    sim = BlueskySimulator(BlueskySettings.model_validate(SETTINGS), clock=lambda: NOW)
    hub = testing.simulated_hub(tmp_path, socialsupport_bluesky, sim)
    try:
        hub.add_channel("acme", "bluesky", "bluesky", SETTINGS)
        assert sim.sign_ins == 0
        asyncio.run(connected(hub))
        assert sim.sign_ins == 1
        sim.speak("kerry", "where is my parcel?")
        sim.speak("kerry", "hello?", "messages")
        asyncio.run(hub.workers.poll("acme", "bluesky"))
        hub.drain()
        shown = hub.timeline("acme", f"bluesky.did:{sim.did('kerry')}")
        assert [one["interaction"]["text"] for one in shown] == ["where is my parcel?", "hello?"]
        hub.reply("acme", hub.queue("acme")[0]["id"], "On its way", agent="dana")
        hub.drain()
        assert [said.text for said in sim.said if said.author == "us"] == ["On its way"]
    finally:
        hub.close()
