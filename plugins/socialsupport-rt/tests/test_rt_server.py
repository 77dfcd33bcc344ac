"""Against Request Tracker itself: the kit, and what only the real one can show."""

import base64
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rt_server import US, RealRT

from socialsupport_core.contract import (
    CaseChanged,
    CaseFields,
    CaseGone,
    CaseMerged,
    CaseRef,
    CaseSummary,
    Conflict,
    ContentRejected,
    CRMEvent,
    Flow,
    Unreachable,
    drive,
)
from socialsupport_core.model import Identifier, Interaction, Party
from socialsupport_core.testing.crm import TOUCH, CRMNews, CRMOnce
from socialsupport_rt import RT, RTSettings

pytestmark = pytest.mark.server
CRM = RT(RTSettings(base_url="https://rt.example", user=US[0], password=SecretStr(US[1])))
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def run(rt: RealRT, flow: Flow[Any]) -> Any:
    return drive(flow, lambda ask: rt.handle(CRM.authorize(ask, NOW, "")), CRM.failure)


def opened(rt: RealRT, **more: Any) -> CaseRef:
    name = f"con_{uuid.uuid4().hex}"
    summary = CaseSummary(conversation=name, customer="cus_1", subject="Where is it?", opened_at=NOW, **more)
    case: CaseRef = run(rt, CRM.open_case(summary))
    return case


def polled(rt: RealRT, cursor: str | None) -> tuple[list[CRMEvent], str | None]:
    told: list[CRMEvent] = []
    while True:
        page = run(rt, CRM.poll(cursor))
        told += [event for payload in page.payloads for event in CRM.parse(payload)]
        cursor = page.cursor
        if not page.more:
            return told, cursor


@pytest.fixture
def since(rt: RealRT) -> str | None:
    """Where the news of this test begin; RT tells times by the second."""
    return polled(rt, CRM.starting(datetime.now(UTC) - timedelta(seconds=2)))[1]


class TestRealRT(CRMOnce, CRMNews):
    """What the kit asks of somebody who remembers, with RT in the simulator's place."""

    crm = RT
    is_against_server = True

    @pytest.fixture(autouse=True)
    def _at(self, rt: RealRT) -> None:
        type(self)._server = rt
        type(self)._run = uuid.uuid4().hex

    def make(self) -> Any:
        return CRM

    def counterpart(self) -> Any:
        return self._server

    def named(self, name: str) -> str:
        return f"{name}-{self._run}"

    @property
    def began(self) -> datetime:
        return datetime.now(UTC)

    _rt: RealRT
    _run: str


def test_who_we_are(rt: RealRT) -> None:
    facts = run(rt, CRM.probe())
    assert (facts.own_account, facts.name) == ("socialsupport", "The hub")
    assert facts.extra["version"].startswith("5.")


def test_people_are_found_by_mail_and_telephone_in_their_own_spelling(rt: RealRT) -> None:
    mail = Party(identifiers=(Identifier(kind="email", value="kerry@acme.example"),))
    (found,) = run(rt, CRM.find_customers(mail))
    assert (found.id, found.name) == ("kerry", "Kerry Fisher")
    assert {str(one) for one in found.identifiers} == {"email:kerry@acme.example", "phone:+15550147"}
    assert found.verified == frozenset()


def test_a_search_that_rt_does_not_do_finds_nobody(rt: RealRT) -> None:
    """It answers with all its users to a condition on a field that may not be searched."""
    everybody = rt.handle(
        CRM.authorize(CRM._search("users", [{"field": "MobilePhone", "value": "1"}], "Name"), NOW, "")
    )
    assert everybody.json()["count"] > 3
    strangers = (Identifier(kind="phone", value="+15550147"), Identifier(kind="email", value="nobody@acme.example"))
    assert run(rt, CRM.find_customers(Party(identifiers=strangers))) == ()


def test_what_is_saved_reads_well_and_mails_nobody(rt: RealRT) -> None:
    case = opened(rt)
    touch = TOUCH.model_copy(update={"network": "telegram", "text": "Grüße, wo ist es? 📦\n\nKerry"})
    record = run(rt, CRM.save_interaction(case, touch, uuid.uuid4().hex))
    told = rt.agent("GET", f"transaction/{record.id}")
    assert told["Data"].startswith("Kerry Fisher on telegram [")
    attached = rt.agent("GET", f"transaction/{record.id}/attachments")["items"]
    content = rt.agent("GET", f"attachment/{attached[0]['id']}")["Content"]
    assert base64.b64decode(content).decode() == touch.text
    kinds = {one["Type"] for one in rt.agent("GET", f"ticket/{case.id}/history?fields=Type")["items"]}
    assert kinds == {"Create", "Comment"}


def test_a_reply_with_markup_and_a_file(rt: RealRT, since: str | None) -> None:
    case = opened(rt)
    file = {"FileName": "label.txt", "FileType": "text/plain", "FileContent": base64.b64encode(b"the label").decode()}
    html = "<p>On <b>its</b> way.</p><p>Dana</p>"
    content = {"Content": html, "ContentType": "text/html", "Attachments": [file]}
    rt.agent("POST", f"ticket/{case.id}/correspond", json=content)
    told, _ = polled(rt, since)
    (reply,) = [event for event in told if event.type == "agent.replied"]
    assert (reply.text, reply.agent, reply.agent_name) == ("On its way.\n\nDana", "dana", "Dana")
    (attached,) = reply.attachments
    assert (attached.name, attached.media_type) == ("label.txt", "text/plain")
    assert run(rt, CRM.fetch(attached)).content == b"the label"


def test_a_comment_is_a_note(rt: RealRT, since: str | None) -> None:
    case = opened(rt)
    rt.agent("POST", f"ticket/{case.id}/comment", json={"Content": "she is cross", "ContentType": "text/plain"})
    (note,) = polled(rt, since)[0]
    assert (note.type, getattr(note, "text", "")) == ("agent.noted", "she is cross")


def test_what_agents_change(rt: RealRT, since: str | None) -> None:
    case, other, third = opened(rt), opened(rt), opened(rt)
    for content in ({"Owner": "dana"}, {"Owner": "Nobody"}, {"Status": "resolved"}, {"Status": "open"}):
        rt.agent("PUT", f"ticket/{case.id}", json=content)
    rt.agent("PUT", f"ticket/{other.id}", json={"MergeInto": int(case.id)})
    rt.agent("PUT", f"ticket/{third.id}", json={"Status": "deleted"})
    told = polled(rt, since)[0]
    fields = [event.fields for event in told if isinstance(event, CaseChanged) and event.case == case.id]
    assert fields == [
        CaseFields(assignee="dana"),
        CaseFields(assignee=""),
        CaseFields(status="closed"),
        CaseFields(status="open"),
    ]
    assert [(event.case, event.into) for event in told if isinstance(event, CaseMerged)] == [(other.id, case.id)]
    assert [event.case for event in told if isinstance(event, CaseGone)] == [third.id]


def test_an_owner_whom_rt_refuses_is_an_error(rt: RealRT) -> None:
    case = opened(rt)
    run(rt, CRM.change_case(case, CaseFields(assignee="dana", subject="A blue parcel")))
    state = run(rt, CRM.read_case(case))
    assert (state.assignee, state.subject) == ("dana", "A blue parcel")
    run(rt, CRM.change_case(case, CaseFields(assignee="")))
    for name in ("kerry", "nobody-at-all"):
        with pytest.raises(ContentRejected, match="does not let"):
            run(rt, CRM.change_case(case, CaseFields(assignee=name)))


def test_a_stale_version_changes_nothing(rt: RealRT) -> None:
    case = opened(rt)
    state = run(rt, CRM.read_case(case))
    rt.agent("PUT", f"ticket/{case.id}", json={"Subject": "changed meanwhile"})
    with pytest.raises(Conflict):
        run(rt, CRM.close_case(CaseRef(id=case.id, version=state.version), "resolved"))
    assert run(rt, CRM.read_case(case)).status == "open"


def test_a_ticket_that_is_not_there_takes_nothing(rt: RealRT) -> None:
    touch: Interaction = TOUCH
    with pytest.raises(Unreachable):
        run(rt, CRM.save_interaction(CaseRef(id="999999"), touch, uuid.uuid4().hex))


def test_a_database_of_its_own(rt: RealRT) -> None:
    assert Path(rt.folder / "rt.sqlite").stat().st_size > 100_000
