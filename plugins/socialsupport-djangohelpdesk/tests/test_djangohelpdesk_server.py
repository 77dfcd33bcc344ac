"""Against django-helpdesk itself: the kit, and what only the real one can show."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from djangohelpdesk_server import HOST, MAIL, SECRET, US, RealDesk
from pydantic import SecretStr

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
    Forbidden,
    Unreachable,
    drive,
)
from socialsupport_core.model import Blob
from socialsupport_core.testing.crm import TOUCH, CRMNews, CRMOnce
from socialsupport_djangohelpdesk import DjangoHelpdesk, DjangoHelpdeskSettings

pytestmark = pytest.mark.server
SETTINGS = DjangoHelpdeskSettings(
    base_url=f"https://{HOST}/helpdesk",
    user=US[0],
    user_id=2,
    email=MAIL,
    password=SecretStr(US[1]),
    agents={"3": "Dana"},
    webhook_secret=SecretStr(SECRET),
)
CRM = DjangoHelpdesk(SETTINGS)
NASTY = (
    "{{ ticket.title }} {{ }} {% endverbatim %} {%%} {# x #} X-HELPDESK-COMMENT-VERBATIM \"<b>\" & '📦' {{{ }}} 7 %}"
)


def run(desk: RealDesk, flow: Flow[Any], crm: DjangoHelpdesk = CRM) -> Any:
    return drive(flow, lambda ask: desk.handle(crm.authorize(ask, datetime.now(UTC), "")), crm.failure)


def opened(desk: RealDesk, crm: DjangoHelpdesk = CRM, **more: Any) -> CaseRef:
    known = {"conversation": uuid.uuid4().hex, "subject": "Where is it?", "opened_at": datetime.now(UTC)}
    case: CaseRef = run(desk, crm.open_case(CaseSummary(customer="cus_1", **known | more)), crm)
    return case


def polled(desk: RealDesk, cursor: str | None) -> tuple[list[CRMEvent], str | None]:
    page = run(desk, CRM.poll(cursor))
    return [event for payload in page.payloads for event in CRM.parse(payload)], page.cursor


def changed(**more: Any) -> DjangoHelpdesk:
    return DjangoHelpdesk(SETTINGS.model_copy(update=more))


class TestRealDesk(CRMOnce, CRMNews):
    """What the kit asks of somebody who remembers, with django-helpdesk in the simulator's place."""

    crm = DjangoHelpdesk
    is_against_server = True

    @pytest.fixture(autouse=True)
    def _at(self, desk: RealDesk) -> None:
        type(self)._desk = desk
        type(self)._run = uuid.uuid4().hex
        desk.due()

    def make(self) -> Any:
        return CRM

    def counterpart(self) -> Any:
        return self._desk

    def named(self, name: str) -> str:
        return f"{name}-{self._run}"

    @property
    def began(self) -> datetime:
        return datetime.now(UTC)

    _desk: RealDesk
    _run: str


def test_a_text_arrives_as_it_was_written(desk: RealDesk) -> None:
    """New comments are rendered as templates; changed ones are not."""
    case = opened(desk)
    touch = TOUCH.model_copy(update={"text": NASTY})
    record = run(desk, CRM.save_interaction(case, touch, "k-1"))
    for verb in ("saved", "edited"):
        (told,) = (one for one in desk.ticket(case.id)["followup_set"] if str(one["id"]) == record.id)
        assert f"\n\n{NASTY}\n\n[" in told["comment"], verb
        assert (told["public"], told["email_recipients"]) == (False, [])
        run(desk, CRM.edit_interaction(case, record, touch, "k-1"))


def test_what_is_saved_mails_nobody_and_renames_nothing(desk: RealDesk) -> None:
    case = opened(desk, subject="A blue parcel")
    run(desk, CRM.save_interaction(case, TOUCH.model_copy(update={"text": "secret of Kerry"}), "k-1"))
    assert desk.ticket(case.id)["title"].startswith("A blue parcel [")
    assert "secret of Kerry" not in desk.mails()
    assert "kerry@acme.example" not in desk.mails()


def test_a_resolution_is_not_overwritten(desk: RealDesk) -> None:
    """django-helpdesk takes each comment on a resolved ticket for its resolution."""
    case = opened(desk)
    desk.agent("POST", "followups/", json={"ticket": int(case.id), "comment": "A new one was sent.", "new_status": 3})
    run(desk, CRM.save_interaction(case, TOUCH, "k-1"))
    assert desk.ticket(case.id)["resolution"] == "A new one was sent."


def test_a_file_there_and_back(desk: RealDesk) -> None:
    case = opened(desk)
    blob = Blob(content=b"the label", media_type="text/plain", name="label.txt")
    record = run(desk, CRM.attach(case, blob, "k-1"))
    (one,) = (one for one in desk.ticket(case.id)["followup_set"] if str(one["id"]) == record.id)
    (file,) = one["followupattachment_set"]
    assert (file["filename"], file["mime_type"], file["size"]) == ("label.txt", "text/plain", 9)
    with pytest.raises(ContentRejected):
        run(desk, CRM.attach(case, Blob(content=b"x", media_type="application/x-msdownload", name="x.exe"), "k-2"))
    assert "x.exe" not in str(desk.ticket(case.id))


def test_what_an_agent_writes(desk: RealDesk) -> None:
    """By webhook and by poll: a reply with a file, a note, a status."""
    case, cursor = opened(desk), polled(desk, None)[1]
    desk.due()
    content = {"ticket": case.id, "comment": "On its way.", "public": "true"}
    desk.agent("POST", "followups/", data=content, files={"attachments": ("a.txt", b"the label", "text/plain")})
    desk.speak("dana", "she is cross", case.id, public=False)
    desk.agent("POST", "followups/", json={"ticket": int(case.id), "comment": "", "new_status": 3})
    taken = desk.due()
    for payload in taken:
        CRM.verify(payload)
    heard = [event for payload in taken for event in CRM.parse(payload)]
    told, _ = polled(desk, cursor)
    assert heard == told
    reply, note, status = told
    assert isinstance(reply, AgentReplied)
    assert isinstance(note, AgentNoted)
    assert isinstance(status, CaseChanged)
    assert (reply.text, reply.agent, reply.agent_name, note.text) == ("On its way.", "3", "Dana", "she is cross")
    assert (status.fields, status.agent) == (CaseFields(status="closed"), "3")
    assert run(desk, CRM.fetch(reply.attachments[0])).content == b"the label"


def test_many_pages_lose_nothing(desk: RealDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    case, cursor = opened(desk), polled(desk, None)[1]
    monkeypatch.setattr("socialsupport_djangohelpdesk.polling.PAGE", 2)
    for number in range(5):
        desk.speak("dana", f"reply {number}", case.id)
    told, cursor = polled(desk, cursor)
    assert [getattr(event, "text", "") for event in told] == [f"reply {number}" for number in range(5)]
    assert polled(desk, cursor)[0] == []


def test_a_merged_ticket_goes_on_as_the_other(desk: RealDesk) -> None:
    gone, other = opened(desk), opened(desk)
    desk.agent("PATCH", f"tickets/{gone.id}/", json={"merged_to": int(other.id), "status": 5})
    record = run(desk, CRM.save_interaction(gone, TOUCH, "k-1"))
    assert record.id in {str(one["id"]) for one in desk.ticket(other.id)["followup_set"]}
    desk.agent("PATCH", f"tickets/{other.id}/", json={"merged_to": int(gone.id)})
    with pytest.raises(Unreachable, match="circle"):
        run(desk, CRM.save_interaction(gone, TOUCH, "k-2"))


def test_who_owns_it_and_what_it_is_called(desk: RealDesk) -> None:
    case = opened(desk)
    run(desk, CRM.change_case(case, CaseFields(assignee="3", subject="A blue parcel")))
    state = run(desk, CRM.read_case(case))
    assert (state.assignee, state.subject, state.status) == ("3", "A blue parcel", "open")
    run(desk, CRM.change_case(case, CaseFields(assignee="")))
    assert run(desk, CRM.read_case(case)).assignee == ""
    with pytest.raises(ContentRejected):
        run(desk, CRM.change_case(case, CaseFields(assignee="99")))


def test_what_is_not_there_takes_nothing(desk: RealDesk) -> None:
    with pytest.raises(Unreachable):
        run(desk, CRM.save_interaction(CaseRef(id="999999"), TOUCH, "k-1"))


def test_settings_that_are_wrong_are_found_out(desk: RealDesk) -> None:
    opened(desk)
    assert run(desk, CRM.probe()).own_account == "2"
    mistaken = changed(user_id=7)
    with pytest.raises(Forbidden, match="set user_id = 2"):
        run(desk, mistaken.probe(), mistaken)
    before = desk.agent("GET", "tickets/")["count"]
    with pytest.raises(Forbidden, match="set user_id = 2"):
        opened(desk, mistaken)
    assert desk.agent("GET", "tickets/")["count"] == before
    stranger = changed(user="kerry", password=SecretStr("x"))
    with pytest.raises(Forbidden):
        run(desk, stranger.probe(), stranger)
    nobody = changed(password=SecretStr("wrong"))
    with pytest.raises(Forbidden):
        run(desk, nobody.probe(), nobody)
