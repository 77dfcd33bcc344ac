"""The adapter: our verbs as statements, the helpdesk's news as our events."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from socialsupport_core.contract import (
    CRM,
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CaseGone,
    CaseRef,
    CaseState,
    CaseSummary,
    Conflict,
    Contact,
    ContactChanged,
    ContactGone,
    ContentRejected,
    CRMEvent,
    Flow,
    MalformedPayload,
    Outcome,
    Ref,
    Settings,
    Unreachable,
    body,
    headline,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Facts,
    Identifier,
    Interaction,
    Page,
    Party,
    Payload,
    Unrecognised,
)
from socialsupport_sqlcrm.schema import US
from socialsupport_sqlcrm.wire import Rows, Sql, Value

PAGE = 100
"""News in one poll."""
NEWS = (
    "SELECT n.id, n.kind, n.ticket, n.subject, n.value, n.agent, n.at, m.body, m.direction, c.name, c.email, c.phone,"
    " c.email_is_proven, c.phone_is_proven, c.plan,"
    " (SELECT json_group_array(json_object('id', f.id, 'name', f.name, 'media_type', f.media_type)) FROM files f"
    " WHERE f.message = n.subject AND n.kind = 'said') AS files"
    " FROM news n LEFT JOIN messages m ON n.kind = 'said' AND m.id = n.subject"
    " LEFT JOIN customers c ON n.kind = 'customer' AND c.id = n.subject WHERE n.id > ? ORDER BY n.id LIMIT ?"
)
EPOCH = datetime.fromtimestamp(0, UTC)


class SqlSettings(Settings):
    database: Annotated[str, StringConstraints(min_length=1)]
    """The helpdesk's SQLite file. Its tables are made if they are not there."""


class SqlCRM(CRM[SqlSettings]):
    name: ClassVar[str] = "sql"
    settings_model: ClassVar[type[Settings]] = SqlSettings
    pause: ClassVar[float] = 2.0

    # people

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        mails, phones = ([one.value for one in party.identifiers if one.kind == kind] for kind in ("email", "phone"))
        if not mails and not phones:
            return ()
        either = " OR ".join(["email = ?"] * len(mails) + ["phone = ?"] * len(phones))
        query = f"SELECT * FROM customers WHERE {either} ORDER BY id"  # noqa: S608 - names and marks of ours
        found: Rows = yield self._sql((query, (*mails, *phones)))
        return tuple(contact(row) for row in found)

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        person = int(conversation.contact) if conversation.contact else None
        found: Rows = yield self._sql(
            (
                "INSERT INTO tickets (conversation, customer, subject, by) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (conversation) DO NOTHING",
                (conversation.key, person, conversation.subject, US),
            ),
            ("SELECT id FROM tickets WHERE conversation = ?", (conversation.key,)),
        )
        return CaseRef(id=str(found[0]["id"]))

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield from self._change(case, {"status": "closed"})

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield from self._change(case, {"status": "open"})

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        told = {"assignee": fields.assignee, "subject": fields.subject}
        yield from self._change(case, {name: value for name, value in told.items() if value is not None})

    def _change(self, case: CaseRef, fields: Mapping[str, str]) -> Flow[None]:
        assigned = ", ".join(f"{name} = ?" for name in fields)
        version = int(case.version) if case.version else None
        update = (
            f"UPDATE tickets SET {assigned}, by = ? WHERE id = ? AND version = coalesce(?, version)"  # noqa: S608 - as above
            " RETURNING id"
        )
        done: Rows = yield self._sql((update, (*fields.values(), US, number(case.id), version)))
        if not done:
            yield from self.read_case(case)  # raises Unreachable if there is none
            raise Conflict("the ticket was changed meanwhile")

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        found: Rows = yield self._sql(("SELECT * FROM tickets WHERE id = ?", (number(case.id),)))
        if not found:
            raise Unreachable("there is no such ticket")
        row = found[0]
        return CaseState(
            status=row["status"],
            assignee=row["assignee"],
            subject=row["subject"],
            version=str(row["version"]),
            at=moment(row["changed_at"]),
        )

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        values = (number(case.id), key, headline(interaction), interaction.direction, body(interaction), US)
        return (
            yield from self._kept(
                "messages",
                key,
                "INSERT INTO messages (ticket, key, author, direction, body, by) SELECT id, ?2, ?3, ?4, ?5, ?6"
                " FROM tickets WHERE id = ?1 ON CONFLICT (key) DO NOTHING",
                values,
            )
        )

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        update = "UPDATE messages SET body = ? WHERE key = ?"
        return (yield from self._kept("messages", key, update, (body(interaction), key)))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        yield self._sql(("DELETE FROM messages WHERE key = ?", (key,)))

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        values = (number(case.id), key, blob.name or "attachment", blob.media_type, blob.content)
        insert = (
            "INSERT INTO files (ticket, key, name, media_type, content) SELECT id, ?2, ?3, ?4, ?5 FROM tickets"
            " WHERE id = ?1 ON CONFLICT (key) DO NOTHING"
        )
        return (yield from self._kept("files", key, insert, values))

    def _kept(self, table: str, key: str, statement: str, values: tuple[Value, ...]) -> Flow[Ref]:
        look = f"SELECT id FROM {table} WHERE key = ?"  # noqa: S608 - a table of ours
        found: Rows = yield self._sql((statement, values), (look, (key,)))
        if not found:
            raise Unreachable("there is no such ticket")
        return Ref(id=str(found[0]["id"]))

    def erase(self, contact: str) -> Flow[None]:
        """With their tickets, and all that is in them."""
        yield self._sql(("DELETE FROM customers WHERE id = ?", (number(contact),)))

    def erase_case(self, case: str) -> Flow[None]:
        yield self._sql(("DELETE FROM tickets WHERE id = ?", (number(case),)))

    # about the world

    def probe(self) -> Flow[Facts]:
        found: Rows = yield self._sql(("SELECT count(*) AS tickets FROM tickets", ()))
        return Facts(own_account=US, name=f"a helpdesk with {found[0]['tickets']} tickets")

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        wanted = number(attachment.native_id or "")
        found: Rows = yield self._sql(
            ("SELECT name, media_type, hex(content) AS hex FROM files WHERE id = ?", (wanted,))
        )
        if not found:
            raise Unreachable("there is no such file")
        row = found[0]
        return Blob(content=bytes.fromhex(row["hex"]), media_type=row["media_type"], name=row["name"])

    # inbound

    def poll(self, cursor: str | None) -> Flow[Page]:
        found: Rows = yield self._sql((NEWS, (number(cursor or "0"), PAGE)))
        written = json.dumps(found, sort_keys=True).encode()
        payload = Payload(source="poll", url="sqlite:news", body=written, received_at=EPOCH)
        last = str(found[-1]["id"]) if found else cursor or "0"
        return Page(payloads=(payload,) if found else (), cursor=last, more=len(found) == PAGE)

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        try:
            rows = payload.json()
            return [event(row) for row in rows]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedPayload(f"not the helpdesk's news: {type(error).__name__}: {error}") from None

    def _sql(self, *statements: tuple[str, tuple[Value, ...]]) -> Sql:
        return Sql(self.settings.database, statements)


def number(written: str) -> int:
    """Raises ContentRejected for what is no number."""
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        raise ContentRejected(f"{written!r} is not a number of this helpdesk")
    return int(written)


def moment(written: str) -> datetime:
    """CURRENT_TIMESTAMP is in UTC and says nothing of it."""
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def contact(row: Mapping[str, Any]) -> Contact:
    known = {
        kind: Identifier(kind=kind, value=row[kind].lower() if kind == "email" else row[kind])
        for kind in ("email", "phone")
        if row[kind]
    }
    return Contact(
        id=str(row.get("subject") or row["id"]),
        identifiers=tuple(known.values()),
        verified=frozenset(one for kind, one in known.items() if row[f"{kind}_is_proven"]),
        name=row["name"],
        fields={"plan": row["plan"]} if row["plan"] else {},
    )


def event(row: Mapping[str, Any]) -> CRMEvent:
    reader = READERS.get(str(row["kind"]))
    if reader is None or (row["kind"] == "said" and row["body"] is None):
        return Unrecognised(id=str(row["id"]), native_type=str(row["kind"]), reason="it is gone by now")
    return reader(row)


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": str(row["id"]), "at": moment(row["at"])}


def _said(row: Mapping[str, Any]) -> CRMEvent:
    kind = AgentReplied if row["direction"] == "outbound" else AgentNoted
    files = [
        Attachment(native_id=str(one["id"]), name=one["name"], media_type=one["media_type"])
        for one in json.loads(row["files"])
    ]
    told = {"case": str(row["ticket"]), "agent": str(row["agent"]), "text": row["body"], "record": str(row["subject"])}
    return kind(**_common(row), **told, attachments=tuple(files))


def _changed(row: Mapping[str, Any]) -> CRMEvent:
    fields = CaseFields.model_validate({row["kind"]: row["value"]})
    return CaseChanged(**_common(row), case=str(row["ticket"]), fields=fields, agent=row["agent"] or None)


def _gone(row: Mapping[str, Any]) -> CRMEvent:
    return CaseGone(**_common(row), case=str(row["ticket"]))


def _known(row: Mapping[str, Any]) -> CRMEvent:
    if row["name"] is None:
        return ContactGone(**_common(row), contact=str(row["subject"]))
    return ContactChanged(**_common(row), contact=contact(row))


def _forgotten(row: Mapping[str, Any]) -> CRMEvent:
    return ContactGone(**_common(row), contact=str(row["subject"]))


READERS: Mapping[str, Callable[[Mapping[str, Any]], CRMEvent]] = {
    "said": _said,
    "status": _changed,
    "assignee": _changed,
    "subject": _changed,
    "gone": _gone,
    "customer": _known,
    "forgotten": _forgotten,
}
