"""Each round reads the notifications, newest first, then the log of direct messages, oldest first.

https://docs.bsky.app/docs/api/app-bsky-notification-list-notifications, …/chat-bsky-convo-get-log (2026-11)
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
from pydantic import ValidationError

from socialsupport_bluesky import xrpc
from socialsupport_core.contract import ConfigError, Flow
from socialsupport_core.contract.lax import Json, objects_of, text_of
from socialsupport_core.model import Page, Payload, Value

LIMIT = 25
"""As many posts as can be asked for at once."""
REASONS = ("mention", "reply", "quote", "like")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cursor(Value):
    source: Literal["notifications", "messages"] = "notifications"
    token: str | None = None
    """Of the next page of notifications."""
    newest: str | None = None
    """`indexedAt` of the newest notification of this round."""
    edge: tuple[str, ...] = ()
    """The notifications of that very moment: one more of it may still come."""
    seen: str | None = None
    """`newest` of the round before."""
    known: tuple[str, ...] = ()
    """`edge` of the round before."""
    log: str | None = None
    """How far the log has been read."""

    @classmethod
    def read(cls, cursor: str | None) -> "Cursor":
        try:
            return cls.model_validate_json(cursor) if cursor else cls()
        except ValidationError as error:
            raise ConfigError("the stored cursor is not one of Bluesky's; reset the channel's cursor") from error


def poll(host: str, cursor: Cursor, *, messages: bool) -> Flow[Page]:
    if cursor.source == "messages":
        return _messages(host, cursor)
    return _notifications(host, cursor, messages=messages)


def _notifications(host: str, cursor: Cursor, *, messages: bool) -> Flow[Page]:
    asked: xrpc.Parameters = [("limit", LIMIT), *(("reasons", one) for one in REASONS)]
    asked += [("cursor", cursor.token)] if cursor.token else []
    response: httpx.Response = yield xrpc.query(host, "app.bsky.notification.listNotifications", asked)
    content = response.json()
    told = objects_of(content, "notifications")
    fresh = [one for one in told if _is_fresh(one, cursor)]
    posts = yield from _posts(host, fresh)
    following = _after(cursor, content, is_over=len(fresh) < len(told), messages=messages)
    body = {"notifications": fresh, "posts": posts}
    return _page(f"https://{host}/xrpc/app.bsky.notification.listNotifications", body, bool(fresh), following)


def _posts(host: str, told: list[Json]) -> Flow[list[Any]]:
    """As they stand now, with pictures and counts; of a like, the post that it is for."""
    about = [text_of(one, "reasonSubject" if one.get("reason") == "like" else "uri") for one in told]
    wanted = list(dict.fromkeys(uri for uri in about if uri))[:LIMIT]
    if not wanted:
        return []
    response: httpx.Response = yield xrpc.query(host, "app.bsky.feed.getPosts", [("uris", one) for one in wanted])
    return list(objects_of(response.json(), "posts"))


def _is_fresh(notification: Json, cursor: Cursor) -> bool:
    at, seen = _at(notification), cursor.seen or ""
    return at > seen or (at == seen and text_of(notification, "uri") not in cursor.known)


def _after(cursor: Cursor, content: Json, *, is_over: bool, messages: bool) -> Cursor:
    """The first round ever takes one page: what was before is no news."""
    begun = cursor if cursor.newest else _begun(cursor, objects_of(content, "notifications"))
    token = text_of(content, "cursor")
    if token and cursor.seen and not is_over and token != cursor.token:
        return begun.model_copy(update={"token": token})
    source: Literal["messages", "notifications"] = "messages" if messages else "notifications"
    return Cursor(source=source, seen=begun.newest, known=begun.edge, log=cursor.log)


def _begun(cursor: Cursor, told: Sequence[Json]) -> Cursor:
    """The first page of a round holds the newest; if there is nothing, all stays as it was."""
    newest = max([cursor.seen or "", *map(_at, told)])
    here = [uri for one in told if _at(one) == newest and (uri := text_of(one, "uri"))]
    edge = dict.fromkeys([*(cursor.known if newest == cursor.seen else ()), *here])
    return cursor.model_copy(update={"newest": newest or None, "edge": tuple(edge)})


def _messages(host: str, cursor: Cursor) -> Flow[Page]:
    asked: xrpc.Parameters = [("cursor", cursor.log)] if cursor.log else []
    response: httpx.Response = yield xrpc.query(host, "chat.bsky.convo.getLog", asked, chat=True)
    content = response.json()
    logs, reached = objects_of(content, "logs"), text_of(content, "cursor") or cursor.log
    following = cursor.model_copy(update={"log": reached})
    if not logs or reached == cursor.log:
        following = Cursor(seen=cursor.seen, known=cursor.known, log=reached)
    return _page(f"https://{host}/xrpc/chat.bsky.convo.getLog", {"logs": list(logs)}, bool(logs), following)


def _page(url: str, body: dict[str, Any], is_news: bool, following: Cursor) -> Page:
    written = json.dumps(body, separators=(",", ":")).encode()
    payload = Payload(source="poll", method="GET", url=url, body=written, received_at=EPOCH)
    is_round_over = following == Cursor(seen=following.seen, known=following.known, log=following.log)
    return Page(payloads=(payload,) if is_news else (), cursor=following.to_json(), more=not is_round_over)


def _at(notification: Json) -> str:
    """Moments in one form, so that they can be compared as they are written."""
    return text_of(notification, "indexedAt") or ""
