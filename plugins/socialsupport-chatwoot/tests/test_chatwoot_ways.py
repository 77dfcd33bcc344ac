"""What the kit does not ask: who is at the door, what is announced, what is saved as what, and who is whose contact."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_chatwoot import Chatwoot, ChatwootSettings
from socialsupport_chatwoot.native import moment
from socialsupport_chatwoot.signing import SIGNATURE, TIMESTAMP, sign
from socialsupport_chatwoot.simulator import ChatwootSimulator
from socialsupport_core import testing
from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CaseSummary,
    ContentRejected,
    SignatureError,
    Unreachable,
    drive,
)
from socialsupport_core.model import Attachment, Blob, Identifier, Party, Payload
from socialsupport_core.testing.crm import TOUCH

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
GIVEN: dict[str, Any] = {
    "account": "7",
    "token": "fake-token",
    "inbox": "3",
    "inbox_identifier": "fake-inbox-identifier",
    "webhook_secret": "fake-secret",
    "previous_webhook_secret": "older-secret",
}
SETTINGS = ChatwootSettings.model_validate(GIVEN)
CRM = Chatwoot(SETTINGS)
KERRY = Party(identifiers=(Identifier(kind="email", value="kerry@acme.example"),), name="Kerry Fisher")


class Desk(testing.CRMDesk[Chatwoot, ChatwootSimulator]):
    def __init__(self) -> None:
        super().__init__(CRM, ChatwootSimulator(SETTINGS, clock=self.clock))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def changes(desk: Desk) -> list[CaseFields]:
    return [event.fields for event in desk.heard() if isinstance(event, CaseChanged)]


# the door


@pytest.mark.parametrize("secret", ["fake-secret", "older-secret"])
def test_both_secrets_open_while_they_rotate(secret: str) -> None:
    """By the words of the documentation: HMAC-SHA256 of `TIMESTAMP.BODY` in hexadecimal, after `sha256=`."""
    signature = "sha256=" + hmac.new(secret.encode(), f"{STAMP}.{{}}".encode(), hashlib.sha256).hexdigest()
    CRM.verify(Payload(headers=((SIGNATURE, signature), (TIMESTAMP, STAMP)), body=b"{}", received_at=NOW))


@pytest.mark.parametrize("stamp", ["", "now", "-1", "9" * 400, STAMP + "0", "²"])
def test_a_strange_time_is_refused(stamp: str) -> None:
    headers = ((SIGNATURE, sign(SecretStr("fake-secret"), stamp, b"{}")), (TIMESTAMP, stamp))
    with pytest.raises(SignatureError):
        CRM.verify(Payload(headers=headers, body=b"{}", received_at=NOW))


def test_what_signs_the_body_alone_is_refused() -> None:
    signature = "sha256=" + hmac.new(b"fake-secret", b"{}", hashlib.sha256).hexdigest()
    with pytest.raises(SignatureError, match="does not fit"):
        CRM.verify(Payload(headers=((SIGNATURE, signature), (TIMESTAMP, STAMP)), body=b"{}", received_at=NOW))


def test_a_version_that_signs_nothing_calls_an_address_with_a_key() -> None:
    given = {name: value for name, value in GIVEN.items() if "webhook" not in name} | {"door_key": "a key & more"}
    crm = Chatwoot(ChatwootSettings.model_validate(given))
    sim = ChatwootSimulator(crm.settings)
    drive(
        crm.subscribe("https://hub.example/hooks/c"),
        lambda ask: sim.handle(crm.authorize(ask, NOW, "")),
        crm.failure,
    )
    url = sim.webhooks[0]["url"]
    crm.verify(Payload(url=url, body=b"{}", received_at=NOW))
    for wrong in ("https://hub.example/hooks/c", url + "x", f"{url}&key=other", url.replace("key=", "Key=")):
        with pytest.raises(SignatureError):
            crm.verify(Payload(url=wrong, body=b"{}", received_at=NOW))


def test_without_any_proof_nothing_is_taken() -> None:
    bare = Chatwoot(ChatwootSettings.model_validate({name: GIVEN[name] for name in list(GIVEN)[:4]}))
    with pytest.raises(SignatureError, match="door_key"):
        bare.verify(Payload(url="https://hub.example/hooks/c?key=", body=b"{}", received_at=NOW))


@pytest.mark.parametrize(
    "given",
    [
        {"address": "https://chat.acme.example/path"},
        {"address": "ftp://chat.acme.example"},
        {"account": "7/../8"},
        {"inbox": "x"},
        {"inbox_identifier": "a/b"},
        {"webhook_secret": "short"},
        {"door_key": "both-of-them"},
    ],
)
def test_settings_that_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatwootSettings.model_validate(GIVEN | given)


def test_the_token_goes_to_the_api_only() -> None:
    for address, goes in (
        ("https://app.chatwoot.com/api/v1/profile", True),
        ("https://app.chatwoot.com/public/api/v1/inboxes/x/contacts/y/conversations", False),
        ("https://app.chatwoot.com/rails/active_storage/blobs/1", False),
        ("https://files.acme.example/api/v1/profile", False),
    ):
        request = CRM.authorize(httpx.Request("GET", address), NOW, "")
        assert ("api_access_token" in request.headers) is goes


# what is announced


def test_an_agents_change_after_ours_is_told(desk: Desk) -> None:
    """What we have announced is ours for a minute; then an agent may do the same."""
    case = desk.opened()
    desk.run(CRM.close_case(case, "resolved"))
    assert changes(desk) == []
    desk.sim.change(case.id, status="open")
    assert changes(desk) == [CaseFields(status="open")]
    desk.now += timedelta(seconds=90)
    desk.sim.change(case.id, status="resolved")
    assert changes(desk) == [CaseFields(status="closed")]


def test_an_agents_other_change_within_the_minute_is_told(desk: Desk) -> None:
    case = desk.opened()
    desk.run(CRM.change_case(case, CaseFields(assignee="1")))
    assert changes(desk) == []
    desk.sim.change(case.id, assignee=None)
    assert changes(desk) == [CaseFields(assignee="")]


def test_announcing_keeps_what_others_have_written(desk: Desk) -> None:
    case = desk.opened()
    desk.sim.conversations[int(case.id)].custom["order"] = "17"
    desk.run(CRM.close_case(case, "resolved"))
    kept = desk.sim.conversations[int(case.id)].custom
    assert kept["order"] == "17"
    assert kept["socialsupport"] == "con_1"
    assert desk.run(CRM.read_case(case)).subject == "Where is it?"


def test_a_customers_message_reopens_and_that_is_told(desk: Desk) -> None:
    """Chatwoot does so by itself, whoever brings the message."""
    case = desk.opened()
    desk.sim.change(case.id, status="resolved")
    desk.now += timedelta(minutes=5)
    desk.heard()
    desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    assert changes(desk) == [CaseFields(status="open")]


# what is saved as what


def test_only_what_customers_say_is_no_private_note(desk: Desk) -> None:
    """Chatwoot may mail messages of an API inbox (its email_continuity_on_api_channel)."""
    case = desk.opened()
    for number, direction in enumerate(("inbound", "outbound", "internal")):
        touch = TOUCH.model_copy(update={"direction": direction})
        desk.run(CRM.save_interaction(case, touch, f"k-{number}"))
    desk.run(CRM.attach(case, Blob(content=b"x", media_type="text/plain", name="x.txt"), "k-3"))
    saved = [(one["message_type"], one["private"]) for one in desk.sim.conversations[int(case.id)].messages]
    assert saved == [(0, False), (1, True), (1, True), (1, True)]


def test_a_record_is_found_beyond_the_first_page(desk: Desk) -> None:
    case = desk.opened()
    for number in range(120):
        desk.sim.speak("dana", str(number), case.id)
    first = desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    assert desk.run(CRM.save_interaction(case, TOUCH, "k-1")) == first


def test_a_text_that_is_too_long_is_cut(desk: Desk) -> None:
    case = desk.opened()
    desk.run(CRM.save_interaction(case, TOUCH.model_copy(update={"text": "ä" * 160_000}), "k-1"))
    assert len(desk.sim.conversations[int(case.id)].messages[0]["content"]) == 150_000


def test_files_and_names_of_agents_arrive(desk: Desk) -> None:
    case = desk.opened()
    desk.heard()
    desk.sim.speak("dana", "see the label", case.id, files={"label.txt": b"the label"})
    desk.sim.speak("dana", "our margin", case.id, private=True)
    reply, note = desk.heard()
    assert isinstance(reply, AgentReplied)
    assert isinstance(note, AgentNoted)
    assert reply.agent_name == "dana"
    blob = desk.run(CRM.fetch(reply.attachments[0]))
    assert (blob.content, blob.media_type, blob.name) == (b"the label", "text/plain", "label.txt")


def test_a_file_is_fetched_from_where_files_lie_only() -> None:
    for address in (None, "https://evil.example/1", "https://acme.s3.example/1"):
        with pytest.raises(ContentRejected, match="file_hosts"):
            drive(CRM.fetch(Attachment(url=address)), lambda ask: httpx.Response(200), CRM.failure)
    crm = Chatwoot(ChatwootSettings.model_validate(GIVEN | {"file_hosts": ["acme.s3.example"]}))
    flow = crm.fetch(Attachment(url="https://acme.s3.example/label.txt"))
    blob = drive(flow, lambda ask: httpx.Response(200, content=b"x", request=ask), crm.failure)
    assert blob.name == "label.txt"


@pytest.mark.parametrize(
    ("changed", "agent"),
    [
        ({"message_type": "template"}, None),
        ({"message_type": "activity"}, None),
        ({"inbox": {"id": 4}}, None),
        ({"sender": None}, "automation"),
        ({"sender": {"id": 5, "name": "Bot", "type": "agent_bot"}}, "5"),
        ({"message_type": 1, "inbox": None, "created_at": "2026-03-01 10:00:00 UTC"}, "1002"),
        ({"content": None}, "1002"),
    ],
)
def test_messages_of_other_shapes(desk: Desk, changed: dict[str, Any], agent: str | None) -> None:
    """Of greetings, automations, bots and old versions."""
    case = desk.opened(party=KERRY)
    desk.heard()
    desk.sim.agents[1002] = "dana"
    desk.sim.speak("dana", "On its way.", case.id)
    native = json.loads(desk.sim.due()[0].body) | changed
    events = list(CRM.parse(Payload(body=json.dumps(native).encode(), received_at=NOW)))
    assert [getattr(event, "agent", None) for event in events] == ([agent] if agent else [])
    assert all(getattr(event, "at", None) == NOW for event in events)


@pytest.mark.parametrize("written", [None, True, "soon", 1e300, "2026-13-01"])
def test_what_is_no_moment(written: object) -> None:
    assert moment(written) is None


# polling


def test_what_no_webhook_has_brought_is_polled_once(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    desk.sim.speak("dana", "one", case.id)
    said, after = desk.polled(cursor)
    assert desk.texts(said) == ["one"]
    for _ in range(3):
        desk.now += timedelta(minutes=5)
        said, after = desk.polled(after)
        assert desk.texts(said) == []
    desk.sim.speak("dana", "two", case.id, private=True)
    said, after = desk.polled(after)
    assert desk.texts(said) == ["two"]
    assert desk.polled(after)[0] == []


def test_what_is_seen_late_is_not_lost(desk: Desk) -> None:
    """It got its number before the message that was read already, and came to light after it."""
    case, other, cursor = desk.opened(), desk.opened("con_2"), CRM.starting(NOW)
    desk.sim.speak("dana", "late", case.id)
    desk.now += timedelta(seconds=5)
    desk.sim.speak("dana", "early", other.id)
    hidden = desk.sim.conversations[int(case.id)].messages.pop()
    said, cursor = desk.polled(cursor)
    assert desk.texts(said) == ["early"]
    desk.sim.conversations[int(case.id)].messages.append(hidden)
    assert desk.texts(desk.polled(cursor)[0]) == ["late"]


def test_more_than_a_page_of_conversations_is_looked_through(desk: Desk) -> None:
    cursor = CRM.starting(NOW)
    for number in range(60):
        desk.sim.speak("dana", f"answer {number:02}", desk.opened(f"con_{number}", party=KERRY).id)
        desk.now += timedelta(minutes=2)
    said, cursor = desk.polled(cursor)
    assert sorted(desk.texts(said)) == [f"answer {number:02}" for number in range(60)]
    desk.sim.calls.clear()
    assert desk.polled(cursor)[0] == []
    assert len(desk.sim.calls) == 2


# people


def test_who_is_known_by_address_gets_the_conversation(desk: Desk) -> None:
    kerry = desk.sim.add_contact("Kerry", email="Kerry@acme.example")
    case = desk.opened(party=KERRY)
    assert desk.sim.conversations[int(case.id)].contact == kerry
    assert len(desk.sim.contacts) == 1


def test_somebody_whose_address_and_number_are_two_contacts_is_one_of_them(desk: Desk) -> None:
    """Both are taken: a third contact could have neither."""
    first = desk.sim.add_contact("Kerry", email="kerry@acme.example")
    desk.sim.add_contact("K. Fisher", phone_number="+15550147")
    number = Identifier(kind="phone", value="+15550147")
    case = desk.opened(party=KERRY.model_copy(update={"identifiers": (*KERRY.identifiers, number)}))
    assert desk.sim.conversations[int(case.id)].contact == first


def test_a_new_contact_has_only_what_chatwoot_takes(desk: Desk) -> None:
    """Its numbers begin with + and a country's code."""
    short = Party(identifiers=(Identifier(kind="phone", value="70707"), Identifier(kind="telegram.user", value="4")))
    desk.opened(party=short)
    (contact,) = desk.sim.contacts.values()
    assert (contact["name"], contact["phone_number"]) == ("Somebody", None)


def test_a_conversation_is_found_after_its_contact_was_merged(desk: Desk) -> None:
    case = desk.opened(party=KERRY)
    before = desk.sim.conversations[int(case.id)].contact
    desk.sim.merge(before, desk.sim.add_contact("Kerry F."))
    assert desk.opened(party=KERRY) == case


def test_a_conversation_that_was_deleted_is_followed_by_another_of_the_same_contact(desk: Desk) -> None:
    case = desk.opened(party=KERRY)
    desk.run(CRM.erase_case(case.id))
    with pytest.raises(Unreachable):
        desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    after = desk.opened(party=KERRY, follows=case.id)
    assert desk.sim.conversations[int(after.id)].custom["socialsupport_follows"] == case.id
    assert len(desk.sim.contacts) == 1


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_lost_answer_makes_no_second_conversation(desk: Desk, cut: int) -> None:
    """Look up, search, make a contact, give it the source id, make the conversation: cut after each, then asked anew."""

    def answer(ask: httpx.Request) -> httpx.Response:
        answered = desk.sim.handle(CRM.authorize(ask, NOW, ""))
        if len(desk.sim.calls) == cut:
            raise httpx.ReadError("the connection was cut")
        return answered

    summary = CaseSummary(conversation="con_1", customer="cus_1", party=KERRY, subject="Where is it?", opened_at=NOW)
    with pytest.raises(httpx.ReadError):
        drive(CRM.open_case(summary), answer, CRM.failure)
    desk.opened(party=KERRY)
    assert (len(desk.sim.conversations), len(desk.sim.contacts)) == (1, 1)
