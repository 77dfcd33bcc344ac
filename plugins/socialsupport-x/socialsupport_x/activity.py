"""Payloads of every kind: which native events they hold, and who reads each.

Account Activity API: `for_user_id` and lists
(https://docs.x.com/x-api/account-activity/introduction, 2026-07).
X Activity API: one event in `data` (https://docs.x.com/x-api/activity/event-payloads, 2026-07).
Polled pages: `data` is a list. One post of a filtered stream: `data` is the post
(https://docs.x.com/x-api/posts/filtered-stream/introduction, 2026-11).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of
from socialsupport_core.model import Event, Payload, Unrecognised
from socialsupport_x import messages, posts
from socialsupport_x.people import users_in
from socialsupport_x.posts import Scene

Reader = Callable[[Json, Scene], Iterable[Event]]
NO_ANSWER = "it tells of the account, and there is nothing to answer"
ENCRYPTED = "the message is end-to-end encrypted (XChat) and cannot be read by us"
REVOKED = "the account has withdrawn the app's access: connect it again"

ACCOUNT_ACTIVITY: Mapping[str, Reader] = {
    "tweet_create_events": posts.created_v1,
    "tweet_delete_events": posts.deleted_v1,
    "favorite_events": posts.liked_v1,
    "direct_message_events": messages.received_v1,
    "direct_message_indicate_typing_events": messages.typing_v1,
    "direct_message_mark_read_events": messages.read_v1,
}
X_ACTIVITY: Mapping[str, Reader] = {
    "post.create": posts.created_v2,
    "post.mention.create": posts.created_v2,
    "post.reply.create": posts.created_v2,
    "post.quote.create": posts.created_v2,
    "post.repost.create": posts.created_v2,
    "post.delete": posts.deleted_v2,
    "like.create": posts.liked_v2,
}
REASONS: Mapping[str, str] = {
    "follow_events": NO_ANSWER,
    "block_events": NO_ANSWER,
    "mute_events": NO_ANSWER,
    "follow.follow": NO_ANSWER,
    "follow.unfollow": NO_ANSWER,
    "block.block": NO_ANSWER,
    "block.unblock": NO_ANSWER,
    "mute.mute": NO_ANSWER,
    "mute.unmute": NO_ANSWER,
    "chat.received": ENCRYPTED,
    "chat.sent": ENCRYPTED,
    "user_event": REVOKED,
    "oauth.revoke": REVOKED,
}
BESIDE = frozenset({"for_user_id", "users", "apps", "user_has_blocked", "is_blocked_by"})
"""What accompanies the lists of the Account Activity API."""


@dataclass(frozen=True, slots=True)
class Native:
    """One native event and who reads it."""

    type: str
    body: Any
    scene: Scene
    reader: Reader | None = None

    def events(self) -> list[Event]:
        """Raises ValueError when it cannot be read."""
        return list(self.reader(self.body, self.scene)) if self.reader else [self.unrecognised()]

    def unrecognised(self, reason: str | None = None) -> Unrecognised:
        return Unrecognised(
            id=f"{self.type[:100]}.{digest(self.body)}",
            own_account=self.scene.own or None,
            native_type=self.type,
            reason=reason or REASONS.get(self.type),
        )


def translated(payload: Payload, own: str | None) -> list[Event]:
    """One unreadable event among others is set aside; a payload of only such is malformed."""
    try:
        content = payload.json()
        return _events(list(natives(content, own or "", payload.received_at)))
    except RecursionError:
        raise MalformedPayload("the payload is nested too deeply") from None
    except ValueError as error:
        raise MalformedPayload(f"the payload cannot be read: {error}") from error


def _events(found: list[Native]) -> list[Event]:
    events: list[Event] = []
    failures: list[ValueError] = []
    for native in found:
        try:
            events += native.events()
        except ValueError as error:
            failures.append(error)
            events.append(native.unrecognised(f"it cannot be read: {_first_line(error)}"))
    if failures and len(failures) == len(found):
        raise failures[0]
    return events


def _first_line(error: ValueError) -> str:
    return str(error).partition("\n")[0][:200]


def natives(content: Any, own: str, received_at: datetime) -> Iterator[Native]:
    if not isinstance(content, dict):
        raise MalformedPayload("the payload is not a JSON object")
    if isinstance(content.get("data"), list) or ("meta" in content and "data" not in content):
        return page(content, own, received_at)
    told = object_of(content, "data")
    if "event_type" in told:
        return x_activity(content["data"], own, received_at)
    if text_of(told, "id"):
        return page({**content, "data": [told]}, own, received_at)  # of a filtered stream, or looked up by its id
    return account_activity(content, received_at)


def account_activity(content: Json, received_at: datetime) -> Iterator[Native]:
    own = text_of(content, "for_user_id") or _revoked(content)
    if own is None and "replay_job_status" not in content:
        raise MalformedPayload("the payload names no account (for_user_id)")
    scene = Scene(own=own or "", received_at=received_at, users=users_in(content))
    for key, value in content.items():
        if key in BESIDE:
            continue
        for body in value if isinstance(value, list) else [value]:
            reader = ACCOUNT_ACTIVITY.get(key) if isinstance(body, dict) else None
            yield Native(legible(key), body, scene, reader)


def _revoked(content: Json) -> str | None:
    revoke = object_of(object_of(content, "user_event"), "revoke")
    return text_of(object_of(revoke, "source"), "user_id")


def x_activity(event: Json, own: str, received_at: datetime) -> Iterator[Native]:
    native_type = legible(text_of(event, "event_type") or "")
    payload = object_of(event, "payload")
    account = text_of(object_of(event, "filter"), "user_id") or text_of(payload, "user_id") or own
    if native_type.startswith("dm.") and payload:
        yield from account_activity({**payload, "for_user_id": account}, received_at)
        return
    scene = included(event, account, received_at)
    reader = X_ACTIVITY.get(native_type)
    yield Native(native_type, payload if reader else event, scene, reader)


def page(content: Json, own: str, received_at: datetime) -> Iterator[Native]:
    if not own:
        raise MalformedPayload("a polled page does not name our account; set account_id")
    scene = included(content, own, received_at)
    for item in objects_of(content, "data"):
        is_message = "event_type" in item
        reader: Reader = messages.received_v2 if is_message else posts.created_v2
        yield Native("dm_event" if is_message else "post", item, scene, reader)


def included(source: Json, own: str, received_at: datetime) -> Scene:
    includes = object_of(source, "includes")
    return Scene(
        own=own,
        received_at=received_at,
        users=users_in(includes),
        media={key: item for item in objects_of(includes, "media") if (key := text_of(item, "media_key"))},
        posts={key: item for item in objects_of(includes, "posts", "tweets") if (key := text_of(item, "id"))},
    )


def digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]


def legible(text: str) -> str:
    """Without lone surrogates, which no store takes."""
    return text.encode("utf-8", "replace").decode()
