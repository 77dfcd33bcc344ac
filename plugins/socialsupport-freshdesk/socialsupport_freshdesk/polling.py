"""What is new, by polling: tickets in the order in which they were changed, and what was said in ours since."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from socialsupport_core.contract import Flow, Unreachable, answered_at
from socialsupport_core.contract.answered import gathered
from socialsupport_core.model import Page, Payload
from socialsupport_freshdesk.native import key_of, moment, number

PER_PAGE, PAGES = 100, 300
"""https://developers.freshdesk.com/api/#list_all_tickets (2026-11)"""
LAG, MARGIN = timedelta(seconds=5), timedelta(minutes=10)
"""The newest seconds are left to the next poll; of a changed ticket also what was said before is looked at again."""
Request = Callable[..., httpx.Request]
_EPOCH = datetime.fromtimestamp(0, UTC)


def starting(since: datetime) -> str:
    return _cursor(since, since, 1, [])


def poll(request: Request, cursor: str | None, us: str | None, field: str) -> Flow[Page]:
    """A page of tickets by the time of their change, with what was said in ours; one payload.

    The cursor: changed `since` when, which `page` of these, what was said since when (`floor`), and which tickets
    of the second `since` were `seen`. A full page moves `since` on, so that 300 pages are never reached unless
    30,000 tickets change in one second.
    """
    at = json.loads(cursor or _cursor(_EPOCH, _EPOCH, 1, []))
    since, floor = datetime.fromisoformat(at["since"]), datetime.fromisoformat(at["floor"])
    query = {"updated_since": _written(since), "order_by": "updated_at", "order_type": "asc", "include": "stats"}
    answer = yield request("GET", "tickets", params=query | {"per_page": PER_PAGE, "page": at["page"]})
    page, until = answer.json(), answered_at(answer) - LAG
    ready = [one for one in page if (moment(one["updated_at"]) or until) <= until]
    fresh = [one for one in ready if _state(one) not in at["seen"]]
    ours = [one for one in fresh if key_of(one, field)]
    payload = yield from _payload(request, answer, ours, floor, us)
    last = max((moment(one["updated_at"]) or since for one in ready), default=since)
    more = len(ready) == PER_PAGE and at["page"] < PAGES
    seen = [_state(one) for one in ready if moment(one["updated_at"]) == last]
    if more and last == since:
        return Page(payloads=payload, cursor=_cursor(since, floor, at["page"] + 1, at["seen"] + seen), more=True)
    if last == since:
        seen = sorted({*seen, *at["seen"]})
    return Page(payloads=payload, cursor=_cursor(last, floor if more else last - MARGIN, 1, seen), more=more)


def _payload(
    request: Request, answer: httpx.Response, ours: list[dict[str, Any]], floor: datetime, us: str | None
) -> Flow[tuple[Payload, ...]]:
    said: list[dict[str, Any]] = []
    for ticket in ours:
        for one in (yield from conversations(request, str(ticket["id"]))):
            if (moment(one["created_at"]) or floor) >= floor:
                said.append(one)
    if not ours:
        return ()
    content = {"tickets": ours, "conversations": said, "agents": (yield from _names(request, said, us))}
    return (gathered(answer, content),)


def _names(request: Request, said: list[dict[str, Any]], us: str | None) -> Flow[dict[str, str]]:
    """Of the agents who wrote; whoever left has none."""
    names: dict[str, str] = {}
    authors = {str(one["user_id"]) for one in said if one.get("incoming") is False and one.get("user_id")}
    for author in sorted(authors - {us or ""}):
        try:
            names[author] = (yield request("GET", f"agents/{number(author)}")).json()["contact"]["name"]
        except Unreachable:
            continue
    return names


def conversations(request: Request, ticket: str) -> Flow[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    for page in range(1, PAGES + 1):
        query = {"per_page": PER_PAGE, "page": page}
        listed = (yield request("GET", f"tickets/{number(ticket)}/conversations", params=query)).json()
        found += listed
        if len(listed) < PER_PAGE:
            break
    return found


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cursor(since: datetime, floor: datetime, page: int, seen: list[str]) -> str:
    return json.dumps({"since": _written(since), "floor": _written(floor), "page": page, "seen": seen})


def _state(ticket: dict[str, Any]) -> str:
    return f"{ticket['id']} {ticket['updated_at']}"
