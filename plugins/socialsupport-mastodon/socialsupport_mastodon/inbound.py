"""From what Mastodon tells to events, the same whether it was polled or came over a stream.

https://docs.joinmastodon.org/entities/Notification/, https://docs.joinmastodon.org/entities/Status/ and
https://docs.joinmastodon.org/methods/streaming/ (2026-11)
"""

import hashlib
import json
import mimetypes
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import (
    Json,
    Unreadable,
    needed,
    number_of,
    object_of,
    objects_of,
    text_of,
    whole_of,
)
from socialsupport_core.model import (
    Attachment,
    Event,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Payload,
    Reach,
    ReactionAdded,
    Unrecognised,
)
from socialsupport_core.model.interaction import InteractionKind
from socialsupport_core.text import escape
from socialsupport_mastodon import forms, markup, places, wording

FAVOURITE = "⭐"
TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)>\]])")
"""A hand-off token: alone, or at the end of a link `…/h/TOKEN`."""
REASONS: Mapping[str, str] = {
    "status": "somebody we follow has posted, and did not speak to us",
    "reblog": "somebody has boosted a post of ours; nothing was said",
    "follow": "somebody follows us; nothing was said",
    "follow_request": "somebody asks to follow us; nothing was said",
    "poll": "a poll has ended",
}
"""Types of notifications, https://docs.joinmastodon.org/entities/Notification/#type (2026-11)"""
GONE = "its post is not told any more"
UNKNOWN = "this connector does not read events of this kind"
MEDIA: Mapping[str, str] = {"image": "image/jpeg", "gifv": "video/mp4", "video": "video/mp4", "audio": "audio/mpeg"}
"""Into which an instance turns what it takes, https://docs.joinmastodon.org/user/posting/#attachments (2026-11); the
name of the file is believed first."""
MOST_FILES, MOST_OPTIONS = 20, 50


@dataclass(frozen=True)
class Us:
    """The account, and the instance on which its numbers count."""

    account: str
    host: str


def translated(payload: Payload, us: Us) -> list[Event]:
    try:
        reading = Reading(us, payload)
        if streamed := forms.of_stream(payload.body):
            return [event for one in streamed for event in reading.streamed(one)]
        content = payload.json()
        if isinstance(content, list):
            return [event for one in reversed(content) for event in reading.each(one)]
        if not isinstance(content, dict):
            raise Unreadable("the payload is neither a page of notifications nor an event of a stream")
        return list(reading.told(content))
    except RecursionError:
        raise MalformedPayload("the payload is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise MalformedPayload(f"the payload cannot be read: {str(error).partition(chr(10))[0][:200]}") from error


def concerns(status: Json, us: Us) -> bool:
    """Whether it is ours, or speaks to us."""
    return us.account in {places.author_of(status), *(text_of(one, "id") for one in places.mentioned(status))}


@dataclass(frozen=True)
class Reading:
    us: Us
    payload: Payload

    def each(self, notification: Any) -> Iterator[Event]:
        """One of a page; what cannot be read does not spoil the others."""
        try:
            yield from list(self.told(notification if isinstance(notification, dict) else {}))
        except (ValueError, OverflowError) as error:
            reason = f"it cannot be read: {str(error).partition(chr(10))[0][:200]}"
            yield self._unknown(notification, "notification", reason)

    def told(self, content: Json) -> Iterator[Event]:
        kind = forms.kind_of(content)
        if kind == "groups":
            return (event for one in forms.ungrouped(content) for event in self.each(one))
        if kind == "conversation":
            return self._received(object_of(content, "last_status"))
        reader = self._by_event.get(kind)
        return reader(content) if reader else self.streamed(content)

    def streamed(self, frame: Json) -> Iterator[Event]:
        kind, content = needed(frame, "event"), forms.content(frame)
        if kind == "delete":
            return self._deleted(needed(frame, "payload"))
        reader = self._by_event.get(kind)
        if reader is None:
            return iter((self._unknown(frame, kind, UNKNOWN),))
        if not isinstance(content, dict):
            raise Unreadable(f"the event {kind[:40]} carries no object")
        return reader(content)

    @cached_property
    def _by_event(self) -> Mapping[str, Callable[[Json], Iterator[Event]]]:
        return {"notification": self.notified, "update": self._received, "status.update": self._edited}

    def notified(self, notification: Json) -> Iterator[Event]:
        kind = needed(notification, "type")
        reader = self._by_type.get(kind)
        if reader is None:
            return iter((self._unknown(notification, kind, REASONS.get(kind, UNKNOWN)),))
        if not object_of(notification, "status"):
            return iter((self._unknown(notification, kind, GONE),))
        return reader(notification)

    @cached_property
    def _by_type(self) -> Mapping[str, Callable[[Json], Iterator[Event]]]:
        return {
            "mention": lambda told: self._received(object_of(told, "status")),
            "quote": lambda told: self._received(object_of(told, "status")),
            "update": lambda told: self._edited(object_of(told, "status")),
            "quoted_update": lambda told: self._edited(object_of(told, "status")),
            "favourite": self._favoured,
        }

    # posts

    def _received(self, status: Json) -> Iterator[Event]:
        if object_of(status, "reblog"):
            yield self._unknown(status, "reblog", "a post was boosted; nothing was said")
            return
        interaction = self.interaction(status)
        if interaction.direction == "inbound" and interaction.thread.visibility == "private":
            yield from self._claim(interaction)
        yield InteractionReceived(id=interaction.native_id, interaction=interaction)

    def _claim(self, about: Interaction) -> Iterator[Event]:
        if (found := TOKEN.search(about.text or "")) and about.author.account:
            yield IdentityClaimed(
                id=f"{about.native_id}/token",
                own_account=about.own_account,
                subject=about.author.account,
                proof="handoff_token",
                token=found[1],
                thread=about.thread,
                at=about.sent_at,
            )

    def _edited(self, status: Json) -> Iterator[Event]:
        at = text_of(status, "edited_at")
        if at is None:
            yield self._unknown(status, "status.update", "nothing that somebody wrote has changed")
            return
        interaction = self.interaction(status)
        edited_at = places.moment(at)
        yield InteractionEdited(
            id=f"{interaction.native_id}/edited/{edited_at.isoformat()}", interaction=interaction, edited_at=edited_at
        )

    def _deleted(self, status_id: str) -> Iterator[Event]:
        """No more is told than the id; it may be of a post that we never had."""
        yield InteractionDeleted(
            id=f"{status_id}/deleted",
            own_account=self.us.account,
            native_id=status_id,
            at=self.payload.received_at,
        )

    def interaction(self, status: Json) -> Interaction:
        us, account = self.us, object_of(status, "account")
        author = places.party(account, us.host, us.account)
        thread = places.thread(status, us.account)
        is_public = thread.visibility == "public"
        return Interaction(
            network="mastodon",
            native_id=needed(status, "id"),
            kind=self._kind(status, is_public=is_public),
            direction="outbound" if author.is_self else "inbound",
            own_account=us.account,
            thread=thread,
            author=author,
            recipients=tuple(places.party(one, us.host, us.account) for one in places.mentioned(status)),
            in_reply_to=text_of(status, "in_reply_to_id"),
            subject=text_of(status, "spoiler_text"),
            text=(wording.read_back(words(status)) if author.is_self else words(status)) or None,
            attachments=files(status),
            duration=_duration(status),
            language=(text_of(status, "language") or "")[:35] or None,
            reach=_reach(status, account) if is_public else None,
            context=json.dumps({"visibility": (text_of(status, "visibility") or "direct")[:40]}),
            sent_at=places.moment(needed(status, "created_at")),
        )

    def _kind(self, status: Json, *, is_public: bool) -> InteractionKind:
        if not is_public:
            return "message"
        return "comment" if text_of(status, "in_reply_to_account_id") == self.us.account else "mention"

    # all else

    def _favoured(self, notification: Json) -> Iterator[Event]:
        status = object_of(notification, "status")
        yield ReactionAdded(
            id=f"favourite/{needed(notification, 'id')}",
            own_account=self.us.account,
            thread=places.thread(status, self.us.account),
            native_id=needed(status, "id"),
            author=places.party(object_of(notification, "account"), self.us.host, self.us.account),
            reaction=FAVOURITE,
            sole=True,
            at=places.moment(at) if (at := text_of(notification, "created_at")) else self.payload.received_at,
        )

    def _unknown(self, content: Any, kind: str, reason: str) -> Unrecognised:
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
        return Unrecognised(id=digest, own_account=self.us.account, native_type=kind[:100], reason=reason)


def words(status: Json) -> str:
    """What somebody wrote, as CommonMark; the options of a poll follow as a list."""
    people = {url: str(one["id"]) for one in places.mentioned(status) if (url := text_of(one, "url"))}
    written = [markup.markdown(text_of(status, "content") or "", people)]
    options = objects_of(object_of(status, "poll"), "options")[:MOST_OPTIONS]
    written.append("\n".join(f"• {escape(title)}" for one in options if (title := text_of(one, "title"))))
    return "\n\n".join(part for part in written if part)


def files(status: Json) -> tuple[Attachment, ...]:
    return tuple(_file(one) for one in objects_of(status, "media_attachments")[:MOST_FILES] if text_of(one, "id"))


def _file(media: Json) -> Attachment:
    """https://docs.joinmastodon.org/entities/MediaAttachment/ (2026-11); `unknown` lies on the author's own server."""
    url = text_of(media, "url") or text_of(media, "remote_url")
    name = _path(url).rpartition("/")[2]
    guessed = mimetypes.guess_type(name)[0] or MEDIA.get(text_of(media, "type") or "", "application/octet-stream")
    return Attachment(
        media_type=guessed,
        url=url,
        native_id=text_of(media, "id"),
        name=name or None,
        text=text_of(media, "description"),
    )


def _duration(status: Json) -> float | None:
    """Of the first recording: https://docs.joinmastodon.org/entities/MediaAttachment/#meta (2026-11)."""
    told = (object_of(object_of(one, "meta"), "original") for one in objects_of(status, "media_attachments"))
    lengths = (number_of(one, "duration") for one in told)
    return next((one for one in lengths if one is not None and one >= 0), None)


def _path(url: str | None) -> str:
    try:
        return httpx.URL(url or "").path
    except (httpx.InvalidURL, UnicodeError):
        return ""


def _reach(status: Json, account: Json) -> Reach:
    return Reach(
        followers=whole_of(account, "followers_count"),
        likes=whole_of(status, "favourites_count"),
        shares=whole_of(status, "reblogs_count"),
        replies=whole_of(status, "replies_count"),
    )
