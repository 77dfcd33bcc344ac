"""What we post to the operator's address."""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from socialsupport_core.contract import Flow, ReadBlob
from socialsupport_core.contract.lax import json_object, text_of
from socialsupport_core.model import Blob, Party, Receipt, SendMessage, Thread
from socialsupport_core.text import plain


def webhook_id(key: str) -> str:
    """The same at every attempt. It holds no full stop, since those part what is signed."""
    return quote(key, safe="").replace(".", "%2E")


def files(intent: SendMessage) -> Flow[list[Blob]]:
    blobs = []
    for one in intent.attachments:
        blob: Blob = yield ReadBlob(one.blob or "")
        blobs.append(blob)
    return blobs


def message(intent: SendMessage, blobs: Sequence[Blob]) -> dict[str, Any]:
    """README.md, "What we post"."""
    target = intent.target
    written = {
        "type": "message",
        "key": intent.key,
        "own_account": intent.own_account,
        "thread": intent.thread.model_dump(),
        "recipient": _person(intent.recipient),
        "in_reply_to": target.native_id if target else None,
        "subject": intent.subject,
        "text": plain(intent.text) if intent.text else None,
        "markdown": intent.text,
        "choices": [{"title": one.title, "value": one.value} for one in intent.choices],
        "attachments": [_file(one.name or blob.name, one.media_type, blob) for one, blob in _paired(intent, blobs)],
    }
    return {name: value for name, value in written.items() if value not in (None, [], {})}


def receipt(intent: SendMessage, content: bytes) -> Receipt:
    """Their answer may name the message and its thread; an empty one will do."""
    answer = json_object(content)
    thread = text_of(answer, "thread")
    return Receipt(
        native_id=text_of(answer, "id") or intent.key,
        thread=Thread(id=thread, visibility=intent.thread.visibility) if thread else None,
    )


def _paired(intent: SendMessage, blobs: Sequence[Blob]) -> list[tuple[Any, Blob]]:
    return list(zip(intent.attachments, blobs, strict=True))


def _person(party: Party | None) -> dict[str, Any]:
    if party is None:
        return {}
    own = next((one.value for one in party.identifiers if one.kind == "generic.user"), None)
    known = {one.kind: one.value for one in reversed(party.identifiers) if one.kind in ("email", "phone")}
    found = {"id": own, "name": party.name, "handle": party.handle, **known}
    return {name: value for name, value in found.items() if value is not None}


def _file(name: str | None, media_type: str, blob: Blob) -> dict[str, Any]:
    content = base64.b64encode(blob.content).decode()
    return {"name": name or "attachment", "media_type": media_type, "content": content}
