"""What is new, by polling: the time-based export of what has happened to tickets."""

from datetime import datetime, timedelta
from typing import Any

from socialsupport_core.contract import Flow
from socialsupport_core.contract.answered import gathered
from socialsupport_core.model import Page
from socialsupport_zendesk.native import number
from socialsupport_zendesk.recording import Request

LAG = timedelta(seconds=60)
"""The export leaves out the newest minute (https://developer.zendesk.com/documentation/ticketing/managing-tickets/
using-the-incremental-export-api, 2026-11)."""
REMEMBERED = 50
"""So many audits of the export's last second are known to the cursor: a page begins with that second again."""


def starting(since: datetime) -> str:
    return str(int((since - LAG).timestamp()))


def poll(request: Request, cursor: str | None, us: str | None) -> Flow[Page]:
    """A page of the time-based export, with who wrote what; one payload.

    A page begins with the second in which the last one ended: what we have of that second is in the cursor.
    """
    start, _, seen = (cursor or "0").partition(" ")
    params = {"start_time": number(start), "include": "comment_events"}
    answer = yield request("GET", "incremental/ticket_events", params=params)
    page = answer.json()
    told = [one for one in page["ticket_events"] if str(one["id"]) not in seen.split(",")]
    end = page.get("end_time") or int(start)
    newest = [str(one["id"]) for one in page["ticket_events"] if one["timestamp"] == end][-REMEMBERED:]
    ours = [one for one in told if str(one.get("updater_id")) != us]
    content = {"ticket_events": ours, "users": (yield from _users(request, ours))}
    payload = gathered(answer, content)
    more = not page.get("end_of_stream", True) and bool(told)
    return Page(payloads=(payload,) if ours else (), cursor=f"{end} {','.join(newest)}".strip(), more=more)


def _users(request: Request, told: list[dict[str, Any]]) -> Flow[list[dict[str, Any]]]:
    """Who wrote: the export names only numbers."""
    children = [child for one in told for child in one.get("child_events", ())]
    numbers = sorted({str(child["author_id"]) for child in children if child.get("event_type") == "Comment"})
    users: list[dict[str, Any]] = []
    for first in range(0, len(numbers), 100):
        ids = ",".join(numbers[first : first + 100])
        found = (yield request("GET", "users/show_many", params={"ids": ids})).json()["users"]
        users += [{name: user[name] for name in ("id", "name", "role")} for user in found]
    return users
