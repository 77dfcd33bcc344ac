"""What the kit does not ask: pages that move, what comes late, who has set a status, and what must not be mailed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CaseRef,
    CaseSummary,
    ContentRejected,
    CRMEvent,
    Flow,
    Unreachable,
    drive,
)
from socialsupport_core.model import Attachment, Blob, Facts, Identifier, Party, Payload
from socialsupport_core.testing.crm import TOUCH
from socialsupport_freshdesk import Freshdesk, FreshdeskSettings
from socialsupport_freshdesk.simulator import FreshdeskSimulator

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
GIVEN: dict[str, Any] = {"domain": "acme.freshdesk.com", "api_key": "fake-key"}
SETTINGS = FreshdeskSettings.model_validate(GIVEN)
CRM = Freshdesk(SETTINGS, Facts(own_account="1"))
LEE = Party(identifiers=(Identifier(kind="telegram.user", value="42"),), name="Lee")


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Punctual(FreshdeskSimulator):
    ahead = timedelta(0)


@pytest.fixture
def desk(clock: Clock) -> FreshdeskSimulator:
    return Punctual(SETTINGS, clock=clock)


def run(desk: FreshdeskSimulator, flow: Flow[Any]) -> Any:
    return drive(flow, lambda ask: desk.handle(CRM.authorize(ask, NOW, "")), CRM.failure)


def opened(desk: FreshdeskSimulator, name: str = "con_1", **more: Any) -> CaseRef:
    summary = CaseSummary(conversation=name, customer="cus_1", subject="Where is it?", opened_at=NOW, **more)
    case: CaseRef = run(desk, CRM.open_case(summary))
    return case


def polled(desk: FreshdeskSimulator, cursor: str | None) -> tuple[list[CRMEvent], str | None]:
    """Until there is no more, as the hub does: what has an id that was told before is left out."""
    told: dict[str, CRMEvent] = {}
    for _ in range(50):
        page = run(desk, CRM.poll(cursor))
        told |= {event.id: event for payload in page.payloads for event in CRM.parse(payload)}
        cursor = page.cursor
        if not page.more:
            return list(told.values()), cursor
    raise AssertionError("the cursor never ends")


def texts(told: list[CRMEvent]) -> list[str]:
    return sorted(event.text for event in told if isinstance(event, AgentReplied | AgentNoted))


# polling


def test_the_newest_seconds_are_left_to_the_next_poll(desk: FreshdeskSimulator, clock: Clock) -> None:
    case, cursor = opened(desk), CRM.starting(NOW)
    clock.now += timedelta(minutes=1)
    desk.speak("dana", "one", case.id)
    told, after = polled(desk, cursor)
    assert texts(told) == []
    desk.speak("dana", "two", case.id)  # in the same second
    clock.now += timedelta(minutes=1)
    told, after = polled(desk, after)
    assert texts(told) == ["one", "two"]
    assert polled(desk, after)[0] == []


def test_a_reply_is_not_lost_when_its_ticket_changes_before_the_poll(desk: FreshdeskSimulator, clock: Clock) -> None:
    """What was said stands before the moment up to which was read, the change after it."""
    case, other, cursor = opened(desk), opened(desk, "con_2"), CRM.starting(NOW)
    clock.now += timedelta(minutes=20)
    desk.speak("dana", "first", case.id)
    clock.now += timedelta(seconds=30)
    desk.speak("dana", "elsewhere", other.id)
    clock.now += timedelta(seconds=6)
    desk.change(case.id, responder_id=5)  # now too new to be read
    told, cursor = polled(desk, cursor)
    assert texts(told) == ["elsewhere"]
    clock.now += timedelta(minutes=1)
    assert texts(polled(desk, cursor)[0]) == ["first"]


@pytest.mark.parametrize("apart", [0, 1])
def test_more_than_a_page_is_read_on_without_loss(desk: FreshdeskSimulator, clock: Clock, apart: int) -> None:
    """250 answers: in one second, and in one second each."""
    cursor = CRM.starting(NOW)
    for number in range(250):
        case = opened(desk, f"con_{number}", party=LEE)
        desk.speak("dana", f"answer {number:03}", case.id)
        clock.now += timedelta(seconds=apart)
    clock.now += timedelta(minutes=1)
    told, cursor = polled(desk, cursor)
    assert texts(told) == [f"answer {number:03}" for number in range(250)]
    assert polled(desk, cursor)[0] == []


def test_a_reply_is_not_lost_between_the_pages_of_a_long_absence(desk: FreshdeskSimulator, clock: Clock) -> None:
    """Said at the beginning, in a ticket that changed at the end: the second page begins hours after it."""
    case, cursor = opened(desk), CRM.starting(NOW)
    desk.speak("dana", "early", case.id)
    for number in range(120):
        clock.now += timedelta(minutes=2)
        opened(desk, f"con_late_{number}", party=LEE)
    desk.change(case.id, responder_id=5)
    clock.now += timedelta(minutes=1)
    assert texts(polled(desk, cursor)[0]) == ["early"]


def test_what_others_have_in_freshdesk_is_none_of_ours(desk: FreshdeskSimulator, clock: Clock) -> None:
    case, cursor = opened(desk), CRM.starting(NOW)
    desk.tickets[int(case.id)]["custom_fields"] = {"cf_socialsupport": None}
    desk.speak("dana", "to somebody else", case.id)
    clock.now += timedelta(minutes=1)
    desk.calls.clear()
    assert polled(desk, cursor)[0] == []
    assert len(desk.calls) == 1


def test_an_agent_who_left_has_no_name(desk: FreshdeskSimulator, clock: Clock) -> None:
    case, cursor = opened(desk), CRM.starting(NOW)
    desk.speak("dana", "bye", case.id)
    desk.agents.clear()
    clock.now += timedelta(minutes=1)
    (reply,) = polled(desk, cursor)[0]
    assert isinstance(reply, AgentReplied)
    assert reply.agent.isdigit()
    assert reply.agent_name is None


# who has set a status


def test_an_agents_status_is_told_once_and_ours_is_not(desk: FreshdeskSimulator, clock: Clock) -> None:
    case, cursor = opened(desk), CRM.starting(NOW)
    known: set[str] = set()
    acts: list[tuple[Callable[[], Any], list[str]]] = [
        (lambda: run(desk, CRM.close_case(case, "resolved")), []),
        (lambda: desk.change(case.id, status=2), ["open"]),
        (lambda: desk.change(case.id, status=4), ["closed"]),
        (lambda: desk.speak("dana", "still resolved", case.id), []),
        (lambda: run(desk, CRM.reopen_case(case)), []),
        (lambda: desk.change(case.id, status=3), []),  # pending is open
    ]
    for act, wanted in acts:
        clock.now += timedelta(minutes=5)
        act()
        clock.now += timedelta(minutes=1)
        told, cursor = polled(desk, cursor)
        fresh = [event for event in told if isinstance(event, CaseChanged) and event.id not in known]
        assert [event.fields.status for event in fresh] == wanted
        known |= {event.id for event in fresh}


def test_a_case_is_set_once(desk: FreshdeskSimulator) -> None:
    """The second time nothing is written: what an agent did in between keeps its moment."""
    case = opened(desk)
    run(desk, CRM.close_case(case, "resolved"))
    desk.calls.clear()
    run(desk, CRM.close_case(case, "abandoned"))
    assert [call.method for call in desk.calls] == ["GET"]


def test_the_key_survives_what_we_set(desk: FreshdeskSimulator) -> None:
    case = opened(desk)
    run(desk, CRM.close_case(case, "resolved"))
    run(desk, CRM.reopen_case(case))
    assert opened(desk) == case


@pytest.mark.parametrize(
    ("stats", "wanted"),
    [
        ({"reopened_at": "2026-03-01T11:00:00Z"}, "open"),
        ({"status_updated_at": "2026-03-01T11:00:00Z"}, "open"),
        ({}, None),
        (None, None),
    ],
)
def test_when_a_ticket_was_opened_again(stats: Any, wanted: str | None) -> None:
    """We have closed it at ten."""
    field = {"cf_socialsupport": "con_1 closed 2026-03-01T10:00:00+00:00"}
    content = {"tickets": [{"id": 5, "status": 2, "custom_fields": field, "stats": stats}]}
    told = list(CRM.parse(Payload(source="poll", body=json.dumps(content).encode(), received_at=NOW)))
    assert [event.fields.status for event in told if isinstance(event, CaseChanged)] == ([wanted] if wanted else [])


# what is written


def test_nothing_is_mailed(desk: FreshdeskSimulator) -> None:
    """Notes are private, and who is new in Freshdesk has no address there."""
    mail = Party(identifiers=(Identifier(kind="email", value="lee@acme.example"),), name="Lee")
    case = opened(desk, party=mail)
    for number, direction in enumerate(("inbound", "outbound", "internal")):
        run(desk, CRM.save_interaction(case, TOUCH.model_copy(update={"direction": direction}), f"k-{number}"))
    run(desk, CRM.attach(case, Blob(content=b"x", media_type="text/plain", name="<x>.txt"), "k-3"))
    assert all(one["private"] for one in desk.conversations.values())
    (contact,) = desk.contacts.values()
    assert (contact["email"], contact["unique_external_id"]) == (None, "email:lee@acme.example")
    assert [ticket["tags"] for ticket in desk.tickets.values()] == [["socialsupport"]]


def test_what_people_write_is_no_html_of_ours(desk: FreshdeskSimulator) -> None:
    case = opened(desk)
    party = TOUCH.author.model_copy(update={"name": "<b>Kerry</b>"})
    touch = TOUCH.model_copy(update={"text": "<script>x</script> **now**", "author": party})
    run(desk, CRM.save_interaction(case, touch, "k-1"))
    (note,) = desk.conversations.values()
    assert "<script" not in note["body"]
    assert "<b>Kerry" not in note["body"]
    assert "<strong>now</strong>" in note["body"]


def test_a_record_is_found_beyond_the_first_page(desk: FreshdeskSimulator) -> None:
    case = opened(desk)
    for number in range(120):
        desk.speak("dana", str(number), case.id)
    first = run(desk, CRM.save_interaction(case, TOUCH, "k-1"))
    assert run(desk, CRM.save_interaction(case, TOUCH, "k-1")) == first


def test_a_ticket_is_found_beyond_the_first_page(desk: FreshdeskSimulator) -> None:
    first = opened(desk, "con_0", party=LEE)
    for number in range(1, 120):
        opened(desk, f"con_{number}", party=LEE)
    assert opened(desk, "con_0", party=LEE) == first
    assert len(desk.contacts) == 1


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(desk: FreshdeskSimulator) -> None:
    case = opened(desk)
    desk.calls.clear()
    with pytest.raises(ContentRejected, match="20000000"):
        run(desk, CRM.attach(case, Blob(content=bytes(20_000_001), media_type="text/plain"), "k-1"))
    assert desk.calls == []


def test_a_deleted_ticket_takes_nothing_and_is_followed_by_another(desk: FreshdeskSimulator) -> None:
    case = opened(desk)
    run(desk, CRM.erase_case(case.id))
    for flow in (
        CRM.save_interaction(case, TOUCH, "k-1"),
        CRM.reopen_case(case),
        CRM.change_case(case, CaseFields(subject="x")),
        CRM.read_case(case),
    ):
        with pytest.raises(Unreachable):
            run(desk, flow)
    assert opened(desk, follows=case.id) != case


# people and files


def test_only_the_first_address_of_an_active_contact_is_verified(desk: FreshdeskSimulator) -> None:
    desk.add_contact(
        "Kerry", email="Kerry@acme.example", other_emails=["k@home.example"], mobile="+1 555 0147", active=True
    )
    desk.add_contact("Max", email="max@acme.example", phone="0555 0147")
    (kerry,) = run(desk, CRM.find_customers(Party(identifiers=(Identifier(kind="email", value="k@home.example"),))))
    assert {str(one) for one in kerry.identifiers} == {
        "email:kerry@acme.example",
        "email:k@home.example",
        "phone:+15550147",
    }
    assert {str(one) for one in kerry.verified} == {"email:kerry@acme.example"}
    (max_,) = run(desk, CRM.find_customers(Party(identifiers=(Identifier(kind="email", value="max@acme.example"),))))
    assert [str(one) for one in max_.identifiers] == ["email:max@acme.example"]
    assert max_.verified == frozenset()


def test_a_file_is_fetched_from_freshdesk_only_and_without_the_key() -> None:
    for address in (None, "https://evil.example/1", "https://evilfreshdesk.com/1", "https://acme.s3.example/1"):
        with pytest.raises(ContentRejected, match="file_hosts"):
            drive(CRM.fetch(Attachment(url=address)), lambda ask: httpx.Response(200), CRM.failure)
    crm = Freshdesk(FreshdeskSettings.model_validate(GIVEN | {"file_hosts": ["acme.s3.example"]}))
    flow = crm.fetch(Attachment(url="https://acme.s3.example/label.txt", name="label.txt"))
    assert drive(flow, lambda ask: httpx.Response(200, content=b"x", request=ask), crm.failure).content == b"x"
    for address, goes in (
        ("https://acme.freshdesk.com/api/v2/tickets", True),
        ("https://acme.freshdesk.com/helpdesk/attachments/1", False),
        ("https://cdn.freshdesk.com/api/v2/tickets", False),
    ):
        assert ("authorization" in CRM.authorize(httpx.Request("GET", address), NOW, "").headers) is goes


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "acme.freshdesk.com.evil.example"},
        {"domain": "https://acme.freshdesk.com"},
        {"domain": "acme"},
        {"field": "cf socialsupport"},
        {"api_key": None},
    ],
)
def test_settings_that_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FreshdeskSettings.model_validate(GIVEN | given)
