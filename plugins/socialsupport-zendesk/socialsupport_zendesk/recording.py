"""Internal comments of a ticket, each with our key as custom metadata of the update that made it."""

from collections.abc import Callable
from typing import Any

import httpx

from socialsupport_core.contract import CaseRef, Flow, Ref, mark
from socialsupport_zendesk.native import number

TAG = "socialsupport"
"""Every ticket of ours bears it, so that triggers which mail customers can leave these out."""
PAGES = 50
"""A ticket takes at most 5,000 comments (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/,
2026-11), a page of audits holds 100."""
Request = Callable[..., httpx.Request]


def comment(request: Request, case: CaseRef, text: str, key: str) -> Flow[Ref]:
    if (known := (yield from record(request, case, key))) is not None:
        return known
    return (yield from written(request, case, {"body": text}, key))


def written(request: Request, case: CaseRef, comment: dict[str, Any], key: str) -> Flow[Ref]:
    told = {"comment": {**comment, "public": False}, "metadata": {"custom": {TAG: mark(key)}}}
    answer = yield request("PUT", f"tickets/{number(case.id)}", json={"ticket": told})
    return _commented(answer.json()["audit"])


def record(request: Request, case: CaseRef, key: str) -> Flow[Ref | None]:
    """The comment that was written under this key."""
    params: dict[str, Any] = {"page[size]": 100}
    for _ in range(PAGES):
        page = (yield request("GET", f"tickets/{number(case.id)}/audits", params=params)).json()
        for audit in page["audits"]:
            if ((audit.get("metadata") or {}).get("custom") or {}).get(TAG) == mark(key):
                return _commented(audit)
        if not page["meta"]["has_more"]:
            break
        params["page[after]"] = page["meta"]["after_cursor"]
    return None


def _commented(audit: dict[str, Any]) -> Ref:
    """The comment within an update; the update itself if it has none."""
    comments = (event["id"] for event in audit["events"] if event["type"] == "Comment")
    return Ref(id=str(next(comments, audit["id"])))
