"""Both sides at once: the connector against a homeserver that checks its calls."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    ContentRejected,
    Flow,
    RateLimited,
    ReadBlob,
    Unavailable,
    Unreachable,
    Unsupported,
    drive,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Event,
    Facts,
    Identifier,
    Interaction,
    MarkRead,
    OpenPrivate,
    Payload,
    React,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_matrix import Matrix, MatrixSettings
from socialsupport_matrix.simulator import SQUARE, US, MatrixSimulator
from socialsupport_matrix.syncing import MOST_REACTIONS

TOKEN = "abcdefghijklmnopqrstuvwx23"


class Desk:
    """A support desk at a simulated homeserver; its first poll is made."""

    def __init__(self, **settings: Any) -> None:
        known = MatrixSettings(homeserver="https://matrix.acme.example", access_token="a-token-of-ours", **settings)
        self.matrix = Matrix(known, Facts(own_account=US))
        self.now = datetime(2026, 3, 2, 10, tzinfo=UTC)
        self.sim = MatrixSimulator(known, clock=lambda: self.now)
        self.blobs: dict[str, Blob] = {}
        self.cursor: str | None = None
        self.poll()

    def run(self, flow: Flow[Any]) -> Any:
        return drive(flow, self._respond, self.matrix.failure)

    def _respond(self, ask: Any) -> Any:
        if isinstance(ask, ReadBlob):
            return self.blobs[ask.digest]
        return self.sim.handle(self.matrix.authorize(ask, None, self.now, ""))

    def poll(self) -> list[Event]:
        page = self.run(self.matrix.poll(self.cursor))
        self.cursor = page.cursor
        return [event for payload in page.payloads for event in self.matrix.parse(payload)]

    def heard(self) -> list[Event]:
        return [*self.poll(), *self.poll()]

    def asked(self, text: str = "Where is my parcel?", place: str = "") -> Interaction:
        self.sim.speak("kerry", text, place)
        return messages(self.heard())[-1]

    def send(self, thread: Thread, text: str | None = "On its way", key: str = "k1", **more: Any) -> Any:
        return self.run(self.matrix.send(SendMessage(key=key, own_account=US, thread=thread, text=text, **more)))


def of(events: list[Event], kind: str) -> list[Any]:
    return [event for event in events if event.type == kind]


def messages(events: list[Event]) -> list[Interaction]:
    return [event.interaction for event in of(events, "interaction.received")]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_direct_room_is_entered_and_its_first_words_are_heard(desk: Desk) -> None:
    desk.sim.speak("kerry", "first")
    desk.sim.speak("kerry", "second")
    assert [one.text for one in messages(desk.heard())] == ["first", "second"]
    assert desk.sim.account["m.direct"] == {desk.sim.user("kerry"): [desk.sim.room_of("kerry")]}
    assert desk.poll() == []


@pytest.mark.parametrize(("setting", "heard"), [("all", 1), ("direct", 1), ("none", 0)])
def test_invitations_are_followed_as_set(setting: str, heard: int) -> None:
    desk = Desk(join_invites=setting)
    desk.sim.speak("kerry", "Hello")
    assert len(messages(desk.heard())) == heard


def test_an_invitation_that_failed_is_followed_later(desk: Desk) -> None:
    desk.sim.speak("kerry", "Hello")
    flow = desk.matrix.poll(desk.cursor)
    ask = next(flow)
    response = desk._respond(ask)
    ask = flow.send(response)
    assert ask.url.path.endswith(desk.sim.room_of("kerry"))
    with pytest.raises(StopIteration) as ended:
        flow.throw(RateLimited("later"))
    desk.cursor = ended.value.value.cursor
    desk.sim.speak("amir", "somebody else, meanwhile", "square")
    assert [one.text for one in messages(desk.poll())] == ["somebody else, meanwhile"]  # and entered
    assert [one.text for one in messages(desk.poll())] == ["Hello"]


def test_public_stays_public_over_polls(desk: Desk) -> None:
    assert desk.asked("Is anybody here?", "square").thread == Thread(id=SQUARE, visibility="public")
    assert desk.asked("Hello?", "square").thread.visibility == "public"
    assert desk.asked("in private").thread.visibility == "private"


def test_a_room_that_becomes_private_is_private(desk: Desk) -> None:
    desk.asked("public", "square")
    desk.sim._happens(SQUARE, "@admin:acme.example", "m.room.join_rules", {"join_rule": "invite"}, key="")
    assert desk.asked("private now", "square").thread.visibility == "private"


def test_a_hole_of_any_size_is_filled_or_told(desk: Desk) -> None:
    desk.asked()
    for number in range(230):
        desk.sim.speak("kerry", f"{number}")
    assert [one.text for one in messages(desk.heard())] == [str(number) for number in range(230)]
    for number in range(1200):
        desk.sim.speak("kerry", f"{number}")
    found = desk.heard()
    assert [one.native_type for one in of(found, "unrecognised")] == ["gap"]
    assert [one.text for one in messages(found)] == [str(number) for number in range(150, 1200)]


def test_an_answer_is_sent_once_and_its_echo_names_its_key(desk: Desk) -> None:
    asked = desk.asked()
    desk.sim.faults.drop = 0
    receipts = {desk.send(asked.thread, target=asked).native_id for _ in range(2)}
    assert [said.text for said in desk.sim.said] == ["Where is my parcel?", "On its way"]
    (echo,) = messages(desk.heard())
    assert {echo.native_id} == receipts
    assert (echo.client_key, echo.in_reply_to) == ("k1", asked.native_id)
    assert echo.counterpart is not None
    assert echo.counterpart.account == asked.author.account


def test_the_homeserver_is_not_written_to_in_the_clear_where_it_is_encrypted(desk: Desk) -> None:
    asked = desk.asked()
    desk.sim.encrypt("kerry")
    for intent in (
        SendMessage(key="a", own_account=US, thread=asked.thread, text="x"),
        OpenPrivate(key="b", own_account=US, thread=asked.thread, target=asked, text="x"),
    ):
        with pytest.raises(Unreachable, match="encrypted") if intent.type == "send.message" else _fresh(desk):
            desk.run(desk.matrix.send(intent))


class _fresh:
    """A room of its own, since the shared one cannot be written to."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def __enter__(self) -> None:
        self.before = self.desk.sim.room_of("kerry")

    def __exit__(self, *_: object) -> None:
        assert self.desk.sim.room_of("kerry") != self.before


def test_a_reaction_comes_and_goes_over_many_others(desk: Desk) -> None:
    asked = desk.asked()
    desk.send(asked.thread)
    ours = desk.sim.said[-1]
    desk.heard()
    reaction = desk.sim.react("kerry", ours, "👍")
    (added,) = of(desk.poll(), "reaction.added")
    assert (added.native_id, added.reaction) == (ours.id, "👍")
    desk.sim.redact("kerry", ours.thread, reaction)
    (removed,) = of(desk.poll(), "reaction.removed")
    assert (removed.native_id, removed.reaction) == (ours.id, "👍")
    first, *_ = [desk.sim.react("kerry", ours, f"{number}") for number in range(MOST_REACTIONS + 5)]
    desk.poll()
    assert len(json.loads(desk.cursor or "")["reactions"]) == MOST_REACTIONS
    desk.sim.redact("kerry", ours.thread, first)
    (deleted,) = of(desk.poll(), "interaction.deleted")
    assert deleted.native_id == first


def test_edits_redactions_typing_and_reading_are_heard(desk: Desk) -> None:
    asked = desk.asked()
    said = desk.sim.said[0]
    desk.sim.edit("kerry", said, "Where is my **big** parcel?")
    desk.sim.type("kerry")
    desk.sim.reads("kerry", said)
    found = desk.poll()
    assert [one.interaction.text for one in of(found, "interaction.edited")] == [r"Where is my \*\*big\*\* parcel?"]
    assert len(of(found, "typing.started")) == len(of(found, "delivery.updated")) == 1
    desk.sim.type("kerry")
    (again,) = of(desk.poll(), "typing.started")
    assert again.id != of(found, "typing.started")[0].id
    desk.sim.redact("kerry", asked.thread.id, asked.native_id)
    assert [one.native_id for one in of(desk.poll(), "interaction.deleted")] == [asked.native_id]


def test_a_thread_is_a_thread_of_its_own(desk: Desk) -> None:
    asked = desk.asked()
    relates = {"rel_type": "m.thread", "event_id": asked.native_id}
    desk.sim.speak("kerry", "inside", **{"m.relates_to": relates})
    (inside,) = messages(desk.heard())
    assert inside.thread.id == f"{asked.thread.id}/{asked.native_id}"
    desk.send(inside.thread, target=inside)
    (echo,) = messages(desk.heard())
    assert (echo.thread, echo.in_reply_to) == (inside.thread, inside.native_id)


def test_a_token_is_a_claim(desk: Desk) -> None:
    desk.sim.speak("kerry", f" {TOKEN} ")
    claim, message = [event for event in desk.heard() if event.type != "thread.updated"]
    assert (claim.type, message.type) == ("identity.claimed", "interaction.received")
    assert claim.token == TOKEN  # type: ignore[union-attr]


def test_a_room_that_moves_is_followed_in_both_directions(desk: Desk) -> None:
    asked = desk.asked()
    new = desk.sim.upgrade("kerry")
    assert "moved" in [one.change for one in of(desk.heard(), "thread.updated")]
    receipt = desk.send(asked.thread, target=asked)
    assert receipt.thread == Thread(id=new, visibility="private")
    assert desk.sim.said[-1].thread == new
    assert [str(one.thread.id) for one in messages(desk.heard())] == [new]


def test_files_go_both_ways(desk: Desk) -> None:
    desk.sim.send_photo("kerry", b"pixels", "broken")
    (heard,) = messages(desk.heard())
    assert (heard.text, heard.attachments[0].size) == ("broken", 6)
    assert desk.run(desk.matrix.fetch(heard.attachments[0])).content == b"pixels"
    desk.blobs["b"] = Blob(content=b"%PDF", media_type="application/pdf", name="bill.pdf")
    desk.send(heard.thread, None, attachments=(Attachment(media_type="application/pdf", blob="b"),))
    (echo,) = messages(desk.heard())
    assert (echo.text, echo.attachments[0].name) == (None, "bill.pdf")


def test_history_reads_what_polling_leaves_out() -> None:
    desk = Desk()
    desk.asked("one")
    for number in range(120):
        desk.sim.speak("kerry", f"{number}")
    texts: list[str] = []
    cursor: str | None = None
    for _ in range(10):
        page = desk.run(desk.matrix.history(datetime(2020, 1, 1, tzinfo=UTC), cursor))
        cursor = page.cursor
        texts += [one.text or "" for payload in page.payloads for one in messages(list(desk.matrix.parse(payload)))]
        if not page.more:
            break
    assert sorted(texts) == sorted(["one", *(str(number) for number in range(120))])
    late = desk.run(desk.matrix.history(datetime(2027, 1, 1, tzinfo=UTC), None))
    assert "start" not in json.loads(late.cursor)


def test_intents_that_make_no_sense_are_refused(desk: Desk) -> None:
    asked = desk.asked()
    common: dict[str, Any] = {"key": "k", "own_account": US, "thread": asked.thread}
    for intent, error in (
        (SendMessage(text="", **common), ContentRejected),
        (SendMessage(text="x", attachments=(Attachment(), Attachment()), **common), ContentRejected),
        (SendMessage(text="x", attachments=(Attachment(url="https://acme.example/x"),), **common), ContentRejected),
        (MarkRead(**common), ContentRejected),
        (OpenPrivate(text="x", **common), Unreachable),
        (Typing(**common | {"thread": Thread(id="../admin", visibility="private")}), Unreachable),
        (React(reaction="👍", target=asked.model_copy(update={"native_id": "../x"}), **common), ContentRejected),
    ):
        with pytest.raises(error):
            desk.run(desk.matrix.send(intent))


def test_a_private_room_is_opened_once(desk: Desk) -> None:
    asked = desk.asked("My card is …", "square")
    intent = OpenPrivate(key="p1", own_account=US, thread=asked.thread, target=asked, text="Here, please")
    first, again = desk.run(desk.matrix.send(intent)), desk.run(desk.matrix.send(intent))
    assert first == again
    assert [said.text for said in desk.sim.said if said.author == "us"] == ["Here, please"]


def test_trouble_is_a_decision(desk: Desk) -> None:
    asked = desk.asked()
    for fault, error in (("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired)):
        setattr(desk.sim.faults, fault, 1)
        with pytest.raises(error) as caught:
            desk.run(desk.matrix.send(Typing(key="t", own_account=US, thread=asked.thread)))
        assert fault != "rate_limit" or caught.value.retry_after == 2.0


def test_the_line_is_held_longer_than_the_homeserver_holds_it(desk: Desk) -> None:
    request: httpx.Request = next(desk.matrix.poll(desk.cursor))
    assert request.extensions["timeout"]["read"] * 1000 > int(request.url.params["timeout"])


def test_a_strange_cursor_is_said_to_be_strange(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="reset the channel's cursor"):
        desk.run(desk.matrix.poll("s123"))


def test_other_kinds_have_no_profile(desk: Desk) -> None:
    with pytest.raises(Unsupported):
        desk.run(desk.matrix.profile(Identifier(kind="phone", value="+15550001111")))


def test_a_share_is_read_without_what_stands_beside_it() -> None:
    bare = {
        "room_id": "!a:b",
        "timeline": [{"event_id": "$1", "sender": "@x:y", "type": "m.room.message", "content": {"body": "hi"}}],
    }
    settings = MatrixSettings(homeserver="https://matrix.acme.example", access_token="a-token-of-ours")
    payload = Payload(source="poll", body=json.dumps(bare).encode(), received_at=datetime(2026, 1, 1, tzinfo=UTC))
    (event,) = Matrix(settings, Facts(own_account=US)).parse(payload)
    assert event.interaction.sent_at == payload.received_at  # type: ignore[union-attr]
    assert event.interaction.thread.visibility == "private"  # type: ignore[union-attr]
