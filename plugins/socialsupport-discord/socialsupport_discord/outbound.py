"""From intents to calls of the REST API (https://docs.discord.com/developers/resources/message, 2026-11)."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from socialsupport_core.contract import ContentRejected, Flow, ReadBlob, Uncertain, Unsupported
from socialsupport_core.model import (
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
    Typing,
)
from socialsupport_discord import markup, places
from socialsupport_discord.gateway import API

Body = dict[str, Any]
CHOICES, IN_A_ROW = 25, 5
"""https://docs.discord.com/developers/components/reference#action-row (2026-11): five rows of five."""
LABEL, VALUE = 80, 100
"""Characters: https://docs.discord.com/developers/components/reference#button (2026-11)."""
NONCE = 25
"""Characters: https://docs.discord.com/developers/resources/message#create-message (2026-11)."""
PAGES = 5
NOBODY: Body = {"parse": [], "replied_user": False}
"""Nobody is notified, whatever a text says: #allowed-mentions-object (2026-11)."""


def send(intent: Intent) -> Flow[Receipt]:
    match intent:
        case SendMessage():
            return _say(intent)
        case OpenPrivate():
            return _open(intent)
        case EditMessage():
            return _edit(intent)
        case DeleteMessage():
            return _delete(intent)
        case React():
            return _react(intent)
        case Typing():
            return _typing(intent)
        case _:
            raise Unsupported(f"Discord cannot carry out {intent.type}")


def lookup(intent: Intent, own: str, since: datetime) -> Flow[Receipt | None]:
    """By its nonce among the bot's messages since then, by its words where Discord shows none. The nonce alone, which
    makes a repeated call harmless, is remembered for some minutes only, and a try may come later than that.

    https://docs.discord.com/developers/resources/message#get-channel-messages (2026-11): a hundred a page.
    """
    if not isinstance(intent, SendMessage | OpenPrivate):
        raise Unsupported(f"Discord does not tell whether {intent.type} was carried out; it can be done again")
    thread = intent.thread if isinstance(intent, SendMessage) else (yield from _direct(intent))
    after, text = places.number_at(since), markup.write(intent.text or "").strip()
    for _ in range(PAGES):
        response = yield call("GET", "channels", thread.id, "messages", params={"after": after, "limit": "100"})
        found = sorted(response.json(), key=lambda one: int(one["id"]))
        for one in found:
            if one["author"]["id"] == own and _is_it(one, intent, text):
                return Receipt(native_id=one["id"], thread=thread, at=places.made_at(one["id"]))
        if len(found) < 100:
            return None
        after = found[-1]["id"]
    raise Uncertain(f"it is not among the first {PAGES * 100} messages since then: look into the channel")


def _is_it(message: Body, intent: SendMessage | OpenPrivate, text: str) -> bool:
    if message.get("nonce") is not None:
        return str(message["nonce"]) == nonce(intent.key)
    files = len(intent.attachments) if isinstance(intent, SendMessage) else 0
    return message["content"].strip() == text and len(message["attachments"]) == files


def call(method: str, *path: str, **content: Any) -> httpx.Request:
    return httpx.Request(method, "/".join((API, *(quote(part, safe="@") for part in path))), **content)


def nonce(key: str) -> str:
    """The same for the same message, so that Discord makes it once: it remembers it for some minutes."""
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:NONCE].lower()


def _content(markdown: str | None) -> Body:
    return {"content": markup.write(markdown or ""), "allowed_mentions": NOBODY}


def _say(intent: SendMessage) -> Flow[Receipt]:
    body = _content(intent.text) | {"nonce": nonce(intent.key), "enforce_nonce": True}
    if not body["content"].strip() and not intent.attachments:
        raise ContentRejected("the message says nothing; write a text or attach a file")
    if intent.target and intent.target.thread.id == intent.thread.id and intent.target.choice is None:
        body["message_reference"] = {"message_id": intent.target.native_id, "fail_if_not_exists": False}
    if intent.choices:
        body["components"] = rows(intent.choices)
    path = ("channels", intent.thread.id, "messages")
    if intent.attachments:
        response = yield from _with_files(path, body, intent)
    else:
        response = yield call("POST", *path, json=body)
    return _receipt(response)


def _with_files(path: Sequence[str], body: Body, intent: SendMessage) -> Flow[httpx.Response]:
    """https://docs.discord.com/developers/reference#uploading-files (2026-11)"""
    files, described = {}, []
    for number, one in enumerate(intent.attachments):
        if one.blob is None:
            raise ContentRejected("an attachment has no content; store it first")
        blob: Blob = yield ReadBlob(one.blob)
        name = one.name or blob.name or "file"
        files[f"files[{number}]"] = (name, blob.content, one.media_type)
        described.append({"id": str(number), "filename": name} | ({"description": one.text[:1024]} if one.text else {}))
    body = {**body, "attachments": described}
    response: httpx.Response = yield call("POST", *path, data={"payload_json": json.dumps(body)}, files=files)
    return response


def rows(choices: Sequence[Choice]) -> list[Body]:
    if len(choices) > CHOICES:
        raise ContentRejected(f"Discord shows {CHOICES} choices at most, these are {len(choices)}")
    for one in choices:
        if len(one.title) > LABEL:
            raise ContentRejected(f"the title of the choice {one.title!r} has {len(one.title)} characters, {LABEL} fit")
        if len(one.value) > VALUE:
            raise ContentRejected(f"the value of the choice {one.title!r} has {len(one.value)} characters, {VALUE} fit")
    if len({one.value for one in choices}) < len(choices):
        raise ContentRejected("two choices have the same value; Discord wants each once")
    buttons = [{"type": 2, "style": 2, "label": one.title, "custom_id": one.value} for one in choices]
    return [{"type": 1, "components": buttons[at : at + IN_A_ROW]} for at in range(0, len(buttons), IN_A_ROW)]


def _receipt(response: httpx.Response, thread: Thread | None = None) -> Receipt:
    number = places.snowflake(response.json(), "id")
    return Receipt(native_id=number, thread=thread, at=places.made_at(number))


def _direct(intent: OpenPrivate) -> Flow[Thread]:
    """https://docs.discord.com/developers/resources/user#create-dm (2026-11): what is open stays open."""
    account = intent.recipient.account if intent.recipient else None
    if account is None or account.kind != "discord.user":
        raise ContentRejected("open.private names no user of Discord; put them into recipient")
    response = yield call("POST", "users", "@me", "channels", json={"recipient_id": account.value})
    return Thread(id=places.snowflake(response.json(), "id"), visibility="private")


def _open(intent: OpenPrivate) -> Flow[Receipt]:
    thread = yield from _direct(intent)
    body = _content(intent.text) | {"nonce": nonce(intent.key), "enforce_nonce": True}
    response = yield call("POST", "channels", thread.id, "messages", json=body)
    return _receipt(response, thread)


def _target(intent: Intent) -> tuple[str, ...]:
    if intent.target is None:
        raise ContentRejected(f"{intent.type} names no message; put the stored interaction into target")
    return "channels", intent.target.thread.id, "messages", intent.target.native_id


def _edit(intent: EditMessage) -> Flow[Receipt]:
    response = yield call("PATCH", *_target(intent), json=_content(intent.text))
    return _receipt(response)


def _delete(intent: DeleteMessage) -> Flow[Receipt]:
    yield call("DELETE", *_target(intent))
    return Receipt()


def _react(intent: React) -> Flow[Receipt]:
    """Ours is taken back by asking which ones we have given."""
    about = _target(intent)
    if intent.reaction:
        yield call("PUT", *about, "reactions", intent.reaction.strip(":"), "@me")
        return Receipt()
    response = yield call("GET", *about)
    for one in response.json().get("reactions") or ():
        if one.get("me") is True:
            emoji = one["emoji"]
            name = f"{emoji['name']}:{emoji['id']}" if emoji.get("id") else str(emoji["name"])
            yield call("DELETE", *about, "reactions", name, "@me")
    return Receipt()


def _typing(intent: Typing) -> Flow[Receipt]:
    yield call("POST", "channels", intent.thread.id, "typing")
    return Receipt()
