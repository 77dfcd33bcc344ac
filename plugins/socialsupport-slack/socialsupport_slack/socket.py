"""Socket mode: everything comes over one WebSocket, and each envelope is acknowledged.

https://docs.slack.dev/apis/events-api/using-socket-mode (2026-11). An envelope that nobody has acknowledged within
three seconds comes again.
"""

import json
from collections.abc import Mapping

import httpx

from socialsupport_core.contract import Dial, Flow, Frame, Happening, Step, StreamState
from socialsupport_core.contract.lax import json_object, object_of, text_of
from socialsupport_slack.inbound import gone

OPEN = "https://slack.com/api/apps.connections.open"
OFF = (
    "socket mode was switched off: switch it on in the app's settings, or take app_token out, then test the connection"
)
DEAD: Mapping[str, str] = {"link_disabled": OFF}
"""Reasons of a `disconnect` after which dialling again is of no use. The others, `warning` and `refresh_requested`, are
everyday life."""


class SocketState(StreamState):
    """There is nothing to go on from: what was not acknowledged comes again by itself."""


def dial() -> Flow[Dial]:
    """The address holds a ticket and is good for one connection."""
    response: httpx.Response = yield httpx.Request("POST", OPEN)
    return Dial(str(response.json()["url"]))


def step(state: SocketState, happened: Happening) -> Step:
    if not isinstance(happened, Frame):
        return Step(state)
    frame = json_object(happened.data)
    if text_of(frame, "type") == "disconnect":
        reason = text_of(frame, "reason") or ""
        return Step(state, stop=DEAD[reason]) if reason in DEAD else Step(state, redial=0.0)
    envelope, payload = text_of(frame, "envelope_id"), object_of(frame, "payload")
    if envelope is None or not payload:
        return Step(state)
    return Step(
        state,
        keep=(json.dumps(payload, ensure_ascii=True, separators=(",", ":")).encode(),),
        after=(json.dumps({"envelope_id": envelope}),),
        stop=gone(object_of(payload, "event")),
    )
