"""From intents to calls.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages (2026-05)
"""

from collections.abc import Sequence
from typing import Any

import httpx

from socialsupport_core.contract import ContentRejected, Flow, ReadBlob, Unavailable, Uncertain, Unsupported
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    Intent,
    Interaction,
    MarkRead,
    React,
    Receipt,
    SendMessage,
    Template,
    Typing,
)
from socialsupport_core.text import count
from socialsupport_meta.graph import Graph
from socialsupport_whatsapp.markup import written
from socialsupport_whatsapp.people import CALL, recipient

Body = dict[str, Any]
BUTTONS, BUTTON_TITLE, BUTTON_VALUE = 3, 20, 256
ROWS, ROW_TITLE, ROW_VALUE = 10, 24, 200
CHOICES_BODY = 1024
"""Characters; by Meta's published description of the API (v23.0, https://github.com/facebook/openapi, 2025-11)."""
CAPTIONED = frozenset({"image", "video", "document"})


class Composer:
    """Writes messages of one number."""

    def __init__(self, graph: Graph, number: str, list_button: str) -> None:
        self.graph = graph
        self.number = number
        self.list_button = list_button

    def send(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=Template()):
                return self._say(intent, {"type": "template", "template": template(intent.template)})
            case SendMessage():
                return self._message(intent)
            case React():
                about = {"message_id": target_of(intent).native_id, "emoji": intent.reaction}
                return self._say(intent, {"type": "reaction", "reaction": about})
            case MarkRead():
                return self._seen(intent)
            case Typing():
                return self._seen(intent, typing_indicator={"type": "text"})
            case _:
                raise Unsupported(f"WhatsApp cannot carry out {intent.type}")

    def _message(self, intent: SendMessage) -> Flow[Receipt]:
        """Words stand below the first file where it takes any, else they follow as a message of their own.

        Above choices there is room for fewer words than in a message; more go ahead.
        """
        words = written(intent.text) if intent.text else ""
        answered: Body = {"context": {"message_id": quoted.native_id}} if (quoted := quotable(intent)) else {}
        receipt = None
        for attachment in intent.attachments:
            kind = kind_of(attachment.media_type)
            file: Body = {"id": (yield from self._uploaded(attachment))}
            if kind == "document" and attachment.name:
                file["filename"] = attachment.name
            if words and kind in CAPTIONED and not intent.choices:
                file["caption"], words = words, ""
            receipt = yield from self._say(intent, {"type": kind, kind: file, **answered})
        over = words if not intent.choices or count(words, "characters") > CHOICES_BODY else ""
        if over:
            text = {"body": over, "preview_url": "https://" in over}
            receipt = yield from self._say(intent, {"type": "text", "text": text, **answered})
        if intent.choices:
            body = self.list_button if over else words or self.list_button
            shown = interactive(body, intent.choices, self.list_button)
            receipt = yield from self._say(intent, {"type": "interactive", "interactive": shown, **answered})
        if receipt is None:
            raise ContentRejected("the message says nothing; write a text or attach a file")
        return receipt

    def _say(self, intent: Intent, message: Body) -> Flow[Receipt]:
        """Our key comes back with every status.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages (2026-05)
        """
        envelope = {"messaging_product": "whatsapp", **recipient(intent.thread.id)}
        body = {**envelope, **message, "biz_opaque_callback_data": intent.key}
        response: httpx.Response = yield self.graph.post(self.number, "messages", body=body)
        return Receipt(native_id=str(response.json()["messages"][0]["id"]))

    def _seen(self, intent: MarkRead | Typing, **more: Any) -> Flow[Receipt]:
        """Reading is told of a message and all before it; typing shows for 25 seconds, and reads it too."""
        about = {"messaging_product": "whatsapp", "status": "read", "message_id": target_of(intent).native_id}
        yield self.graph.post(self.number, "messages", body={**about, **more})
        return Receipt()

    def _uploaded(self, attachment: Attachment) -> Flow[str]:
        """The file's id. A broken upload is not uncertain: nobody sees a file that no message shows.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media (2026-06)
        """
        if attachment.blob is None:
            raise ContentRejected("an attachment has no content to upload", code="media")
        blob: Blob = yield ReadBlob(attachment.blob)
        fields = {"messaging_product": "whatsapp", "type": attachment.media_type}
        path, media_type = (self.number, "media"), attachment.media_type
        try:
            response = yield self.graph.upload(*path, fields=fields, name="file", blob=blob, media_type=media_type)
            return str(response.json()["id"])
        except (Uncertain, ValueError, LookupError, TypeError) as error:
            raise Unavailable(f"the upload broke off: {error}", code="media") from error


def kind_of(media_type: str) -> str:
    family = media_type.partition("/")[0]
    if media_type == "image/webp":
        return "sticker"
    return family if family in ("image", "audio", "video") else "document"


def target_of(intent: Intent) -> Interaction:
    if intent.target is None:
        raise ContentRejected(f"{intent.type} names no message; put the stored interaction into target")
    return intent.target


def quotable(intent: Intent) -> Interaction | None:
    """What a reply shows above itself: only what was said in the same conversation, and no call."""
    target = intent.target
    if target is None or target.network != "whatsapp" or target.native_id.startswith(CALL):
        return None
    return target if target.thread.id == intent.thread.id else None


def template(wanted: Template | None) -> Body:
    """https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview (2026-05)"""
    assert wanted
    named: Body = {"name": wanted.name, "language": {"policy": "deterministic", "code": wanted.language}}
    parameters = [{"type": "text", "text": one} for one in wanted.parameters]
    return {**named, "components": [{"type": "body", "parameters": parameters}]} if parameters else named


def interactive(words: str, choices: Sequence[Choice], list_button: str) -> Body:
    """Up to three short ones are buttons, more or longer ones a list behind one."""
    short = all(count(one.title, "characters") <= BUTTON_TITLE for one in choices)
    if len(choices) <= BUTTONS and short:
        for one in choices:
            _fits(one, BUTTON_TITLE, BUTTON_VALUE)
        buttons = [{"type": "reply", "reply": {"id": one.value, "title": one.title}} for one in choices]
        return {"type": "button", "body": {"text": words}, "action": {"buttons": buttons}}
    for one in choices:
        _fits(one, ROW_TITLE, ROW_VALUE)
    rows = [{"id": one.value, "title": one.title} for one in choices]
    return {"type": "list", "body": {"text": words}, "action": {"button": list_button, "sections": [{"rows": rows}]}}


def _fits(choice: Choice, title: int, value: int) -> None:
    for what, text, limit in (("title", choice.title, title), ("value", choice.value, value)):
        if (length := count(text, "characters")) > limit:
            raise ContentRejected(f"the {what} of the choice {choice.title!r} has {length} characters, {limit} fit")
