"""Answering under a post: comments, likes, and keeping order.

https://developers.facebook.com/docs/graph-api/reference/comment,
https://developers.facebook.com/docs/graph-api/reference/object/comments,
https://developers.facebook.com/docs/graph-api/reference/object/likes (all v25.0, 2026-03)
"""

from typing import Literal

import httpx

from socialsupport_core.contract import ContentRejected, Flow, ReadBlob, Unsupported
from socialsupport_core.model import Blob, DeleteMessage, EditMessage, Intent, Interaction, React, Receipt, SendMessage
from socialsupport_core.text import BREAK, plain, quiet
from socialsupport_meta.graph import Graph

LIKES = frozenset({"👍", "❤", "❤️"})
"""A page can like a comment, and has no other reaction to it."""


def words(markdown: str | None) -> str:
    """Plain text that names nobody: `@[ID:1:name]` does, https://developers.facebook.com/docs/graph-api/reference/page/feed
    (2026-11)."""
    return plain(quiet(markdown or "")).replace("@[", f"@{BREAK}[")


def comment(graph: Graph, intent: SendMessage) -> Flow[Receipt]:
    """A picture goes along with the words."""
    text = words(intent.text)
    place = intent.target.native_id if intent.target and intent.target.thread == intent.thread else intent.thread.id
    if not intent.attachments:
        request = graph.post(place, "comments", body={"message": text})
    else:
        (attachment,) = intent.attachments
        if attachment.blob is None:
            raise ContentRejected("an attachment has no content to upload", code="media")
        blob: Blob = yield ReadBlob(attachment.blob)
        fields = {"message": text} if text else {}
        request = graph.upload(
            place, "comments", fields=fields, name="source", blob=blob, media_type=attachment.media_type
        )
    response: httpx.Response = yield request
    return Receipt(native_id=str(response.json()["id"]))


def edit(graph: Graph, intent: EditMessage) -> Flow[Receipt]:
    target = _target(intent)
    yield graph.post(target.native_id, body={"message": words(intent.text)})
    return Receipt(native_id=target.native_id)


def delete(graph: Graph, intent: DeleteMessage, moderation: Literal["hide", "delete"]) -> Flow[Receipt]:
    """Ours is deleted. Somebody else's is hidden, unless the operator wants it deleted."""
    target = _target(intent)
    if target.author.is_self or moderation == "delete":
        yield graph.delete(target.native_id)
    else:
        yield graph.post(target.native_id, body={"is_hidden": True})
    return Receipt(native_id=target.native_id)


def react(graph: Graph, intent: React) -> Flow[Receipt]:
    target = _target(intent)
    if not intent.reaction:
        yield graph.delete(target.native_id, "likes")
    elif intent.reaction in LIKES:
        yield graph.post(target.native_id, "likes", body={})
    else:
        raise Unsupported("a page can like a comment, and has no other reaction to it")
    return Receipt(native_id=target.native_id)


def _target(intent: Intent) -> Interaction:
    if intent.target is None:
        raise ContentRejected(f"{intent.type} names no comment; put the stored interaction into target")
    return intent.target
