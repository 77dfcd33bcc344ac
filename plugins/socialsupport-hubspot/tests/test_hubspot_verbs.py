"""Every verb against HubSpot as it is played here, faults included."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.contract import (
    AgentReplied,
    AuthExpired,
    CaseClosed,
    CaseFields,
    CaseRef,
    CaseSummary,
    ContactChanged,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    RateLimited,
    Ref,
    SignIn,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
    drive,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.model import Attachment, Blob, Credentials, Identifier, Interaction, Party, Thread
from socialsupport_hubspot import CustomChannel, HubSpot, HubSpotSettings, api, people, recording, simulator
from socialsupport_hubspot.simulator import HubSpotServer

T = TypeVar("T")
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SETTINGS = HubSpotSettings(
    access_token=SecretStr("private-app-token"),
    client_id="client-1",
    client_secret=SecretStr("client-secret"),
    app_id="4711",
)
INBOX = SETTINGS.model_copy(update={"channel": CustomChannel(id="1001", account="2002")})
KERRY = Identifier(kind="email", value="kerry@acme.example")
PHONE = Identifier(kind="phone", value="+15552368912")
SUMMARY = CaseSummary(conversation="conv-1", customer="cust-1", subject="Where is my parcel?", opened_at=NOW)
MESSAGE = Interaction(
    network="telegram",
    native_id="m-1",
    kind="message",
    direction="inbound",
    own_account="100",
    thread=Thread(id="t-1", visibility="private"),
    author=Party(identifiers=(Identifier(kind="telegram.user", value="42"),), name="Kerry <Fisher>"),
    text="Where is **my** parcel?",
    sent_at=NOW,
)
BLOB = Blob(content=b"\x00\r\n--", media_type="image/png", name="label.png")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> HubSpotServer:
    return HubSpotServer(SETTINGS, clock=clock)


def run(server: HubSpotServer, flow: Flow[T], credentials: Credentials | None = None) -> T:
    crm = HubSpot(server.own)

    def respond(ask: httpx.Request) -> httpx.Response:
        try:
            return server.handle(crm.authorize_with(ask, credentials, NOW, "0" * 32))
        except httpx.TransportError as error:
            kind = Unavailable if ask.method in SAFE_METHODS else Uncertain
            raise kind("the connection was cut") from error

    return drive(flow, respond, crm.failure)


CRM = HubSpot(SETTINGS)


def opened(server: HubSpotServer, **more: Any) -> CaseRef:
    return run(server, HubSpot(server.own).open_case(SUMMARY.model_copy(update=more)))


# people


def found(server: HubSpotServer, *identifiers: Identifier) -> list[str]:
    return [one.id for one in run(server, CRM.find_customers(Party(identifiers=identifiers)))]


def test_people_are_found_by_address_and_number_however_they_were_typed(server: HubSpotServer) -> None:
    typed = server.add_contact(phone="+1 (555) 236-8912", firstname="Kerry")
    named = server.add_contact(email="KERRY@acme.example")
    server.add_contact(email="kerry@acme.example.org", mobilephone="+49 555 2368912")
    assert found(server, PHONE) == [typed.id]
    assert found(server, KERRY) == [named.id]
    assert sorted(found(server, KERRY, PHONE)) == [typed.id, named.id]


def test_nothing_is_proven_and_names_are_no_evidence(server: HubSpotServer) -> None:
    server.add_contact(email="kerry@acme.example", firstname="Kerry", lastname="Fisher", company="Acme")
    (contact,) = run(server, CRM.find_customers(Party(identifiers=(KERRY,), name="Somebody else")))
    assert (contact.name, contact.verified, contact.fields) == ("Kerry Fisher", frozenset(), {"company": "Acme"})
    assert run(server, CRM.find_customers(Party(name="Kerry Fisher"))) == ()


def test_a_merged_contact_names_those_that_went_into_it(server: HubSpotServer) -> None:
    one, two = server.add_contact(email="kerry@acme.example"), server.add_contact(email="k@acme.example")
    left = server.merge(one.id, two.id)
    (contact,) = run(server, CRM.find_customers(Party(identifiers=(KERRY,))))
    assert contact.id == left.id
    assert contact.fields[people.MERGED] == f"{one.id},{two.id}"
    assert {str(one) for one in contact.identifiers} == {"email:kerry@acme.example", "email:k@acme.example"}


def test_more_identifiers_than_one_search_takes_are_several_searches(server: HubSpotServer) -> None:
    many = [Identifier(kind="email", value=f"kerry{number}@acme.example") for number in range(7)]
    last = server.add_contact(email="kerry6@acme.example")
    assert found(server, *many) == [last.id]
    assert len(server.calls) == 3


def test_all_pages_are_read_up_to_five(server: HubSpotServer) -> None:
    for _ in range(1100):
        server.add_contact(phone="+15552368912")
    assert len(found(server, PHONE)) == 1000


@pytest.mark.parametrize("value", ["12", "nobody", "+", "phone"])
def test_what_is_no_number_of_anybody_harms_nobody(server: HubSpotServer, value: str) -> None:
    assert found(server, Identifier(kind="phone", value=value)) == []


# cases


def test_one_conversation_is_one_ticket_with_its_person(server: HubSpotServer) -> None:
    contact = server.add_contact(email="kerry@acme.example")
    case = opened(server, contact=contact.id)
    assert opened(server, contact=contact.id, subject="asked again") == case
    (ticket,) = server.records["tickets"].values()
    assert ticket.properties["subject"] == "Where is my parcel?"
    assert ticket.tied == {("contacts", contact.id)}


def test_opening_again_leaves_a_closed_ticket_closed(server: HubSpotServer) -> None:
    case = opened(server)
    server.close(case.id)
    opened(server)
    assert run(server, CRM.read_case(case)).status == "closed"


def test_closing_reopening_and_changing(server: HubSpotServer) -> None:
    case = opened(server)
    run(server, CRM.close_case(case, "resolved"))
    assert run(server, CRM.read_case(case)).status == "closed"
    run(server, CRM.reopen_case(case))
    run(server, CRM.change_case(case, CaseFields(assignee="77")))
    state = run(server, CRM.read_case(case))
    assert (state.status, state.assignee, state.subject) == ("open", "77", "Where is my parcel?")


def test_links_name_the_account(server: HubSpotServer) -> None:
    facts = run(server, CRM.probe())
    assert opened(server).url is None
    linked = run(server, HubSpot(SETTINGS, facts).open_case(SUMMARY))
    assert linked.url == f"https://app.hubspot.com/contacts/62515/record/0-5/{linked.id}"


@pytest.mark.parametrize("kind", ["tickets", "notes", "communications"])
def test_the_connection_test_finds_the_property_that_nobody_has_made(server: HubSpotServer, kind: str) -> None:
    server.keyed.remove(kind)
    with pytest.raises(Forbidden, match=f"make the property socialsupport_key on {kind}"):
        run(server, CRM.probe())


def test_a_property_without_unique_values_is_no_key() -> None:
    answers = iter([{"portalId": 1}, {"name": "socialsupport_key", "hasUniqueValue": False}])
    with pytest.raises(Forbidden, match="the one that is there has none"):
        drive(CRM.probe(), lambda _: httpx.Response(200, json=next(answers)), CRM.failure)


# records


def test_a_record_says_who_spoke_where_and_harms_no_page(server: HubSpotServer) -> None:
    case = opened(server)
    run(server, CRM.save_interaction(case, MESSAGE, "key-1"))
    (note,) = server.records["notes"].values()
    body = note.properties["hs_note_body"]
    assert body.startswith("<p>Kerry &lt;Fisher&gt;, message on telegram, inbound, private</p>")
    assert "Where is <strong>my</strong> parcel?" in body
    assert note.tied == {("tickets", case.id)}
    assert note.properties["hs_timestamp"] == "2026-03-01T09:00:00Z"


@pytest.mark.parametrize(
    ("network", "kind", "direction", "record"),
    [
        ("whatsapp", "message", "inbound", "communications"),
        ("twilio", "message", "outbound", "communications"),
        ("twilio", "call", "inbound", "notes"),
        ("whatsapp", "message", "internal", "notes"),
        ("x", "mention", "inbound", "notes"),
    ],
)
def test_networks_that_hubspot_knows_have_their_own_activity(
    network: str, kind: str, direction: str, record: str
) -> None:
    touch = MESSAGE.model_copy(update={"network": network, "kind": kind, "direction": direction})
    assert recording.activity(touch)[0] == record


@pytest.mark.parametrize("sign", ["a", "&", "<", "ä", "💥", "word "])
def test_a_long_text_is_cut_and_says_so(sign: str) -> None:
    body = recording.body(MESSAGE.model_copy(update={"text": sign * 70_000}))
    assert len(body) <= recording.LONGEST
    assert body.endswith(recording.CUT)
    assert not body.removesuffix(recording.CUT).removesuffix("</p>").endswith(("&", "&am", "&l"))


def test_the_newest_content_stands_and_can_be_removed(server: HubSpotServer) -> None:
    case = opened(server)
    first = run(server, CRM.save_interaction(case, MESSAGE, "key-1"))
    edited = MESSAGE.model_copy(update={"text": "Where is my blue parcel?"})
    assert run(server, CRM.edit_interaction(case, first, edited, "key-1")) == first
    (note,) = server.records["notes"].values()
    assert "blue" in note.properties["hs_note_body"]
    run(server, CRM.remove_interaction(case, first, "key-1"))
    assert server.records["notes"] == {}


def test_a_file_goes_into_a_private_folder_once(server: HubSpotServer) -> None:
    case = opened(server)
    first = run(server, CRM.attach(case, BLOB, "file-1"))
    assert run(server, CRM.attach(case, BLOB, "file-1")) == first
    (stored,) = server.files.values()
    assert (stored["name"], stored["content"], stored["folder"]) == (
        "label.png",
        BLOB.content,
        f"/socialsupport/{case.id}",
    )
    got = run(server, CRM.fetch(Attachment(native_id=next(iter(server.files)), name="label.png")))
    assert got == BLOB


def test_files_elsewhere_are_told_no_token(server: HubSpotServer) -> None:
    request = CRM.authorize_with(httpx.Request("GET", "https://1.fs1.hubspotusercontent-na1.net/1"), None, NOW, "")
    assert "authorization" not in request.headers


def test_an_erased_person_and_their_cases_leave_nothing(server: HubSpotServer) -> None:
    contact = server.add_contact(email="kerry@acme.example", firstname="Kerry")
    case = opened(server, contact=contact.id)
    run(server, CRM.save_interaction(case, MESSAGE, "key-1"))
    run(server, CRM.save_interaction(case, MESSAGE.model_copy(update={"network": "whatsapp"}), "key-2"))
    run(server, CRM.attach(case, BLOB, "key-3"))
    other = opened(server, conversation="conv-2", subject="Somebody else")
    for _ in range(2):
        run(server, CRM.erase_case(case.id))
        run(server, CRM.erase(contact.id))
    assert not any(trace in server.everything() for trace in ("Kerry", "kerry", "parcel", "label"))
    assert list(server.records["tickets"]) == [other.id]
    assert server.files == {}


# the inbox


def inbox(clock: Clock) -> HubSpotServer:
    return HubSpotServer(INBOX, clock=clock)


def test_in_the_inbox_a_message_is_published_once(clock: Clock) -> None:
    server, crm = inbox(clock), HubSpot(INBOX)
    case = opened(server)
    first = run(server, crm.save_interaction(case, MESSAGE, "key-1"))
    assert run(server, crm.save_interaction(case, MESSAGE, "key-1")) == first
    (message,) = server.messages.values()
    assert (message["integrationThreadId"], message["messageDirection"], message["text"]) == (
        case.id,
        "INCOMING",
        "Where is my parcel?",
    )
    assert message["senders"][0]["deliveryIdentifier"] == {
        "type": "CHANNEL_SPECIFIC_OPAQUE_ID",
        "value": "telegram.user:42",
    }


def test_hubspot_is_given_the_address_by_which_it_finds_the_contact_itself() -> None:
    touch = MESSAGE.model_copy(update={"author": Party(identifiers=(*MESSAGE.author.identifiers, PHONE, KERRY))})
    sender = recording.message(CustomChannel(id="1", account="2"), CaseRef(id="3"), touch, "k")["senders"][0]
    assert sender["deliveryIdentifier"] in (
        {"type": "HS_EMAIL_ADDRESS", "value": KERRY.value},
        {"type": "HS_PHONE_NUMBER", "value": PHONE.value},
    )


def test_our_own_messages_go_out_in_the_inbox_too_and_notes_stay_notes(clock: Clock) -> None:
    server, crm = inbox(clock), HubSpot(INBOX)
    case = opened(server)
    sent = MESSAGE.model_copy(
        update={"direction": "outbound", "text": None, "attachments": (Attachment(name="a.pdf"),)}
    )
    run(server, crm.save_interaction(case, sent, "key-1"))
    note = run(server, crm.save_interaction(case, MESSAGE.model_copy(update={"direction": "internal"}), "key-2"))
    (message,) = server.messages.values()
    assert (message["messageDirection"], message["text"]) == ("OUTGOING", "Attached: a.pdf")
    assert note.id.startswith("notes/")


def test_in_the_inbox_an_edit_is_one_more_message_and_nothing_is_taken_back(clock: Clock) -> None:
    server, crm = inbox(clock), HubSpot(INBOX)
    case = opened(server)
    first = run(server, crm.save_interaction(case, MESSAGE, "key-1"))
    edited = MESSAGE.model_copy(update={"text": "Where is my blue parcel?"})
    second, again = (run(server, crm.edit_interaction(case, first, edited, "key-1")) for _ in range(2))
    assert second == again != first
    with pytest.raises(Unsupported, match="cannot be taken back"):
        run(server, crm.remove_interaction(case, first, "key-1"))


def test_an_agent_answers_in_the_inbox(clock: Clock) -> None:
    server, crm = inbox(clock), HubSpot(INBOX)
    case = opened(server)
    server.speak("Dana", "It is on its way.", case.id)
    (payload,) = server.due()
    crm.verify(payload)
    (event,) = crm.parse(payload)
    assert isinstance(event, AgentReplied)
    assert (event.case, event.agent_name, event.text) == (case.id, "Dana", "It is on its way.")


# polling


def polled(server: HubSpotServer, cursor: str | None) -> tuple[list[Any], str | None]:
    told: list[Any] = []
    for _ in range(60):
        page = run(server, CRM.poll(cursor))
        told += [event for payload in page.payloads for event in CRM.parse(payload)]
        cursor = page.cursor
        if not page.more:
            return told, cursor
    raise AssertionError("it never ends")


def test_webhooks_and_polling_tell_the_same_of_a_ticket(server: HubSpotServer, clock: Clock) -> None:
    since = CRM.starting(NOW)
    case = opened(server)
    clock.passes(60)
    server.close(case.id)
    clock.passes(60)
    pushed = [event for payload in server.due() for event in CRM.parse(payload)]
    told, _ = polled(server, since)
    told += polled(server, polled(server, since)[1])[0]
    assert pushed == [CaseClosed(id=pushed[0].id, case=case.id, at=NOW + timedelta(seconds=60))]
    assert [event for event in told if isinstance(event, CaseClosed)] == pushed


def test_what_changed_is_told_once_and_nothing_is_missed(server: HubSpotServer, clock: Clock) -> None:
    cursor, seen = CRM.starting(NOW), []
    for number in range(12):
        clock.passes(13)
        server.add_contact(email=f"kerry{number}@acme.example")
        told, cursor = polled(server, cursor)
        seen += [event.contact.id for event in told if isinstance(event, ContactChanged)]
    clock.passes(60)
    for _ in range(2):
        told, cursor = polled(server, cursor)
        seen += [event.contact.id for event in told]
    assert seen == list(server.records["contacts"])


def test_more_changes_than_a_search_shows_are_read_in_several(
    server: HubSpotServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (api, simulator):
        monkeypatch.setattr(module, "DEEPEST", 500)
    for number in range(620):
        clock.now = NOW + timedelta(milliseconds=number)
        server._made("contacts", {"email": f"kerry{number}@acme.example"})
    clock.passes(60)
    place = json.loads(str(CRM.starting(NOW)))["contacts"] | {"until": place_at(clock.now)}
    cursor, told = json.dumps({"contacts": place}), 0
    ids: set[str] = set()
    for _ in range(30):
        page = run(server, CRM.poll(cursor))
        events = [event for payload in page.payloads for event in CRM.parse(payload)]
        ids |= {event.id for event in events}
        told, cursor = told + len(events), page.cursor or ""
        if not page.more:
            break
    assert len(ids) == 620
    assert told == 621  # the change at which the second search begins is told by both


def place_at(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


# faults


def verbs(case: CaseRef) -> dict[str, Callable[[], Flow[Any]]]:
    return {
        "find": lambda: CRM.find_customers(Party(identifiers=(KERRY,))),
        "open": lambda: CRM.open_case(SUMMARY),
        "save": lambda: CRM.save_interaction(case, MESSAGE, "key-1"),
        "attach": lambda: CRM.attach(case, BLOB, "key-2"),
        "close": lambda: CRM.close_case(case, "resolved"),
        "erase": lambda: CRM.erase("101"),
        "erase case": lambda: CRM.erase_case(case.id),
        "poll": lambda: CRM.poll(None),
    }


VERBS = sorted(verbs(CaseRef(id="1")))


@pytest.fixture
def busy(server: HubSpotServer) -> tuple[HubSpotServer, CaseRef]:
    contact = server.add_contact(email="kerry@acme.example")
    case = opened(server, contact=contact.id)
    run(server, CRM.save_interaction(case, MESSAGE, "key-0"))
    return server, case


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("fault", "error"), [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired)]
)
def test_nothing_is_done_when_hubspot_refuses(
    busy: tuple[HubSpotServer, CaseRef], verb: str, fault: str, error: type[DeliveryError]
) -> None:
    server, case = busy
    before = server.everything()
    setattr(server.faults, fault, 1)
    with pytest.raises(error) as refused:
        run(server, verbs(case)[verb]())
    assert server.everything() == before
    assert "private-app-token" not in str(refused.value)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("cut", range(1, 6))
def test_cut_at_any_call_and_done_again_is_done_once(busy: tuple[HubSpotServer, CaseRef], verb: str, cut: int) -> None:
    server, case = busy
    calm = HubSpotServer(SETTINGS, clock=lambda: NOW)
    contact = calm.add_contact(email="kerry@acme.example")
    run(calm, CRM.save_interaction(opened(calm, contact=contact.id), MESSAGE, "key-0"))
    run(calm, verbs(case)[verb]())
    before = len(server.calls)
    original = server.respond

    def respond(request: httpx.Request) -> httpx.Response:
        server.faults.drop = int(len(server.calls) - before == cut)
        return original(request)

    server.respond = respond  # type: ignore[method-assign]
    try:
        run(server, verbs(case)[verb]())
    except (Uncertain, Unavailable):
        run(server, verbs(case)[verb]())
    if verb == "attach":  # an upload that was never answered leaves a private file behind that no note names
        assert len(server.records["notes"]) == len(calm.records["notes"])
        return
    assert counts(server) == counts(calm)


def counts(server: HubSpotServer) -> list[int]:
    return [len(kind) for kind in server.records.values()]


def test_a_ticket_that_was_deleted_takes_nothing_more(server: HubSpotServer) -> None:
    case = opened(server)
    server.delete("tickets", case.id)
    with pytest.raises(Unreachable) as refused:
        run(server, CRM.save_interaction(case, MESSAGE, "key-1"))
    assert refused.value.code == "OBJECT_NOT_FOUND"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_ids_never_leave_their_place_in_the_address(name: str) -> None:
    with pytest.raises(ContentRejected, match="is not an id of HubSpot"):
        next(CRM.close_case(CaseRef(id=name), "resolved"))
    assert next(CRM.close_case(CaseRef(id="a/b?c"), "resolved")).url.raw_path.endswith(b"a%2Fb%3Fc")


# signing in


def test_an_account_signs_in_and_its_credentials_are_renewed(server: HubSpotServer, clock: Clock) -> None:
    back = "https://hub.example/api/connect/back"
    app = HubSpot(HubSpotSettings(client_id="client-1", client_secret=SecretStr("client-secret")))
    answer = httpx.URL(server.allow(app.connect("state-1", back)))
    code = answer.params["code"]
    sign_in = SignIn(state="state-1", redirect=back, verifier=SecretStr("v" * 43))
    granted = run(server, app.exchange_with(code, sign_in))
    assert granted.expires_at == NOW + timedelta(minutes=30)
    clock.passes(3600)
    with pytest.raises(AuthExpired):
        run(server, CRM.close_case(CaseRef(id="1"), "resolved"), granted)
    fresh = run(server, app.refresh(granted))
    case = run(server, CRM.open_case(SUMMARY), fresh)
    assert case.id in server.records["tickets"]
    server.pages.revoke()
    with pytest.raises(AuthExpired):
        run(server, app.refresh(granted))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({}, "set access_token of a private app"),
        ({"client_id": "1"}, "set access_token of a private app"),
        ({"access_token": "short"}, "at least 8"),
        ({"access_token": "long enough", "key_property": "No Name"}, "key_property"),
        ({"access_token": "long enough", "colour": "blue"}, "Extra inputs"),
    ],
)
def test_settings_say_what_is_wrong(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        HubSpotSettings.model_validate(change)


def test_removing_needs_a_record_of_ours() -> None:
    with pytest.raises(Unsupported):
        next(CRM.remove_interaction(CaseRef(id="1"), Ref(id="tickets/1"), "key-1"))
