"""What follow-ups mean, and what does not come out of them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import (
    CaseChanged,
    CaseRef,
    CaseSummary,
    ContentRejected,
    Forbidden,
    MalformedPayload,
    SignatureError,
    drive,
)
from socialsupport_core.model import Attachment, Payload, Unrecognised
from socialsupport_core.testing.crm import TOUCH
from socialsupport_djangohelpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from socialsupport_djangohelpdesk.native import literal
from socialsupport_djangohelpdesk.settings import basic
from socialsupport_djangohelpdesk.simulator import DjangoHelpdeskSimulator

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KNOWN: dict[str, Any] = {
    "base_url": "https://desk.example/helpdesk",
    "user": "hub",
    "user_id": 2,
    "email": "hub@acme.example",
    "password": "p",
    "webhook_secret": "a-secret-of-the-door",
}
CRM = DjangoHelpdesk(DjangoHelpdeskSettings.model_validate(KNOWN))


def followup(**more: Any) -> dict[str, Any]:
    known = {"id": 7, "ticket": 3, "user": 9, "title": "x", "comment": "hello", "public": True, "new_status": None}
    return {**known, "date": "2026-03-01T10:00:00-06:00", "followupattachment_set": []} | more


def parse(*followups: dict[str, Any]) -> list[Any]:
    return list(CRM.parse(Payload(source="poll", body=json.dumps({"results": followups}).encode(), received_at=NOW)))


def run(desk: DjangoHelpdeskSimulator, flow: Any, crm: DjangoHelpdesk = CRM) -> Any:
    return drive(flow, lambda ask: desk.handle(crm.authorize(ask, NOW, "")), crm.failure)


def desk() -> DjangoHelpdeskSimulator:
    return DjangoHelpdeskSimulator(CRM.settings, clock=lambda: NOW)


def opening(name: str = "con_1", **more: Any) -> CaseSummary:
    return CaseSummary(conversation=name, customer="cus_1", subject="Where is it?", opened_at=NOW, **more)


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        ({}, ["agent.replied"]),
        ({"public": False}, ["agent.noted"]),
        ({"user": None}, ["unrecognised"]),
        ({"user": 2}, []),
        ({"comment": " "}, []),
        ({"comment": None, "new_status": 3}, ["case.changed"]),
        ({"new_status": 2}, ["agent.replied", "case.changed"]),
        ({"comment": "", "followupattachment_set": [{"id": 1, "filename": "a.txt"}]}, ["agent.replied"]),
    ],
)
def test_kinds(more: dict[str, Any], kinds: list[str]) -> None:
    assert [event.type for event in parse(followup(**more))] == kinds


@pytest.mark.parametrize(("status", "meant"), [(1, "open"), (2, "open"), (3, "closed"), (4, "closed"), (5, "closed")])
def test_statuses(status: int, meant: str) -> None:
    (event,) = parse(followup(comment="", new_status=status))
    assert isinstance(event, CaseChanged)
    assert (event.fields.status, event.id, event.agent) == (meant, "7:status", "9")


def test_what_nobody_of_the_staff_wrote_says_so() -> None:
    (event,) = parse(followup(user=None))
    assert isinstance(event, Unrecognised)
    assert event.reason == "written by nobody of the staff"


@pytest.mark.parametrize(
    "text",
    [
        "{{ x }}",
        "{% if %}",
        "{# x #}",
        "{{{%",
        "%}",
        "{%}",
        "a { b } c",
        "50 % {",
        "X-HELPDESK-COMMENT-ENDVERBATIM",
        "{",
    ],
)
def test_what_looks_like_a_template_comes_out_as_it_was(text: str) -> None:
    """Rendered by Django itself, as django-helpdesk does it."""
    engine = pytest.importorskip("django.template").Engine()
    context = pytest.importorskip("django.template").Context({"x": "wrong"})
    guarded = literal(text)
    for tag in ("{%", "%}", "X-HELPDESK-COMMENT-"):
        assert tag not in guarded
    assert engine.from_string(guarded).render(context) == text


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"results": [{}]}', b'{"results": 1}', b"\xff", b'{"followup_id": 1}']
)
def test_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        list(CRM.parse(Payload(source="poll", body=body, received_at=NOW)))


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(MalformedPayload, match="date"):
        parse(followup(date="2026-03-01T10:00:00"))


def test_the_door_wants_our_name_and_password() -> None:
    def asked(crm: DjangoHelpdesk, proof: str) -> None:
        headers = (("authorization", proof),)
        crm.verify(Payload(url="https://hub.example/hooks/d", headers=headers, body=b"{}", received_at=NOW))

    secret = SecretStr("a-secret-of-the-door")
    asked(CRM, basic("socialsupport", secret))
    for wrong in ("", basic("socialsupport", SecretStr("another")), basic("hub", secret)):
        with pytest.raises(SignatureError):
            asked(CRM, wrong)
    rotating = {**KNOWN, "webhook_secret": "the-new-secret-here", "previous_webhook_secret": "a-secret-of-the-door"}
    asked(DjangoHelpdesk(DjangoHelpdeskSettings.model_validate(rotating)), basic("socialsupport", secret))
    closed = DjangoHelpdesk(DjangoHelpdeskSettings.model_validate({**KNOWN, "webhook_secret": None}))
    with pytest.raises(SignatureError):
        asked(closed, basic("socialsupport", secret))


def test_an_old_conversation_is_found_on_a_later_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialsupport_djangohelpdesk.polling.PAGE", 2)
    house = desk()
    first = run(house, CRM.open_case(opening()))
    for number in range(2, 7):
        run(house, CRM.open_case(opening(f"con_{number}")))
    assert run(house, CRM.open_case(opening())).id == first.id
    assert len(house.desk.tickets) == 6


def test_tickets_older_than_the_conversation_are_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialsupport_djangohelpdesk.polling.PAGE", 2)
    house = desk()
    for number in range(5):
        run(house, CRM.open_case(opening(f"con_{number}")))
    for ticket in house.desk.tickets.values():
        ticket["created"] = "2026-01-01T00:00:00-06:00"
    house.calls.clear()
    run(house, CRM.open_case(opening("con_new")))
    assert [call.method for call in house.calls] == ["GET", "POST"]


def test_another_address_of_our_user_is_found_out() -> None:
    """Under it, nothing would be found again."""
    mistaken = DjangoHelpdesk(DjangoHelpdeskSettings.model_validate({**KNOWN, "email": "other@acme.example"}))
    house = desk()
    for _ in range(2):
        with pytest.raises(Forbidden, match="email has to be the same"):
            run(house, mistaken.open_case(opening()), mistaken)
    assert house.desk.tickets == {}


def test_a_token_will_do() -> None:
    crm = DjangoHelpdesk(DjangoHelpdeskSettings.model_validate({**KNOWN, "password": None, "token": "t-1"}))
    house = DjangoHelpdeskSimulator(crm.settings, clock=lambda: NOW)
    run(house, crm.open_case(opening()), crm)
    assert {call.headers["authorization"] for call in house.calls} == {"Token t-1"}


def test_files_of_another_host_are_left_there() -> None:
    house = desk()
    run(house, CRM.open_case(opening()))
    house.speak("dana", "here", files={"a.txt": b"content"})
    (number,) = house.desk.files
    file = Attachment(native_id=str(number), media_type="text/plain")
    assert run(house, CRM.fetch(file)).content == b"content"
    house.desk.files[number]["file"] = "https://bucket.example/a.txt"
    with pytest.raises(ContentRejected, match="own host"):
        run(house, CRM.fetch(file))


@pytest.mark.parametrize("written", ["", "1/2", "-1", "x", "¹"])
def test_numbers_that_are_none(written: str) -> None:
    with pytest.raises(ContentRejected, match="not a number"):
        run(desk(), CRM.save_interaction(CaseRef(id=written), TOUCH, "k"))


@pytest.mark.parametrize(
    "more",
    [
        {"password": None},
        {"token": "t"},
        {"base_url": "http://desk.example"},
        {"base_url": "https://desk.example/helpdesk/"},
        {"user_id": 0},
        {"email": "nowhere"},
        {"webhook_secret": "short"},
    ],
)
def test_settings_that_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DjangoHelpdeskSettings.model_validate(KNOWN | more)
