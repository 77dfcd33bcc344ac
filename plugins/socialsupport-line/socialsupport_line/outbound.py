"""From intents to calls.

https://developers.line.biz/en/reference/messaging-api/#send-reply-message, #send-push-message,
#display-a-loading-indicator, #mark-as-read (2026-11)
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import httpx

from socialsupport_core.contract import ContentRejected, DeliveryError, Flow, Unsupported
from socialsupport_core.contract.lax import text_of
from socialsupport_core.model import Choice, Intent, Interaction, MarkRead, Receipt, SendMessage, Typing
from socialsupport_core.text import count, plain
from socialsupport_line.failures import ACCEPTED, STALE, sent
from socialsupport_line.native import kept

Body = dict[str, Any]
API = "https://api.line.me/v2/bot"
CHOICES = 13
"""https://developers.line.biz/en/docs/messaging-api/using-quick-reply/ (2026-11)"""
LABEL, DATA = 20, 300
"""Graphemes of a button's words, UTF-16 units of what comes back: #postback-action, and
https://developers.line.biz/en/docs/messaging-api/text-character-count/ (both 2026-11)."""
LOADING = 20
"""Seconds; a multiple of five up to sixty."""
KEYS = UUID("5b0f8a8e-3f0c-5a53-9f5e-0f6d4c1d7a11")
"""The space of our retry keys."""


class Composer:
    def __init__(self, *, reply_tokens: bool) -> None:
        self.reply_tokens = reply_tokens

    def send(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage():
                return self._say(intent, message(intent))
            case MarkRead():
                return read(intent)
            case Typing():
                return typing(intent)
            case _:
                raise Unsupported(f"LINE cannot carry out {intent.type}")

    def _say(self, intent: SendMessage, body: Body) -> Flow[Receipt]:
        """By the reply token once, if that is wanted; LINE refuses one that was used or has run out."""
        token = kept(intent.target.context, "reply") if self.reply_tokens and (intent.target is not None) else None
        if token and quotable(intent):
            try:
                response = yield post("message/reply", {"replyToken": token, "messages": [body]})
                return receipt(response)
            except ContentRejected as error:
                if error.code != STALE:
                    raise
        return (yield from push(intent, body))


def push(intent: SendMessage, body: Body) -> Flow[Receipt]:
    """Whatever happens to the answer, the same key never sends a second message: LINE keeps it for 24 hours.

    https://developers.line.biz/en/docs/messaging-api/retrying-api-request/ (2026-11)
    """
    request = post("message/push", {"to": intent.thread.id, "messages": [body]})
    request.headers["x-line-retry-key"] = str(uuid5(KEYS, intent.key))
    try:
        response = yield request
    except DeliveryError as error:
        if error.code != ACCEPTED:
            raise
        return Receipt()  # it was sent at an earlier try, and LINE does not say under which id
    return receipt(response)


def receipt(response: httpx.Response) -> Receipt:
    """With the token by which somebody may quote it later."""
    message = sent(response.json())
    quote = text_of(message, "quoteToken")
    written = json.dumps({"quote": quote}, separators=(",", ":")) if quote else None
    return Receipt(native_id=str(message["id"]), context=written)


def message(intent: SendMessage) -> Body:
    if intent.attachments:
        raise Unsupported(
            "LINE takes no files, only public https addresses of pictures, films and recordings; put a link in the text"
        )
    if not intent.text or not plain(intent.text).strip():
        raise ContentRejected("the message says nothing; write a text")
    body: Body = {"type": "text", "text": plain(intent.text)}
    if (target := quotable(intent)) and (quote := kept(target.context, "quote")):
        body["quoteToken"] = quote
    if intent.choices:
        body["quickReply"] = {"items": buttons(intent.choices)}
    return body


def buttons(choices: Sequence[Choice]) -> list[Body]:
    if len(choices) > CHOICES:
        raise ContentRejected(f"LINE shows {CHOICES} choices at most, these are {len(choices)}")
    for one in choices:
        if (length := count(one.title, "graphemes")) > LABEL:
            raise ContentRejected(f"the title of the choice {one.title!r} has {length} characters, {LABEL} fit")
        if (length := count(one.value, "utf16")) > DATA:
            raise ContentRejected(f"the value of the choice {one.title!r} has {length} characters, {DATA} fit")
    return [{"type": "action", "action": action(one)} for one in choices]


def action(choice: Choice) -> Body:
    return {"type": "postback", "label": choice.title, "data": choice.value, "displayText": choice.title}


def read(intent: MarkRead) -> Flow[Receipt]:
    """That message and all before it; the token has no end.

    https://developers.line.biz/en/docs/messaging-api/mark-as-read/ (2025-11)
    """
    if intent.target is None:
        raise ContentRejected("mark.read names no message; put the stored interaction into target")
    token = kept(intent.target.context, "read")
    if token is None:
        raise Unsupported("LINE gave no read token with this message")
    yield post("chat/markAsRead", {"markAsReadToken": token})
    return Receipt()


def typing(intent: Typing) -> Flow[Receipt]:
    """https://developers.line.biz/en/docs/messaging-api/use-loading-indicator/ (2026-11): in one-on-one chats only."""
    if not alone(intent.thread.id):
        raise Unsupported("LINE shows in one-on-one chats only that an answer is being written")
    yield post("chat/loading/start", {"chatId": intent.thread.id, "loadingSeconds": LOADING})
    return Receipt()


def alone(thread_id: str) -> bool:
    """Groups begin with C, chats of several with R (#source-user, 2026-11)."""
    return thread_id.startswith("U")


def quotable(intent: SendMessage) -> Interaction | None:
    """Tokens are good only in the chat that they come from."""
    target = intent.target
    return target if target and target.network == "line" and target.thread.id == intent.thread.id else None


def post(path: str, body: Body) -> httpx.Request:
    return httpx.Request("POST", f"{API}/{path}", json=body)
