"""What the kit does not ask: the search's delay, who is ours, whom Intercom would mail, and what a key is found by."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core import testing
from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    AuthExpired,
    CaseChanged,
    CaseFields,
    CaseRef,
    ConfigError,
    ContentRejected,
    MalformedPayload,
    RateLimited,
    Ref,
    SignatureError,
    SignIn,
    Uncertain,
    Unreachable,
    drive,
    mark,
)
from socialsupport_core.model import Attachment, Credentials, Facts, Identifier, Interaction, Party, Payload, Thread
from socialsupport_intercom import Intercom, IntercomSettings
from socialsupport_intercom.api import sign
from socialsupport_intercom.native import marked
from socialsupport_intercom.simulator import IntercomSimulator

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
SETTINGS = IntercomSettings(
    access_token=SecretStr("fake-private-token"),
    client_secret=SecretStr("fake-client-secret"),
    previous_client_secret=SecretStr("older-client-secret"),
)
CRM = Intercom(SETTINGS, Facts(own_account="991267696"))
KERRY = Party(identifiers=(Identifier(kind="telegram.user", value="42"),), name="Kerry Fisher")
TOUCH = Interaction(
    network="telegram",
    native_id="m-1",
    kind="message",
    direction="inbound",
    own_account="own-1",
    thread=Thread(id="t-1", visibility="private"),
    author=KERRY,
    text="Where is **my** parcel?",
    sent_at=NOW,
)


class Desk(testing.CRMDesk[Intercom, IntercomSimulator]):
    def __init__(self) -> None:
        super().__init__(CRM, IntercomSimulator(SETTINGS, clock=self.clock))

    def opened(self, name: str = "con_1", **more: Any) -> CaseRef:
        return super().opened(name, **{"party": KERRY} | more)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# both ways


def test_rounds_look_back_and_tell_once(desk: Desk) -> None:
    early, late, cursor = desk.opened("con_1"), desk.opened("con_2"), CRM.starting(NOW)
    desk.now += timedelta(seconds=20)
    desk.sim.speak("dana", "told late", late.id)
    hidden = desk.sim.talks.pop(late.id)  # the search does not know of it yet
    desk.now += timedelta(seconds=60)
    desk.sim.speak("dana", "told at once", early.id)
    told, cursor = desk.polled(cursor)
    assert desk.texts(told) == ["told at once"]
    desk.sim.talks[late.id] = hidden
    told, cursor = desk.polled(cursor)
    assert desk.texts(told) == ["told late"]
    assert desk.polled(cursor)[0] == []
    desk.now += timedelta(hours=2)
    desk.sim.speak("dana", "much later", early.id)
    told, cursor = desk.polled(cursor)
    assert desk.texts(told) == ["much later"]
    assert desk.polled(cursor)[0] == []


def test_pages_of_a_round_tell_everything(desk: Desk) -> None:
    cases = [desk.opened(f"con_{number}") for number in range(45)]
    cursor: str | None = CRM.starting(NOW)
    for number, case in enumerate(cases):
        desk.now += timedelta(seconds=1)
        desk.sim.speak("dana", f"number {number}", case.id)
    told, cursor = desk.polled(cursor)
    assert sorted(desk.texts(told)) == sorted(f"number {number}" for number in range(45))
    assert desk.polled(cursor)[0] == []


def test_both_ways_tell_the_same(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.heard()
    desk.now += timedelta(seconds=5)
    desk.sim.speak("dana", "See *the* label.", case.id, files={"label.txt": b"the label"})
    desk.sim.speak("dana", "Our margin is thin.", case.id, kind="note")
    desk.sim.speak("dana", "Goodbye!", case.id, kind="close")
    desk.sim.assign("dana", case.id, "sam")
    desk.sim.assign("dana", case.id, None)
    hooks, (search, _) = desk.heard(), desk.polled(cursor)
    assert hooks == search
    assert [type(event) for event in hooks] == [
        AgentReplied,
        AgentNoted,
        AgentReplied,
        CaseChanged,
        CaseChanged,
        CaseChanged,
    ]
    assert desk.texts(hooks) == [r"See \*the\* label.", "Our margin is thin.", "Goodbye!"]
    sam = next(id for id, name in desk.sim.admins.items() if name == "sam")
    fields = [event.fields for event in hooks if isinstance(event, CaseChanged)]
    assert fields == [CaseFields(status="closed"), CaseFields(assignee=sam), CaseFields(assignee="")]
    reply = hooks[0]
    assert isinstance(reply, AgentReplied)
    assert desk.run(CRM.fetch(reply.attachments[0])).content == b"the label"


def test_whoever_acts_for_us_may_answer_as_well(desk: Desk) -> None:
    """And a teammate who quotes a line of ours is heard."""
    case = desk.opened()
    desk.run(CRM.save_interaction(case, TOUCH.model_copy(update={"direction": "outbound"}), "k-1"))
    assert desk.heard() == []
    desk.sim.speak("The hub", "Typed by hand.", case.id)
    desk.sim.speak("dana", f"You wrote: {marked(mark('k-1'))}", case.id)
    assert len(desk.texts(desk.heard())) == 2


# what is written


def test_what_is_saved_is_never_mailed(desk: Desk) -> None:
    case = desk.opened()
    for direction in ("inbound", "outbound", "internal"):
        desk.run(CRM.save_interaction(case, TOUCH.model_copy(update={"direction": direction}), f"k-{direction}"))
    desk.run(CRM.edit_interaction(case, Ref(id="1"), TOUCH, "k-inbound"))
    written = [(part["author"]["type"], part["part_type"]) for part in desk.sim.talks[case.id].parts]
    assert written == [("user", "comment"), ("admin", "note"), ("admin", "note"), ("admin", "note")]
    (contact,) = desk.sim.contacts.values()
    assert (contact["email"], contact["external_id"], contact["name"]) == (None, "socialsupport:cus_1", "Kerry Fisher")


def test_words_stay_words(desk: Desk) -> None:
    case = desk.opened()
    desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    evil = TOUCH.model_copy(update={"direction": "internal", "text": "<script>alert(1)</script>"})
    desk.run(CRM.save_interaction(case, evil, "k-2"))
    comment, note = (part["body"] for part in desk.sim.talks[case.id].parts)
    assert comment == f"Where is my parcel?\n\nKerry Fisher on telegram · {marked(mark('k-1'))}"
    assert "<script>" not in note
    assert "<strong>Note by Kerry Fisher</strong>" in note


def test_a_conversation_has_our_key_and_our_tag(desk: Desk) -> None:
    case = desk.opened()
    talk = desk.sim.talks[case.id]
    assert (talk.attributes, talk.tags) == ({"socialsupport": "con_1"}, ["socialsupport"])
    assert desk.opened("con_2").id != case.id
    assert len(desk.sim.contacts) == 1


def test_whom_intercom_knows_is_taken(desk: Desk) -> None:
    known = desk.sim.add_contact("Kerry", email="kerry@acme.example")
    case = desk.opened(contact=known)
    assert desk.sim.talks[case.id].contact == known
    assert desk.opened(contact=known).id == case.id
    with pytest.raises(ContentRejected, match="no id of Intercom"):
        desk.opened("con_2", contact="../admins")


def test_a_contact_that_was_merged_goes_on_as_the_other(desk: Desk) -> None:
    first = desk.opened()
    ours, other = desk.sim.talks[first.id].contact, desk.sim.add_contact("Kerry", email="kerry@acme.example")
    desk.sim.merge(ours, other)
    assert desk.sim.talks[desk.opened("con_2").id].contact == other
    with pytest.raises(ContentRejected, match="merged"):
        desk.run(CRM.erase(ours))
    for _ in range(2):
        desk.run(CRM.erase(other))
    assert desk.sim.contacts == {}


def test_without_the_attribute_the_operator_reads_why(desk: Desk) -> None:
    desk.sim.attributes.clear()
    with pytest.raises(ContentRejected, match="socialsupport"):
        desk.opened()


def test_an_answer_that_was_lost_makes_no_second_record(desk: Desk) -> None:
    case = desk.opened()
    respond = desk.sim.respond

    def cut(request: httpx.Request) -> httpx.Response:
        answer = respond(request)
        if request.url.path.endswith("/reply"):
            raise httpx.ReadError("the connection was cut", request=request)
        return answer

    desk.sim.respond = cut  # type: ignore[method-assign]
    with pytest.raises(Uncertain):
        desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    desk.sim.respond = respond  # type: ignore[method-assign]
    ref = desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    assert [part["id"] for part in desk.sim.talks[case.id].parts] == [ref.id]


def test_what_is_removed_has_no_words_left(desk: Desk) -> None:
    case = desk.opened()
    ref = desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    other = desk.run(CRM.save_interaction(case, TOUCH, "k-2"))
    for text in ("Where is my red parcel?", "Where is my blue parcel?"):
        ref = desk.run(CRM.edit_interaction(case, ref, TOUCH.model_copy(update={"text": text}), "k-1"))
    desk.run(CRM.remove_interaction(case, ref, "k-1"))
    assert [part["id"] for part in desk.sim.talks[case.id].parts if part["body"]] == [other.id]
    desk.run(CRM.remove_interaction(case, Ref(id="99"), "k-9"))  # never there, or too far back to be shown


def test_a_deleted_conversation_needs_another(desk: Desk) -> None:
    case = desk.opened()
    desk.run(CRM.erase_case(case.id))
    with pytest.raises(Unreachable):
        desk.run(CRM.save_interaction(case, TOUCH, "k-1"))


def test_nobody_is_found_by_a_near_match(desk: Desk) -> None:
    desk.sim.add_contact("Kerry", email="Kerry@acme.example", phone="not a number")
    party = Party(identifiers=(Identifier(kind="email", value="Kerry@acme.example"),))
    (found,) = desk.run(CRM.find_customers(party))
    assert {str(one) for one in found.identifiers} == {"email:Kerry@acme.example"}
    assert found.verified == frozenset()


# who is who


@pytest.mark.parametrize("secret", ["fake-client-secret", "older-client-secret"])
def test_both_secrets_open_while_they_change(secret: str) -> None:
    CRM.verify(Payload(headers=(("X-Hub-Signature", sign(SecretStr(secret), b"{}")),), body=b"{}", received_at=NOW))


def test_without_a_secret_nothing_is_taken() -> None:
    bare = Intercom(IntercomSettings(access_token=SecretStr("fake-private-token")))
    headers = (("X-Hub-Signature", sign(SecretStr(""), b"{}")),)
    with pytest.raises(SignatureError, match="client_secret"):
        bare.verify(Payload(headers=headers, body=b"{}", received_at=NOW))


def test_without_the_connection_test_nothing_is_written(desk: Desk) -> None:
    case, bare = desk.opened(), Intercom(SETTINGS)
    with pytest.raises(ConfigError, match="connection test"):
        desk.run(bare.close_case(case, "resolved"))


def test_credentials_go_nowhere_else() -> None:
    given = Credentials(access_token=SecretStr("t"))
    for address in ("https://downloads.intercomcdn.com/i/o/1", "https://api.intercom.io/auth/eagle/token"):
        assert "authorization" not in CRM.authorize_with(httpx.Request("GET", address), given, NOW, "").headers
    with pytest.raises(ContentRejected):
        drive(CRM.fetch(Attachment(url="http://downloads.intercomcdn.com/1")), lambda _: None, CRM.failure)


def test_a_workspace_in_europe_is_asked_there() -> None:
    europe = Intercom(IntercomSettings(region="eu", access_token=SecretStr("fake-private-token")))
    assert next(europe.probe()).url == "https://api.eu.intercom.io/me"
    with pytest.raises(ConfigError, match="OAuth client"):
        europe.connect("state", "https://hub.example/back")


def test_signing_in_needs_the_secret_that_belongs_to_it(desk: Desk) -> None:
    settings = IntercomSettings(client_id="fake-client-id", client_secret=SecretStr("fake-client-secret"))
    sign_in = SignIn(state="s", redirect="https://hub.example/back", verifier=SecretStr("v" * 43))
    crm = Intercom(settings)
    token = desk.run(crm.exchange_with("fake-code", sign_in)).access_token
    assert token.get_secret_value() in desk.sim.tokens
    wrong = Intercom(settings.model_copy(update={"client_secret": SecretStr("another-secret")}))
    with pytest.raises(AuthExpired, match="Invalid code"):
        desk.run(wrong.exchange_with("fake-code", sign_in))


def test_too_fast_waits_until_the_window_ends(desk: Desk) -> None:
    desk.sim.faults.rate_limit = 1
    with pytest.raises(RateLimited) as caught:
        desk.run(CRM.probe())
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"access_token": "fake-private-token", "client_id": "fake-client-id", "client_secret": "fake-client-secret"},
        {"client_id": "fake-client-id"},
        {"access_token": "short"},
        {"access_token": "fake-private-token", "region": "mars"},
    ],
)
def test_settings_that_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        IntercomSettings.model_validate(given)


def test_unknown_parts_are_passed_over_and_broken_ones_told() -> None:
    author = {"type": "admin", "id": "7"}
    parts = [{"id": "1", "part_type": "participant_added", "author": author, "created_at": 1}]
    body = {"type": "conversation", "id": "5", "conversation_parts": {"conversation_parts": parts}}
    assert list(CRM.parse(Payload(source="poll", body=json.dumps(body).encode(), received_at=NOW))) == []
    parts.append({"id": "2", "part_type": "comment", "body": "Hello", "author": author})
    with pytest.raises(MalformedPayload, match="created_at"):
        CRM.parse(Payload(source="poll", body=json.dumps(body).encode(), received_at=NOW))
