"""What is new, by polling: follow-ups with a higher number than the last one that was seen.

Their list is ordered by date only and knows no filter, so it is read from its last page backwards.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from socialsupport_core.contract import Flow, answered_at
from socialsupport_core.model import Page, Payload

PAGE = 50
"""Entries of a list in one call; 25 unless asked for (`ConservativePagination`, 2.6.1, 2026-11)."""
LAG = timedelta(minutes=1)
"""Their clock may be so much behind ours when we begin."""
Request = Callable[..., httpx.Request]
FollowUps = list[dict[str, Any]]


def starting(since: datetime) -> str:
    return f"since {(since - LAG).astimezone(UTC).isoformat()}"


def poll(request: Request, cursor: str | None, us: int) -> Flow[Page]:
    told, page = FollowUps(), "last"
    while True:
        answer = yield request("GET", "followups/", params={"page_size": PAGE, "page": page})
        listed = answer.json()
        known = {one["id"] for one in told}
        new = [one for one in listed["results"] if _is_after(one, cursor)]
        told = [one for one in new if one["id"] not in known] + told
        page = _before(page, listed["count"])
        if not page or len(new) < len(listed["results"]):
            break
    theirs = [one for one in told if one["user"] != us]
    newest = str(max(one["id"] for one in told)) if told else cursor
    return Page(payloads=(_payload(answer, theirs),) if theirs else (), cursor=newest, more=False)


def _before(page: str, count: int) -> str:
    """The number of the page before this one; empty before the first."""
    number = (-(-count // PAGE) if page == "last" else int(page)) - 1
    return str(number) if number > 0 else ""


def _is_after(one: dict[str, Any], cursor: str | None) -> bool:
    if cursor is None:
        return True
    if cursor.startswith("since "):
        return datetime.fromisoformat(one["date"]) > datetime.fromisoformat(cursor.removeprefix("since "))
    return int(one["id"]) > int(cursor)


def _payload(answer: httpx.Response, told: FollowUps) -> Payload:
    return Payload(
        source="poll",
        method="GET",
        url=str(answer.request.url),
        body=json.dumps({"results": told}, sort_keys=True).encode(),
        received_at=answered_at(answer),
    )
