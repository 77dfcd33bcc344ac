"""Both sides at once: the connector against a LinkedIn that checks its calls."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import socialsupport_linkedin
from socialsupport_core import testing
from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    ContentRejected,
    Forbidden,
    RateLimited,
    SignatureError,
    SignIn,
    Unavailable,
    Uncertain,
    Unsupported,
)
from socialsupport_core.hub import Hub
from socialsupport_core.model import (
    Attachment,
    DeleteMessage,
    EditMessage,
    Event,
    Facts,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    OpenPrivate,
    Payload,
    React,
    SendMessage,
    Unrecognised,
)
from socialsupport_core.testing import simulated_hub
from socialsupport_linkedin import LinkedIn, LinkedInSettings, polling
from socialsupport_linkedin.simulator import PAGE, POST, LinkedInSimulator

SETTINGS: dict[str, Any] = {
    "client_id": "86appofacme",
    "client_secret": "a-client-secret",
    "organization": PAGE,
    "application_id": "42",
    "access_token": "a-portal-token",
}
CHALLENGE = "890e4665-4dfe-4ab1-b689-ed553bceeed0"


class Desk(testing.Desk[LinkedIn, LinkedInSimulator]):
    own_account = PAGE

    def __init__(self, facts: Facts | None = None, **more: Any) -> None:
        settings = LinkedInSettings.model_validate(SETTINGS | more)
        super().__init__(LinkedIn(settings, facts), LinkedInSimulator(settings, clock=self.clock))

    def later(self, **more: float) -> None:
        self.now += timedelta(**more)

    def polled(self) -> list[Event]:
        return self._polled()

    def found(self, intent: Any) -> Any:
        return self.run(self.connector.lookup(intent, self.now - timedelta(seconds=30)))


@pytest.fixture
def desk() -> Desk:
    return Desk()


# in public, both ways


def test_a_comment_its_answer_and_the_echo(desk: Desk) -> None:
    asked = desk.asked("Where is *my* parcel?")
    assert (asked.kind, asked.thread.id, asked.thread.visibility) == ("comment", POST, "public")
    assert asked.text == r"Where is \*my\* parcel?"
    assert str(asked.author.account) == "linkedin.person@86appofacme:kerry"
    receipt = desk.send(asked)
    assert desk.ours() == ["It is on its way."]
    echo = desk.heard()
    assert (echo.native_id, echo.direction, echo.author.is_self) == (receipt.native_id, "outbound", True)
    assert echo.in_reply_to == asked.native_id


def test_a_reply_is_answered_beneath_the_comment_above_it(desk: Desk) -> None:
    top = desk.asked()
    reply = desk.asked("Mine, too!", under=top.native_id)
    assert reply.in_reply_to == top.native_id
    desk.send(reply)
    assert desk.heard().in_reply_to == top.native_id


def test_so_is_one_of_which_nobody_told_that_it_is_a_reply(desk: Desk) -> None:
    top = desk.asked()
    desk.sim.flatly = True
    reply = desk.asked("Mine, too!", under=top.native_id)
    assert reply.in_reply_to is None
    desk.send(reply)
    assert [desk.sim.parents[said.id] for said in desk.sim.said if said.author == "us"] == [top.native_id]
    assert desk.found(desk.intent(SendMessage, reply, text=desk.answer)) is not None
    with pytest.raises(ContentRejected, match="longer than may be"):
        desk.send(top, "x" * 1251)


def test_a_post_that_names_us_is_a_thread_of_its_own(desk: Desk) -> None:
    post = desk.asked("Will Acme ever answer?", "mention")
    assert (post.kind, post.thread.id) == ("mention", post.native_id)
    desk.send(post)
    assert desk.heard().thread == post.thread


def test_what_people_do_to_a_comment_afterwards(desk: Desk) -> None:
    asked = desk.asked()
    desk.later(minutes=1)
    desk.sim.edit(desk.sim.said[0], "Where is my parcel 42?")
    edited = desk.only(InteractionEdited)
    assert (edited.interaction.native_id, edited.interaction.text) == (asked.native_id, "Where is my parcel 42?")
    desk.sim.remove(desk.sim.said[0])
    deleted = desk.only(InteractionDeleted)
    assert (deleted.native_id, deleted.thread) == (asked.native_id, asked.thread)


def test_a_like_is_kept_and_says_why_nobody_answers(desk: Desk) -> None:
    desk.sim.like("kerry")
    assert "nothing to answer" in str(desk.only(Unrecognised).reason)


def test_one_comment_told_to_two_administrators_is_one(desk: Desk) -> None:
    desk.sim.comment("kerry", "Hello?")
    desk.sim._tell("COMMENT", desk.sim.said[0])
    one, other = desk.events()
    assert one == other


def test_ours_is_changed_and_taken_back(desk: Desk) -> None:
    desk.send(desk.asked())
    ours = desk.heard()
    desk.later(seconds=5)
    desk.do(EditMessage, ours, text="It arrives **today**.")
    assert desk.ours() == ["It arrives today."]
    desk.events()
    desk.do(DeleteMessage, ours)
    assert desk.ours() == []


def test_only_a_comment_can_be_changed_and_only_our_own(desk: Desk) -> None:
    with pytest.raises(ContentRejected, match="this is a post"):
        desk.do(EditMessage, desk.asked("Acme!", "mention"), text="Other words")
    with pytest.raises(Forbidden, match="Not enough permissions"):
        desk.do(EditMessage, desk.asked(), text="Other words")


def test_somebody_elses_comment_can_be_taken_down(desk: Desk) -> None:
    desk.do(DeleteMessage, desk.asked("Buy followers here!"))
    assert desk.sim.said[0].deleted


def test_we_react_and_take_it_back(desk: Desk) -> None:
    asked = desk.asked()
    desk.do(React, asked, reaction="👍")
    assert desk.sim.reactions == {asked.native_id: "LIKE"}
    desk.do(React, asked, reaction="")
    assert desk.sim.reactions == {}
    with pytest.raises(Unsupported, match="👍"):
        desk.do(React, asked, reaction="🐟")


def test_whoever_is_named_is_named_to_linkedin(desk: Desk) -> None:
    desk.send(desk.asked(), "👍 [Kerry](urn:li:person:kerry), see [our page](https://acme.example)")
    body = json.loads(desk.sim.calls[-1].content)
    assert body["message"]["text"] == "👍 Kerry, see our page"
    named = {"start": 3, "length": 5, "value": {"person": {"person": "urn:li:person:kerry"}}}
    assert body["message"]["attributes"] == [named]


@pytest.mark.parametrize("text", ["", "   ", None])
def test_an_empty_comment_is_refused_before_it_is_asked(desk: Desk, text: str | None) -> None:
    asked = desk.asked()
    with pytest.raises(ContentRejected, match="has a text"):
        desk.send(asked, text)
    assert not desk.sim.calls


def test_there_is_nothing_private(desk: Desk) -> None:
    with pytest.raises(Unsupported, match=r"open\.private"):
        desk.do(OpenPrivate, desk.asked(), text="Psst")


# doubt and trouble


@pytest.mark.parametrize("kind", [SendMessage, EditMessage, DeleteMessage, React])
def test_doubt_is_settled_by_looking(desk: Desk, kind: Any) -> None:
    asked = desk.asked()
    desk.send(asked, "Something before.")
    about = asked if kind in (SendMessage, React) else desk.heard()
    said = {SendMessage: {"text": "**Here** it is."}, EditMessage: {"text": "Better."}, React: {"reaction": "💡"}}
    intent = desk.intent(kind, about, **said.get(kind, {}))
    assert desk.found(intent) is None
    desk.sim.faults.drop = 1
    with pytest.raises(Uncertain):
        desk.run(desk.connector.send(intent))
    assert desk.found(intent) is not None


def test_an_answer_of_before_settles_nothing(desk: Desk) -> None:
    asked = desk.asked()
    desk.send(asked, "Here it is.")
    desk.later(hours=1)
    assert desk.found(desk.intent(SendMessage, asked, text="Here it is.")) is None


@pytest.mark.parametrize(
    ("fault", "kind", "after"), [("rate_limit", RateLimited, 60), ("unavailable", Unavailable, None)]
)
def test_trouble_is_a_decision(desk: Desk, fault: str, kind: Any, after: float | None) -> None:
    error = desk.trouble(fault)
    assert isinstance(error, kind)
    assert error.retry_after == after


def test_a_retired_version_is_for_the_operator() -> None:
    desk = Desk(version="202401")
    asked = desk.asked()
    with pytest.raises(Forbidden, match="set a newer one as version"):
        desk.send(asked)


def test_a_token_is_renewed(desk: Desk) -> None:
    sign_in = SignIn.model_validate({"state": "s", "redirect": "https://hub.example/back", "verifier": "v" * 43})
    desk.credentials = desk.run(desk.connector.exchange_with("granted-code", sign_in))
    asked = desk.asked()
    desk.send(asked)
    desk.sim.faults.expire = 1
    with pytest.raises(AuthExpired, match="revoked"):
        desk.send(asked)
    desk.credentials = desk.run(desk.connector.refresh(desk.credentials))
    desk.send(asked)
    assert len(desk.ours()) == 2
    assert desk.credentials.refresh_token is not None


def test_without_a_refresh_token_the_operator_connects_again(desk: Desk) -> None:
    desk.credentials = desk.run(desk.connector._granted(code="granted"))
    bare = desk.credentials.model_copy(update={"refresh_token": None})
    with pytest.raises(AuthExpired, match="connect the channel again"):
        desk.run(desk.connector.refresh(bare))


# polling


def test_rounds_take_everything_once(desk: Desk) -> None:
    desk.sim.mutely = True
    for number in range(120):
        desk.later(seconds=number % 3)  # some at the same moment
        desk.sim.comment("kerry", f"number {number}")
    first = [event.interaction.text for event in desk.polled() if isinstance(event, InteractionReceived)]
    assert sorted(str(text) for text in first) == sorted(f"number {number}" for number in range(120))
    calls = len(desk.sim.calls)
    assert desk.polled() == []
    assert len(desk.sim.calls) == calls + 1
    assert desk.waited == polling.PAUSE
    desk.sim.comment("sam", "one more at the very same moment")
    (event,) = desk.polled()
    assert isinstance(event, InteractionReceived)
    assert event.interaction.text == "one more at the very same moment"


def test_both_ways_in_tell_the_same(desk: Desk) -> None:
    desk.sim.comment("kerry", "Where is it?")
    desk.sim.name_us("sam", "Acme!")
    desk.later(minutes=1)
    desk.sim.remove(desk.sim.said[1])
    told = {event.id: event for event in desk.events()}
    polled = {event.id: event for event in desk.polled()}
    assert polled == told
    assert len(polled) == 3


def test_what_was_edited_meanwhile_is_told_as_it_reads_now(desk: Desk) -> None:
    desk.sim.mutely = True
    desk.sim.comment("kerry", "first")
    desk.later(minutes=1)
    desk.sim.edit(desk.sim.said[0], "second")
    read = {(event.id, event.interaction.text) for event in desk.polled() if isinstance(event, InteractionEdited)}
    urn = desk.sim.said[0].id
    assert read == {(f"{urn}:edit:{int(desk.now.timestamp() * 1000)}", "second")}


# the door


def test_no_challenge_signs_a_body(desk: Desk) -> None:
    answered = desk.connector.handshake(desk.sim.challenge(CHALLENGE))
    assert answered is not None
    assert json.loads(answered.body)["challengeCode"] == CHALLENGE
    body = b'{"notifications": []}'
    with pytest.raises(SignatureError, match="stranger"):
        desk.connector.handshake(desk.sim.challenge("hmacsha256%3D" + body.decode().replace(" ", "%20")))
    forged = Payload(
        headers=(("x-li-signature", json.loads(answered.body)["challengeResponse"]),), body=body, received_at=desk.now
    )
    with pytest.raises(SignatureError, match="client_secret"):
        desk.connector.verify(forged)


def test_a_get_without_a_challenge_is_no_handshake(desk: Desk) -> None:
    assert desk.connector.handshake(Payload(method="GET", url=desk.sim.door, received_at=desk.now)) is None


# settings and the page


def test_who_we_are_and_where_we_are_told(desk: Desk) -> None:
    facts = desk.run(desk.connector.probe())
    assert (facts.own_account, facts.name, facts.handle) == (PAGE, "Acme", "acme")
    desk.run(desk.connector.subscribe("https://hub.example/hooks/linkedin"))
    assert desk.sim.webhook == "https://hub.example/hooks/linkedin"


def test_the_page_may_come_from_the_connection_test() -> None:
    desk = Desk(organization=None)
    asked = desk.asked()
    with pytest.raises(ConfigError, match="organization is missing"):
        desk.send(asked)
    known = Desk(facts=desk.run(desk.connector.probe()), organization=None)
    known.send(known.asked())
    assert len(known.ours()) == 1


def test_another_page_is_refused_with_those_there_are(desk: Desk) -> None:
    desk.sim.us = "urn:li:organization:99"
    with pytest.raises(Forbidden, match="they are: 99"):
        desk.run(desk.connector.probe())


def test_without_the_apps_number_nothing_is_subscribed() -> None:
    desk = Desk(application_id=None)
    with pytest.raises(ConfigError, match="application_id"):
        desk.run(desk.connector.subscribe("https://hub.example/hooks/linkedin"))


def test_a_picture_is_fetched_without_a_token(desk: Desk) -> None:
    blob = desk.run(desk.connector.fetch(Attachment(url="https://media.licdn.com/dms/image/1")))
    assert blob.content == b"pixels"
    assert "authorization" not in desk.sim.calls[-1].headers
    with pytest.raises(Unsupported, match="without an address"):
        desk.run(desk.connector.fetch(Attachment()))


@pytest.mark.parametrize(
    ("key", "wrong"), [("organization", f"urn:li:organization:{PAGE}"), ("version", "2026"), ("client_secret", "x")]
)
def test_settings_that_cannot_be_are_refused(key: str, wrong: str) -> None:
    with pytest.raises(ValidationError, match=key):
        LinkedInSettings.model_validate(SETTINGS | {key: wrong})


# with a hub


class House:
    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 11, 20, 9, tzinfo=UTC)
        settings = LinkedInSettings.model_validate(SETTINGS)
        self.sim = LinkedInSimulator(settings, clock=lambda: self.now)
        self.hub: Hub = simulated_hub(folder, socialsupport_linkedin, self.sim)
        self.hub.add_channel("acme", "page", "linkedin", SETTINGS)

    def shown(self) -> list[tuple[str, str | None]]:
        self.now += timedelta(minutes=5)
        asyncio.run(self.hub.workers.poll("acme", "page"))
        self.hub.drain()
        entries = self.hub.timeline("acme", "linkedin.person@86appofacme:kerry")
        return [(one["interaction"]["direction"], one["interaction"]["text"]) for one in entries]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(polling, "PAUSE", 0.0)
    house = House(tmp_path)
    yield house
    house.hub.close()


def test_a_round_with_a_hub_ends_in_one_question_and_one_answer(house: House) -> None:
    house.sim.comment("kerry", "It never came.")
    assert house.shown() == [("inbound", "It never came.")]
    (one,) = house.hub.queue("acme")
    house.hub.reply("acme", one["id"], "We are *on it*.", agent="dana")
    house.hub.drain()
    told = [("inbound", "It never came."), ("outbound", "We are *on it*.")]
    assert [house.shown() for _ in range(3)] == [told] * 3


def test_a_comment_of_ours_typed_there_stands_in_the_thread(desk: Desk) -> None:
    desk.sim.comment("us", "Good morning!")
    heard: Interaction = desk.heard()
    assert (heard.direction, heard.author.is_self) == ("outbound", True)
