"""Other forms in which posts and messages are told, brought into that of notifications and of the log.

https://docs.bsky.app/docs/api/app-bsky-feed-get-posts, …/app-bsky-feed-get-author-feed,
…/app-bsky-feed-get-post-thread, …/chat-bsky-convo-list-convos and https://docs.bsky.app/blog/jetstream (2026-11)
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from socialsupport_bluesky.records import POST
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, whole_of

MOST = 200
DEEPEST = 50


def readable(content: Any, own: str) -> Json | None:
    """As a page of notifications or of the log; None if it is something else."""
    if not isinstance(content, dict):
        return None
    if {"notifications", "logs"} & content.keys():
        return content
    if {"reason", "record", "uri"} <= content.keys():
        return {"notifications": [content]}
    if convos := objects_of(content, "convos"):
        return {"logs": [_written(one) for one in convos if object_of(one, "lastMessage")]}
    posts = list(_posts(content))[:MOST]
    return {"notifications": [_noticed(one, own) for one in reversed(posts)], "posts": posts} if posts else None


def _written(convo: Json) -> Json:
    return {
        "$type": "chat.bsky.convo.defs#logCreateMessage",
        "convoId": convo.get("id"),
        "message": convo.get("lastMessage"),
        "relatedProfiles": convo.get("members"),
    }


def _posts(content: Json) -> Iterator[Json]:
    """Post views, the oldest of a thread first."""
    if {"uri", "record", "author"} <= content.keys():
        yield content
    elif object_of(content, "commit"):
        yield from _committed(content)
    yield from objects_of(content, "posts")
    yield from (post for one in objects_of(content, "feed") if (post := object_of(one, "post")))
    yield from _thread(object_of(content, "thread"), 0)


def _thread(node: Json, depth: int) -> Iterator[Json]:
    if depth > DEEPEST or not node:
        return
    yield from _thread(object_of(node, "parent"), depth + 1)
    if post := object_of(node, "post"):
        yield post
    for one in objects_of(node, "replies"):
        yield from _thread(one, depth + 1)


def _committed(told: Json) -> Iterator[Json]:
    """A new post in a stream of everything."""
    commit, did = object_of(told, "commit"), text_of(told, "did")
    if did and text_of(commit, "operation") == "create" and text_of(commit, "collection") == POST:
        at = datetime.fromtimestamp((whole_of(told, "time_us") or 0) / 1_000_000, UTC)
        record, uri = object_of(commit, "record"), f"at://{did}/{POST}/{text_of(commit, 'rkey')}"
        yield {"uri": uri, "author": {"did": did}, "record": record, "indexedAt": at.isoformat()}


def _noticed(post: Json, own: str) -> Json:
    is_reply = bool(object_of(object_of(post, "record"), "reply"))
    is_ours = text_of(object_of(post, "author"), "did") == own
    return {**post, "reason": "reply" if is_reply else "post" if is_ours else "mention"}
