"""What happens under a page's posts: comments, posts of visitors, mentions, reactions.

https://developers.facebook.com/docs/graph-api/webhooks/reference/page, fields `feed` and `mention` (v25.0, 2026-03)
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from socialsupport_core.contract.lax import Json, needed, number_of, object_of, text_of, texts_of
from socialsupport_core.model import (
    Attachment,
    Event,
    Identifier,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Thread,
    Unrecognised,
)
from socialsupport_core.model.interaction import InteractionKind
from socialsupport_core.text import escape
from socialsupport_facebook.people import MESSAGING
from socialsupport_meta.batch import Native, Reader, Scene, changes, digest
from socialsupport_meta.content import media_type
from socialsupport_meta.reading import context, moment_of

POSTS = frozenset({"album", "event", "link", "note", "photo", "post", "share", "status", "video"})
SHARED = frozenset({"link", "post", "share", "status"})
"""Posts whose `link` is an address, and no file."""
STORY = "open_graph_story_id"
"""A review's id."""
RECOMMENDED = {"positive": "Recommends us", "negative": "Does not recommend us"}
EMOJI: Mapping[str, str] = {
    "like": "👍",
    "love": "❤",
    "care": "🤗",
    "haha": "😆",
    "wow": "😮",
    "sad": "😢",
    "angry": "😡",
}
"""https://developers.facebook.com/docs/graph-api/reference/object/reactions (2026-03)"""
EDITS = frozenset({"edit", "edited", "update"})
UNSAID: Mapping[str, str] = {
    "hide": "somebody who keeps the page in order has hidden it; what was said is the same",
    "unhide": "somebody who keeps the page in order has shown it again; what was said is the same",
    "block": "the page has blocked somebody",
    "unblock": "the page has unblocked somebody",
    "follow": "it tells of the page, and there is nothing to answer",
}
SAYS_NOTHING = "it says nothing that this connector reads"


def natives(entry: Json, scene: Scene) -> Iterator[Native]:
    yield from MESSAGING.natives(entry, scene)
    for field, value in changes(entry):
        if "sender" in value and "recipient" in value:  # a message, as the dashboard's test button sends it
            yield MESSAGING.native(value, scene)
        else:
            yield _native(field, value, scene)


def _native(field: str, value: Json, scene: Scene) -> Native:
    item, verb = text_of(value, "item") or "", text_of(value, "verb") or "add"
    named = ".".join(filter(None, [field, item, verb if "verb" in value else ""]))
    if item == "like" and text_of(value, "post_id", "comment_id") is None:
        return Native(named, value, scene, None, UNSAID["follow"])
    told = _of_review(value) if field == "ratings" else value
    return Native(named, told, scene, _reader(field, item, verb), UNSAID.get(verb))


def _of_review(value: Json) -> Json:
    """What happens under a review names it by its author too: `USER_STORY`."""
    post = text_of(value, "post_id") or ""
    story = post.rpartition("_")[2]
    parent = {"parent_id": story} if post and text_of(value, "parent_id") == post else {}
    return {**value, **({"post_id": story} if story else {}), **parent}


def _reader(field: str, item: str, verb: str) -> Reader | None:
    if field not in ("feed", "mention", "ratings"):
        return None
    if item in ("like", "reaction"):
        return _reacted
    if item == "rating":
        return {"add": _rated, "edit": _rated_anew, "remove": _deleted}.get(verb)
    said = _mentioned if field == "mention" else _said
    readers = {"add": said, "remove": _deleted, "delete": _deleted, **dict.fromkeys(EDITS, _edited)}
    return readers.get(verb) if item == "comment" or item in POSTS else None


def _mentioned(value: Json, scene: Scene) -> Iterator[Event]:
    """Somebody names us elsewhere, in a post or in a comment."""
    for event in _said(value, scene):
        if isinstance(event, InteractionReceived) and event.interaction.direction == "inbound":
            named = event.interaction.model_copy(update={"kind": "mention"})
            yield event.model_copy(update={"interaction": named})
        else:
            yield event


def _rated(value: Json, scene: Scene) -> Iterator[Event]:
    """A review of the page: stars until 2018, since then a recommendation or the contrary.

    https://developers.facebook.com/docs/graph-api/webhooks/reference/page, field `ratings` (v25.0, 2026-03)
    """
    review = _review(value, scene)
    yield InteractionReceived(id=review.native_id, interaction=review)


def _rated_anew(value: Json, scene: Scene) -> Iterator[Event]:
    review = _review(value, scene)
    edit = f"{scene.time}:{digest([review.text, review.subject])[:12]}"
    yield InteractionEdited(
        id=f"{review.native_id}:edit:{edit}", interaction=review, edited_at=max(scene.at, review.sent_at)
    )


def _review(value: Json, scene: Scene) -> Interaction:
    text, stars = text_of(value, "review_text"), number_of(value, "rating")
    return _interaction(value, scene).model_copy(
        update={
            "kind": "review",
            "subject": RECOMMENDED.get((text_of(value, "recommendation_type") or "").lower()),
            "rating": stars if stars else None,
            "text": escape(text) if text else None,
        }
    )


def _said(value: Json, scene: Scene) -> Iterator[Event]:
    interaction = _interaction(value, scene)
    if interaction.text or interaction.attachments:
        yield InteractionReceived(id=interaction.native_id, interaction=interaction)
    else:
        named = text_of(value, "item") or "post"
        yield Unrecognised(
            id=interaction.native_id, own_account=scene.own or None, native_type=named, reason=SAYS_NOTHING
        )


def _edited(value: Json, scene: Scene) -> Iterator[Event]:
    interaction = _interaction(value, scene)
    edit = f"{scene.time}:{digest(interaction.text)[:12]}"
    yield InteractionEdited(
        id=f"{interaction.native_id}:edit:{edit}", interaction=interaction, edited_at=max(scene.at, interaction.sent_at)
    )


def _deleted(value: Json, scene: Scene) -> Iterator[Event]:
    native_id = _id(value)
    yield InteractionDeleted(
        id=f"{native_id}:deleted", own_account=scene.own, thread=_thread(value), native_id=native_id, at=scene.at
    )


def _reacted(value: Json, scene: Scene) -> Iterator[Event]:
    kind = ReactionRemoved if text_of(value, "verb") == "remove" else ReactionAdded
    native, author, at = text_of(value, "reaction_type") or "like", _author(value, scene), _at(value, scene)
    who = author.account.value if author.account else ""
    yield kind(
        id=f"{_id(value)}:{who}:{scene.time}:{'-' if kind is ReactionRemoved else '+'}{native}",
        own_account=scene.own,
        thread=_thread(value),
        native_id=_id(value),
        author=author,
        reaction=EMOJI.get(native, native),
        sole=True,
        at=at,
    )


def _interaction(value: Json, scene: Scene) -> Interaction:
    author = _author(value, scene)
    text = _words(value)
    return Interaction(
        network="facebook",
        native_id=_id(value),
        kind=_kind(value, author),
        direction="outbound" if author.is_self else "inbound",
        own_account=scene.own,
        thread=_thread(value),
        author=author,
        in_reply_to=text_of(value, "parent_id") if "comment_id" in value else None,
        text=escape(text) if text else None,
        attachments=tuple(_attachments(value)),
        context=context(permalink=_permalink(value)),
        sent_at=_at(value, scene),
    )


def _words(value: Json) -> str | None:
    """What was written, and what was shared with it."""
    text, link = text_of(value, "message"), text_of(value, "link")
    is_file = "photos" in value or "photo_id" in value
    if link is None or is_file or text_of(value, "item") not in SHARED or link in (text or ""):
        return text
    return f"{text}\n{link}" if text else link


def _kind(value: Json, author: Party) -> InteractionKind:
    """Under a post it is a comment; a post of their own on our page, or one that names us, a mention."""
    return "comment" if text_of(value, "item") == "comment" or author.is_self else "mention"


def _id(value: Json) -> str:
    return text_of(value, "comment_id", "post_id") or needed(value, STORY)


def _thread(value: Json) -> Thread:
    return Thread(id=text_of(value, "post_id", STORY, "parent_id") or needed(value, "comment_id"), visibility="public")


def _at(value: Json, scene: Scene) -> datetime:
    return moment_of(value, "created_time") or scene.at


def _author(value: Json, scene: Scene) -> Party:
    """A page is told who people are by the ids that they have in Messenger too, so both are one account.

    Of some it is told nothing; then each comment stands for itself.
    """
    person = object_of(value, "from")
    person_id = text_of(person, "id") or text_of(value, "sender_id", "reviewer_id")
    name = text_of(person, "name") or text_of(value, "sender_name", "reviewer_name")
    if person_id and person_id == scene.own:
        return MESSAGING.us(scene).model_copy(update={"name": name})
    nobody = Identifier(kind="facebook.comment", scope=scene.own or None, value=_id(value))
    return Party(identifiers=(MESSAGING.identifier(person_id, scene) if person_id else nobody,), name=name)


def _attachments(value: Json) -> Iterator[Attachment]:
    """`link` is the picture of a post that is one, else an address that the text names anyway."""
    pictures = texts_of(value, "photos") or [url for url in (text_of(value, "photo"), _picture(value)) if url]
    for url in dict.fromkeys(pictures):
        yield Attachment(media_type=media_type(url, "image/jpeg"), url=url)
    if video := text_of(value, "video") or (text_of(value, "link") if text_of(value, "item") == "video" else None):
        yield Attachment(media_type=media_type(video, "video/mp4"), url=video)


def _picture(value: Json) -> str | None:
    return text_of(value, "link") if text_of(value, "item") == "photo" else None


def _permalink(value: Json) -> Any:
    return text_of(value, "permalink_url") or text_of(object_of(value, "post"), "permalink_url")
