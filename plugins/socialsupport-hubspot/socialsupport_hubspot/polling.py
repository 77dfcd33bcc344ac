"""What has changed since, by search: tickets with their history, and contacts.

A search gives 10,000 records and no more, and lags a little behind what was written
(https://developers.hubspot.com/docs/api/crm/search, 2026-11). So a window of time is read, page by page, that ends half
a minute before HubSpot's own clock; a window with more records than that is read in several searches.
"""

from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from socialsupport_core.contract import Flow, answered_at
from socialsupport_core.model import Page, Payload
from socialsupport_hubspot import api, people
from socialsupport_hubspot.inbound import EPOCH, Record

LAG = timedelta(seconds=30)
MODIFIED = {"tickets": "hs_lastmodifieddate", "contacts": "lastmodifieddate"}
"""What is asked in turn, and the property by which it is ordered; the two objects name it differently."""
HISTORY = ("hs_pipeline_stage", "hubspot_owner_id", "subject")
SIZE = 50
"""Records that can be read with their history in one call.
https://developers.hubspot.com/docs/api-reference/legacy/crm/objects/tickets (2026-11)"""


class Place(BaseModel):
    """How far one kind of record has been read. Moments in milliseconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: int = 0
    until: int = 0
    """Where the window ends; nothing is in it until HubSpot has told the time."""
    after: int = 0
    """Within the search."""


class Cursor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tickets: Place = Place()
    contacts: Place = Place()


def starting(since: datetime) -> str:
    place = Place(since=_milliseconds(since), until=_milliseconds(since))
    return Cursor(tickets=place, contacts=place).model_dump_json()


def poll(written: str | None) -> Flow[Page]:
    """A page of each. Without a cursor all that there is, from the beginning."""
    cursor = Cursor.model_validate_json(written) if written else Cursor()
    payloads: list[Payload] = []
    more = False
    for kind in MODIFIED:
        before: Place = getattr(cursor, kind)
        response: httpx.Response = yield _search(kind, before)
        page = response.json()
        if page["results"]:
            payloads.append((yield from _read(kind, page, response)))
        place, unread = _moved(before, page, response)
        more = more or unread or not before.until
        cursor = cursor.model_copy(update={kind: place})
    return Page(payloads=tuple(payloads), cursor=cursor.model_dump_json(), more=more)


def _search(kind: str, place: Place) -> httpx.Request:
    name = MODIFIED[kind]
    window = [(name, "GTE", str(place.since)), (name, "LT", str(place.until))]
    properties = people.PROPERTIES if kind == "contacts" else (name,)
    return api.search(kind, [window], properties, sort=name, after=str(place.after), limit=SIZE)


def _read(kind: str, page: dict[str, Any], found: httpx.Response) -> Flow[Payload]:
    """A search shows contacts as they are, but not who changed a ticket."""
    if kind == "contacts":
        return _payload(found)
    inputs = [{"id": str(one["id"])} for one in page["results"]]
    asked = {"inputs": inputs, "properties": [MODIFIED[kind]], "propertiesWithHistory": list(HISTORY)}
    return _payload((yield api.request("POST", f"{api.OBJECTS}/{kind}/batch/read", json=asked)))


def _moved(place: Place, page: dict[str, Any], response: httpx.Response) -> tuple[Place, bool]:
    """Where to go on, and whether the window is not read to its end."""
    following = int(page.get("paging", {}).get("next", {}).get("after", 0))
    if following and following + SIZE <= api.DEEPEST:
        return place.model_copy(update={"after": following}), True
    if following:  # the search ends here, the window does not; what changed at that same moment comes again
        last = max(_milliseconds(Record.model_validate(one).updatedAt) for one in page["results"])
        return Place(since=max(last, place.since + 1), until=place.until), True
    return Place(since=place.until, until=max(place.until, _milliseconds(answered_at(response) - LAG))), False


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _payload(response: httpx.Response) -> Payload:
    return Payload(
        source="poll",
        method="POST",
        url=str(response.request.url),
        body=response.content,
        received_at=answered_at(response),
    )
