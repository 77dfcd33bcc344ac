"""Answers of a homeserver as they are, in the form of shares: a whole `/sync`, what a homeserver pushes to an
application service, or one event by itself. Our own polling asks for more beside them.

https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3sync and
https://spec.matrix.org/latest/application-service-api/#put_matrixappv1transactionstxnid (v1.18, 2026-11)
"""

from collections.abc import Iterator
from typing import Any

from socialsupport_matrix.native import EVENT, ROOM, Json, id_of, object_of, objects_of, related, relation, text_of
from socialsupport_matrix.syncing import direct_rooms, learn


def shares(told: Any) -> list[Json] | None:
    """None if it is something else, a share of ours for instance."""
    if object_of(told, "rooms") or text_of(told, "next_batch"):
        return list(_of_sync(told))
    page = objects_of(told, "events") or list(reversed(objects_of(told, "chunk")))
    events = page or ([told] if id_of(told, "event_id", EVENT) else [])
    if not events:
        return None
    rooms = dict.fromkeys(room for event in events if (room := id_of(event, "room_id", ROOM)))
    return [_share(room, [one for one in events if one.get("room_id") == room], [], {}) for room in rooms]


def _of_sync(sync: Json) -> Iterator[Json]:
    known = [object_of(one, "content") for one in objects_of(object_of(sync, "account_data"), "events")
             if one.get("type") == "m.direct"]  # fmt: skip
    direct = direct_rooms(known[-1]) if known else {}
    for entered in ("join", "leave"):
        rooms = object_of(object_of(sync, "rooms"), entered)
        for room, share in ((room, share) for room, share in rooms.items() if ROOM.fullmatch(room)):
            beside = {
                "batch": text_of(sync, "next_batch"),
                "counterpart": direct.get(room),
                "ephemeral": objects_of(object_of(share, "ephemeral"), "events"),
            }
            events, state = (objects_of(object_of(share, name), "events") for name in ("timeline", "state"))
            yield _share(room, events, state, beside)


def _share(room: str, events: list[Json], state: list[Json], beside: dict[str, Any]) -> Json:
    public: dict[str, tuple[str, ...]] = {}
    learn(public, room, [*state, *events])
    reactions = [one for one in events if one.get("type") == "m.reaction" and id_of(one, "event_id", EVENT)]
    roots = [(id_of(one, "event_id", EVENT), related(one, "m.thread")) for one in events]
    return {
        "room_id": room,
        "visibility": "public" if room in public else "private",
        "timeline": events,
        "state": state,
        "roots": {event: root for event, root in roots if event and root},
        "reactions": {one["event_id"]: _reaction(one) for one in reactions},
        **{name: value for name, value in beside.items() if value},
    }


def _reaction(event: Json) -> Json:
    """What is to be known of it if it is taken back."""
    return {
        "target": related(event, "m.annotation"),
        "key": text_of(relation(event), "key"),
        "author": text_of(event, "sender"),
    }
