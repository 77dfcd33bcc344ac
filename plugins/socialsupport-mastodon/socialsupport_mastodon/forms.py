"""Other forms in which Mastodon tells the same: lines of an event stream, frames of a WebSocket, grouped notifications.

https://docs.joinmastodon.org/methods/streaming/ and
https://docs.joinmastodon.org/methods/grouped_notifications/ (2026-11)
"""

import json
from collections.abc import Iterator
from typing import Any

from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, texts_of

MOST = 100


def of_stream(body: bytes) -> list[Json]:
    """Events written as lines; none if it is something else. A colon begins a comment."""
    if not body.lstrip().startswith((b":", b"event:")):
        return []
    blocks = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n\n")
    return [event for block in blocks[:MOST] if (event := _event(block))]


def _event(block: str) -> Json | None:
    fields = [line.partition(":") for line in block.split("\n") if not line.startswith(":")]
    told = {name: value.removeprefix(" ") for name, _, value in fields if name in ("event", "data")}
    return {"event": told["event"], "payload": told["data"]} if len(told) == 2 else None


def content(frame: Json) -> Any:
    """What an event tells; over a WebSocket it is JSON in a string."""
    told = frame.get("payload")
    if not isinstance(told, str) or told[:1] not in ("{", "["):
        return told
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return told


def ungrouped(page: Json) -> Iterator[Json]:
    """One notification for each account that a group names; the posts and accounts stand once for all groups."""
    people = {text_of(one, "id"): one for one in objects_of(page, "accounts")}
    posts = {text_of(one, "id"): one for one in objects_of(page, "statuses")}
    for group in objects_of(page, "notification_groups")[:MOST]:
        number, named = text_of(group, "most_recent_notification_id"), texts_of(group, "sample_account_ids")
        for who in named[:MOST] or [""]:
            yield {
                "id": number if len(named) < 2 else f"{number}/{who}",
                "type": group.get("type"),
                "created_at": group.get("latest_page_notification_at"),
                "account": people.get(who) or {"id": who},
                "status": posts.get(text_of(group, "status_id")),
            }


def kind_of(told: Json) -> str:
    """Which entity it is, as `event` tells in a frame."""
    if "event" in told:
        return "frame"
    if "notification_groups" in told:
        return "groups"
    if "last_status" in told:
        return "conversation"
    return "notification" if "type" in told else "update" if object_of(told, "account") else ""
