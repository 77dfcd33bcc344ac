"""What the kit does not ask: pages that move, what comes late, who has set a status, and what must not be mailed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from socialsupport_core import testing
from socialsupport_core.contract import (
    AgentReplied,
    CaseChanged,
    CaseFields,
    ContentRejected,
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


class Punctual(FreshdeskSimulator):
    ahead = timedelta(0)


class Desk(testing.CRMDesk[Freshdesk, FreshdeskSimulator]):
    def __init__(self) -> None:
        super().__init__(CRM, Punctual(SETTINGS, clock=self.clock))


@pytest.fixture
def desk() -> Desk:
    return Desk()


# polling


def test_the_newest_seconds_are_left_to_the_next_poll(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.now += timedelta(minutes=1)
    desk.sim.speak("dana", "one", case.id)
    told, after = desk.polled(cursor)
    assert desk.texts(told) == []
    desk.sim.speak("dana", "two", case.id)  # in the same second
    desk.now += timedelta(minutes=1)
    told, after = desk.polled(after)
    assert desk.texts(told) == ["one", "two"]
    assert desk.polled(after)[0] == []


def test_a_reply_is_not_lost_when_its_ticket_changes_before_the_poll(desk: Desk) -> None:
    """What was said stands before the moment up to which was read, the change after it."""
    case, other, cursor = desk.opened(), desk.opened("con_2"), CRM.starting(NOW)
    desk.now += timedelta(minutes=20)
    desk.sim.speak("dana", "first", case.id)
    desk.now += timedelta(seconds=30)
    desk.sim.speak("dana", "elsewhere", other.id)
    desk.now += timedelta(seconds=6)
    desk.sim.change(case.id, responder_id=5)  # now too new to be read
    told, cursor = desk.polled(cursor)
    assert desk.texts(told) == ["elsewhere"]
    desk.now += timedelta(minutes=1)
    assert desk.texts(desk.polled(cursor)[0]) == ["first"]


@pytest.mark.parametrize("apart", [0, 1])
def test_more_than_a_page_is_read_on_without_loss(desk: Desk, apart: int) -> None:
    """250 answers: in one second, and in one second each."""
    cursor = CRM.starting(NOW)
    for number in range(250):
        case = desk.opened(f"con_{number}", party=LEE)
        desk.sim.speak("dana", f"answer {number:03}", case.id)
        desk.now += timedelta(seconds=apart)
    desk.now += timedelta(minutes=1)
    told, cursor = desk.polled(cursor)
    assert desk.texts(told) == [f"answer {number:03}" for number in range(250)]
    assert desk.polled(cursor)[0] == []


def test_a_reply_is_not_lost_between_the_pages_of_a_long_absence(desk: Desk) -> None:
    """Said at the beginning, in a ticket that changed at the end: the second page begins hours after it."""
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.sim.speak("dana", "early", case.id)
    for number in range(120):
        desk.now += timedelta(minutes=2)
        desk.opened(f"con_late_{number}", party=LEE)
    desk.sim.change(case.id, responder_id=5)
    desk.now += timedelta(minutes=1)
    assert desk.texts(desk.polled(cursor)[0]) == ["early"]


def test_what_others_have_in_freshdesk_is_none_of_ours(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.sim.tickets[int(case.id)]["custom_fields"] = {"cf_socialsupport": None}
    desk.sim.speak("dana", "to somebody else", case.id)
    desk.now += timedelta(minutes=1)
    desk.sim.calls.clear()
    assert desk.polled(cursor)[0] == []
    assert len(desk.sim.calls) == 1


def test_an_agent_who_left_has_no_name(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    desk.sim.speak("dana", "bye", case.id)
    desk.sim.agents.clear()
    desk.now += timedelta(minutes=1)
    (reply,) = desk.polled(cursor)[0]
    assert isinstance(reply, AgentReplied)
    assert reply.agent.isdigit()
    assert reply.agent_name is None


# who has set a status


def test_an_agents_status_is_told_once_and_ours_is_not(desk: Desk) -> None:
    case, cursor = desk.opened(), CRM.starting(NOW)
    known: set[str] = set()
    acts: list[tuple[Callable[[], Any], list[str]]] = [
        (lambda: desk.run(CRM.close_case(case, "resolved")), []),
        (lambda: desk.sim.change(case.id, status=2), ["open"]),
        (lambda: desk.sim.change(case.id, status=4), ["closed"]),
        (lambda: desk.sim.speak("dana", "still resolved", case.id), []),
        (lambda: desk.run(CRM.reopen_case(case)), []),
        (lambda: desk.sim.change(case.id, status=3), []),  # pending is open
    ]
    for act, wanted in acts:
        desk.now += timedelta(minutes=5)
        act()
        desk.now += timedelta(minutes=1)
        told, cursor = desk.polled(cursor)
        fresh = [event for event in told if isinstance(event, CaseChanged) and event.id not in known]
        assert [event.fields.status for event in fresh] == wanted
        known |= {event.id for event in fresh}


def test_a_case_is_set_once(desk: Desk) -> None:
    """The second time nothing is written: what an agent did in between keeps its moment."""
    case = desk.opened()
    desk.run(CRM.close_case(case, "resolved"))
    desk.sim.calls.clear()
    desk.run(CRM.close_case(case, "abandoned"))
    assert [call.method for call in desk.sim.calls] == ["GET"]


def test_the_key_survives_what_we_set(desk: Desk) -> None:
    case = desk.opened()
    desk.run(CRM.close_case(case, "resolved"))
    desk.run(CRM.reopen_case(case))
    assert desk.opened() == case


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


def test_nothing_is_mailed(desk: Desk) -> None:
    """Notes are private, and who is new in Freshdesk has no address there."""
    mail = Party(identifiers=(Identifier(kind="email", value="lee@acme.example"),), name="Lee")
    case = desk.opened(party=mail)
    for number, direction in enumerate(("inbound", "outbound", "internal")):
        desk.run(CRM.save_interaction(case, TOUCH.model_copy(update={"direction": direction}), f"k-{number}"))
    desk.run(CRM.attach(case, Blob(content=b"x", media_type="text/plain", name="<x>.txt"), "k-3"))
    assert all(one["private"] for one in desk.sim.conversations.values())
    (contact,) = desk.sim.contacts.values()
    assert (contact["email"], contact["unique_external_id"]) == (None, "email:lee@acme.example")
    assert [ticket["tags"] for ticket in desk.sim.tickets.values()] == [["socialsupport"]]


def test_what_people_write_is_no_html_of_ours(desk: Desk) -> None:
    case = desk.opened()
    party = TOUCH.author.model_copy(update={"name": "<b>Kerry</b>"})
    touch = TOUCH.model_copy(update={"text": "<script>x</script> **now**", "author": party})
    desk.run(CRM.save_interaction(case, touch, "k-1"))
    (note,) = desk.sim.conversations.values()
    assert "<script" not in note["body"]
    assert "<b>Kerry" not in note["body"]
    assert "<strong>now</strong>" in note["body"]


def test_a_record_is_found_beyond_the_first_page(desk: Desk) -> None:
    case = desk.opened()
    for number in range(120):
        desk.sim.speak("dana", str(number), case.id)
    first = desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    assert desk.run(CRM.save_interaction(case, TOUCH, "k-1")) == first


def test_a_ticket_is_found_beyond_the_first_page(desk: Desk) -> None:
    first = desk.opened("con_0", party=LEE)
    for number in range(1, 120):
        desk.opened(f"con_{number}", party=LEE)
    assert desk.opened("con_0", party=LEE) == first
    assert len(desk.sim.contacts) == 1


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(desk: Desk) -> None:
    case = desk.opened()
    desk.sim.calls.clear()
    with pytest.raises(ContentRejected, match="20000000"):
        desk.run(CRM.attach(case, Blob(content=bytes(20_000_001), media_type="text/plain"), "k-1"))
    assert desk.sim.calls == []


def test_a_deleted_ticket_takes_nothing_and_is_followed_by_another(desk: Desk) -> None:
    case = desk.opened()
    desk.run(CRM.erase_case(case.id))
    for flow in (
        CRM.save_interaction(case, TOUCH, "k-1"),
        CRM.reopen_case(case),
        CRM.change_case(case, CaseFields(subject="x")),
        CRM.read_case(case),
    ):
        with pytest.raises(Unreachable):
            desk.run(flow)
    assert desk.opened(follows=case.id) != case


# people and files


def test_only_the_first_address_of_an_active_contact_is_verified(desk: Desk) -> None:
    desk.sim.add_contact(
        "Kerry", email="Kerry@acme.example", other_emails=["k@home.example"], mobile="+1 555 0147", active=True
    )
    desk.sim.add_contact("Max", email="max@acme.example", phone="0555 0147")
    (kerry,) = desk.run(CRM.find_customers(Party(identifiers=(Identifier(kind="email", value="k@home.example"),))))
    assert {str(one) for one in kerry.identifiers} == {
        "email:kerry@acme.example",
        "email:k@home.example",
        "phone:+15550147",
    }
    assert {str(one) for one in kerry.verified} == {"email:kerry@acme.example"}
    (max_,) = desk.run(CRM.find_customers(Party(identifiers=(Identifier(kind="email", value="max@acme.example"),))))
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
