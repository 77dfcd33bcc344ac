"""What the kit does not ask: what articles and tickets mean, how polling goes on, how webhooks are proven."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core import testing
from socialsupport_core.contract import (
    CaseChanged,
    CaseFields,
    ContentRejected,
    MalformedPayload,
    SignatureError,
    Unsupported,
)
from socialsupport_core.model import Attachment, Facts, Identifier, Party, Payload
from socialsupport_core.testing.crm import TOUCH
from socialsupport_zammad import Zammad, ZammadSettings
from socialsupport_zammad.native import contact
from socialsupport_zammad.simulator import ZammadSimulator

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
KNOWN: dict[str, Any] = {
    "base_url": "https://zammad.example/desk",
    "token": "t",
    "webhook_secret": "a-secret-of-the-webhook",
}
CRM = Zammad(ZammadSettings.model_validate(KNOWN), Facts(own_account="2"))


class Desk(testing.CRMDesk[Zammad, ZammadSimulator]):
    step = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__(CRM, ZammadSimulator(CRM.settings, clock=self.clock))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def article(**more: Any) -> dict[str, Any]:
    known = {"id": 7, "ticket_id": 3, "type": "note", "sender": "Agent", "internal": False, "body": "hello"}
    made = {"created_by": "dana", "created_by_id": 9, "created_at": "2026-03-01T10:00:00.000Z", "from": "Dana Miller"}
    return known | made | more


def ticket(**more: Any) -> dict[str, Any]:
    known = {"id": 3, "title": "x", "state": "open", "owner": "-", "updated_by": "dana", "updated_by_id": 9}
    return {**known, "updated_at": "2026-03-01T10:00:00.000Z"} | more


def parse(**records: list[dict[str, Any]]) -> list[Any]:
    body = json.dumps({"tickets": [], "articles": []} | records).encode()
    return list(CRM.parse(Payload(source="poll", body=body, received_at=NOW)))


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "agent.replied"),
        ({"type": "web"}, "agent.replied"),
        ({"internal": True}, "agent.noted"),
        ({"type": "email"}, "agent.noted"),
        ({"type": "phone"}, "agent.noted"),
        ({"sender": "Customer"}, "unrecognised"),
        ({"sender": "System"}, "unrecognised"),
    ],
)
def test_what_goes_out_to_the_customer(more: dict[str, Any], kind: str) -> None:
    """Only what Zammad has not sent itself, and no customer has written."""
    assert [event.type for event in parse(articles=[article(**more)])] == [kind]
    assert parse(articles=[article(**more, **{"created_by_id": 2})]) == []


@pytest.mark.parametrize(
    ("state", "status"),
    [("new", "open"), ("pending close", "open"), ("closed", "closed"), ("in progress", None)],
)
def test_states(state: str, status: str | None) -> None:
    (event,) = parse(tickets=[ticket(state=state)])
    assert isinstance(event, CaseChanged)
    assert (event.fields.status, event.fields.assignee, event.agent) == (status, "", "dana")


@pytest.mark.parametrize("state", ["merged", "removed"])
def test_what_takes_nothing_more_is_gone(state: str) -> None:
    assert [event.type for event in parse(tickets=[ticket(state=state)])] == ["case.gone"]


def test_markup_is_read() -> None:
    (said,) = parse(articles=[article(body="<p>On <b>its</b> way</p><p>5 &lt; 6</p>", content_type="text/html")])
    assert said.text == "On **its** way\n\n5 < 6"
    (plain,) = parse(articles=[article(body="a <b> b", content_type="text/plain")])
    assert plain.text == "a <b> b"


@pytest.mark.parametrize(
    "origin", ["Dana Miller", "Dana Miller via <support@acme.example>", "Dana Miller <d@acme.example>"]
)
def test_whose_name_is_read(origin: str) -> None:
    (said,) = parse(articles=[article(**{"from": origin})])
    assert said.agent_name == "Dana Miller"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"tickets": 1}', b"\xff", b'{"ticket": {"id": 1}}'])
def test_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        list(CRM.parse(Payload(source="poll", body=body, received_at=NOW)))


def test_the_signature_is_that_of_the_body() -> None:
    """Computed here by hand, after the documentation."""

    def asked(secret: str, form: str = "sha1={}") -> None:
        digest = hmac.new(secret.encode(), b"{}", hashlib.sha1).hexdigest()
        headers = (("x-hub-signature", form.format(digest)),)
        CRM.verify(Payload(url="https://hub.example/hooks/z", headers=headers, body=b"{}", received_at=NOW))

    asked("a-secret-of-the-webhook")
    for wrong in ("another", ""):
        with pytest.raises(SignatureError):
            asked(wrong)
    for form in ("{}", "sha256={}", "sha1={} ", "sha1="):
        with pytest.raises(SignatureError):
            asked("a-secret-of-the-webhook", form)


def test_many_pages_lose_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where more was changed in a few seconds than a page holds."""
    monkeypatch.setattr("socialsupport_zammad.polling.PAGE", 3)
    cases = [desk.opened(f"con_{number}") for number in range(8)]
    cursor = CRM.starting(desk.now)
    for number, case in enumerate(cases):
        desk.now += timedelta(milliseconds=10)
        desk.sim.speak("dana", f"reply {number}", case.id)
    told, cursor = desk.polled(cursor)
    said = [getattr(event, "text", "") for event in told if event.type == "agent.replied"]
    assert sorted(said) == [f"reply {number}" for number in range(8)]
    assert desk.pages > 2
    assert desk.polled(cursor)[0] == []


def test_what_is_committed_late_is_not_lost(desk: Desk) -> None:
    """Zammad stamps a change before it commits it."""
    first, second = desk.opened("con_1"), desk.opened("con_2")
    cursor = CRM.starting(desk.now)
    stamped = desk.now + timedelta(seconds=2)
    desk.now += timedelta(seconds=5)
    desk.sim.speak("dana", "in time", first.id)
    told, cursor = desk.polled(cursor)
    later, desk.now = desk.now, stamped
    desk.sim.speak("dana", "late", second.id)
    desk.now = later
    again, _ = desk.polled(cursor)
    said = [[getattr(event, "text", "") for event in each if event.type == "agent.replied"] for each in (told, again)]
    assert said == [["in time"], ["late"]]


def test_an_answer_and_its_file_arrive_by_webhook(desk: Desk) -> None:
    case = desk.opened()
    desk.sim.due()
    desk.sim.speak("dana", "On its way.", case.id, files={"a.txt": b"the label"})
    (payload,) = desk.sim.due()
    CRM.verify(payload)
    reply = next(event for event in CRM.parse(payload) if event.type == "agent.replied")
    assert desk.run(CRM.fetch(reply.attachments[0])).content == b"the label"


def test_titles_keep_their_mark_and_tell_none(desk: Desk) -> None:
    case = desk.opened()
    desk.run(CRM.change_case(case, CaseFields(subject="A blue parcel")))
    assert desk.run(CRM.read_case(case)).subject == "A blue parcel"
    assert desk.opened().id == case.id
    desk.sim.change("dana", case.id, title=desk.sim.tickets[int(case.id)]["title"], state="closed")
    told, _ = desk.polled(CRM.starting(NOW))
    assert [event.fields.subject for event in told if isinstance(event, CaseChanged)] == ["A blue parcel"]


@pytest.mark.parametrize(
    ("more", "customer"),
    [
        ({"contact": "3"}, "kerry@acme.example"),
        ({"party": Party(identifiers=(Identifier(kind="email", value="kerry@acme.example"),))}, "kerry@acme.example"),
        ({"party": Party(identifiers=(Identifier(kind="email", value="lee@acme.example"),))}, "lee@acme.example"),
        ({"party": Party(identifiers=(Identifier(kind="x.user", value="7"),))}, "socialsupport@acme.example"),
    ],
)
def test_whose_ticket_it_is(desk: Desk, more: dict[str, Any], customer: str) -> None:
    desk.sim.add_user("kerry@acme.example", firstname="Kerry")
    case = desk.opened(**more)
    assert desk.sim.tickets[int(case.id)]["customer"] == customer


def test_a_note_is_let_go_for_ten_minutes(desk: Desk) -> None:
    case = desk.opened()
    record = desk.run(CRM.save_interaction(case, TOUCH, "k-1"))
    desk.now += timedelta(minutes=11)
    with pytest.raises(Unsupported, match="ten minutes"):
        desk.run(CRM.remove_interaction(case, record, "k-1"))


def test_the_webhook_is_made_once(desk: Desk) -> None:
    for _ in range(2):
        desk.run(CRM.subscribe("https://hub.example/hooks/z"))
    assert (len(desk.sim.hooks), len(desk.sim.triggers)) == (1, 1)
    assert desk.sim.hooks[0]["signature_token"] == "a-secret-of-the-webhook"
    mute = Zammad(ZammadSettings.model_validate({**KNOWN, "webhook_secret": None}))
    with pytest.raises(ContentRejected, match="webhook_secret"):
        desk.run(mute.subscribe("https://hub.example/hooks/z"), mute)


def test_somebody_is_forgotten_once(desk: Desk) -> None:
    kerry = desk.sim.add_user("kerry@acme.example")
    for _ in range(2):
        desk.run(CRM.erase(str(kerry)))
    assert [(task["deletable_type"], task["deletable_id"]) for task in desk.sim.tasks] == [("User", kerry)]


def test_numbers_as_people_type_them() -> None:
    known = {"id": 3, "firstname": "Kerry", "lastname": "", "email": " K@X.example", "phone": "+1 (555) 014-7"}
    made = contact({**known, "mobile": "0555 1", "login": "k"})
    assert [str(one) for one in made.identifiers] == ["email:k@x.example", "phone:+15550147"]
    assert (made.name, made.verified) == ("Kerry", frozenset())


@pytest.mark.parametrize("written", ["", "1/2", "19/40", "19/40/../18", "x/y/z"])
def test_files_are_named_by_three_numbers(desk: Desk, written: str) -> None:
    with pytest.raises(ContentRejected):
        desk.run(CRM.fetch(Attachment(native_id=written)))


@pytest.mark.parametrize(
    "more",
    [{"token": ""}, {"base_url": "http://zammad.example"}, {"group": ""}, {"webhook_secret": "short"}, {"user": "x"}],
)
def test_settings_that_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ZammadSettings.model_validate(KNOWN | more)


def test_a_secret_before_the_last_one_is_good_still(desk: Desk) -> None:
    rotating = {**KNOWN, "webhook_secret": "the-new-secret-here", "previous_webhook_secret": "a-secret-of-the-webhook"}
    case = desk.opened()
    desk.sim.due()
    desk.sim.speak("dana", "hello", case.id)
    (payload,) = desk.sim.due()
    Zammad(ZammadSettings.model_validate(rotating)).verify(payload)
    closed = ZammadSettings(base_url="https://z.example", token=SecretStr("t"))
    with pytest.raises(SignatureError, match="not set"):
        Zammad(closed).verify(payload)
