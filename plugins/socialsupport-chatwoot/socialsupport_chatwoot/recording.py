"""Messages of a conversation, each with our key as its `source_id`."""

from collections.abc import Callable
from typing import Any

import httpx

from socialsupport_chatwoot.native import OURS, number
from socialsupport_core.contract import CaseRef, Flow, Ref, mark

PAGE, PAGES = 100, 50
"""Messages after a number come 100 at once (https://github.com/chatwoot/chatwoot/blob/develop/app/finders/
message_finder.rb, 2026-11); after 5,000 nobody looks for a record that may be there already."""
LONGEST = 150_000
"""Characters of a message (https://github.com/chatwoot/chatwoot/blob/develop/app/models/message.rb, 2026-11)."""
Request = Callable[..., httpx.Request]


def write(
    request: Request,
    case: CaseRef,
    text: str,
    key: str,
    kind: str,
    files: dict[str, tuple[str, bytes, str]] | None = None,
) -> Flow[Ref]:
    source = f"{OURS}:{mark(key)}"
    if (known := (yield from _record(request, case, source))) is not None:
        return known
    told = {"content": text[:LONGEST], "message_type": kind, "private": kind == "outgoing", "source_id": source}
    if files is None:
        made = yield request("POST", f"{path_of(case)}/messages", json=told)
    else:
        fields = {name: "true" if value is True else str(value) for name, value in told.items()}
        made = yield request("POST", f"{path_of(case)}/messages", data=fields, files=files)
    return Ref(id=str(made.json()["id"]))


def _record(request: Request, case: CaseRef, source: str) -> Flow[Ref | None]:
    for one in (yield from messages(request, case.id, 0)):
        if one.get("source_id") == source:
            return Ref(id=str(one["id"]))
    return None


def messages(request: Request, case: str, after: int) -> Flow[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    for _ in range(PAGES):
        path = f"conversations/{number(case)}/messages"
        listed = (yield request("GET", path, params={"after": after})).json()["payload"]
        found += listed
        if len(listed) < PAGE:
            break
        after = max(one["id"] for one in listed)
    return found


def path_of(case: CaseRef) -> str:
    return f"conversations/{number(case.id)}"
