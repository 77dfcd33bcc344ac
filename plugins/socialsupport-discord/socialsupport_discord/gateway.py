"""The gateway: one WebSocket, with a heartbeat, a session, and a number for all that is told.

https://docs.discord.com/developers/events/gateway and
https://docs.discord.com/developers/topics/opcodes-and-status-codes (2026-11)
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from socialsupport_core.contract import Closed, Dial, Flow, Frame, Happening, Opened, Step, StreamState, Tick
from socialsupport_core.contract.lax import Json, json_object, object_of, text_of, whole_of
from socialsupport_discord.settings import DiscordSettings

API = "https://discord.com/api/v10"
QUERY = "?v=10&encoding=json"
DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACKNOWLEDGED = 0, 1, 2, 6, 7, 9, 10, 11
GOING_AWAY = 4000
"""With 1000 or 1001 Discord would forget the session."""
WRONG_TOKEN = "the bot's token is wrong: enter the current one, then test the connection"  # noqa: S105
DEAD: Mapping[int, str] = {
    4004: WRONG_TOKEN,
    4010: "Discord does not know this shard",
    4011: "the bot is in too many servers for one connection; this connector has no shards",
    4012: "Discord does not speak version 10 any more: install a newer release of the plugin",
    4013: "intents is no sum that Discord knows: correct it",
    4014: "the app may not have all of its intents: switch on Message Content Intent under Bot, or correct intents",
}
"""Close codes after which dialling again is of no use."""
FORGOTTEN = frozenset({1000, 1001, 4003, 4005, 4007, 4009})
"""Close codes after which there is no session to go on with."""
KEPT = frozenset(
    {
        "MESSAGE_CREATE",
        "MESSAGE_UPDATE",
        "MESSAGE_DELETE",
        "MESSAGE_DELETE_BULK",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_REACTION_REMOVE",
        "THREAD_CREATE",
        "THREAD_UPDATE",
        "THREAD_DELETE",
        "INTERACTION_CREATE",
    }
)
"""What is read here; presences, servers and the like come by the thousand and say nothing of what people write."""
MOST = 600.0
"""Seconds between two heartbeats at most."""


class GatewayState(StreamState):
    session: str | None = None
    address: str | None = None
    """Where to go on with the session."""
    number: int | None = None
    """Of what was told last."""
    lost: bool = False
    """A session has ended that cannot be gone on with: what was told meanwhile is missing."""
    beat: float | None = None
    is_heard: bool = True
    """The last heartbeat was acknowledged."""
    chance: float = 0.0


def dial(state: GatewayState) -> Flow[Dial]:
    if state.session and state.address:
        return Dial(f"{state.address}/{QUERY}", ping=None, close_code=GOING_AWAY)
    response: httpx.Response = yield httpx.Request("GET", f"{API}/gateway/bot")
    address = str(response.json()["url"]).rstrip("/")
    return Dial(f"{address}/{QUERY}", ping=None, close_code=GOING_AWAY)


def step(settings: DiscordSettings, state: GatewayState, happened: Happening) -> Step:
    match happened:
        case Opened(chance):
            return Step(state.model_copy(update={"chance": chance, "is_heard": True, "beat": None}))
        case Tick():
            return _beat(state)
        case Closed(code):
            return _closed(state, code)
        case Frame(data=data):
            return _heard(settings, state, json_object(data))


def _heard(settings: DiscordSettings, state: GatewayState, frame: Json) -> Step:
    op = whole_of(frame, "op")
    if op == DISPATCH:
        return _told(state, frame)
    if op == HELLO:
        return _greeted(settings, state, object_of(frame, "d"))
    return _controlled(state, op, is_resumable=frame.get("d") is True)


def _controlled(state: GatewayState, op: int | None, *, is_resumable: bool) -> Step:
    if op == HEARTBEAT:
        return Step(state, say=(_written(HEARTBEAT, state.number),))
    if op == RECONNECT:
        return Step(state, redial=0.0)
    if op == INVALID:
        return _invalid(state, is_resumable=is_resumable)
    return Step(state.model_copy(update={"is_heard": True}) if op == ACKNOWLEDGED else state)


def _greeted(settings: DiscordSettings, state: GatewayState, hello: Json) -> Step:
    """The first heartbeat comes after a part of the interval that chance decides."""
    beat = min(max((whole_of(hello, "heartbeat_interval") or 41_250) / 1000, 1.0), MOST)
    token = settings.bot_token.get_secret_value()
    if state.session:
        said = _written(RESUME, {"token": token, "session_id": state.session, "seq": state.number})
    else:
        properties = {"os": "linux", "browser": "socialsupport", "device": "socialsupport"}
        said = _written(IDENTIFY, {"token": token, "intents": settings.intents, "properties": properties})
    return Step(state.model_copy(update={"beat": beat, "is_heard": True}), say=(said,), tick_in=beat * state.chance)


def _beat(state: GatewayState) -> Step:
    """A line on which nobody acknowledges is dead, and looks alive."""
    if state.beat is None:
        return Step(state)
    if not state.is_heard:
        return Step(state, redial=0.0)
    waiting = state.model_copy(update={"is_heard": False})
    return Step(waiting, say=(_written(HEARTBEAT, state.number),), tick_in=state.beat)


def _closed(state: GatewayState, code: int | None) -> Step:
    if reason := DEAD.get(code or 0):
        return Step(_without_session(state), stop=reason)
    return Step(_without_session(state) if code in FORGOTTEN else state)


def _invalid(state: GatewayState, *, is_resumable: bool) -> Step:
    """Discord wants one to five seconds between."""
    pause = 1.0 + 4.0 * state.chance
    return Step(state if is_resumable else _without_session(state), redial=pause)


def _without_session(state: GatewayState) -> GatewayState:
    lost = state.lost or state.session is not None
    return state.model_copy(update={"session": None, "address": None, "number": None, "lost": lost})


def _told(state: GatewayState, frame: Json) -> Step:
    kind, told, number = text_of(frame, "t") or "", object_of(frame, "d"), whole_of(frame, "s")
    if kind == "READY":
        return _ready(state, told, number)
    further = state if number is None else state.model_copy(update={"number": number})
    if kind not in KEPT:
        return Step(further)
    kept: dict[str, Any] = {"t": kind, "s": number, "session": state.session, "d": told}
    return Step(further, keep=(json.dumps(kept, separators=(",", ":")).encode(),))


def _ready(state: GatewayState, ready: Json, number: int | None) -> Step:
    """A new session. If there was one before, nobody tells here what came between."""
    given = {"session": text_of(ready, "session_id"), "address": _address(ready), "number": number, "lost": False}
    return Step(state.model_copy(update=given), gap=state.lost)


def _address(ready: Json) -> str | None:
    """Only if it is one: it is dialled."""
    given = text_of(ready, "resume_gateway_url") or ""
    try:
        parts = urlsplit(given)
    except ValueError:
        return None
    is_theirs = parts.scheme == "wss" and (parts.hostname or "").endswith(".discord.gg")
    return f"wss://{parts.hostname}" if is_theirs else None


def _written(op: int, content: Any) -> str:
    return json.dumps({"op": op, "d": content})
