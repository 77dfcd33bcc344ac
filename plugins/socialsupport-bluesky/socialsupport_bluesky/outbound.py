"""From intents to records and messages.

https://docs.bsky.app/docs/advanced-guides/posts, https://docs.bsky.app/docs/api/com-atproto-repo-put-record and
https://docs.bsky.app/docs/api/chat-bsky-convo-send-message (2026-11)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from socialsupport_bluesky import records, richtext, xrpc
from socialsupport_bluesky.inbound import HEART, USER
from socialsupport_core.contract import (
    ContentRejected,
    Flow,
    ReadBlob,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
)
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    DeleteMessage,
    Intent,
    OpenPrivate,
    React,
    Receipt,
    SendMessage,
    Thread,
)
from socialsupport_core.text import to_spans

LIKES = frozenset({HEART, "❤", "👍"})
"""All of them are the one reaction that there is."""
EARLIER = timedelta(minutes=1)
"""Our clock and theirs may differ."""


@dataclass(frozen=True)
class Account:
    did: str
    host: str


def send(intent: Intent, us: Account) -> Flow[Receipt]:
    match intent:
        case SendMessage() if intent.thread.visibility == "public":
            return _post(intent, us)
        case SendMessage():
            return _message(us, intent.thread.id, intent)
        case OpenPrivate():
            return _open(intent, us)
        case DeleteMessage():
            return _delete(intent, us)
        case React():
            return _react(intent, us)
        case _:
            raise Unsupported(f"Bluesky cannot carry out {intent.type}")


def lookup(intent: Intent, us: Account, since: datetime) -> Flow[Receipt | None]:
    """A post by its key, which is always the same; a message by its words."""
    if isinstance(intent, SendMessage) and intent.thread.visibility == "public":
        return _existing(us, records.POST, records.tid(intent.key))
    if isinstance(intent, SendMessage | OpenPrivate):
        return _said(intent, us, since - EARLIER)
    raise Unsupported(f"Bluesky does not tell whether {intent.type} was carried out; it can be done again")


# in public


def _post(intent: SendMessage, us: Account) -> Flow[Receipt]:
    reply, created_at = yield from _answered(intent, us)
    dids = yield from _resolved(us, intent.text or "")
    record: dict[str, Any] = {"$type": records.POST, **richtext.written(intent.text or "", dids)}
    record |= {"createdAt": created_at, "reply": reply}
    if intent.attachments:
        images = []
        for attachment in intent.attachments:
            images.append((yield from _uploaded(us, attachment)))
        record["embed"] = {"$type": "app.bsky.embed.images", "images": images}
    uri = yield from _put(us, records.POST, records.tid(intent.key), record)
    return Receipt(native_id=uri, thread=Thread(id=reply["root"]["uri"], visibility="public"))


def _answered(intent: SendMessage, us: Account) -> Flow[tuple[dict[str, Any], str]]:
    """The strong references of an answer, and the time."""
    uri = intent.target.native_id if intent.target else intent.thread.id
    post, at = yield from _standing(us, uri)
    parent = {"uri": uri, "cid": str(post["cid"])}
    root = object_of(object_of(object_of(post, "record"), "reply"), "root")
    if text_of(root, "uri") and text_of(root, "cid"):
        return {"root": {"uri": str(root["uri"]), "cid": str(root["cid"])}, "parent": parent}, at
    return {"root": parent, "parent": parent}, at


def _standing(us: Account, uri: str) -> Flow[tuple[Json, str]]:
    """A post as it stands now, and the time by the server's clock."""
    response: httpx.Response = yield xrpc.query(us.host, "app.bsky.feed.getPosts", [("uris", uri)])
    found = next((one for one in objects_of(response.json(), "posts") if one.get("uri") == uri), None)
    if found is None:
        raise Unreachable("the post that is answered is gone, or its author has blocked us", code="post")
    return found, records.now(response)


def _resolved(us: Account, text: str) -> Flow[dict[str, str]]:
    """The accounts behind the handles in a text. A handle that nobody has stays text."""
    found = {}
    for handle in richtext.handles(text):
        try:
            response: httpx.Response = yield xrpc.query(
                us.host, "com.atproto.identity.resolveHandle", [("handle", handle)]
            )
        except (ContentRejected, Unreachable):
            continue
        did = text_of(response.json(), "did") or ""
        if records.DID.fullmatch(did):
            found[handle] = did
    return found


def _uploaded(us: Account, attachment: Attachment) -> Flow[dict[str, Any]]:
    """A broken upload is not uncertain: nobody sees a file that no post shows."""
    if attachment.blob is None:
        raise ContentRejected("an attachment has no content to upload", code="media")
    blob: Blob = yield ReadBlob(attachment.blob)
    address = f"https://{us.host}/xrpc/com.atproto.repo.uploadBlob"
    try:
        response: httpx.Response = yield httpx.Request(
            "POST", address, content=blob.content, headers={"content-type": attachment.media_type}
        )
        return {"alt": attachment.text or "", "image": dict(response.json()["blob"])}
    except Uncertain as error:
        raise Unavailable(f"the upload broke off: {error}", code=error.code) from error


def _put(us: Account, collection: str, rkey: str, record: dict[str, Any]) -> Flow[str]:
    """With a key of our own: written twice, it is one record."""
    body = {"repo": us.did, "collection": collection, "rkey": rkey, "record": record}
    response: httpx.Response = yield xrpc.procedure(us.host, "com.atproto.repo.putRecord", body)
    uri = str(response.json()["uri"])
    if uri != f"at://{us.did}/{collection}/{rkey}":
        raise ValueError("the answer names another record")
    return uri


def _existing(us: Account, collection: str, rkey: str) -> Flow[Receipt | None]:
    asked: xrpc.Parameters = [("repo", us.did), ("collection", collection), ("rkey", rkey)]
    try:
        response: httpx.Response = yield xrpc.query(us.host, "com.atproto.repo.getRecord", asked)
    except Unreachable as error:
        if error.code == "RecordNotFound":
            return None
        raise
    told = response.json()
    reply = object_of(object_of(told, "value"), "reply")
    root = text_of(object_of(reply, "root"), "uri")
    thread = Thread(id=root, visibility="public") if root else None
    return Receipt(native_id=str(told["uri"]), thread=thread)


def _delete(intent: DeleteMessage, us: Account) -> Flow[Receipt]:
    if intent.target is None or intent.thread.visibility != "public":
        raise Unsupported("a message can be taken away from our own eyes only; what is sent stays")
    did, collection, rkey = records.parted(intent.target.native_id)
    if did != us.did:
        raise ContentRejected("only what we have posted ourselves can be deleted", code="target")
    yield _removal(us, collection, rkey)
    return Receipt(native_id=intent.target.native_id)


def _removal(us: Account, collection: str, rkey: str) -> httpx.Request:
    body = {"repo": us.did, "collection": collection, "rkey": rkey}
    return xrpc.procedure(us.host, "com.atproto.repo.deleteRecord", body)


def _react(intent: React, us: Account) -> Flow[Receipt]:
    """One like a post: its key is made of the post, so that it can be taken back."""
    if intent.target is None or intent.target.thread.visibility != "public":
        raise Unsupported("a like needs a post that it is for")
    if intent.reaction not in LIKES | {""}:
        raise ContentRejected(f"Bluesky knows likes only; react with {HEART}", code="reaction")
    uri = intent.target.native_id
    rkey = records.tid(f"like {uri}")
    if not intent.reaction:
        yield _removal(us, records.LIKE, rkey)
        return Receipt(native_id=uri)
    post, created_at = yield from _standing(us, uri)
    subject = {"uri": uri, "cid": str(post["cid"])}
    record = {"$type": records.LIKE, "subject": subject, "createdAt": created_at}
    yield from _put(us, records.LIKE, rkey, record)
    return Receipt(native_id=uri)


# direct messages


def _message(us: Account, convo: str, intent: SendMessage | OpenPrivate) -> Flow[Receipt]:
    if isinstance(intent, SendMessage) and intent.attachments:
        raise ContentRejected("direct messages carry no files; send a link", code="media")
    body = {"convoId": convo, "message": richtext.written(intent.text or "", {})}
    response: httpx.Response = yield xrpc.procedure(us.host, "chat.bsky.convo.sendMessage", body, chat=True)
    return _sent(response.json(), convo)


def _sent(message: Json, convo: str) -> Receipt:
    at = text_of(message, "sentAt")
    return Receipt(
        native_id=str(message["id"]),
        thread=Thread(id=convo, visibility="private"),
        at=records.moment(at) if at else None,
    )


def _open(intent: OpenPrivate, us: Account) -> Flow[Receipt]:
    convo = yield from _convo(intent, us)
    return (yield from _message(us, convo, intent))


def _convo(intent: OpenPrivate, us: Account) -> Flow[str]:
    party = intent.recipient or (intent.target.counterpart if intent.target else None)
    if party is None or party.account is None or party.account.kind != USER:
        raise ContentRejected("nobody is addressed; answer a post, or name a recipient", code="recipient")
    asked: xrpc.Parameters = [("members", party.account.value)]
    response: httpx.Response = yield xrpc.query(us.host, "chat.bsky.convo.getConvoForMembers", asked, chat=True)
    return str(response.json()["convo"]["id"])


def _said(intent: SendMessage | OpenPrivate, us: Account, since: datetime) -> Flow[Receipt | None]:
    """Among the newest hundred messages: one of ours with these words, not older than `since`."""
    convo = intent.thread.id
    if isinstance(intent, OpenPrivate):
        convo = yield from _convo(intent, us)
    asked: xrpc.Parameters = [("convoId", convo), ("limit", 100)]
    response: httpx.Response = yield xrpc.query(us.host, "chat.bsky.convo.getMessages", asked, chat=True)
    text = to_spans(intent.text or "")[0]
    for one in objects_of(response.json(), "messages"):
        if _is_it(one, us, text, since):
            return _sent(one, convo)
    return None


def _is_it(message: Json, us: Account, text: str, since: datetime) -> bool:
    sender, at = text_of(object_of(message, "sender"), "did"), text_of(message, "sentAt")
    return sender == us.did and at is not None and message.get("text") == text and records.moment(at) >= since
