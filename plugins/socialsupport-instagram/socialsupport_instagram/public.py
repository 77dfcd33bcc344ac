"""Comments under our media, and mentions elsewhere.

https://developers.facebook.com/docs/graph-api/webhooks/reference/instagram,
https://developers.facebook.com/documentation/instagram-platform/webhooks/examples (2025-11). Of a mention only the ids
are told; its words are fetched afterwards. Comments come without their time: that of the notification is taken.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from socialsupport_core.contract import Flow
from socialsupport_core.contract.lax import Json, needed, object_of, text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Event,
    Identifier,
    Interaction,
    InteractionReceived,
    Party,
    Thread,
)
from socialsupport_core.text import escape
from socialsupport_instagram.people import MESSAGING
from socialsupport_meta.batch import Native, Reader, Scene, changes
from socialsupport_meta.graph import Graph
from socialsupport_meta.reading import context

MENTION = "mention:"
"""Before the kind and id of what mentions us, in the attachment that stands for its words."""
FIELDS: Mapping[str, str] = {
    "comment": "mentioned_comment.comment_id({id}){{id,text,username,timestamp}}",
    "media": "mentioned_media.media_id({id}){{id,caption,username,timestamp}}",
}
"""https://developers.facebook.com/docs/instagram-platform/instagram-api-with-facebook-login/mentions (2021-06)"""
REASONS = {"story_insights": "it tells how many people saw a story, and there is nothing to answer"}


def natives(entry: Json, scene: Scene) -> Iterator[Native]:
    yield from MESSAGING.natives(entry, scene)
    for field, value in changes(entry):
        if "sender" in value and "recipient" in value:
            yield MESSAGING.native(value, scene)
        else:
            yield Native(field, value, scene, READERS.get(field), REASONS.get(field))


def _commented(value: Json, scene: Scene) -> Iterator[Event]:
    """Without the permission to read comments neither the author nor the media is told: then each stands for itself."""
    media, person = object_of(value, "media"), object_of(value, "from")
    native_id = needed(value, "id", "comment_id")
    author = _author(person, native_id, scene)
    media_id, text = text_of(media, "id") or native_id, text_of(value, "text")
    interaction = Interaction(
        network="instagram",
        native_id=native_id,
        kind="comment",
        direction="outbound" if author.is_self else "inbound",
        own_account=scene.own,
        thread=Thread(id=media_id, visibility="public"),
        author=author,
        in_reply_to=text_of(value, "parent_id") or text_of(media, "id"),
        text=escape(text) if text else None,
        context=context(
            product=text_of(media, "media_product_type"),
            ad=text_of(media, "ad_id"),
            ad_title=text_of(media, "ad_title"),
        ),
        sent_at=scene.at,
    )
    yield InteractionReceived(id=native_id, interaction=interaction)


def _author(person: Json, comment_id: str, scene: Scene) -> Party:
    """Ours bear our account's id, or say so (`self_ig_scoped_id`)."""
    person_id, handle = text_of(person, "id"), text_of(person, "username")
    if "self_ig_scoped_id" in person or (person_id and person_id == scene.own):
        return MESSAGING.us(scene).model_copy(update={"handle": handle})
    nobody = Identifier(kind="instagram.comment", scope=scene.own or None, value=comment_id)
    return Party(identifiers=(MESSAGING.identifier(person_id, scene) if person_id else nobody,), handle=handle)


def _mentioned(value: Json, scene: Scene) -> Iterator[Event]:
    """In a comment, or in what a picture or film of their own says. Who it is, is not told."""
    media_id, comment_id = needed(value, "media_id"), text_of(value, "comment_id")
    native_id, kind = comment_id or media_id, "comment" if comment_id else "media"
    nobody = Identifier(kind="instagram.mention", scope=scene.own or None, value=native_id)
    words = Attachment(media_type="text/plain", native_id=f"{MENTION}{kind}:{native_id}", name="mention.txt")
    interaction = Interaction(
        network="instagram",
        native_id=native_id,
        kind="mention",
        direction="inbound",
        own_account=scene.own,
        thread=Thread(id=media_id, visibility="public"),
        author=Party(identifiers=(nobody,)),
        in_reply_to=media_id if comment_id else None,
        attachments=(words,),
        sent_at=scene.at,
    )
    yield InteractionReceived(id=f"mention:{native_id}", interaction=interaction)


READERS: Mapping[str, Reader] = {"comments": _commented, "live_comments": _commented, "mentions": _mentioned}


def fetch_words(graph: Graph, account: str, native_id: str) -> Flow[Blob]:
    """What a mention says, and by whom."""
    kind, _, wanted = native_id.removeprefix(MENTION).partition(":")
    response: httpx.Response = yield graph.get(account, fields=FIELDS[kind].format(id=wanted))
    found: Any = response.json()[f"mentioned_{kind}"]
    words = f"@{found['username']}: {text_of(found, 'text', 'caption') or ''}" if "username" in found else found["text"]
    return Blob(content=words.encode(), media_type="text/plain; charset=utf-8", name="mention.txt")
