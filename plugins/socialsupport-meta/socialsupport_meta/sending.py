"""The Send API, which Messenger and Instagram have in common.

https://developers.facebook.com/docs/messenger-platform/reference/send-api (v25.0, 2026-03),
https://developers.facebook.com/docs/messenger-platform/send-messages/sender-actions (2026-01)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from socialsupport_core.contract import (
    ContentRejected,
    Flow,
    ReadBlob,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    Intent,
    MarkRead,
    OpenPrivate,
    React,
    Receipt,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_core.text import count, plain
from socialsupport_meta.failures import CLOSED
from socialsupport_meta.graph import Graph

TITLE, PAYLOAD = 20, 1000
"""Characters of a quick reply and of its value. A longer title would be cut.

https://developers.facebook.com/docs/messenger-platform/send-messages/quick-replies (2026-04)
"""
QUICK_REPLIES = 13
HUMAN_AGENT = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
"""https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy (2026-03): for answers
that a person gives within seven days; never for a bot's."""
ACTIONS: Mapping[type[Intent], str] = {MarkRead: "mark_seen", Typing: "typing_on"}


class SendApi:
    """Speaks for one account. `node` is its id, or `me` for whoever owns the token."""

    def __init__(
        self, graph: Graph, node: str, *, human_agent: bool, platform: str | None = None, carries_key: bool = True
    ) -> None:
        self.graph = graph
        self.node = node
        self.human_agent = human_agent
        """The app may use the tag."""
        self.platform = platform
        """Named with an upload, where one page has accounts on two."""
        self.carries_key = carries_key
        """An echo brings our `metadata` back."""

    def message(self, intent: SendMessage) -> Flow[Receipt]:
        """A message is either words or a file."""
        person = {"id": intent.thread.id}
        replies = quick_replies(intent.choices)
        words: dict[str, Any] = {"text": plain(intent.text)} if intent.text else {}
        receipt = None
        for attachment in intent.attachments:
            file = yield from self._uploaded(attachment)
            receipt = yield from self._say(person, {**file, **({} if words else replies)}, intent)
        if words:
            receipt = yield from self._say(person, {**words, **replies}, intent)
        if receipt is None:
            raise ContentRejected("the message says nothing; write a text or attach a file")
        return receipt

    def private_reply(self, intent: OpenPrivate, recipient: Mapping[str, str]) -> Flow[Receipt]:
        """Once for each comment, within seven days."""
        body = {"recipient": dict(recipient), "message": {"text": plain(intent.text)}, "messaging_type": "RESPONSE"}
        response: httpx.Response = yield self.graph.post(self.node, "messages", body=body)
        sent = response.json()
        return Receipt(
            native_id=str(sent["message_id"]), thread=Thread(id=str(sent["recipient_id"]), visibility="private")
        )

    def act(self, intent: MarkRead | Typing) -> Flow[Receipt]:
        yield self._action(intent, ACTIONS[type(intent)])
        return Receipt()

    def react(self, intent: React) -> Flow[Receipt]:
        if intent.target is None:
            raise ContentRejected("react names no message; put the stored interaction into target")
        about = {"message_id": intent.target.native_id}
        if intent.reaction:
            yield self._action(intent, "react", payload={**about, "reaction": intent.reaction})
        else:
            yield self._action(intent, "unreact", payload=about)
        return Receipt(native_id=intent.target.native_id)

    def _action(self, intent: Intent, action: str, **more: Any) -> httpx.Request:
        body = {"recipient": {"id": intent.thread.id}, "sender_action": action, **more}
        return self.graph.post(self.node, "messages", body=body)

    def _say(self, recipient: Mapping[str, str], message: Mapping[str, Any], intent: SendMessage) -> Flow[Receipt]:
        """Within 24 hours it is a response. Only when that is refused, and a person speaks, the tag is used."""
        keyed = {"metadata": intent.key} if self.carries_key else {}
        body = {"recipient": dict(recipient), "messaging_type": "RESPONSE", "message": {**message, **keyed}}
        try:
            response = yield self.graph.post(self.node, "messages", body=body)
        except Unreachable as error:
            if not (self._is_late(error) and intent.by_person and self.human_agent):
                raise
            response = yield self.graph.post(self.node, "messages", body={**body, **HUMAN_AGENT})
        return Receipt(native_id=str(response.json()["message_id"]))

    @staticmethod
    def _is_late(error: Unreachable) -> bool:
        return (error.code or "").rpartition("/")[2] in CLOSED

    def _uploaded(self, attachment: Attachment) -> Flow[dict[str, Any]]:
        """The file as a message shows it. A broken upload is not uncertain: nobody sees a file that nothing shows.

        https://developers.facebook.com/docs/messenger-platform/reference/attachment-upload-api (2026-03)
        """
        if attachment.blob is None:
            raise ContentRejected("an attachment has no content to upload", code="media")
        blob: Blob = yield ReadBlob(attachment.blob)
        kind = asset(attachment.media_type)
        fields: dict[str, Any] = {"message": {"attachment": {"type": kind, "payload": {"is_reusable": True}}}}
        if self.platform:
            fields["platform"] = self.platform
        path = (self.node, "message_attachments")
        request = self.graph.upload(*path, fields=fields, name="filedata", blob=blob, media_type=attachment.media_type)
        try:
            response = yield request
            file_id = str(response.json()["attachment_id"])
        except (Uncertain, ValueError, LookupError, TypeError) as error:
            raise Unavailable(f"the upload broke off: {error}", code="media") from error
        return {"attachment": {"type": kind, "payload": {"attachment_id": file_id}}}


def asset(media_type: str) -> str:
    family = media_type.partition("/")[0]
    return family if family in ("image", "audio", "video") else "file"


def quick_replies(choices: Sequence[Choice]) -> dict[str, Any]:
    for choice in choices:
        for what, text, limit in (("title", choice.title, TITLE), ("value", choice.value, PAYLOAD)):
            if (length := count(text, "characters")) > limit:
                raise ContentRejected(f"the {what} of the button {choice.title!r} has {length} characters, {limit} fit")
    shown = [{"content_type": "text", "title": one.title, "payload": one.value} for one in choices]
    return {"quick_replies": shown} if shown else {}


def unsupported(name: str, intent: Intent) -> Unsupported:
    return Unsupported(f"{name} cannot carry out {intent.type} here")
