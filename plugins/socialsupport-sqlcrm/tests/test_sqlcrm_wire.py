"""The wire on real files, and what the triggers tell."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from socialsupport_core.contract import Conflict, MalformedPayload, Unavailable, Unreachable, drive
from socialsupport_core.contract.crm import CaseFields, CaseRef, CaseSummary
from socialsupport_core.model import Payload
from socialsupport_sqlcrm import SqlCRM, SqlSettings
from socialsupport_sqlcrm.wire import Sql, SqliteWire, connect, execute

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "desk.sqlite")


@pytest.fixture
def crm(path: str) -> SqlCRM:
    return SqlCRM(SqlSettings(database=path))


def opened(crm: SqlCRM, **more: str) -> CaseRef:
    summary = CaseSummary(conversation="con_1", customer="cus_1", subject="Where?", opened_at=NOW, **more)
    case: CaseRef = drive(crm.open_case(summary), execute, crm.failure)
    return case


def test_the_wire_answers_in_a_thread(path: str) -> None:
    wire = SqliteWire()
    assert asyncio.run(wire.answer(Sql(path, (("SELECT 1 AS one", ()),)))) == [{"one": 1}]


def test_statements_are_done_together_or_not_at_all(path: str) -> None:
    customer = ("INSERT INTO customers (name) VALUES (?)", ("Kerry",))
    with pytest.raises(Unavailable, match="no such table"):
        execute(Sql(path, (customer, ("SELECT * FROM nowhere", ()))))
    assert execute(Sql(path, (("SELECT count(*) AS n FROM customers", ()),))) == [{"n": 0}]


def test_a_database_that_cannot_be_had_is_tried_again(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable):
        execute(Sql(str(tmp_path / "nowhere" / "desk.sqlite"), (("SELECT 1", ()),)))
    monkeypatch.setattr("socialsupport_sqlcrm.wire.PATIENCE", 0.05)
    holder = connect(path)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        execute(Sql(path, (("INSERT INTO customers (name) VALUES ('x')", ()),)))
    holder.close()


def test_a_stale_version_and_a_ticket_that_is_gone_are_two_things(crm: SqlCRM) -> None:
    case = opened(crm)
    state = drive(crm.read_case(case), execute, crm.failure)
    drive(crm.close_case(case, "resolved"), execute, crm.failure)
    with pytest.raises(Conflict):
        drive(crm.reopen_case(CaseRef(id=case.id, version=state.version)), execute, crm.failure)
    with pytest.raises(Unreachable):
        drive(crm.reopen_case(CaseRef(id="99")), execute, crm.failure)


def test_only_what_changed_is_news_and_not_by_us(crm: SqlCRM, path: str) -> None:
    case = opened(crm)
    drive(crm.change_case(case, CaseFields(assignee="dana", subject="There")), execute, crm.failure)
    with connect(path) as desk:
        desk.execute("UPDATE tickets SET status = 'open', assignee = '', by = 'max'")
    page = drive(crm.poll(None), execute, crm.failure)
    (event,) = [one for payload in page.payloads for one in crm.parse(payload)]
    assert (event.type, event.fields, event.agent) == ("case.changed", CaseFields(assignee=""), "max")


def test_erasing_a_person_takes_everything_along(crm: SqlCRM, path: str) -> None:
    with connect(path) as desk:
        desk.execute("INSERT INTO customers (name, email) VALUES ('Kerry', 'kerry@acme.example')")
    case = opened(crm, contact="1")
    with connect(path) as desk:
        said = "INSERT INTO messages (ticket, author, direction, body) VALUES (?, 'dana', 'outbound', 'Hello Kerry')"
        desk.execute(said, (case.id,))
    drive(crm.erase("1"), execute, crm.failure)
    with connect(path) as desk:
        left = [desk.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("tickets", "messages")]
        assert left == [0, 0]
        assert {row["kind"] for row in desk.execute("SELECT kind FROM news")} == {"gone", "forgotten"}


@pytest.mark.parametrize("body", ["", "{}x", '{"a": 1}', "[1]", '[{"kind": "said"}]', '[{"kind": "status", "id": 1}]'])
def test_what_is_no_news(crm: SqlCRM, body: str) -> None:
    with pytest.raises(MalformedPayload):
        list(crm.parse(Payload(source="poll", body=body.encode(), received_at=NOW)))


def test_a_message_that_is_gone_by_now_is_kept_and_counted(crm: SqlCRM) -> None:
    row = {
        "id": 1,
        "kind": "said",
        "ticket": 1,
        "subject": 1,
        "agent": "max",
        "at": "2026-03-01 10:00:00",
        "body": None,
    }
    (event,) = crm.parse(Payload(source="poll", body=json.dumps([row]).encode(), received_at=NOW))
    assert event.type == "unrecognised"
