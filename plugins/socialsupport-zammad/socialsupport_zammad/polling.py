"""What is new, by polling: tickets in the order in which they were changed, and what was written in them since.

The cursor is a moment and what is known of the seconds before it: Zammad stamps a change before it commits it, so these
seconds are asked for again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from socialsupport_core.contract import Flow, answered_at
from socialsupport_core.model import Page, Payload

PAGE = 100
"""Of at most 200 (`TicketsController#search` of https://github.com/zammad/zammad, 2026-11)."""
LAG = timedelta(seconds=20)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Zammad is younger."""
Request = Callable[..., httpx.Request]


def condition(name: str, operator: str, value: str) -> dict[str, Any]:
    """Answered by the database (`CanSearch#search` of https://github.com/zammad/zammad, 2026-11)."""
    return {f"condition[{name}][operator]": operator, f"condition[{name}][value]": value}


def starting(since: datetime) -> str:
    return json.dumps({"since": stamp(since - LAG), "seen": []})


@dataclass
class Cursor:
    since: str
    seen: set[str]

    @classmethod
    def read(cls, written: str | None) -> "Cursor":
        known: dict[str, Any] = json.loads(written or starting(BEGINNING))
        return cls(known["since"], set(known["seen"]))

    def going_on(self, since: str) -> str:
        kept = sorted(one for one in self.seen if one.partition("@")[2] >= since)
        return json.dumps({"since": since, "seen": kept})

    def takes(self, kind: str, one: dict[str, Any], at: str) -> bool:
        """Whether this is new; it is known from now on."""
        token = f"{kind}{one['id']}@{one[at]}"
        is_new = token not in self.seen
        self.seen.add(token)
        return is_new


def poll(request: Request, cursor: str | None, us: str | None, tag: str) -> Flow[Page]:
    known = Cursor.read(cursor)
    answer = yield request("GET", "tickets/search", params=_changed_since(known.since, tag))
    listed = answer.json()
    tickets = [one for one in listed if known.takes("t", one, "updated_at")]
    articles: list[dict[str, Any]] = []
    for ticket in tickets:
        written = (yield request("GET", f"ticket_articles/by_ticket/{ticket['id']}")).json()
        late = [one for one in written if one["created_at"] > known.since]
        articles += [one for one in late if known.takes("a", one, "created_at")]
    told = {
        "tickets": [one for one in tickets if str(one["updated_by_id"]) != us],
        "articles": [one for one in articles if str(one["created_by_id"]) != us],
    }
    after = _after(listed, known.since)
    return Page(
        payloads=(_payload(answer, told),) if any(told.values()) else (),
        cursor=known.going_on(after),
        more=len(listed) >= PAGE and after > known.since,
    )


def _changed_since(since: str, tag: str) -> dict[str, Any]:
    return {
        **condition("ticket.updated_at", "after (absolute)", since),
        **condition("ticket.tags", "contains one", tag),
        **{"expand": "true", "sort_by": "updated_at", "order_by": "asc", "per_page": PAGE, "page": 1},
    }


def _payload(answer: httpx.Response, told: dict[str, Any]) -> Payload:
    return Payload(
        source="poll",
        method="GET",
        url=str(answer.request.url),
        body=json.dumps(told, sort_keys=True).encode(),
        received_at=answered_at(answer),
    )


def _after(listed: list[dict[str, Any]], since: str) -> str:
    """A full page goes on where it ended, so that it goes on at all."""
    if not listed:
        return since
    last = str(listed[-1]["updated_at"])
    early = last if len(listed) >= PAGE else stamp(datetime.fromisoformat(last) - LAG)
    return max(since, early)


def stamp(moment: datetime) -> str:
    """As Zammad writes it, so that it can be compared: `2021-11-03T11:57:17.927Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
