"""From intents to calls of the Web API (https://docs.slack.dev/reference/methods, 2026-11)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from socialsupport_core.contract import ContentRejected, Flow, ReadBlob, Uncertain, Unsupported, Wait
from socialsupport_core.contract.lax import Json, json_object, object_of, objects_of, text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    DeleteMessage,
    EditMessage,
    Intent,
    OpenPrivate,
    React,
    Receipt,
    SendMessage,
    Thread,
)
from socialsupport_core.text import plain
from socialsupport_slack import blocks, emoji, mrkdwn, places

Body = dict[str, Any]
API = "https://slack.com/api"
CHOICES = 25
"""https://docs.slack.dev/reference/block-kit/blocks/actions-block (2026-11)"""
LABEL, VALUE = 75, 2000
"""Characters: https://docs.slack.dev/reference/block-kit/block-elements/button-element (2026-11)"""
EVENT = "socialsupport_message"
"""The name of our metadata; lower case, digits and underscores."""
SHARING = (1.0, 2.0, 4.0)
"""Seconds to wait for Slack to share a file, which it does some time after the upload is complete."""
PAGES = 5
EARLIER = timedelta(minutes=1)
"""Our clock and Slack's may differ."""


def send(intent: Intent, own: str | None) -> Flow[Receipt]:
    match intent:
        case SendMessage():
            return _share(intent) if intent.attachments else _post(intent, place(intent))
        case OpenPrivate():
            return _open(intent)
        case EditMessage():
            return _edit(intent)
        case DeleteMessage():
            return _delete(intent)
        case React():
            return _react(intent, own)
        case _:
            raise Unsupported(f"Slack cannot carry out {intent.type}")


def call(method: str, body: Body) -> httpx.Request:
    return httpx.Request("POST", f"{API}/{method}", json=body)


def get(method: str, **parameters: str) -> httpx.Request:
    return httpx.Request("GET", f"{API}/{method}", params=parameters)


def place(intent: Intent) -> Body:
    """The conversation, and the thread in it if there is one."""
    channel, root = places.parted(intent.thread.id)
    answered = text_of(json_object(intent.target.context), "thread") if intent.target else None
    if root is None and answered and intent.target and intent.target.thread.id == intent.thread.id:
        root = answered  # somebody has opened a thread within a direct conversation
    return {"channel": channel} | ({"thread_ts": root} if root else {})


def content(markdown: str | None, choices: Sequence[Choice] = ()) -> Body:
    """`text` is what notifications show; what is read stands in the blocks."""
    text = plain(markdown or "")
    if not text.strip():
        raise ContentRejected("the message says nothing; write a text")
    written = blocks.write(markdown or "")
    if choices:
        written.append({"type": "actions", "elements": buttons(choices)})
    return {"text": mrkdwn.escape(text), "blocks": written}


def buttons(choices: Sequence[Choice]) -> list[Body]:
    if len(choices) > CHOICES:
        raise ContentRejected(f"Slack shows {CHOICES} choices at most, these are {len(choices)}")
    for one in choices:
        if len(one.title) > LABEL:
            raise ContentRejected(f"the title of the choice {one.title!r} has {len(one.title)} characters, {LABEL} fit")
    return [
        {
            "type": "button",
            "action_id": f"choice_{number}",
            "text": {"type": "plain_text", "text": one.title},
            "value": one.value,
        }
        for number, one in enumerate(choices)
    ]


def _post(intent: SendMessage | OpenPrivate, where: Body, thread: Thread | None = None) -> Flow[Receipt]:
    choices = intent.choices if isinstance(intent, SendMessage) else ()
    metadata = {"event_type": EVENT, "event_payload": {"key": intent.key}}
    response = yield call("chat.postMessage", {**where, **content(intent.text, choices), "metadata": metadata})
    sent = response.json()
    return _receipt(sent["channel"], sent["ts"], thread)


def _receipt(channel: str, ts: str, thread: Thread | None = None) -> Receipt:
    return Receipt(native_id=places.native_id(channel, ts), thread=thread, at=places.moment(ts))


def _open(intent: OpenPrivate) -> Flow[Receipt]:
    """https://docs.slack.dev/reference/methods/conversations.open: opening what is open changes nothing."""
    account = intent.recipient.account if intent.recipient else None
    if account is None or account.kind != "slack.user":
        raise ContentRejected("open.private names no user of Slack; put them into recipient")
    body = content(intent.text)
    assert body
    response = yield call("conversations.open", {"users": account.value})
    channel = str(response.json()["channel"]["id"])
    return (yield from _post(intent, {"channel": channel}, Thread(id=channel, visibility="private")))


# files


def _share(intent: SendMessage) -> Flow[Receipt]:
    """https://docs.slack.dev/messaging/working-with-files#upload (2026-11): an address for each, then all at once."""
    if intent.choices:
        raise Unsupported("Slack shows no choices beside a file; send them as a message of their own")
    where = place(intent)
    uploaded = []
    for one in intent.attachments:
        uploaded.append((yield from _upload(one)))
    body: Body = {"files": uploaded, "channel_id": where["channel"]}
    if "thread_ts" in where:
        body["thread_ts"] = where["thread_ts"]
    if intent.text and plain(intent.text).strip():
        body["blocks"] = blocks.write(intent.text)
    yield call("files.completeUploadExternal", body)
    return (yield from _shared(uploaded[0]["id"], where["channel"]))


def _upload(one: Attachment) -> Flow[Body]:
    if one.blob is None:
        raise ContentRejected("an attachment has no content; store it first")
    blob: Blob = yield ReadBlob(one.blob)
    name = one.name or blob.name or "file"
    form = {"filename": name, "length": str(len(blob.content))} | ({"alt_txt": one.text} if one.text else {})
    response = yield httpx.Request("POST", f"{API}/files.getUploadURLExternal", data=form)
    ticket = response.json()
    address, file_id = str(ticket["upload_url"]), str(ticket["file_id"])
    yield httpx.Request(
        "POST", address, content=blob.content, headers={"content-type": one.media_type or "application/octet-stream"}
    )
    return {"id": file_id, "title": name}


def _shared(file_id: str, channel: str) -> Flow[Receipt]:
    """The message's own id, which Slack tells when it has shared the file."""
    for seconds in SHARING:
        yield Wait(seconds)
        response = yield get("files.info", file=file_id)
        if ts := _share_of(response.json(), channel):
            return _receipt(channel, ts)
    return Receipt()


def _share_of(answer: Json, channel: str) -> str | None:
    shares = object_of(object_of(answer, "file"), "shares")
    for kind in ("public", "private"):
        for share in objects_of(object_of(shares, kind), channel):
            return text_of(share, "ts")
    return None


# what is there already


def _target(intent: Intent) -> tuple[str, str]:
    channel, ts = places.parted(intent.target.native_id) if intent.target else ("", None)
    if ts is None:
        raise ContentRejected(f"{intent.type} names no message of Slack; put the stored interaction into target")
    return channel, ts


def _edit(intent: EditMessage) -> Flow[Receipt]:
    channel, ts = _target(intent)
    response = yield call("chat.update", {"channel": channel, "ts": ts, **content(intent.text)})
    return _receipt(channel, str(response.json()["ts"]))


def _delete(intent: DeleteMessage) -> Flow[Receipt]:
    channel, ts = _target(intent)
    yield call("chat.delete", {"channel": channel, "ts": ts})
    return Receipt()


def _react(intent: React, own: str | None) -> Flow[Receipt]:
    channel, ts = _target(intent)
    about = {"channel": channel, "timestamp": ts}
    if intent.reaction:
        name = emoji.name(intent.reaction)
        if name is None:
            raise ContentRejected(f"Slack's name of the reaction {intent.reaction!r} is not known; give it as :name:")
        yield call("reactions.add", {**about, "name": name})
        return Receipt()
    response = yield get("reactions.get", **about, full="true")
    given = objects_of(object_of(response.json(), "message"), "reactions")
    for name in (text_of(one, "name") for one in given if own in (one.get("users") or ())):
        yield call("reactions.remove", {**about, "name": name})
    return Receipt()


# settling


def lookup(intent: Intent, since: datetime) -> Flow[Receipt | None]:
    """By our key in the metadata, https://docs.slack.dev/reference/methods/conversations.history (2026-11)."""
    if not isinstance(intent, SendMessage) or intent.attachments:
        raise Uncertain("Slack keeps nothing by which this could be found again: look into the conversation")
    where = place(intent)
    oldest = f"{(since - EARLIER).timestamp():.6f}"
    asked = {"channel": where["channel"], "oldest": oldest, "limit": "200", "include_all_metadata": "true"}
    method = "conversations.replies" if "thread_ts" in where else "conversations.history"
    asked |= {"ts": where["thread_ts"]} if "thread_ts" in where else {}
    for _ in range(PAGES):
        response = yield get(method, **asked)
        page = response.json()
        for message in objects_of(page, "messages"):
            if _key(message) == intent.key:
                return _receipt(where["channel"], str(message["ts"]))
        cursor = text_of(object_of(page, "response_metadata"), "next_cursor")
        if page["ok"] is True and not cursor:
            return None
        asked["cursor"] = cursor or ""
    raise Uncertain(f"it is not among the newest {PAGES * 200} messages: look into the conversation")


def _key(message: Json) -> str | None:
    return text_of(object_of(object_of(message, "metadata"), "event_payload"), "key")
