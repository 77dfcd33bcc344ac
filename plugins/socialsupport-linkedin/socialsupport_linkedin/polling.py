"""Notifications read again, where no webhook came: all of the last 60 days at first, then what is new.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications
(2026-07)
"""

import json
from collections.abc import Sequence

import httpx

from socialsupport_core.contract import Flow, Unreachable, Wait
from socialsupport_core.contract.answered import answered_at
from socialsupport_core.contract.lax import Json, json_object, objects_of, text_of, texts_of, whole_of
from socialsupport_core.model import Page, Payload
from socialsupport_linkedin.api import CommentUrn, Rest, encoded
from socialsupport_linkedin.reading import READERS, is_untold

COUNT = 20
PAUSE = 20.0
"""Seconds before the list is read again. With as many calls as a page of comments without words takes, it stays within
the half minute that a poll may last; the development tier's 100 calls a day are gone within the hour."""
ACTIONS = ",".join(READERS)


def poll(rest: Rest, own: str, cursor: str | None) -> Flow[Page]:
    """One page. `since` is the moment up to which everything was read, `last` what was told of that very moment."""
    state = json_object(cursor)
    since, start, last = whole_of(state, "since") or 0, whole_of(state, "start") or 0, texts_of(state, "last")
    if cursor and not start:
        yield Wait(PAUSE)
    response: httpx.Response = yield _asked(rest, own, since, start)
    elements = objects_of(response.json(), "elements")
    news = [one for one in elements if text_of(one, "notificationId") not in last]
    payloads = [_payload(response)] if news else []
    for one in news:
        payloads += yield from _comment(rest, one)
    more = len(elements) >= COUNT
    return Page(payloads=tuple(payloads), cursor=_after(state, elements, start + COUNT if more else 0), more=more)


def _asked(rest: Rest, own: str, since: int, start: int) -> httpx.Request:
    place = f"organizationalEntity={encoded(f'urn:li:organization:{own}')}"
    span = f"&timeRange=(start:{since})" if since else ""
    query = f"q=criteria&actions=List({ACTIONS})&{place}{span}&start={start}&count={COUNT}"
    return rest.call("GET", "organizationalEntityNotifications", query)


def _comment(rest: Rest, one: Json) -> Flow[list[Payload]]:
    """The words, where the notification has only the URN; none if the comment is gone."""
    urn = CommentUrn.read(text_of(one, "generatedActivity"))
    if urn is None or not is_untold(one):
        return []
    try:
        response: httpx.Response = yield rest.call("GET", rest.comments(urn.thread, urn.id))
    except Unreachable:
        return []
    return [_payload(response)]


def _payload(response: httpx.Response) -> Payload:
    url = str(response.request.url)
    return Payload(source="poll", method="GET", url=url, body=response.content, received_at=answered_at(response))


def _after(state: Json, elements: Sequence[Json], start: int) -> str:
    """Of a page in the middle: where this round began. The round's newest becomes `since` at its end."""
    since, before = whole_of(state, "since") or 0, whole_of(state, "top") or whole_of(state, "since") or 0
    times = {text_of(one, "notificationId"): whole_of(one, "lastModifiedAt") or 0 for one in elements}
    top = max([before, *times.values()])
    kept = texts_of(state, "newest" if "newest" in state else "last") if top == before else []
    newest = list(dict.fromkeys([*kept, *(id for id, at in times.items() if id and at == top)]))
    if start:
        told = {"since": since, "last": texts_of(state, "last"), "start": start, "top": top, "newest": newest}
    else:
        told = {"since": top, "last": newest}
    return json.dumps(told, separators=(",", ":"))
