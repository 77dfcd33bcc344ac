"""Conversations that have changed, read again: what a webhook would have told.

https://developers.intercom.com/docs/references/2.16/rest-api/api.intercom.io/conversations/searchconversations
(2026-11)
"""

import json
from typing import Any

import httpx

from socialsupport_core.contract import Flow, Unreachable
from socialsupport_core.contract.answered import answered_at
from socialsupport_core.contract.lax import Json, json_object, object_of, objects_of, text_of, texts_of, whole_of
from socialsupport_core.model import Page, Payload
from socialsupport_intercom.api import Api, number
from socialsupport_intercom.native import parts_of

LAG = 300
"""Seconds: the search knows of a change only after a while, so that each round looks back as far."""
PAGE = 20
REMEMBERED = 1000
"""So many parts; what is told again after that has the same id."""


def poll(api: Api, cursor: str | None) -> Flow[Page]:
    """A page of the conversations changed since then. `seen` names the parts of the lag that were handed in."""
    state = json_object(cursor)
    since, after, seen = whole_of(state, "since") or 0, text_of(state, "after"), texts_of(state, "seen")
    pagination: dict[str, Any] = {"per_page": PAGE} | ({"starting_after": after} if after else {})
    query = {"field": "updated_at", "operator": ">", "value": max(since - 1, 0)}
    asked = {"query": query, "pagination": pagination}
    response: httpx.Response = yield api.call("POST", "conversations", "search", json=asked)
    found = response.json()
    listed, payloads = objects_of(found, "conversations"), []
    told = dict.fromkeys(seen)
    for one in listed:
        if news := (yield from _news(api, number(str(one["id"])), since, told)):
            payloads.append(news)
    top = max([whole_of(state, "top") or since, *(whole_of(one, "updated_at") or 0 for one in listed)])
    onward = text_of(object_of(object_of(found, "pages"), "next"), "starting_after")
    following: dict[str, Any] = {"since": since, "after": onward, "top": top}
    if not onward:
        following = {"since": max(since, top - LAG)}
    following["seen"] = list(told)[-REMEMBERED:]
    return Page(payloads=tuple(payloads), cursor=_written(following), more=bool(onward))


def _news(api: Api, id: str, since: int, told: dict[str, None]) -> Flow[Payload | None]:
    """The conversation with the parts that are new; None if it has none, or is gone."""
    try:
        response: httpx.Response = yield api.call("GET", "conversations", id, params={"display_as": "plaintext"})
    except Unreachable:
        return None
    new = [one for one in parts_of(response.json()) if _when(one) >= since and str(one.get("id")) not in told]
    told.update(dict.fromkeys(str(one.get("id")) for one in new))
    content = {"type": "conversation", "id": id, "conversation_parts": {"conversation_parts": new}}
    body = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    url = str(response.request.url)
    at = answered_at(response)
    return Payload(source="poll", method="GET", url=url, body=body, received_at=at) if new else None


def _when(part: Json) -> int:
    return whole_of(part, "created_at") or 0


def _written(cursor: Json) -> str:
    return json.dumps(cursor, separators=(",", ":"))
