"""What the kit does not ask: what articles and tickets mean, how polling goes on, how webhooks are proven."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import (
    CaseChanged,
    CaseFields,
    CaseRef,
    CaseSummary,
    ContentRejected,
    CRMEvent,
    MalformedPayload,
    SignatureError,
    Unsupported,
    drive,
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


class House:
    """A simulated Zammad whose clock goes on by a second with each call."""

    def __init__(self) -> None:
        self.now = NOW
        self.zammad = ZammadSimulator(CRM.settings, clock=lambda: self.now)

    def run(self, flow: Any) -> Any:
        def answer(ask: Any) -> Any:
            self.now += timedelta(seconds=1)
            return self.zammad.handle(CRM.authorize(ask, self.now, ""))

        return drive(flow, answer, CRM.failure)

    def opened(self, name: str = "con_1", **more: Any) -> CaseRef:
        summary = {"conversation": name, "customer": "cus_1", "subject": "Where is it?", "opened_at": NOW} | more
        case: CaseRef = self.run(CRM.open_case(CaseSummary(**summary)))
        return case

    def polled(self, cursor: str) -> tuple[list[CRMEvent], str, int]:
        told: list[CRMEvent] = []
        for pages in range(1, 50):
            page = self.run(CRM.poll(cursor))
            told += [event for payload in page.payloads for event in CRM.parse(payload)]
            cursor = page.cursor
            if not page.more:
                return told, cursor, pages
        raise AssertionError("the cursor stands still")


@pytest.fixture
def house() -> House:
    return House()


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


def test_many_pages_lose_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where more was changed in a few seconds than a page holds."""
    monkeypatch.setattr("socialsupport_zammad.polling.PAGE", 3)
    cases = [house.opened(f"con_{number}") for number in range(8)]
    cursor = CRM.starting(house.now)
    for number, case in enumerate(cases):
        house.now += timedelta(milliseconds=10)
        house.zammad.speak("dana", f"reply {number}", case.id)
    told, cursor, pages = house.polled(cursor)
    said = [getattr(event, "text", "") for event in told if event.type == "agent.replied"]
    assert sorted(said) == [f"reply {number}" for number in range(8)]
    assert pages > 2
    assert house.polled(cursor)[0] == []


def test_what_is_committed_late_is_not_lost(house: House) -> None:
    """Zammad stamps a change before it commits it."""
    first, second = house.opened("con_1"), house.opened("con_2")
    cursor = CRM.starting(house.now)
    stamped = house.now + timedelta(seconds=2)
    house.now += timedelta(seconds=5)
    house.zammad.speak("dana", "in time", first.id)
    told, cursor, _ = house.polled(cursor)
    later, house.now = house.now, stamped
    house.zammad.speak("dana", "late", second.id)
    house.now = later
    again, _, _ = house.polled(cursor)
    said = [[getattr(event, "text", "") for event in each if event.type == "agent.replied"] for each in (told, again)]
    assert said == [["in time"], ["late"]]


def test_an_answer_and_its_file_arrive_by_webhook(house: House) -> None:
    case = house.opened()
    house.zammad.due()
    house.zammad.speak("dana", "On its way.", case.id, files={"a.txt": b"the label"})
    (payload,) = house.zammad.due()
    CRM.verify(payload)
    reply = next(event for event in CRM.parse(payload) if event.type == "agent.replied")
    assert house.run(CRM.fetch(reply.attachments[0])).content == b"the label"


def test_titles_keep_their_mark_and_tell_none(house: House) -> None:
    case = house.opened()
    house.run(CRM.change_case(case, CaseFields(subject="A blue parcel")))
    assert house.run(CRM.read_case(case)).subject == "A blue parcel"
    assert house.opened().id == case.id
    house.zammad.change("dana", case.id, title=house.zammad.tickets[int(case.id)]["title"], state="closed")
    told, _, _ = house.polled(CRM.starting(NOW))
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
def test_whose_ticket_it_is(house: House, more: dict[str, Any], customer: str) -> None:
    house.zammad.add_user("kerry@acme.example", firstname="Kerry")
    case = house.opened(**more)
    assert house.zammad.tickets[int(case.id)]["customer"] == customer


def test_a_note_is_let_go_for_ten_minutes(house: House) -> None:
    case = house.opened()
    record = house.run(CRM.save_interaction(case, TOUCH, "k-1"))
    house.now += timedelta(minutes=11)
    with pytest.raises(Unsupported, match="ten minutes"):
        house.run(CRM.remove_interaction(case, record, "k-1"))


def test_the_webhook_is_made_once(house: House) -> None:
    for _ in range(2):
        house.run(CRM.subscribe("https://hub.example/hooks/z"))
    assert (len(house.zammad.hooks), len(house.zammad.triggers)) == (1, 1)
    assert house.zammad.hooks[0]["signature_token"] == "a-secret-of-the-webhook"
    mute = Zammad(ZammadSettings.model_validate({**KNOWN, "webhook_secret": None}))
    with pytest.raises(ContentRejected, match="webhook_secret"):
        house.run(mute.subscribe("https://hub.example/hooks/z"))


def test_somebody_is_forgotten_once(house: House) -> None:
    kerry = house.zammad.add_user("kerry@acme.example")
    for _ in range(2):
        house.run(CRM.erase(str(kerry)))
    assert [(task["deletable_type"], task["deletable_id"]) for task in house.zammad.tasks] == [("User", kerry)]


def test_numbers_as_people_type_them() -> None:
    known = {"id": 3, "firstname": "Kerry", "lastname": "", "email": " K@X.example", "phone": "+1 (555) 014-7"}
    made = contact({**known, "mobile": "0555 1", "login": "k"})
    assert [str(one) for one in made.identifiers] == ["email:k@x.example", "phone:+15550147"]
    assert (made.name, made.verified) == ("Kerry", frozenset())


@pytest.mark.parametrize("written", ["", "1/2", "19/40", "19/40/../18", "x/y/z"])
def test_files_are_named_by_three_numbers(house: House, written: str) -> None:
    with pytest.raises(ContentRejected):
        house.run(CRM.fetch(Attachment(native_id=written)))


@pytest.mark.parametrize(
    "more",
    [{"token": ""}, {"base_url": "http://zammad.example"}, {"group": ""}, {"webhook_secret": "short"}, {"user": "x"}],
)
def test_settings_that_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ZammadSettings.model_validate(KNOWN | more)


def test_a_secret_before_the_last_one_is_good_still(house: House) -> None:
    rotating = {**KNOWN, "webhook_secret": "the-new-secret-here", "previous_webhook_secret": "a-secret-of-the-webhook"}
    case = house.opened()
    house.zammad.due()
    house.zammad.speak("dana", "hello", case.id)
    (payload,) = house.zammad.due()
    Zammad(ZammadSettings.model_validate(rotating)).verify(payload)
    closed = ZammadSettings(base_url="https://z.example", token=SecretStr("t"))
    with pytest.raises(SignatureError, match="not set"):
        Zammad(closed).verify(payload)
