"""From notifications, with the posts that they are about, and from the log of direct messages, to events.

https://docs.bsky.app/docs/api/app-bsky-notification-list-notifications,
https://docs.bsky.app/docs/api/app-bsky-feed-get-posts and
https://docs.bsky.app/docs/api/chat-bsky-convo-get-log (2026-11)
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from socialsupport_bluesky import embedded, forms, records
from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import (
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionReceived,
    Party,
    Payload,
    Reach,
    ReactionAdded,
    ReactionRemoved,
    Thread,
    Unrecognised,
)
from socialsupport_core.model.interaction import InteractionKind

USER = "bluesky.did"
HEART = "❤️"
TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)>\]])")
"""A hand-off token: alone, or at the end of a link `…/h/TOKEN`."""
KINDS: Mapping[str, InteractionKind] = {"mention": "mention", "reply": "comment", "quote": "mention", "post": "message"}
UNKNOWN = "this connector does not read events of this kind"
LOG = "chat.bsky.convo.defs#"
IDLE = frozenset({"logBeginConvo", "logAcceptConvo", "logLeaveConvo", "logMuteConvo", "logUnmuteConvo"}) | {
    "logReadMessage",
    "logReadConvo",
}
"""Of the log: nothing was said."""
MOST = 200


def translated(payload: Payload, own: str) -> list[Event]:
    try:
        content = forms.readable(payload.json(), own)
        if content is None:
            raise Unreadable("the payload is no page of notifications, none of the log, and holds no posts")
        return list(Reading(content, own).events())
    except RecursionError:
        raise MalformedPayload("the payload is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise MalformedPayload(f"the payload cannot be read: {str(error).partition(chr(10))[0][:200]}") from error


@dataclass(frozen=True)
class Reading:
    content: Json
    own: str

    def events(self) -> Iterator[Event]:
        for one in reversed(objects_of(self.content, "notifications")[:MOST]):
            yield from self._each(one, self._notified, "reason")
        for one in objects_of(self.content, "logs")[:MOST]:
            yield from self._each(one, self._logged, "$type")

    def _each(self, one: Json, reader: Callable[[Json], Iterator[Event]], name: str) -> Iterator[Event]:
        """What cannot be read does not spoil the others."""
        try:
            yield from list(reader(one))
        except (ValueError, OverflowError) as error:
            reason = f"it cannot be read: {str(error).partition(chr(10))[0][:200]}"
            yield self._unknown(one, text_of(one, name) or "event", reason)

    # in public

    def _notified(self, told: Json) -> Iterator[Event]:
        reason = needed(told, "reason")
        if reason == "like":
            return self._liked(told)
        kind = KINDS.get(reason)
        return self._said(told, kind) if kind else iter((self._unknown(told, reason, UNKNOWN),))

    def _said(self, told: Json, kind: InteractionKind) -> Iterator[Event]:
        interaction = self._post(told, kind)
        yield InteractionReceived(id=interaction.native_id, interaction=interaction)

    def _post(self, told: Json, kind: InteractionKind) -> Interaction:
        uri, record = needed(told, "uri"), object_of(told, "record")
        records.parted(uri)
        post, answered = self._posts.get(uri, {}), object_of(record, "reply")
        author = self._party(object_of(told, "author"))
        parent = text_of(object_of(answered, "parent"), "uri")
        if parent is None and kind == "comment":
            parent = text_of(told, "reasonSubject")
        return Interaction(
            network="bluesky",
            native_id=uri,
            kind=kind,
            direction="outbound" if author.is_self else "inbound",
            own_account=self.own,
            thread=Thread(id=text_of(object_of(answered, "root"), "uri") or parent or uri, visibility="public"),
            author=author,
            in_reply_to=parent,
            text=embedded.words(record) or None,
            attachments=embedded.files(post, record, needed(object_of(told, "author"), "did")),
            language=next((one[:35] for one in _strings(record, "langs")), None),
            reach=_reach(post),
            sent_at=records.moment(needed(told, "indexedAt")),
        )

    @cached_property
    def _posts(self) -> dict[str, Json]:
        return {uri: one for one in objects_of(self.content, "posts")[:MOST] if (uri := text_of(one, "uri"))}

    def _liked(self, told: Json) -> Iterator[Event]:
        about = needed(told, "reasonSubject")
        answered = object_of(object_of(self._posts.get(about, {}), "record"), "reply")
        yield ReactionAdded(
            id=needed(told, "uri"),
            own_account=self.own,
            thread=Thread(id=text_of(object_of(answered, "root"), "uri") or about, visibility="public"),
            native_id=about,
            author=self._party(object_of(told, "author")),
            reaction=HEART,
            sole=True,
            at=records.moment(needed(told, "indexedAt")),
        )

    # direct messages

    def _logged(self, told: Json) -> Iterator[Event]:
        kind = needed(told, "$type").removeprefix(LOG)
        readers: Mapping[str, Callable[[Json], Iterator[Event]]] = {
            "logCreateMessage": self._written,
            "logDeleteMessage": self._deleted,
            "logAddReaction": self._reacted,
            "logRemoveReaction": self._reacted,
        }
        if kind in IDLE:
            return iter(())
        reader = readers.get(kind)
        return reader(told) if reader else iter((self._unknown(told, kind, UNKNOWN),))

    def _written(self, told: Json) -> Iterator[Event]:
        message, convo = object_of(told, "message"), needed(told, "convoId")
        if "text" not in message:
            return  # deleted since
        author = self._member(told, needed(object_of(message, "sender"), "did"))
        interaction = Interaction(
            network="bluesky",
            native_id=needed(message, "id"),
            kind="message",
            direction="outbound" if author.is_self else "inbound",
            own_account=self.own,
            thread=Thread(id=convo, visibility="private"),
            author=author,
            recipients=self._others(told) if author.is_self else (),
            text=embedded.words(message) or None,
            sent_at=records.moment(needed(message, "sentAt")),
        )
        if interaction.direction == "inbound":
            yield from self._claim(interaction)
        yield InteractionReceived(id=f"{convo}/{interaction.native_id}", interaction=interaction)

    def _claim(self, about: Interaction) -> Iterator[Event]:
        if (found := TOKEN.search(about.text or "")) and about.author.account:
            yield IdentityClaimed(
                id=f"{about.thread.id}/{about.native_id}/token",
                own_account=about.own_account,
                subject=about.author.account,
                proof="handoff_token",
                token=found[1],
                thread=about.thread,
                at=about.sent_at,
            )

    def _deleted(self, told: Json) -> Iterator[Event]:
        """Deleting takes a message away from one's own eyes only, so that it is ours that vanish here."""
        message, convo = object_of(told, "message"), needed(told, "convoId")
        gone = needed(message, "id")
        yield InteractionDeleted(
            id=f"{convo}/{gone}/deleted",
            own_account=self.own,
            thread=Thread(id=convo, visibility="private"),
            native_id=gone,
            at=records.moment(needed(message, "sentAt")),
        )

    def _reacted(self, told: Json) -> Iterator[Event]:
        message, convo, reaction = object_of(told, "message"), needed(told, "convoId"), object_of(told, "reaction")
        kind = ReactionAdded if needed(told, "$type").endswith("logAddReaction") else ReactionRemoved
        yield kind(
            id=f"{convo}/{needed(told, 'rev')}/{kind.__name__}",
            own_account=self.own,
            thread=Thread(id=convo, visibility="private"),
            native_id=needed(message, "id"),
            author=self._member(told, needed(object_of(reaction, "sender"), "did")),
            reaction=needed(reaction, "value")[:128],
            at=records.moment(needed(reaction, "createdAt")),
        )

    # who is who

    def _party(self, profile: Json) -> Party:
        return party(profile, self.own)

    def _member(self, told: Json, did: str) -> Party:
        """The log names profiles beside the messages, as a rule."""
        known = next((one for one in objects_of(told, "relatedProfiles")[:MOST] if one.get("did") == did), {"did": did})
        return self._party(known)

    def _others(self, told: Json) -> tuple[Party, ...]:
        people = objects_of(told, "relatedProfiles")[:20]
        return tuple(self._party(one) for one in people if text_of(one, "did") not in {None, self.own})

    def _unknown(self, content: Json, kind: str, reason: str) -> Unrecognised:
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
        return Unrecognised(id=digest, own_account=self.own, native_type=kind[:100], reason=reason)


def party(profile: Json, own: str) -> Party:
    """A DID stays, whatever becomes of the handle: https://atproto.com/specs/did (2026-11)."""
    did, avatar = needed(profile, "did"), text_of(profile, "avatar")
    if not records.DID.fullmatch(did):
        raise Unreadable(f"{did[:60]!r} is no DID")
    return Party(
        identifiers=(Identifier(kind=USER, value=did),),
        name=text_of(profile, "displayName") or text_of(profile, "handle"),
        handle=text_of(profile, "handle"),
        avatar=avatar if avatar and avatar.startswith("https://") else None,
        is_self=did == own,
    )


def _reach(post: Json) -> Reach | None:
    counts = [whole_of(post, name) for name in ("likeCount", "repostCount", "replyCount")]
    likes, shares, replies = counts
    return None if counts == [None] * 3 else Reach(likes=likes, shares=shares, replies=replies)


def _strings(source: Json, name: str) -> list[str]:
    value: Any = source.get(name)
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
