"""What is new, by polling: what was said in the inbox, for what no webhook has brought."""

import json
from datetime import UTC, datetime
from typing import Any

from socialsupport_chatwoot.native import is_ours
from socialsupport_chatwoot.recording import PAGES, Request, messages
from socialsupport_chatwoot.settings import ChatwootSettings
from socialsupport_core.contract import Flow
from socialsupport_core.model import Page, Payload

OUTGOING = 1
LAG = 60
"""Seconds of which a poll looks at everything again: what is newest is not always seen in the order of its numbers."""


def starting(since: datetime) -> str:
    return json.dumps({"since": int(since.timestamp()), "floor": 0, "seen": []})


def poll(request: Request, settings: ChatwootSettings, cursor: str | None) -> Flow[Page]:
    """What was said in the inbox since, for what no webhook has brought; a payload each, as a webhook has it.

    The cursor: messages `since` when, above which number (`floor`), and which above it were `seen`.
    """
    at = json.loads(cursor or starting(datetime.fromtimestamp(0, UTC)))
    begin, newest, told = at["since"] - LAG, at["since"], []
    for conversation in (yield from _active(request, settings.inbox, begin)):
        newest = max(newest, conversation["timestamp"])
        for one in (yield from messages(request, str(conversation["id"]), at["floor"])):
            if one["created_at"] >= begin:
                told.append((conversation["id"], one))
    floor = max([at["floor"], *(one["id"] for _, one in told if one["created_at"] < newest - LAG)])
    seen = sorted(number for number in {*at["seen"], *(one["id"] for _, one in told)} if number > floor)
    fresh = [(case, one) for case, one in told if one["id"] not in at["seen"] and one["message_type"] == OUTGOING]
    payloads = tuple(_told(settings, case, one) for case, one in fresh if not is_ours(one))
    return Page(payloads=payloads, cursor=json.dumps({"since": newest, "floor": floor, "seen": seen}))


def _active(request: Request, inbox: str, since: int) -> Flow[list[dict[str, Any]]]:
    """Conversations of the inbox, those in which something happened last come first."""
    found: list[dict[str, Any]] = []
    for page in range(1, PAGES + 1):
        query = {"inbox_id": inbox, "status": "all", "assignee_type": "all", "page": page}
        listed = (yield request("GET", "conversations", params=query)).json()["data"]["payload"]
        recent = [one for one in listed if one["timestamp"] >= since]
        found += recent
        if not listed or len(recent) < len(listed):
            break
    return found


def _told(settings: ChatwootSettings, case: int, message: dict[str, Any]) -> Payload:
    about = {"event": "message_created", "inbox": {"id": int(settings.inbox)}, "conversation": {"id": case}}
    body = json.dumps(message | about, sort_keys=True).encode()
    at = datetime.fromtimestamp(message["created_at"], UTC)
    return Payload(source="poll", method="GET", url=settings.address, body=body, received_at=at)
