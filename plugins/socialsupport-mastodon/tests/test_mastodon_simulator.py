"""Both sides at once: the connector against an instance that checks its calls, polled and over a stream."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import SecretStr

import socialsupport_mastodon
from socialsupport_core import testing
from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    ContentRejected,
    RateLimited,
    SignIn,
    Uncertain,
    Unreachable,
    Unsupported,
)
from socialsupport_core.model import (
    Attachment,
    DeleteMessage,
    EditMessage,
    Identifier,
    IdentityClaimed,
    InteractionReceived,
    OpenPrivate,
    React,
    ReactionAdded,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_mastodon import Mastodon, MastodonSettings
from socialsupport_mastodon.simulator import HOST, US, MastodonSimulator

SETTINGS = {"instance": HOST, "access_token": "an-access-token"}
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TOKEN = "abcdefghijklmnopqrstuvwx23"


class Desk(testing.Desk[Mastodon, MastodonSimulator]):
    own_account = US
    person = "kerry@social.example"
    question = "where is my parcel?"
    now = NOW

    def __init__(self, **more: Any) -> None:
        settings = MastodonSettings.model_validate(SETTINGS | more)
        super().__init__(Mastodon(settings), MastodonSimulator(settings, clock=self.clock))
        if self.sim.tokens:
            self.connector = Mastodon(settings, self.run(self.connector.probe()))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_question_and_its_answer(desk: Desk) -> None:
    receipt = desk.send(desk.asked(), "It is **on its way**.")
    assert desk.ours() == ["@kerry@social.example It is on its way."]
    assert receipt.thread.visibility == "public"


@pytest.mark.parametrize(
    ("question", "answer"),
    [("public", "public"), ("unlisted", "unlisted"), ("private", "direct"), ("direct", "direct"), ("odd", "direct")],
)
def test_an_answer_is_never_wider_than_the_question(desk: Desk, question: str, answer: str) -> None:
    receipt = desk.send(desk.asked(visibility=question), "Yes")
    assert desk.sim.statuses[receipt.native_id]["visibility"] == answer


def test_a_private_thread_is_never_answered_in_public(desk: Desk) -> None:
    question = desk.asked()
    private = question.model_copy(update={"thread": Thread(id="direct/7", visibility="private")})
    receipt = desk.send(private, "Yes")
    assert desk.sim.statuses[receipt.native_id]["visibility"] == "direct"


def test_what_is_sent_twice_is_posted_once(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.faults.drop = 1
    with pytest.raises(Uncertain):
        desk.send(question, "Yes")
    desk.send(question, "Yes")
    assert len(desk.ours()) == 1
    desk.do(SendMessage, question, "k-2", text="Yes")
    assert len(desk.ours()) == 2


def test_a_doubtful_post_is_looked_up_by_its_words(desk: Desk) -> None:
    question = desk.asked()
    intents = [
        kind(
            key=f"k-{kind.__name__}",
            own_account=US,
            thread=question.thread,
            target=question,
            text="Ask @sam, **please**",
        )
        for kind in (SendMessage, OpenPrivate)
    ]
    for intent in intents:
        assert desk.run(desk.connector.lookup(intent, NOW)) is None
        receipt = desk.run(desk.connector.send(intent))
        assert desk.run(desk.connector.lookup(intent, NOW)) == receipt
        other = intent.model_copy(update={"text": "Something else"})
        assert desk.run(desk.connector.lookup(other, NOW)) is None
        assert desk.run(desk.connector.lookup(intent, NOW + timedelta(minutes=5))) is None
    react = React(key="k", own_account=US, thread=question.thread, target=question, reaction="⭐")
    with pytest.raises(Unsupported, match="again"):
        desk.run(desk.connector.lookup(react, NOW))


def test_files_are_waited_for(desk: Desk) -> None:
    film = Attachment(media_type="video/mp4", name="a.mp4", blob="a" * 64)
    picture = Attachment(media_type="image/png", name="a.png", blob="b" * 64, text="a dot")
    receipt = desk.do(SendMessage, desk.asked(), attachments=(film, picture))
    sent = desk.sim.statuses[receipt.native_id]["media_attachments"]
    assert [one["description"] for one in sent] == [None, "a dot"]
    assert desk.waited == 3
    assert desk.ours() == ["@kerry@social.example"]


def test_a_file_without_content_is_refused(desk: Desk) -> None:
    with pytest.raises(ContentRejected, match="no content"):
        desk.do(SendMessage, desk.asked(), attachments=(Attachment(media_type="image/png"),))


def test_an_edit_keeps_files_and_warning(desk: Desk) -> None:
    picture = Attachment(media_type="image/png", name="a.png", blob="b" * 64)
    question = desk.asked()
    receipt = desk.do(SendMessage, question, text="Helo", subject="parcel", attachments=(picture,))
    ours = question.model_copy(update={"native_id": receipt.native_id, "direction": "outbound"})
    desk.do(EditMessage, ours, text="Hello")
    now = desk.sim.statuses[receipt.native_id]
    assert (now["spoiler_text"], len(now["media_attachments"])) == ("parcel", 1)
    assert desk.ours() == ["@kerry@social.example Hello"]
    desk.do(DeleteMessage, ours)
    assert desk.ours() == []


def test_only_our_own_posts_are_changed(desk: Desk) -> None:
    question, calls = desk.asked(), len(desk.sim.calls)
    for kind, more in ((EditMessage, {"text": "x"}), (DeleteMessage, {})):
        with pytest.raises(ContentRejected, match="ourselves"):
            desk.do(kind, question, **more)
    assert len(desk.sim.calls) == calls


def test_favourites_in_both_directions(desk: Desk) -> None:
    question = desk.asked()
    receipt = desk.send(question, "Yes")
    desk.sim.favour("kerry@social.example", receipt.native_id)
    event = desk.only(ReactionAdded)
    assert (event.native_id, event.reaction) == (receipt.native_id, "⭐")
    desk.do(React, question, reaction="👍")
    assert desk.sim.favourites == {question.native_id}
    desk.do(React, question, reaction="")
    assert not desk.sim.favourites
    with pytest.raises(ContentRejected, match="⭐"):
        desk.do(React, question, reaction="💩")


def test_a_private_talk_begins(desk: Desk) -> None:
    receipt = desk.do(OpenPrivate, desk.asked(), text="Your number, please")
    assert receipt.thread.visibility == "private"
    desk.sim.speak("kerry@social.example", f"it is {TOKEN}", "direct")
    claimed, said = desk.events()
    assert isinstance(claimed, IdentityClaimed)
    assert isinstance(said, InteractionReceived)
    assert said.interaction.thread == receipt.thread
    assert claimed.token == TOKEN


def test_a_token_in_public_proves_nothing(desk: Desk) -> None:
    desk.sim.speak("kerry", TOKEN)
    assert [type(event) for event in desk.events()] == [InteractionReceived]


def test_pages_follow_each_other(desk: Desk) -> None:
    desk.asked()
    for number in range(45):
        desk.sim.speak("kerry", f"question {number}")
    page = desk.run(desk.connector.poll(desk.cursor))
    assert page.more
    rest = desk.run(desk.connector.poll(page.cursor))
    assert not rest.more
    assert [sum(1 for _ in desk.connector.parse(one.payloads[0])) for one in (page, rest)] == [40, 5]
    empty = desk.run(desk.connector.poll(rest.cursor))
    assert (empty.payloads, empty.cursor, empty.more) == ((), rest.cursor, False)


def test_a_history_is_read_backwards(desk: Desk) -> None:
    for number in range(45):
        desk.sim.speak("kerry", f"question {number}")
    page = desk.run(desk.connector.history(NOW - timedelta(days=1), None))
    assert page.more
    rest = desk.run(desk.connector.history(NOW - timedelta(days=1), page.cursor))
    last = desk.run(desk.connector.history(NOW - timedelta(days=1), rest.cursor))
    texts = [event.id for one in (page, rest, last) for load in one.payloads for event in desk.connector.parse(load)]
    assert len(set(texts)) == 45
    assert not last.more
    late = desk.run(desk.connector.history(NOW + timedelta(days=1), None))
    assert not late.more


def test_slow_down_until_the_count_begins_anew(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.faults.rate_limit = 1
    with pytest.raises(RateLimited) as caught:
        desk.send(question, "Yes")
    assert caught.value.retry_after == 60


def test_a_revoked_token_is_told_and_never_shown() -> None:
    desk = Desk()
    desk.sim.faults.expire = 1
    with pytest.raises(AuthExpired) as caught:
        desk.run(desk.connector.poll(None))
    assert "revoked" in str(caught.value)
    assert "an-access-token" not in str(caught.value)


def test_what_is_gone_cannot_be_answered(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.withdraw(question.native_id)
    with pytest.raises(Unreachable):
        desk.send(question, "Yes")


def test_signing_in() -> None:
    desk = Desk(access_token=None, client_id="a-key", client_secret="a-secret")
    sign_in = SignIn(state="s", redirect="https://hub.example/connect/callback", verifier=SecretStr("v" * 43))
    address = desk.connector.connect_with(sign_in)
    asked_for = dict(parse_qsl(urlsplit(address).query))
    assert asked_for["code_challenge"] == sign_in.challenge
    desk.sim.codes["a-code"] = sign_in
    desk.credentials = desk.run(desk.connector.exchange_with("a-code", sign_in))
    assert desk.run(desk.connector.probe()).handle == "acme"
    with pytest.raises(ContentRejected, match="invalid"):
        desk.run(desk.connector.exchange_with("a-code", sign_in))


def test_what_the_operator_must_do_first_is_said() -> None:
    bare = Mastodon(MastodonSettings(instance=HOST))
    sign_in = SignIn(state="s", redirect="https://hub.example/c", verifier=SecretStr("v" * 43))
    with pytest.raises(ConfigError, match="connection test"):
        bare.poll(None)
    with pytest.raises(ConfigError, match="client_id"):
        bare.connect_with(sign_in)


def test_what_mastodon_cannot_is_refused(desk: Desk) -> None:
    with pytest.raises(Unsupported, match="typing"):
        desk.do(Typing, desk.asked())
    with pytest.raises(Unsupported, match=r"x\.user"):
        desk.run(desk.connector.profile(Identifier(kind="x.user", value="1")))


def test_nobody_is_addressed(desk: Desk) -> None:
    intent = SendMessage(key="k", own_account=US, thread=Thread(id="1", visibility="public"), text="Hello")
    with pytest.raises(ContentRejected, match="nobody"):
        desk.run(desk.connector.send(intent))


# the whole hub


class House:
    def __init__(self, path: Path) -> None:
        self.sim = MastodonSimulator(MastodonSettings.model_validate(SETTINGS), clock=lambda: NOW)
        self.hub = testing.simulated_hub(path, socialsupport_mastodon, self.sim)
        self.hub.add_channel("acme", "mastodon", "mastodon", SETTINGS)


@pytest.fixture
def house(tmp_path: Path) -> Any:
    made = House(tmp_path)
    yield made
    made.hub.close()


def test_the_stream_is_recorded_edits_and_deletions_too(house: House) -> None:
    hub, sim = house.hub, house.sim
    assert hub.list_channels("acme")[0]["mode"] == "stream"
    asyncio.run(hub.test_channel("acme", "mastodon"))

    async def listen() -> None:
        running = asyncio.create_task(hub.workers.stream("acme", "mastodon", quiet=0.5))
        async with asyncio.timeout(20):
            while not sim.lines:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            first = sim.speak("kerry", "where is it?")
            second = sim.speak("kerry", "never mind")
            sim.edit(first.id, "where is my parcel?")
            sim.withdraw(second.id)
            await running

    asyncio.run(listen())
    hub.drain()
    shown = hub.timeline("acme", f"mastodon.user@{HOST}:{sim.account('kerry')}")
    texts = [one["interaction"].get("text") for one in shown]
    assert "[@acme](mention:1) where is my parcel?" in texts
    assert not any("never mind" in (text or "") for text in texts)


def test_what_came_while_nobody_listened_is_read_back_and_answered(house: House) -> None:
    hub, sim = house.hub, house.sim
    hub.add_agent("acme", "dana", "Dana")
    asyncio.run(hub.test_channel("acme", "mastodon"))
    asyncio.run(hub.workers.stream("acme", "mastodon"))
    sim.speak("kerry", "is anybody there?")
    asyncio.run(hub.workers.stream("acme", "mastodon"))
    hub.drain()
    asyncio.run(hub.workers.backfilling.round())
    hub.drain()
    account = f"mastodon.user@{HOST}:{sim.account('kerry')}"
    assert [one["interaction"]["text"] for one in hub.timeline("acme", account)] == [
        "[@acme](mention:1) is anybody there?"
    ]
    hub.reply("acme", hub.queue("acme")[0]["id"], "Yes, ask away", agent="dana")
    hub.drain()
    assert [said.text for said in sim.said if said.author == "us"] == ["@kerry Yes, ask away"]
