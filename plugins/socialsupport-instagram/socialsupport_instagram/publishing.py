"""Answering in public, and keeping order.

https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-comment/replies,
https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/mentions (2026-03)
"""

from typing import Literal

import httpx

from socialsupport_core.contract import ContentRejected, Flow, Unsupported
from socialsupport_core.model import DeleteMessage, Interaction, Receipt, SendMessage
from socialsupport_core.text import plain, quiet
from socialsupport_meta.graph import Graph


def words(markdown: str | None) -> str:
    """Plain text; who is named in a quotation is not told."""
    return plain(quiet(markdown or ""))


def answer(graph: Graph, account: str, intent: SendMessage) -> Flow[Receipt]:
    """A reply to a comment, a comment under our media, or below a mention elsewhere."""
    if intent.attachments:
        raise Unsupported("comments on Instagram have no attachments")
    said = {"message": words(intent.text)}
    target = intent.target if intent.target and intent.target.thread == intent.thread else None
    if target is None:
        request = graph.post(intent.thread.id, "comments", body=said)
    elif target.kind == "mention":
        request = graph.post(account, "mentions", body={**_mentioned(target), **said})
    else:
        request = graph.post(target.native_id, "replies", body=said)
    response: httpx.Response = yield request
    return Receipt(native_id=str(response.json()["id"]))


def _mentioned(target: Interaction) -> dict[str, str]:
    where = {"media_id": target.thread.id}
    return where if target.native_id == target.thread.id else {**where, "comment_id": target.native_id}


def delete(graph: Graph, intent: DeleteMessage, moderation: Literal["hide", "delete"]) -> Flow[Receipt]:
    """Ours is deleted. Somebody else's is hidden, unless the operator wants it deleted."""
    target = intent.target
    if target is None:
        raise ContentRejected("delete.message names no comment; put the stored interaction into target")
    if target.author.is_self or moderation == "delete":
        yield graph.delete(target.native_id)
    else:
        yield graph.post(target.native_id, body={"hide": True})
    return Receipt(native_id=target.native_id)
