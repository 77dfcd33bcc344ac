"""Both sides at once: the connector against a LINE that checks its calls."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

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
    Choice,
    DeleteMessage,
    EditMessage,
    Facts,
    Identifier,
    IdentityClaimed,
    InteractionDeleted,
    InteractionReceived,
    MarkRead,
    OpenPrivate,
    React,
    SendMessage,
    Thread,
    ThreadUpdated,
    Typing,
)
from socialsupport_line import Line, LineSettings
from socialsupport_line.simulator import GROUP, US, LineSimulator

TOKEN = "abcdefghijklmnopqrstuvwx23"
SETTINGS = {"channel_secret": "a-channel-secret", "channel_access_token": "a-channel-token"}


class Desk(testing.Desk[Line, LineSimulator]):
    own_account = US
    question = "Where is my *parcel*?"

    def __init__(self, **more: Any) -> None:
        settings = LineSettings.model_validate(SETTINGS | more)
        sim = LineSimulator(settings, clock=self.clock)
        super().__init__(Line(settings, Facts(own_account=US, handle="216acme")), sim)

    def paths(self) -> list[str]:
        return [call.url.path.removeprefix("/v2/bot/") for call in self.sim.calls]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def thrifty() -> Desk:
    """It answers by reply tokens."""
    return Desk(reply_tokens=True)


# a conversation


def test_a_question_and_its_answer(desk: Desk) -> None:
    question = desk.asked()
    assert (question.own_account, question.author.account) == (
        US,
        Identifier(kind="line.user", value=desk.sim.person("kerry")),
    )
    assert desk.connector.measured(question.text or "") == "Where is my *parcel*?"
    receipt = desk.send(question)
    answer = desk.sim.heard("kerry")[-1]
    assert (answer.id, answer.text) == (receipt.native_id, "It is on its way.")


def test_an_answer_in_a_group_stays_there(desk: Desk) -> None:
    question = desk.asked(place="group")
    assert question.thread == Thread(id=GROUP, visibility="private")
    desk.send(question)
    assert [(said.place, said.thread) for said in desk.sim.said] == [("group", GROUP)] * 2


def test_what_we_said_can_be_quoted(desk: Desk) -> None:
    receipt = desk.send(desk.asked())
    assert receipt.context == f'{{"quote":"quote-{receipt.native_id}"}}'


def test_a_quote_token_is_not_used_in_another_chat(desk: Desk) -> None:
    private = desk.asked()
    desk.asked(place="group")
    intent = SendMessage(
        key="k-1", own_account=US, thread=Thread(id=GROUP, visibility="private"), target=private, text="All"
    )
    desk.run(desk.connector.send(intent))
    assert b"quoteToken" not in desk.sim.calls[-1].read()


def test_choices_come_back_with_their_value(desk: Desk) -> None:
    desk.send(desk.asked(), "Which?", choices=tuple(Choice(title=f"Row {n}", value=f"r{n}") for n in range(13)))
    desk.sim.press("kerry", "Row 12")
    pressed = desk.heard()
    assert (pressed.choice, pressed.text) == ("r12", None)


def test_words_are_counted_as_line_counts_them(desk: Desk) -> None:
    question = desk.asked()
    desk.send(question, "🍎" * 2500)
    with pytest.raises(ContentRejected, match=r"messages\[0\]\.text"):
        desk.send(question, "🍎" * 2501, key="k-2")


def test_a_label_is_counted_in_graphemes(desk: Desk) -> None:
    family = "👨‍👩‍👧"
    question = desk.asked()
    with pytest.raises(ContentRejected, match="21 characters, 20 fit"):
        desk.send(question, choices=(Choice(title=family * 21, value="v"),))
    assert desk.sim.calls == []
    assert desk.send(question, choices=(Choice(title=family * 20, value="v"),)).native_id


# the retry key


def test_a_lost_answer_is_found_again_and_nothing_is_sent_twice(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.faults.drop = 1
    with pytest.raises(Uncertain):
        desk.send(question)
    receipt = desk.send(question)
    assert desk.ours() == ["It is on its way."]
    assert receipt.native_id == desk.sim.heard("kerry")[-1].id


def test_another_part_has_another_key(desk: Desk) -> None:
    question = desk.asked()
    desk.send(question, "One", key="k-1")
    desk.send(question, "Two", key="k-2")
    assert desk.ours() == ["One", "Two"]
    assert len({call.headers["x-line-retry-key"] for call in desk.sim.calls}) == 2


# reply tokens


def test_without_the_setting_everything_is_pushed(desk: Desk) -> None:
    desk.send(desk.asked())
    assert (desk.paths(), desk.sim.left) == (["message/push"], 199)
    assert desk.connector.capabilities.settles == "native_key"


def test_an_early_answer_costs_nothing(thrifty: Desk) -> None:
    thrifty.send(thrifty.asked())
    assert (thrifty.paths(), thrifty.sim.left) == (["message/reply"], 200)


def test_a_reply_token_works_once(thrifty: Desk) -> None:
    question = thrifty.asked()
    thrifty.send(question, "One", key="k-1")
    thrifty.send(question, "Two", key="k-2")
    assert thrifty.ours() == ["One", "Two"]
    assert thrifty.paths() == ["message/reply", "message/reply", "message/push"]


def test_a_late_answer_is_pushed(thrifty: Desk) -> None:
    question = thrifty.asked()
    thrifty.now += timedelta(minutes=2)
    thrifty.send(question)
    assert (thrifty.ours(), thrifty.sim.left) == (["It is on its way."], 199)


def test_of_a_late_event_no_reply_token_is_kept(thrifty: Desk) -> None:
    thrifty.sim.speak("kerry", "Hello?")
    (payload,) = thrifty.sim.due()
    late = payload.model_copy(update={"received_at": payload.received_at + timedelta(seconds=61)})
    contexts = [event.interaction.context or "" for event in thrifty.connector.parse(late)]  # type: ignore[union-attr]
    assert ["reply" in one for one in contexts] == [False]
    assert '"quote":' in contexts[0]


def test_with_reply_tokens_a_doubt_is_left_to_people(thrifty: Desk) -> None:
    """A second try could not tell a used token from an old one, and would push the same words again."""
    question = thrifty.asked()
    thrifty.sim.faults.drop = 1
    with pytest.raises(Uncertain):
        thrifty.send(question)
    assert thrifty.connector.capabilities.settles == "none"
    assert thrifty.connector.capabilities_in(question.thread).settles == "none"
    assert Line.capabilities.settles == "native_key"


def test_a_reply_that_line_refuses_is_not_pushed(thrifty: Desk) -> None:
    with pytest.raises(ContentRejected):
        thrifty.send(thrifty.asked(), "x" * 5001)
    assert thrifty.paths() == ["message/reply"]


# what else is done


def test_reading_and_writing_are_shown(desk: Desk) -> None:
    question = desk.asked()
    desk.do(MarkRead, question)
    desk.do(Typing, question)
    assert (desk.sim.read, desk.sim.loading) == ([question.native_id], [(question.thread.id, 20)])


def test_in_groups_writing_is_not_shown(desk: Desk) -> None:
    question = desk.asked(place="group")
    assert desk.connector.capabilities_in(question.thread).intents == {"send.message", "mark.read"}
    with pytest.raises(Unsupported, match="one-on-one"):
        desk.do(Typing, question)


@pytest.mark.parametrize(
    ("kind", "more"),
    [(React, {"reaction": "👍"}), (EditMessage, {"text": "x"}), (DeleteMessage, {}), (OpenPrivate, {"text": "x"})],
)
def test_what_line_cannot_is_refused(desk: Desk, kind: Any, more: dict[str, str]) -> None:
    with pytest.raises(Unsupported):
        desk.do(kind, desk.asked(), **more)
    assert desk.sim.calls == []


def test_nothing_is_public(desk: Desk) -> None:
    public = desk.asked().model_copy(update={"thread": Thread(id="Uxx", visibility="public")})
    assert desk.connector.capabilities_in(public.thread).intents == frozenset()
    with pytest.raises(Unsupported, match="public"):
        desk.send(public)


def test_a_file_is_refused_with_what_to_do(desk: Desk) -> None:
    with pytest.raises(Unsupported, match="put a link"):
        desk.send(desk.asked(), attachments=(Attachment(media_type="image/png", blob="0" * 64),))


def test_what_somebody_sent_is_fetched_once_it_is_ready(desk: Desk) -> None:
    photo = desk.sim.send_photo("kerry", None)
    (file,) = desk.heard().attachments
    with pytest.raises(Unavailable) as waiting:
        desk.run(desk.connector.fetch(file))
    assert waiting.value.retry_after == 5
    desk.sim.files[photo.id] = b"pixels"
    blob = desk.run(desk.connector.fetch(file))
    assert (blob.content, blob.media_type) == (b"pixels", "image/jpeg")


def test_a_message_is_taken_back(desk: Desk) -> None:
    said = desk.sim.speak("kerry", "Oops", "group")
    desk.sim.unsend("kerry", said)
    deleted = desk.events()[-1]
    assert isinstance(deleted, InteractionDeleted)
    assert (deleted.native_id, deleted.thread) == (said.id, Thread(id=GROUP, visibility="private"))


def test_followed_blocked_and_unblocked(desk: Desk) -> None:
    desk.sim.follow("kerry")
    desk.sim.block("kerry")
    desk.sim.follow("kerry")
    changes = [event.change for event in desk.events() if isinstance(event, ThreadUpdated)]
    assert changes == ["followed", "blocked", "unblocked"]


def test_a_blocking_person_hears_nothing_and_line_does_not_say_so(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.block("kerry")
    assert desk.send(question).native_id
    assert desk.ours() == []


def test_a_token_arrives_by_the_invitation(desk: Desk) -> None:
    address = desk.connector.invitation(TOKEN)
    assert address == f"https://line.me/R/oaMessage/%40216acme/?{TOKEN}"
    desk.sim.speak("kerry", address.rpartition("?")[2])
    claimed, received = desk.events()
    assert isinstance(claimed, IdentityClaimed)
    assert isinstance(received, InteractionReceived)
    assert (claimed.token, claimed.subject) == (TOKEN, received.interaction.author.account)


def test_nobody_is_invited_before_line_has_told_our_name(desk: Desk) -> None:
    assert Line(desk.connector.settings).invitation(TOKEN) is None


# about the world


def test_who_we_are_and_where_our_door_is(desk: Desk) -> None:
    facts = desk.run(desk.connector.probe())
    assert (facts.own_account, facts.name, facts.handle) == (US, "Acme", "216acme")
    desk.run(desk.connector.subscribe("https://hub.example/hooks/1"))
    assert desk.sim.endpoint == "https://hub.example/hooks/1"


def test_who_they_are(desk: Desk) -> None:
    question = desk.asked()
    assert question.author.account
    kerry = desk.run(desk.connector.profile(question.author.account))
    assert (kerry.name, kerry.language, kerry.account) == ("Kerry", "en", question.author.account)
    group = desk.run(desk.connector.profile(Identifier(kind="line.group", value=GROUP)))
    assert group.name == "Acme's friends"
    with pytest.raises(Unreachable):
        desk.run(desk.connector.profile(Identifier(kind="line.user", value="Unobody")))


# trouble


@pytest.mark.parametrize(
    ("fault", "kind"), [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired)]
)
def test_trouble_is_told_apart(desk: Desk, fault: str, kind: type[DeliveryError]) -> None:
    assert type(desk.trouble(fault)) is kind
    desk.send(desk.asked())
    assert desk.ours() == ["It is on its way."]


def test_the_month_is_used_up(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.left = 0
    with pytest.raises(Forbidden) as refused:
        desk.send(question)
    assert refused.value.code == "monthly_limit"


def test_without_a_token_nothing_is_sent() -> None:
    desk = Desk(channel_access_token=None)
    with pytest.raises(AuthExpired):
        desk.send(desk.asked())


def test_nobody_of_that_id(desk: Desk) -> None:
    question = desk.asked()
    desk.sim.people.clear()
    with pytest.raises(Unreachable):
        desk.send(question)


def test_a_message_that_repeats_our_token_is_redacted(desk: Desk) -> None:
    request = httpx.Request("POST", "https://api.line.me/v2/bot/message/push")
    told = httpx.Response(401, json={"message": "a-channel-token is not valid"}, request=request)
    assert str(desk.connector.failure(told)) == "LINE answered 401: … is not valid"


def test_what_was_delivered_twice_has_one_id(desk: Desk) -> None:
    desk.sim.faults.duplicate = 1
    desk.sim.speak("kerry", "Hello")
    first, second = desk.events()
    assert first == second
