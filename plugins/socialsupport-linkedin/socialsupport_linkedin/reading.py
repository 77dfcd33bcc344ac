"""What happens under our posts: comments, their edits and deletions, and posts of others that name us.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications
and https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/comments-api (2026-07)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.answered import EPOCH
from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of, whole_of
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import (
    Attachment,
    Event,
    Identifier,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    Payload,
    Thread,
    Unrecognised,
)
from socialsupport_core.model.interaction import InteractionKind
from socialsupport_core.text import Span, from_spans
from socialsupport_linkedin.api import CommentUrn

UNSAID = {"LIKE": "it tells of a post of ours, and there is nothing to answer"}
UNTOLD = "it was told without its words, which polling fetches"


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose page it is, and by which app people are named."""

    own: str
    client_id: str

    def party(self, urn: str) -> Party:
        """A member's id is another one for each app (…/linkedin/shared/integrations/people/profile-api, 2026-11)."""
        kind, _, value = urn.removeprefix("urn:li:").partition(":")
        if not urn.startswith("urn:li:") or not value:
            raise Unreadable(f"{urn[:40]!r} is nobody's URN")
        if kind in ("organization", "organizationBrand"):
            known = Identifier(kind="linkedin.organization", value=value)
        else:
            known = Identifier(kind="linkedin.person", scope=self.client_id, value=value)
        return Party(identifiers=(known,), is_self=known.kind == "linkedin.organization" and value == self.own)


def translated(payload: Payload, own: str | None, client_id: str) -> list[Event]:
    """A webhook's notifications, a polled page of them, or one comment that was fetched. Raises MalformedPayload."""
    try:
        content = payload.json()
    except ValueError as error:
        raise MalformedPayload(f"no JSON: {error}") from None
    if not isinstance(content, dict):
        raise MalformedPayload("the payload is no JSON object")
    told = (*objects_of(content, "notifications"), *objects_of(content, "elements"))
    if told or isinstance(content.get("notifications"), list) or isinstance(content.get("elements"), list):
        return [event for one in told for event in _notified(one, own, client_id, payload.source == "poll")]
    if "commentUrn" not in content and "message" not in content:
        raise MalformedPayload("it is neither a list of notifications nor a comment")
    try:
        return list(_comment(content, Scene(own or "", client_id)))
    except ValueError as error:
        raise MalformedPayload(f"the comment cannot be read: {_why(error)}") from None


def is_untold(one: Json) -> bool:
    """A comment of which only the URN is told."""
    return READERS.get(text_of(one, "action") or "") in (_said, _edited) and not _words(one, "comment")


def _notified(one: Json, own: str | None, client_id: str, is_polled: bool) -> list[Event]:
    action, entity = text_of(one, "action") or "", text_of(one, "organizationalEntity") or ""
    scene = Scene(entity.rpartition(":")[2] or own or "", client_id)
    if is_untold(one):
        return [] if is_polled else [_unread(one, scene, UNTOLD)]  # polling hands in the comment itself
    reader = READERS.get(action)
    try:
        return list(reader(one, scene)) if reader else [_unread(one, scene, UNSAID.get(action))]
    except ValueError as error:
        return [_unread(one, scene, f"it cannot be read: {_why(error)}")]


def _why(error: ValueError) -> str:
    return misfit(error) if isinstance(error, ValidationError) else str(error)[:200]


def _unread(one: Json, scene: Scene, reason: str | None) -> Unrecognised:
    told = text_of(one, "notificationId") or f"{text_of(one, 'generatedActivity')}:{text_of(one, 'lastModifiedAt')}"
    return Unrecognised(
        id=f"notification:{told[:200]}",
        own_account=scene.own[:1024] or None,
        native_type=(text_of(one, "action") or "notification")[:100],
        reason=reason or "this connector does not read notifications of this kind",
    )


# notifications


def _words(one: Json, kind: str) -> Json:
    """The content that came along, if it has an author and words."""
    told = object_of(object_of(one, "decoratedGeneratedActivity"), kind)
    return told if text_of(told, "owner", "actor") and _text(told) else {}


def _text(told: Json) -> str | None:
    return text_of(told, "text") or text_of(object_of(told, "message"), "text")


def _said(one: Json, scene: Scene) -> Iterator[Event]:
    interaction = _notified_comment(one, scene)
    yield InteractionReceived(id=interaction.native_id, interaction=interaction)


def _edited(one: Json, scene: Scene) -> Iterator[Event]:
    interaction = _notified_comment(one, scene)
    yield _edit(interaction, interaction.sent_at)


def _edit(interaction: Interaction, at: datetime) -> InteractionEdited:
    stamp = (at - EPOCH) // timedelta(milliseconds=1)
    return InteractionEdited(id=f"{interaction.native_id}:edit:{stamp}", interaction=interaction, edited_at=at)


def _notified_comment(one: Json, scene: Scene) -> Interaction:
    return _interaction(_words(one, "comment"), _urn(one), scene, _at(one, "lastModifiedAt"))


def _deleted(one: Json, scene: Scene) -> Iterator[Event]:
    urn = _urn(one)
    yield InteractionDeleted(
        id=f"{urn}:deleted",
        own_account=scene.own,
        thread=_thread(urn.thread),
        native_id=str(urn),
        at=_at(one, "lastModifiedAt"),
    )


def _shared(one: Json, scene: Scene) -> Iterator[Event]:
    """A post of theirs that names us, or hands ours on with words of their own."""
    share, urn = _words(one, "share"), needed(one, "generatedActivity")
    if not share:
        raise Unreadable("the post has no words")
    found = _built(share, text_of(share, "entity") or urn, "mention", scene, _at(one, "lastModifiedAt"))
    yield InteractionReceived(id=found.native_id, interaction=found)


READERS: Mapping[str, Callable[[Json, Scene], Iterable[Event]]] = {
    "COMMENT": _said,
    "ADMIN_COMMENT": _said,
    "COMMENT_EDIT": _edited,
    "COMMENT_DELETE": _deleted,
    "SHARE": _shared,
    "SHARE_MENTION": _shared,
}
"""By `action`; what else there is, is in UNSAID or unknown."""


def _urn(one: Json) -> CommentUrn:
    comment = object_of(object_of(one, "decoratedGeneratedActivity"), "comment")
    found = CommentUrn.read(text_of(one, "generatedActivity")) or CommentUrn.read(text_of(comment, "entity"))
    if found is None:
        raise Unreadable("generatedActivity is no comment's URN")
    return found


# comments


def _comment(comment: Json, scene: Scene) -> Iterator[Event]:
    """As it reads now. What has been edited since is told as new, and as edited."""
    urn = CommentUrn.read(text_of(comment, "commentUrn", "$URN"))
    if urn is None:
        raise Unreadable("commentUrn is missing")
    at = _at(object_of(comment, "created"), "time")
    interaction = _interaction(comment, urn, scene, at)
    yield InteractionReceived(id=interaction.native_id, interaction=interaction)
    changed = object_of(comment, "lastModified")
    if "time" in changed and (edited_at := _at(changed, "time")) > at:
        yield _edit(interaction, edited_at)


def _interaction(comment: Json, urn: CommentUrn, scene: Scene, at: datetime) -> Interaction:
    found = _built(comment, str(urn), "comment", scene, at)
    parent = CommentUrn.read(text_of(comment, "parentComment"))
    update = {
        "thread": _thread(urn.thread),
        "in_reply_to": str(parent) if parent else None,
        "attachments": tuple(_pictures(comment)),
    }
    return found.model_copy(update=update)


def _built(told: Json, native_id: str, kind: InteractionKind, scene: Scene, at: datetime) -> Interaction:
    author = scene.party(needed(told, "owner", "actor"))
    text = _text(told)
    return Interaction(
        network="linkedin",
        native_id=native_id,
        kind=kind,
        direction="outbound" if author.is_self else "inbound",
        own_account=scene.own,
        thread=_thread(native_id),
        author=author,
        text=from_spans(text, tuple(_mentions(text, object_of(told, "message")))) if text else None,
        sent_at=at,
    )


def _mentions(text: str, message: Json) -> Iterator[Span]:
    """Who is named, as a link to the URN; offsets are UTF-16, as everywhere at LinkedIn's counting of text."""
    for one in objects_of(message, "attributes"):
        start, length = whole_of(one, "start"), whole_of(one, "length")
        urn = _urn_in(object_of(one, "value"))
        if urn and start is not None and length and start + length <= 2 * len(text):
            first, last = _points(text, start), _points(text, start + length)
            if first < last:
                yield Span(first, last, "link", urn)


def _urn_in(value: Any, depth: int = 3) -> str | None:
    """`{"organization": {"organization": URN}}`; older versions name the member by a class."""
    if isinstance(value, str):
        return value if value.startswith(("urn:li:person:", "urn:li:organization:")) else None
    if not isinstance(value, dict) or not depth:
        return None
    return next((found for one in value.values() if (found := _urn_in(one, depth - 1))), None)


def _points(text: str, units: int) -> int:
    """Code points before so many UTF-16 units."""
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))


def _pictures(comment: Json) -> Iterator[Attachment]:
    for one in objects_of(comment, "content"):
        if url := text_of(one, "url"):
            yield Attachment(media_type="image/jpeg", url=url)


def _thread(id: str) -> Thread:
    return Thread(id=id, visibility="public")


def _at(source: Json, name: str) -> datetime:
    found = whole_of(source, name)
    if found is None or found > 253_402_300_799_000:
        raise Unreadable(f"{name} is no time")
    return EPOCH + timedelta(milliseconds=found)
