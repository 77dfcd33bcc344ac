"""Notifications, read page by page, and the stream of what happens to us.

https://docs.joinmastodon.org/methods/notifications/, https://docs.joinmastodon.org/methods/streaming/ and
https://docs.joinmastodon.org/api/guidelines/#pagination (2026-11)
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx

from socialsupport_core.contract import Dial, Flow, Frame, Happening, Opened, Step, StreamState
from socialsupport_core.contract.lax import Json, Unreadable, text_of
from socialsupport_core.model import Page, Payload
from socialsupport_mastodon import api, places
from socialsupport_mastodon.inbound import Us, concerns

LIMIT = 40
"""The default, and half of what may be asked for."""
TYPES = ("mention", "favourite", "update", "quote", "quoted_update")
"""An instance leaves out those that it does not know."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPOKEN = frozenset({"update", "status.update"})
"""Of everybody whom we follow: only what is ours or speaks to us is kept."""
IDLE = frozenset(
    {
        "announcement",
        "announcement.delete",
        "announcement.reaction",
        "conversation",
        "encrypted_message",
        "filters_changed",
        "notifications_merged",
    }
)
"""Events that say nothing of what somebody wrote to us; a `conversation` only counts what comes as a notification."""
_LINK = re.compile(r"<([^<>]{1,2000})>\s*;\s*rel=\"(next|prev)\"")


class Listening(StreamState):
    """Mastodon cannot go on from anywhere: what was missed is read back."""


def poll(host: str, cursor: str | None) -> Flow[Page]:
    """What is newer than the cursor, the oldest first. From the beginning: the newest page."""
    request = _request(host, [("min_id", cursor)] if cursor else [])
    response: httpx.Response = yield request
    found = response.json()
    newest = _linked(response, "prev", "min_id") or _newest(found)
    return _page(request, response, found, newest or cursor, more=bool(cursor) and len(found) >= LIMIT)


def history(host: str, since: datetime, cursor: str | None) -> Flow[Page]:
    """The newest first, until one is older than `since`."""
    request = _request(host, [("max_id", cursor)] if cursor else [])
    response: httpx.Response = yield request
    found = response.json()
    older = _linked(response, "next", "max_id")
    is_over = not found or places.moment(str(found[-1]["created_at"])) < since
    return _page(request, response, found, older, more=bool(older) and not is_over)


def _request(host: str, more: api.Parameters) -> httpx.Request:
    parameters = [("limit", str(LIMIT)), *(("types[]", one) for one in TYPES), *more]
    return api.get(api.at(host, "v1", "notifications"), parameters)


def _page(request: httpx.Request, response: httpx.Response, found: Any, cursor: str | None, *, more: bool) -> Page:
    if not isinstance(found, list):
        raise TypeError("the answer is no list of notifications")
    payload = Payload(source="poll", method="GET", url=str(request.url), body=response.content, received_at=EPOCH)
    return Page(payloads=(payload,) if found else (), cursor=cursor, more=more)


def _linked(response: httpx.Response, relation: str, name: str) -> str | None:
    """The id in the address of the page before or after. The address itself is never followed."""
    for address, found in _LINK.findall(response.headers.get("link", "")[:8000]):
        if found == relation and (value := httpx.URL(address).params.get(name)):
            return str(value)
    return None


def _newest(found: Any) -> str | None:
    return str(found[0]["id"]) if found else None


# the stream


def dial(host: str) -> Flow[Dial]:
    yield from ()  # the connection test has asked where the stream is
    return Dial(f"https://{host}/api/v1/streaming/user", "sse")


def step(state: Listening, happened: Happening, us: Us) -> Step:
    if isinstance(happened, Opened):
        return Step(state, gap=True)
    if not isinstance(happened, Frame) or not happened.event or happened.event in IDLE:
        return Step(state)
    content = _content(happened)
    if content is None or (happened.event in SPOKEN and not _is_for_us(content, us)):
        return Step(state)
    kept = {"event": happened.event, "payload": content}
    return Step(state, keep=(json.dumps(kept, separators=(",", ":")).encode(),))


def _content(frame: Frame) -> Any:
    """An object; of a deletion, the id as it stands."""
    try:
        if frame.event == "delete":
            return frame.data if isinstance(frame.data, str) else frame.data.decode()
        return json.loads(frame.data)
    except (ValueError, RecursionError):
        return None


def _is_for_us(status: Any, us: Us) -> bool:
    try:
        return isinstance(status, dict) and _is_original(status) and concerns(status, us)
    except Unreadable:
        return False


def _is_original(status: Json) -> bool:
    """No boost of somebody's post."""
    return text_of(status, "id") is not None and not status.get("reblog")
