"""What has changed since: comments, cases and contacts, in one call.

`SystemModstamp` is written when a record is saved, and the record is seen when its transaction ends; so each look
begins half a minute before the latest change that was seen, and leaves out the records that were seen since then.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from socialsupport_core.contract import Flow, MalformedPayload, Unavailable, answered_at
from socialsupport_core.model import Instant, Page, Payload
from socialsupport_salesforce import inbound, people
from socialsupport_salesforce.api import API, among, moment, quoted, select

PAGE = 200
SEEN = 200
"""Records that a cursor remembers of each kind: so many ids fit into an address."""
LAG = timedelta(seconds=30)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
CHANGED = ("Id", "SystemModstamp", "IsDeleted")
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "CaseComment": (
        (*CHANGED, "ParentId", "CommentBody", "IsPublished", "CreatedById", "CreatedBy.Name", "CreatedDate"),
        "Parent.{key} != null",
    ),
    "Case": (
        (*CHANGED, "Subject", "IsClosed", "ClosedDate", "OwnerId", "LastModifiedById", "MasterRecordId"),
        "{key} != null",
    ),
    "Contact": ((*CHANGED, *people.FIELDS[1:], "MasterRecordId"), "Id != null"),
}
"""What is asked: the fields, and which records; of cases only those that we have opened."""


class Place(BaseModel):
    """How far one kind has been read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    last: Instant
    """The latest change seen, and the greatest id of those at that moment: a mass change is read page by page."""
    last_id: str = ""
    since: Instant
    """From here on `seen` is complete."""
    seen: dict[str, Instant] = {}


class Cursor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    places: dict[str, Place]


def starting(since: datetime) -> str:
    return Cursor(places={kind: Place(last=since, since=since) for kind in KINDS}).model_dump_json()


def poll(api: API, written: str | None) -> Flow[Page]:
    cursor = Cursor.model_validate_json(written or starting(BEGINNING))
    asked = [api.asking(kind, soql(kind, cursor.places[kind], api.key)) for kind in KINDS]
    request = api.composite(asked, all_or_none=False)
    response: httpx.Response = yield request
    found = _found(response)
    places = {kind: moved(cursor.places[kind], found[kind]) for kind in KINDS}
    payload = Payload(
        source="poll", method="POST", url=str(request.url), body=response.content, received_at=answered_at(response)
    )
    return Page(
        payloads=(payload,) if any(found.values()) else (),
        cursor=json.dumps(json.loads(Cursor(places=places).model_dump_json())),
        more=any(len(records) >= PAGE for records in found.values()),
    )


def _found(response: httpx.Response) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    try:
        for kind, native in inbound.records(response.json()):
            found[kind].append(native)
    except MalformedPayload as error:
        raise Unavailable(f"Salesforce's page cannot be read: {error}") from None
    return found


def soql(kind: str, place: Place, key: str) -> str:
    fields, which = KINDS[kind]
    new = f"SystemModstamp > {moment(place.last)}"
    if place.last_id:
        new += f" OR (SystemModstamp = {moment(place.last)} AND Id > {quoted(place.last_id)})"
    late = f"SystemModstamp >= {moment(place.since)}"
    if place.seen:
        late += f" AND Id NOT IN {among(place.seen)}"
    where = f"{which.format(key=key)} AND ({new} OR ({late}))"
    return select(fields, kind, where, PAGE, order="SystemModstamp, Id")


def moved(place: Place, found: list[dict[str, Any]]) -> Place:
    """It remembers the newest; what is older than these counts as seen."""
    stamped = {one.Id: one.SystemModstamp for one in map(Stamped.model_validate, found)}
    last, last_id = max([(place.last, place.last_id), *((at, name) for name, at in stamped.items())])
    seen = place.seen | stamped
    recent = sorted(((at, name) for name, at in seen.items() if at >= last - LAG), reverse=True)
    since = max(place.since, last - LAG)
    if len(recent) > SEEN:
        since = max(since, recent[SEEN][0] + timedelta(milliseconds=1))
        recent = recent[:SEEN]
    return Place(
        last=last, last_id=last_id, since=since, seen={name: at for at, name in reversed(recent) if at >= since}
    )


class Stamped(BaseModel):
    model_config = ConfigDict(frozen=True)

    Id: str
    SystemModstamp: Instant
