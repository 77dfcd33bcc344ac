"""Every verb against the CRM in memory, faults included."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.contract import (
    AuthExpired,
    CaseRef,
    CaseSummary,
    ContentRejected,
    DeliveryError,
    Flow,
    FlowRun,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
    digest,
    drive,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.model import Blob, Identifier, Interaction, Page, Party, Thread
from socialsupport_memorycrm import MemoryCRM, MemorySettings, socialsupport_crms, socialsupport_simulators
from socialsupport_memorycrm.simulator import MemoryCRMServer

T = TypeVar("T")
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SETTINGS = MemorySettings(token=SecretStr("crm-token"), webhook_secret=SecretStr("crm-webhook-secret"))
CRM = MemoryCRM(SETTINGS)
KERRY = Identifier(kind="email", value="kerry@acme.example")
PARTY = Party(identifiers=(KERRY, Identifier(kind="phone", value="+15550002222")), name="Kerry Fisher")
SUMMARY = CaseSummary(conversation="conv-1", customer="cust-1", subject="Where is my parcel?", opened_at=NOW)
MESSAGE = Interaction(
    network="email",
    native_id="m-1",
    kind="message",
    direction="inbound",
    own_account="support@acme.example",
    thread=Thread(id="t-1", visibility="private"),
    author=Party(identifiers=(KERRY,), name="Kerry Fisher"),
    text="Where is my parcel?",
    sent_at=NOW,
)


@pytest.fixture
def server() -> MemoryCRMServer:
    return MemoryCRMServer(SETTINGS, clock=lambda: NOW)


def wire(server: MemoryCRMServer) -> Callable[[Any], Any]:
    """What a host does with an ask: prove who we are, call, and say what a cut connection means."""

    def respond(ask: httpx.Request) -> httpx.Response:
        try:
            return server.handle(CRM.authorize(ask, NOW, "0" * 32))
        except httpx.TransportError as error:
            kind = Unavailable if ask.method in SAFE_METHODS else Uncertain
            raise kind("the connection was cut") from error

    return respond


def run(server: MemoryCRMServer, flow: Flow[T]) -> T:
    return drive(flow, wire(server), CRM.failure)


def opened(server: MemoryCRMServer, **more: Any) -> CaseRef:
    return run(server, CRM.open_case(SUMMARY.model_copy(update=more)))


def test_the_hooks_offer_both() -> None:
    assert list(socialsupport_crms()) == [MemoryCRM]
    assert list(socialsupport_simulators()) == [MemoryCRMServer]
    assert MemoryCRMServer.hosts == CRM.hosts


def test_customers_are_found_by_any_identifier_with_what_is_proven(server: MemoryCRMServer) -> None:
    kerry = server.add_contact(
        "Kerry Fisher",
        {"email:kerry@acme.example": True, "phone:+15550002222": False, "fax number": True},
        plan="gold",
        account_number="4711",
    )
    family = server.add_contact("Kim Fisher", {"phone:+15550002222": False})
    server.add_contact("Kerry Fisher", {"email:another@acme.example": True})
    first, second = run(server, CRM.find_customers(PARTY))
    assert (first.id, first.name, second.id) == (kerry.id, "Kerry Fisher", family.id)
    assert list(map(str, first.identifiers)) == ["email:kerry@acme.example", "phone:+15550002222"]
    assert first.verified == {KERRY}
    assert first.fields == {"plan": "gold", "account_number": "4711"}


def test_all_pages_are_read_up_to_ten(server: MemoryCRMServer) -> None:
    for number in range(600):
        server.add_contact(f"Shop {number}", {"phone:+15550002222": False})
    found = run(server, CRM.find_customers(PARTY))
    assert len({contact.id for contact in found}) == 500
    assert len(server.calls) == 10


def test_nobody_is_looked_for_without_identifiers(server: MemoryCRMServer) -> None:
    assert run(server, CRM.find_customers(Party(name="Kerry Fisher"))) == ()
    assert server.calls == []


def test_one_conversation_is_one_case(server: MemoryCRMServer) -> None:
    contact = server.add_contact("Kerry", {str(KERRY): True})
    case = opened(server, contact=contact.id)
    assert opened(server, subject="asked again") == case
    assert case.url == f"https://crm.example/cases/{case.id}"
    assert [(one.external_id, one.contact, one.subject) for one in server.cases.values()] == [
        ("conv-1", contact.id, "Where is my parcel?")
    ]
    assert opened(server, conversation="conv-2") != case


def test_one_key_is_one_entry_and_the_newest_content_stands(server: MemoryCRMServer) -> None:
    case = opened(server)
    first = run(server, CRM.save_interaction(case, MESSAGE, "key/1 ä"))
    edited = MESSAGE.model_copy(update={"text": "Where is my parcel? It's urgent."})
    assert run(server, CRM.save_interaction(case, edited, "key/1 ä")) == first
    assert run(server, CRM.save_interaction(case, MESSAGE, "key/2")) != first
    entries = server.cases[case.id].entries
    assert list(entries) == ["key/1 ä", "key/2"]
    assert entries["key/1 ä"]["text"] == "Where is my parcel? It's urgent."
    assert entries["key/1 ä"]["author"] == {
        "name": "Kerry Fisher",
        "identifiers": ["email:kerry@acme.example"],
    }


def test_one_key_is_one_attachment_byte_for_byte(server: MemoryCRMServer) -> None:
    case = opened(server)
    blob = Blob(content=bytes(range(256)) * 3 + b"\r\n--\n\r", media_type="image/png", name="bröken.png")
    first = run(server, CRM.attach(case, blob, "..\r\nX: ä"))
    assert run(server, CRM.attach(case, blob, "..\r\nX: ä")) == first
    (stored,) = server.cases[case.id].attachments.values()
    assert stored == {
        "id": first.id,
        "name": "bröken.png",
        "media_type": "image/png",
        "content": blob.content,
    }


def test_a_case_closes_and_stays_closed(server: MemoryCRMServer) -> None:
    case = opened(server)
    run(server, CRM.close_case(case, "resolved"))
    run(server, CRM.close_case(case, "resolved"))
    assert opened(server) == case
    assert (server.cases[case.id].status, server.cases[case.id].outcome) == ("closed", "resolved")


def test_erasure_leaves_nothing_but_the_id(server: MemoryCRMServer) -> None:
    contact = server.add_contact("Kerry Fisher", {str(KERRY): True}, plan="gold")
    case = opened(server, contact=contact.id)
    run(server, CRM.save_interaction(case, MESSAGE, "key-1"))
    server.change_contact(contact.id, plan="silver")
    server.reply(case.id, "Dana", "Dear Kerry, it is on its way")
    other = opened(server, conversation="conv-2", subject="Somebody else")
    run(server, CRM.erase(contact.id))
    run(server, CRM.erase(contact.id))
    assert not any(trace in server.everything() for trace in ("Kerry", "kerry", "parcel", "silver"))
    assert list(server.cases) == [other.id]
    assert run(server, CRM.find_customers(PARTY)) == ()


def test_erasing_whom_the_crm_never_knew_is_done_too(server: MemoryCRMServer) -> None:
    run(server, CRM.erase("contact-99"))
    assert [call.method for call in server.calls] == ["DELETE"]


def test_other_refusals_of_an_erasure_are_not_swallowed() -> None:
    elsewhere = httpx.Response(404, text="nginx")
    with pytest.raises(Unreachable):
        drive(CRM.erase("contact-1"), lambda ask: elsewhere, CRM.failure)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_ids_never_leave_their_place_in_the_address(server: MemoryCRMServer, name: str) -> None:
    with pytest.raises(ContentRejected, match="is not an id of the CRM"):
        run(server, CRM.erase(name))
    request = FlowRun(CRM.erase("a/b?c#d"), CRM.failure).ask
    assert request.url.raw_path == b"/v1/contacts/a%2Fb%3Fc%23d"


def test_refusals_carry_the_crms_own_code(server: MemoryCRMServer) -> None:
    with pytest.raises(Unreachable) as refused:
        run(server, CRM.save_interaction(CaseRef(id="case-9"), MESSAGE, "key-1"))
    assert refused.value.code == "case_unknown"
    with pytest.raises(ContentRejected) as rejected:
        opened(server, contact="contact-9")
    assert rejected.value.code == "contact_unknown"


# faults


def verbs(case: CaseRef) -> dict[str, Callable[[], Flow[Any]]]:
    return {
        "find": lambda: CRM.find_customers(PARTY),
        "open": lambda: CRM.open_case(SUMMARY),
        "save": lambda: CRM.save_interaction(case, MESSAGE, "key-1"),
        "attach": lambda: CRM.attach(case, Blob(content=b"x", name="x.txt"), "key-2"),
        "close": lambda: CRM.close_case(case, "resolved"),
        "erase": lambda: CRM.erase("contact-1"),
        "poll": lambda: CRM.poll(None),
    }


VERBS = sorted(verbs(CaseRef(id="case-2")))


@pytest.fixture
def busy(server: MemoryCRMServer) -> MemoryCRMServer:
    contact = server.add_contact("Kerry", {str(KERRY): True})
    assert opened(server, contact=contact.id).id == "case-2"
    return server


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("fault", "error"), [("rate_limit", RateLimited), ("unavailable", Unavailable), ("expire", AuthExpired)]
)
def test_nothing_is_done_when_the_crm_refuses(
    busy: MemoryCRMServer, verb: str, fault: str, error: type[DeliveryError]
) -> None:
    before = busy.everything()
    setattr(busy.faults, fault, 1)
    with pytest.raises(error) as refused:
        run(busy, verbs(CaseRef(id="case-2"))[verb]())
    assert busy.everything() == before
    if isinstance(refused.value, RateLimited) and fault == "rate_limit":
        assert refused.value.retry_after == 1
    assert "crm-token" not in str(refused.value)


@pytest.mark.parametrize("verb", VERBS)
def test_done_and_then_cut_is_uncertain_and_the_same_again_makes_one_record(busy: MemoryCRMServer, verb: str) -> None:
    flow = verbs(CaseRef(id="case-2"))[verb]
    busy.faults.drop = 1
    with pytest.raises(Unavailable if verb in ("find", "poll") else Uncertain):
        run(busy, flow())
    after = busy.everything()
    run(busy, flow())
    assert busy.everything() == after


@pytest.mark.parametrize("verb", VERBS)
def test_flows_ask_the_same_again(verb: str) -> None:
    def ask() -> Any:
        return FlowRun(verbs(CaseRef(id="case-2"))[verb](), CRM.failure).ask

    assert digest(ask()) == digest(ask())
    assert ask().url.host in CRM.hosts
    assert "authorization" not in ask().headers


@pytest.mark.parametrize("status", [200, 204, 301, 400, 404, 418, 500, 502])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"error": 1}', b"\xff"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_odd_answer_is_a_decision(verb: str, status: int, body: bytes) -> None:
    flow, answer = verbs(CaseRef(id="case-2"))[verb](), httpx.Response(status, content=body)
    try:
        drive(flow, lambda ask: answer, CRM.failure)
    except DeliveryError:
        return
    assert verb in ("close", "erase"), "only a verb that reads no answer may be content with this one"
    assert status < 300


def test_a_wrong_token_is_said(server: MemoryCRMServer) -> None:
    with pytest.raises(AuthExpired) as refused:
        drive(CRM.open_case(SUMMARY), server.handle, CRM.failure)
    assert refused.value.code == "token_invalid"


# polling


def test_polling_pages_through_everything_once(server: MemoryCRMServer) -> None:
    case = opened(server)
    for number in range(120):
        server.reply(case.id, "Dana", f"reply {number}")
    texts: list[str] = []
    cursor, more = None, True
    while more:
        page: Page = run(server, CRM.poll(cursor))
        told = [event for payload in page.payloads for event in CRM.parse(payload)]
        texts += [event.text for event in told if event.type == "agent.replied"]
        cursor, more = page.cursor, page.more
    assert texts == [f"reply {number}" for number in range(120)]
    quiet = run(server, CRM.poll(cursor))
    assert (quiet.payloads, quiet.cursor, quiet.more) == ((), cursor, False)


def test_a_polled_page_is_dated_by_the_crm(server: MemoryCRMServer) -> None:
    server.reply(opened(server).id, "Dana", "Hello")
    (payload,) = run(server, CRM.poll(None)).payloads
    assert (payload.source, payload.received_at) == ("poll", NOW)
    CRM.verify(payload)


def test_webhooks_and_polling_tell_the_same(server: MemoryCRMServer) -> None:
    contact = server.add_contact("Kerry", {str(KERRY): False})
    case = opened(server, contact=contact.id)
    server.speak("Dana", "It is on its way")
    server.change_contact(contact.id, {str(KERRY): True}, plan="gold")
    server.close(case.id)
    pushed = [event for payload in server.due() for event in CRM.parse(payload)]
    polled = [event for payload in run(server, CRM.poll(None)).payloads for event in CRM.parse(payload)]
    assert pushed == polled
    assert [event.type for event in pushed] == ["agent.replied", "contact.changed", "case.closed"]


def test_late_webhooks_are_signed_when_they_leave() -> None:
    now = [NOW]
    server = MemoryCRMServer(SETTINGS, clock=lambda: now[0])
    server.faults.delay = 3600
    server.reply(opened(server).id, "Dana", "Hello")
    now[0] += timedelta(hours=2)
    (payload,) = server.due()
    CRM.verify(payload)


def test_whether_the_token_is_good_can_be_asked(server: MemoryCRMServer) -> None:
    assert run(server, CRM.probe()).own_account == "account-1"
    server.faults.expire = 1
    with pytest.raises(AuthExpired):
        run(server, CRM.probe())
