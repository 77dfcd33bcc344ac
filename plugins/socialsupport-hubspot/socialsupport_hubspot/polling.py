"""What has changed since, by search: closed tickets and changed contacts, oldest change first.

A search gives 10,000 records and no more, and lags a little behind what was written
(https://developers.hubspot.com/docs/api/crm/search, 2026-11). So a search is paged to its end or to that limit, then a
new one begins at the last change seen, or half a minute before HubSpot's own clock if that is earlier.
"""

from datetime import timedelta
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from socialsupport_core.contract import Flow
from socialsupport_core.model import Page, Payload
from socialsupport_hubspot import api, people
from socialsupport_hubspot.inbound import EPOCH, Record

LAG = timedelta(seconds=30)
MODIFIED = {"tickets": "hs_lastmodifieddate", "contacts": "lastmodifieddate"}
"""What is asked in turn, and by which property it is ordered. The two objects name it differently."""
PROPERTIES = {"tickets": ("closed_date", "hs_lastmodifieddate"), "contacts": people.PROPERTIES}


class Place(BaseModel):
    """How far one kind of record has been read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: int = 0
    """Milliseconds since 1970."""
    after: int = 0
    """Within the search that begins there."""
    last: int = 0
    """The latest change that this search has shown."""


class Cursor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tickets: Place = Place()
    contacts: Place = Place()


def poll(written: str | None) -> Flow[Page]:
    """A page of each. Without a cursor all that there is, from the beginning."""
    cursor = Cursor.model_validate_json(written) if written else Cursor()
    payloads, more = [], False
    for kind in MODIFIED:
        request = _search(kind, getattr(cursor, kind))
        response: httpx.Response = yield request
        page = response.json()
        if page["results"]:
            payloads.append(_payload(request, response))
        place = _moved(getattr(cursor, kind), page, response)
        more = more or bool(page["results"] and (place.after or place.since > getattr(cursor, kind).since))
        cursor = cursor.model_copy(update={kind: place})
    return Page(payloads=tuple(payloads), cursor=cursor.model_dump_json(), more=more)


def _search(kind: str, place: Place) -> httpx.Request:
    groups: list[list[api.Filter]] = [[(MODIFIED[kind], "GTE", str(place.since))]]
    if kind == "tickets":
        groups[0].append(("closed_date", "GT", "0"))
    return api.search(kind, groups, PROPERTIES[kind], sort=MODIFIED[kind], after=str(place.after))


def _moved(place: Place, page: dict[str, Any], response: httpx.Response) -> Place:
    records = [Record.model_validate(one) for one in page["results"]]
    moments = [(record.updatedAt - EPOCH) // timedelta(milliseconds=1) for record in records]
    last = max([place.last, *moments])
    following = int(page.get("paging", {}).get("next", {}).get("after", 0))
    if following and following + api.PAGE <= api.DEEPEST:
        return Place(since=place.since, after=following, last=last)
    if following:  # the search ends here, not what has changed; a change at that same moment comes again
        return Place(since=max(last, place.since + 1))
    safe = (api.answered_at(response) - LAG - EPOCH) // timedelta(milliseconds=1)
    return Place(since=max(place.since, min(last + 1, safe))) if last else place


def _payload(request: httpx.Request, response: httpx.Response) -> Payload:
    return Payload(
        source="poll",
        method="POST",
        url=str(request.url),
        body=response.content,
        received_at=api.answered_at(response),
    )
