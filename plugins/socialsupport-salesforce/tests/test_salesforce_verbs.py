"""Every verb against an org that is played here, faults included."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    AuthExpired,
    CaseChanged,
    CaseClosed,
    CaseFields,
    CaseGone,
    CaseMerged,
    CaseRef,
    CaseSummary,
    Conflict,
    ContactChanged,
    ContactGone,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    RateLimited,
    Ref,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
    drive,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.model import Attachment, Blob, Credentials, Facts, Identifier, Interaction, Party, Thread
from socialsupport_salesforce import Salesforce, SalesforceSettings, polling, recording
from socialsupport_salesforce.api import quoted
from socialsupport_salesforce.simulator import FIRST_TOKEN, US, SalesforceServer

T = TypeVar("T")
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SETTINGS = SalesforceSettings(
    instance_url="https://acme.my.salesforce.com",
    client_id="consumer-key",
    client_secret=SecretStr("consumer-secret"),
    region="US",
)
CRM = Salesforce(SETTINGS, Facts(own_account=US))
GRANTED = Credentials(access_token=SecretStr(FIRST_TOKEN), refresh_token=SecretStr("refresh-token"))
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
    author=Party(identifiers=(Identifier(kind="telegram.user", value="42"),), name="Kerry Fisher"),
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
def server(clock: Clock) -> SalesforceServer:
    return SalesforceServer(SETTINGS, clock=clock)


def run(server: SalesforceServer, flow: Flow[T], crm: Salesforce = CRM) -> T:
    def respond(ask: httpx.Request) -> httpx.Response:
        try:
            return server.handle(crm.authorize_with(ask, GRANTED, NOW, "0" * 32))
        except httpx.TransportError as error:
            kind = Unavailable if ask.method in SAFE_METHODS else Uncertain
            raise kind("the connection was cut") from error

    return drive(flow, respond, crm.failure)


def opened(server: SalesforceServer, **more: Any) -> CaseRef:
    return run(server, CRM.open_case(SUMMARY.model_copy(update=more)))


# people


def found(server: SalesforceServer, *identifiers: Identifier) -> list[str]:
    return [one.id for one in run(server, CRM.find_customers(Party(identifiers=identifiers)))]


@pytest.mark.parametrize("typed", ["+15552368912", "(555) 236-8912", "555-236-8912", "5552368912", "+1 555-236-8912"])
@pytest.mark.parametrize("field", ["Phone", "MobilePhone", "OtherPhone"])
def test_people_are_found_by_number_however_it_was_typed(server: SalesforceServer, typed: str, field: str) -> None:
    kerry = server.add_contact("Fisher", **{field: typed})
    server.add_contact("Other", Phone="+49 30 123456")
    assert found(server, PHONE) == [kerry]


def test_a_number_without_its_country_is_evidence_only_where_the_operator_says_which(server: SalesforceServer) -> None:
    server.add_contact("Fisher", Phone="(555) 236-8912")
    abroad = Salesforce(SETTINGS.model_copy(update={"region": None}))
    assert run(server, abroad.find_customers(Party(identifiers=(PHONE,))), abroad) == ()


def test_nothing_is_proven_and_names_are_no_evidence(server: SalesforceServer) -> None:
    server.add_contact("Fisher", Name="Kerry Fisher", Email="Kerry@ACME.example", Account={"Name": "Acme"})
    (contact,) = run(server, CRM.find_customers(Party(identifiers=(KERRY,), name="Somebody")))
    assert (contact.name, contact.verified, contact.fields) == ("Kerry Fisher", frozenset(), {"account": "Acme"})
    assert run(server, CRM.find_customers(Party(name="Kerry Fisher"))) == ()


@pytest.mark.parametrize(
    "value",
    ["kerry@acme.example' OR Name != '", "a\\' OR Id != null --@b", "\\", "'", "a\nb@c", '"', "\b\f\t\r", "💥@ä"],
)
def test_what_people_type_stays_within_its_quotes(server: SalesforceServer, value: str) -> None:
    server.add_contact("Fisher", Email="kerry@acme.example")
    assert found(server, Identifier(kind="email", value=value)) == []
    odd = server.add_contact("Odd", Email=value.lower() + "@")
    assert found(server, Identifier(kind="email", value=value + "@")) == [odd]


def test_quotes_are_escaped_as_documented() -> None:
    assert quoted("a'b\\c\n\"") == "'a\\'b\\\\c\\n\\\"'"


# cases


def test_one_conversation_is_one_case_with_its_person(server: SalesforceServer) -> None:
    contact = server.add_contact("Fisher")
    case = opened(server, contact=contact)
    assert opened(server, contact=contact, subject="asked again") == case
    (stored,) = server.records["Case"].values()
    assert (stored["Subject"], stored["ContactId"], stored["Status"]) == ("Where is my parcel?", contact, "New")
    assert case.url == f"https://acme.my.salesforce.com/lightning/r/Case/{case.id}/view"


def test_opening_again_undoes_nothing(server: SalesforceServer) -> None:
    case = opened(server)
    server.change("Case", case.id, Subject="Parcel", Status="Closed")
    opened(server)
    assert run(server, CRM.read_case(case)).subject == "Parcel"
    assert run(server, CRM.read_case(case)).status == "closed"


def test_a_case_of_a_stranger_says_who_came(server: SalesforceServer) -> None:
    opened(server, party=Party(identifiers=(PHONE, KERRY), name="K" * 100))
    (stored,) = server.records["Case"].values()
    assert (stored["SuppliedName"], stored["SuppliedEmail"], stored["SuppliedPhone"]) == (
        "K" * 80,
        KERRY.value,
        PHONE.value,
    )


def test_closing_reopening_and_changing(server: SalesforceServer) -> None:
    case = opened(server)
    run(server, CRM.close_case(case, "resolved"))
    assert run(server, CRM.read_case(case)).status == "closed"
    run(server, CRM.reopen_case(case))
    run(server, CRM.change_case(case, CaseFields(assignee="005000000000002AAA")))
    state = run(server, CRM.read_case(case))
    assert (state.status, state.assignee, state.subject) == ("open", "005000000000002AAA", "Where is my parcel?")
    with pytest.raises(Unsupported, match="always has an owner"):
        next(CRM.change_case(case, CaseFields(assignee="")))


def test_a_change_between_the_look_and_the_write_is_noticed(server: SalesforceServer, clock: Clock) -> None:
    case = opened(server)
    version = run(server, CRM.read_case(case)).version
    flow = CRM.close_case(CaseRef(id=case.id, version=version), "resolved")

    def respond(ask: httpx.Request) -> httpx.Response:
        if ask.method == "PATCH":
            clock.passes(2)
            server.change("Case", case.id, Subject="Parcel")
        return server.handle(CRM.authorize_with(ask, GRANTED, NOW, ""))

    with pytest.raises(Conflict):
        drive(flow, respond, CRM.failure)
    assert server.records["Case"][case.id]["IsClosed"] is False


def test_who_we_are_and_what_is_missing(server: SalesforceServer) -> None:
    facts = run(server, CRM.probe())
    assert (facts.own_account, facts.limits) == (US, {"daily_api_requests": 15_000})
    server.keyed.remove("Task")
    with pytest.raises(Forbidden) as refused:
        run(server, CRM.probe())
    assert refused.value.code == "INVALID_FIELD"


# records


def test_an_activity_says_who_spoke_where(server: SalesforceServer) -> None:
    case = opened(server)
    run(server, CRM.save_interaction(case, MESSAGE, "acme:1"))
    (task,) = server.records["Task"].values()
    assert task["Subject"] == "Kerry Fisher, message on telegram, inbound, private"
    assert task["Description"] == "2026-03-01T09:00:00+00:00\nWhere is my parcel?"
    assert (task["WhatId"], task["Status"], task["ActivityDate"]) == (case.id, "Completed", "2026-03-01")


@pytest.mark.parametrize("sign", ["a", "ä", "💥", "word "])
def test_a_long_text_is_cut_and_says_so(server: SalesforceServer, sign: str) -> None:
    case = opened(server)
    long = MESSAGE.model_copy(update={"text": sign * 33_000, "subject": sign * 300})
    run(server, CRM.save_interaction(case, long, "acme:1"))
    (task,) = server.records["Task"].values()
    assert task["Description"].endswith(recording.CUT)
    assert "\ufffd" not in task["Description"] + task["Subject"]


def test_the_newest_content_stands_and_can_be_removed(server: SalesforceServer) -> None:
    case = opened(server)
    first = run(server, CRM.save_interaction(case, MESSAGE, "acme:1"))
    edited = MESSAGE.model_copy(update={"text": "Where is my blue parcel?", "attachments": (Attachment(name="a.pdf"),)})
    assert run(server, CRM.edit_interaction(case, first, edited, "acme:1")) == first
    (task,) = server.standing("Task").values()
    assert task["Description"].endswith("blue parcel?\nAttached: a.pdf")
    run(server, CRM.remove_interaction(case, first, "acme:1"))
    assert server.standing("Task") == {}
    with pytest.raises(Unsupported):
        next(CRM.remove_interaction(case, Ref(id="CaseComment/1"), "acme:1"))


def test_a_file_is_one_file_byte_for_byte(server: SalesforceServer) -> None:
    case = opened(server)
    first = run(server, CRM.attach(case, BLOB, "it's \\ one"))
    assert run(server, CRM.attach(case, BLOB, "it's \\ one")) == first
    (version,) = server.records["ContentVersion"].values()
    assert (version["VersionData"], version["Title"]) == (BLOB.content, "label.png")
    (link,) = server.records["ContentDocumentLink"].values()
    assert link["LinkedEntityId"] == case.id


def test_an_erased_person_and_their_case_leave_nothing(server: SalesforceServer) -> None:
    contact = server.add_contact("Fisher", Email="kerry@acme.example", MailingCity="Kerrytown")
    case = opened(server, contact=contact)
    run(server, CRM.save_interaction(case, MESSAGE, "acme:1"))
    run(server, CRM.attach(case, BLOB, "acme:2"))
    other = opened(server, conversation="conv-2")
    for _ in range(2):
        run(server, CRM.erase_case(case.id))
        run(server, CRM.erase(contact))
    assert list(server.standing("Case")) == [other.id]
    assert not any(server.standing(kind) for kind in ("Contact", "Task", "ContentVersion", "ContentDocumentLink"))
    emptied = server.records["Contact"][contact]
    assert (emptied["LastName"], emptied["Email"], emptied["MailingCity"]) == ("Erased", None, None)


def test_a_contact_with_other_cases_is_emptied_and_told(server: SalesforceServer) -> None:
    contact = server.add_contact("Fisher", Email="kerry@acme.example")
    opened(server, contact=contact)
    with pytest.raises(Forbidden) as refused:
        run(server, CRM.erase(contact))
    assert refused.value.code == "DELETE_FAILED"
    assert server.records["Contact"][contact]["Email"] is None


def test_a_case_and_its_files_go_together_or_not_at_all(server: SalesforceServer) -> None:
    case = opened(server)
    run(server, CRM.attach(case, BLOB, "acme:2"))
    original = server._remove

    def refuse(kind: str, record: dict[str, Any]) -> None:
        if kind == "Case":
            raise RuntimeError
        original(kind, record)

    server._remove = refuse  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        run(server, CRM.erase_case(case.id))
    call = json.loads(server.calls[-1].content)
    assert call["allOrNone"] is True
    assert [part["referenceId"] for part in call["compositeRequest"]] == ["files", "case"]


def test_a_part_that_fails_undoes_the_others(server: SalesforceServer) -> None:
    case = opened(server)
    run(server, CRM.attach(case, BLOB, "acme:2"))
    (document,) = server.records["ContentDocument"]
    parts = [
        CRM.api.deleting("files", "ContentDocument", [document]),
        CRM.api.deleting("case", "Case", ["500000000000999AAA"]),
    ]

    def both() -> Flow[None]:
        yield CRM.api.composite(parts, all_or_none=True)

    with pytest.raises(Unreachable) as refused:
        run(server, both())
    assert refused.value.code == "NOT_FOUND"
    assert server.records["ContentDocument"][document]["IsDeleted"] is False


@pytest.mark.parametrize("name", ["", ".", "..", "500/../x", "500000000000001AAA?x", "5" * 16])
def test_ids_never_leave_their_place(name: str) -> None:
    for flow in (CRM.close_case(CaseRef(id=name), "resolved"), CRM.erase(name), CRM.erase_case(name)):
        with pytest.raises(ContentRejected, match="is not an id of Salesforce"):
            next(flow)


def test_keys_stay_in_their_segment() -> None:
    request = next(CRM.save_interaction(CaseRef(id="500000000000001AAA"), MESSAGE, "a/b?c#d e"))
    assert request.url.raw_path.endswith(b"/sobjects/Task/SocialSupport_Key__c/a%2Fb%3Fc%23d%20e")
    with pytest.raises(ContentRejected, match="is no key"):
        next(CRM.save_interaction(CaseRef(id="500000000000001AAA"), MESSAGE, ".."))


# news


def polled(server: SalesforceServer, cursor: str | None) -> tuple[list[Any], str | None]:
    told: list[Any] = []
    for _ in range(60):
        page = run(server, CRM.poll(cursor))
        told += [event for payload in page.payloads for event in CRM.parse(payload)]
        cursor = page.cursor
        if not page.more:
            return told, cursor
    raise AssertionError("it never ends")


def test_a_look_is_one_call(server: SalesforceServer) -> None:
    run(server, CRM.poll(CRM.starting(NOW)))
    assert len(server.calls) == 1


def test_agents_answer_note_close_and_change(server: SalesforceServer) -> None:
    case, other = opened(server), opened(server, conversation="conv-2")
    server.reply(case.id, "Dana", "It is *on* its way.")
    server.reply(case.id, "Dana", "He is angry.", public=False)
    server.close(case.id)
    server.change("Case", other.id, OwnerId="005000000000009AAA")
    told, _ = polled(server, CRM.starting(NOW - timedelta(seconds=1)))
    reply, note, closed, changed = told
    assert isinstance(reply, AgentReplied)
    assert (reply.case, reply.agent_name, reply.text) == (case.id, "Dana", "It is \\*on\\* its way.")
    assert isinstance(note, AgentNoted)
    assert isinstance(closed, CaseClosed)
    assert isinstance(changed, CaseChanged)
    assert (changed.case, changed.fields.assignee, changed.agent) == (
        other.id,
        "005000000000009AAA",
        "005000000000002AAA",
    )


def test_a_closed_case_that_is_touched_is_closed_once(server: SalesforceServer, clock: Clock) -> None:
    case, cursor = opened(server), CRM.starting(NOW)
    server.close(case.id)
    first, cursor = polled(server, cursor)
    clock.passes(60)
    server.change("Case", case.id, Subject="Parcel")
    second, _ = polled(server, cursor)
    assert [event.id for event in first if isinstance(event, CaseClosed)] == [event.id for event in second]


def test_an_edited_comment_keeps_its_id(server: SalesforceServer, clock: Clock) -> None:
    case = opened(server)
    said = server.reply(case.id, "Dana", "It is on its way.")
    first, cursor = polled(server, CRM.starting(NOW))
    clock.passes(60)
    server.change("CaseComment", said.id, CommentBody="It is on its way!")
    second, _ = polled(server, cursor)
    assert [event.id for event in first] == [event.id for event in second] == [f"comment:{said.id}"]


def test_what_is_gone_and_merged(server: SalesforceServer) -> None:
    one, two, three = (opened(server, conversation=f"c-{number}") for number in range(3))
    kept, merged = server.add_contact("Fisher"), server.add_contact("Fisher")
    server.delete("Case", one.id)
    server.delete("Case", two.id, into=three.id)
    server.delete("Contact", merged, into=kept)
    told, _ = polled(server, CRM.starting(NOW))
    gone = [event for event in told if isinstance(event, CaseGone | CaseMerged | ContactGone)]
    assert [(event.type, getattr(event, "into", None)) for event in gone] == [
        ("case.gone", None),
        ("case.merged", three.id),
        ("contact.gone", kept),
    ]


def test_cases_that_are_not_ours_are_nobodys_business(server: SalesforceServer) -> None:
    theirs = server._make("Case", {"Subject": "Something else"}, "005000000000002AAA")
    server.reply(theirs, "Dana", "Hello")
    server.close(theirs)
    assert polled(server, CRM.starting(NOW))[0] == []


def test_a_record_that_is_seen_late_is_not_missed(server: SalesforceServer, clock: Clock) -> None:
    """Its transaction ends after that of a record which was saved later."""
    late = server.add_contact("Late")
    hidden = server.records["Contact"].pop(late)
    clock.passes(10)
    early = server.add_contact("Early")
    first, cursor = polled(server, CRM.starting(NOW - timedelta(seconds=1)))
    server.records["Contact"][late] = hidden
    second, cursor = polled(server, cursor)
    third, _ = polled(server, cursor)
    assert [event.contact.id for event in first] == [early]
    assert [event.contact.id for event in second] == [late]
    assert third == []


def test_a_mass_change_is_read_to_its_end_and_once(server: SalesforceServer) -> None:
    """All at one moment, as one statement of the org's own code writes them."""
    for number in range(1050):
        name = server.add_contact(f"Fisher {number}")
        server.records["Contact"][name]["SystemModstamp"] = NOW
    told, cursor = polled(server, None)
    ids = [event.contact.id for event in told if isinstance(event, ContactChanged)]
    assert len(ids) == len(set(ids)) == 1050
    assert polled(server, cursor)[0] == []
    assert len(str(cursor)) < 30_000


def test_addresses_stay_short_enough(server: SalesforceServer) -> None:
    for number in range(450):
        server.add_contact(f"Fisher {number}")
    _, cursor = polled(server, None)
    flow = polling.poll(CRM.api, cursor)
    parts = json.loads(next(flow).content)["compositeRequest"]
    assert max(len(part["url"]) for part in parts) < 16_000


# faults


def verbs(case: CaseRef, contact: str) -> dict[str, Callable[[], Flow[Any]]]:
    return {
        "find": lambda: CRM.find_customers(Party(identifiers=(KERRY,))),
        "open": lambda: CRM.open_case(SUMMARY.model_copy(update={"conversation": "conv-9"})),
        "save": lambda: CRM.save_interaction(case, MESSAGE, "acme:1"),
        "attach": lambda: CRM.attach(case, BLOB, "acme:2"),
        "close": lambda: CRM.close_case(case, "resolved"),
        "erase": lambda: CRM.erase(contact),
        "erase case": lambda: CRM.erase_case(case.id),
        "poll": lambda: CRM.poll(None),
    }


VERBS = sorted(verbs(CaseRef(id="1"), "1"))


@pytest.fixture
def busy(server: SalesforceServer) -> tuple[SalesforceServer, CaseRef, str]:
    contact = server.add_contact("Fisher", Email="kerry@acme.example")
    case = opened(server)
    run(server, CRM.save_interaction(case, MESSAGE, "acme:0"))
    return server, case, contact


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("fault", "error"), [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired)]
)
def test_nothing_is_done_when_salesforce_refuses(
    busy: tuple[SalesforceServer, CaseRef, str], verb: str, fault: str, error: type[DeliveryError]
) -> None:
    server, case, contact = busy
    before = server.everything()
    setattr(server.faults, fault, 1)
    with pytest.raises(error) as refused:
        run(server, verbs(case, contact)[verb]())
    assert server.everything() == before
    assert FIRST_TOKEN not in str(refused.value)
    if fault == "rate_limit":
        assert "15000 of 15000 calls of the last 24 hours are used" in str(refused.value)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("cut", range(1, 4))
def test_cut_at_any_call_and_done_again_is_done_once(
    busy: tuple[SalesforceServer, CaseRef, str], verb: str, cut: int
) -> None:
    server, case, contact = busy
    wanted = {
        "open": [2, 1, 1, 0],
        "save": [1, 1, 2, 0],
        "attach": [1, 1, 1, 1],
        "erase": [1, 0, 1, 0],
        "erase case": [0, 1, 0, 0],
    }
    before, original = len(server.calls), server.respond

    def respond(request: httpx.Request) -> httpx.Response:
        server.faults.drop = int(len(server.calls) - before == cut)
        return original(request)

    server.respond = respond  # type: ignore[method-assign]
    try:
        run(server, verbs(case, contact)[verb]())
    except (Uncertain, Unavailable):
        run(server, verbs(case, contact)[verb]())
    kinds = ("Case", "Contact", "Task", "ContentVersion")
    assert [len(server.standing(kind)) for kind in kinds] == wanted.get(verb, [1, 1, 1, 0])


def test_a_case_that_was_deleted_takes_nothing_more(server: SalesforceServer) -> None:
    case = opened(server)
    server.delete("Case", case.id)
    for flow in (
        CRM.save_interaction(case, MESSAGE, "acme:1"),
        CRM.close_case(case, "resolved"),
        CRM.attach(case, BLOB, "k"),
    ):
        with pytest.raises(Unreachable):
            run(server, flow)
