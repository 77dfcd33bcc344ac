"""Events of Matrix, which anybody may fill with anything: each field is read only if it is what it should be.

https://spec.matrix.org/latest/client-server-api/ (v1.18, 2026-11)
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
EPOCH = datetime.fromtimestamp(0, UTC)
# https://spec.matrix.org/latest/appendices/#identifier-grammar (2026-11): at most 255 bytes
EVENT = re.compile(r"\$[^\x00-\x1f\x7f\ud800-\udfff]{1,254}")
USER = re.compile(r"@[^\x00-\x20\x7f:\ud800-\udfff]{0,200}:[^\x00-\x20\x7f\ud800-\udfff]{1,200}")
ROOM = re.compile(r"![^\x00-\x20\x7f\ud800-\udfff]{1,254}")
MXC = re.compile(r"mxc://([A-Za-z0-9.:\[\]-]{1,255})/([A-Za-z0-9_-]{1,255})")


def object_of(value: Any, name: str) -> Json:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def objects_of(value: Any, name: str) -> list[Json]:
    found = value.get(name) if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text_of(value: Any, name: str) -> str | None:
    found = value.get(name) if isinstance(value, dict) else None
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) and found else None


def number_of(value: Any, name: str) -> int | None:
    found = value.get(name) if isinstance(value, dict) else None
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return found if is_number and 0 <= found < 2**53 else None  # type: ignore[operator]


def id_of(value: Any, name: str, form: re.Pattern[str]) -> str | None:
    found = text_of(value, name)
    return found if found and form.fullmatch(found) else None


def at_of(value: Any, name: str, otherwise: datetime) -> datetime:
    """Milliseconds since 1970; what lies beyond the year 9999 was made up."""
    found = number_of(value, name)
    return otherwise if found is None or found > 253_402_300_799_000 else datetime.fromtimestamp(found / 1000, UTC)


def relation(event: Json) -> Json:
    return object_of(object_of(event, "content"), "m.relates_to")


def related(event: Json, kind: str) -> str | None:
    """The event to which this one is related in that way."""
    told = relation(event)
    return id_of(told, "event_id", EVENT) if told.get("rel_type") == kind else None


def replied(event: Json) -> str | None:
    """What it answers; in a thread an answer may stand there for old clients only.

    #fallback-for-unthreaded-clients
    """
    told = relation(event)
    if told.get("rel_type") == "m.thread" and told.get("is_falling_back") is True:
        return None
    return id_of(object_of(told, "m.in_reply_to"), "event_id", EVENT)


def names(events: list[Json]) -> dict[str, str]:
    """What those call themselves of whom membership events are among these."""
    return dict(_names(events))


def _names(events: list[Json]) -> Iterator[tuple[str, str]]:
    for event in events:
        user, name = id_of(event, "state_key", USER), text_of(object_of(event, "content"), "displayname")
        if event.get("type") == "m.room.member" and user and name:
            yield user, name


def thread_id(room: str, root: str | None) -> str:
    return f"{room}/{root}" if root else room


def place_of(thread: str) -> tuple[str, str | None]:
    """The room, and the root of the thread in it."""
    room, slash, root = thread.rpartition("/$")
    return (room, f"${root}") if slash else (thread, None)
