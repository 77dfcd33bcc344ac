"""A webhook of Meta is a batch: entries of several accounts, each with several events.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started (2026-03): at most 1,000 updates in one
request. `entry[].id` names the account; `messaging` and `standby` hold messages, `changes` everything else.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import Json, Unreadable, object_of, objects_of, text_of
from socialsupport_core.model import Event, Payload, Unrecognised
from socialsupport_meta.reading import legible, moment_of


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose entry it is and when it came; `at` is for what Meta does not date by itself."""

    own: str
    at: datetime
    time: str = ""
    """The entry's own, as Meta wrote it: it tells two changes of one thing apart."""


Reader = Callable[[Json, Scene], Iterable[Event]]


@dataclass(frozen=True, slots=True)
class Native:
    """One native event and who reads it."""

    type: str
    body: Any
    scene: Scene
    reader: Reader | None = None
    reason: str | None = None

    def events(self) -> list[Event]:
        """Raises ValueError when it cannot be read."""
        return list(self.reader(self.body, self.scene)) if self.reader else [self.unrecognised()]

    def unrecognised(self, reason: str | None = None) -> Unrecognised:
        native_type = legible(self.type)[:100] or "event"
        return Unrecognised(
            id=f"{native_type}.{digest(self.body)}",
            own_account=self.scene.own or None,
            native_type=native_type,
            reason=reason or self.reason or "this connector does not read events of this kind",
        )


Finder = Callable[[Json, Scene], Iterator[Native]]
"""The native events of one entry."""


def translated(payload: Payload, find: Finder) -> list[Event]:
    """One unreadable event among others is set aside; a payload of only such is malformed."""
    try:
        found = [native for entry in entries(payload.json()) for native in _natives(entry, payload.received_at, find)]
        return _events(found)
    except RecursionError:
        raise MalformedPayload("the payload is nested too deeply") from None
    except ValueError as error:
        raise MalformedPayload(f"the payload cannot be read: {_first_line(error)}") from error


def _natives(entry: Json, received_at: datetime, find: Finder) -> Iterator[Native]:
    own = legible(text_of(entry, "id") or "")
    at = moment_of(entry, "time") or received_at
    yield from find(entry, Scene(own=own, at=at, time=text_of(entry, "time") or ""))


def _events(found: list[Native]) -> list[Event]:
    events: dict[str, Event] = {}
    failures: list[ValueError] = []
    for native in found:
        try:
            read = native.events()
        except ValueError as error:
            failures.append(error)
            read = [native.unrecognised(f"it cannot be read: {_first_line(error)}")]
        for event in read:
            events.setdefault(event.id, event)  # the same event twice in one batch
    if failures and len(failures) == len(found):
        raise failures[0]
    return list(events.values())


def _first_line(error: ValueError) -> str:
    return legible(str(error).partition("\n")[0])[:200]


def entries(content: Any) -> list[Json]:
    """The entries of a request; its form and those in which Meta's pages print single events."""
    if isinstance(content, list):
        return [entry for one in content for entry in entries(one)]
    if not isinstance(content, dict):
        raise Unreadable("the payload is not a JSON object")
    if "entry" in content:
        return list(objects_of(content, "entry")) or _nothing()
    if {"messaging", "standby", "changes"} & content.keys():
        return [content]
    if "field" in content and isinstance(content.get("value"), dict):
        return [{"id": _account(content["value"]), "changes": [content]}]
    if isinstance(content.get("sender"), dict) and isinstance(content.get("recipient"), dict):
        return [{"id": _account(content), "messaging": [content]}]
    raise Unreadable("the payload has no entry")


def _nothing() -> list[Json]:
    raise Unreadable("the payload's list of entries holds none")


def _account(event: Json) -> str | None:
    """Whose event it is when no entry says so: whoever it was sent to, or by if it is an echo."""
    is_echo = object_of(event, "message").get("is_echo") is True
    return text_of(object_of(event, "sender" if is_echo else "recipient"), "id")


def changes(entry: Json) -> Iterator[tuple[str, Json]]:
    """Field and value of each change. Instagram's pages print a single one right in the entry."""
    for change in (*objects_of(entry, "changes"), *([entry] if "field" in entry else [])):
        yield legible(text_of(change, "field") or "change"), object_of(change, "value")


def digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]
