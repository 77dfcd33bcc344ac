"""A ticket with our records and their files.

Records go to the recycling bin, from which people can bring them back for ninety days
(https://knowledge.hubspot.com/records/restore-deleted-records, 2026-11); files go for good
(https://developers.hubspot.com/docs/api-reference/files-files-v3/guide, 2026-11).
"""

import httpx

from socialsupport_core.contract import Flow, Unavailable, Unreachable
from socialsupport_hubspot import api

PAGES = 50
"""Of a hundred records each, in one go."""


def case(ticket: str) -> Flow[None]:
    for kind in ("notes", "communications"):
        yield from _records(f"{api.ASSOCIATIONS}/tickets/{api.segment(ticket)}/associations/{kind}", kind)
    yield from deleted(f"{api.OBJECTS}/tickets/{api.segment(ticket)}")


def deleted(path: str) -> Flow[None]:
    """What is gone already is done."""
    try:
        yield api.request("DELETE", path)
    except Unreachable:
        return


def _records(path: str, kind: str) -> Flow[None]:
    """One page after the other, until the ticket has none of this kind."""
    for _ in range(PAGES):
        try:
            tied = (yield api.request("GET", path, params={"limit": "100"})).json()["results"]
        except Unreachable:
            return  # the ticket is gone
        if not tied:
            return
        for one in tied:
            yield from _record(f"{api.OBJECTS}/{kind}/{api.segment(str(one['toObjectId']))}")
    raise Unavailable("the ticket still has records; it is erased further")


def _record(path: str) -> Flow[None]:
    try:
        response: httpx.Response = yield api.request("GET", path, params={"properties": "hs_attachment_ids"})
    except Unreachable:
        return
    for name in filter(None, (response.json()["properties"].get("hs_attachment_ids") or "").split(";")):
        yield from deleted(f"{api.FILES}/{api.segment(name)}/gdpr-delete")
    yield from deleted(path)
