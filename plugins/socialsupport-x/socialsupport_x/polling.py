"""Polling, where no webhook is ordered: one page of mentions, of our own posts or of direct messages at a time.

https://docs.x.com/x-api/fundamentals/pagination,
https://docs.x.com/x-api/direct-messages/lookup/introduction (2026-07)
"""

from collections.abc import Mapping
from typing import Literal

import httpx
from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, Flow, answered_at
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of
from socialsupport_core.model import Page, Payload, Value
from socialsupport_x import api

Source = Literal["mentions", "posts", "messages"]
FOLLOWING: Mapping[Source, Source] = {"mentions": "posts", "posts": "messages", "messages": "mentions"}
NEWEST = 5
"""The fewest posts that X takes for a page, enough to know where ours stand.

https://docs.x.com/x-api/users/get-posts (2026-11)
"""


class Cursor(Value):
    """Where to go on: every round reads the mentions, what we posted and the direct messages, each newest first."""

    source: Source = "mentions"
    token: str | None = None
    """Of the next page of this source."""
    newest: str | None = None
    """The highest id that this round has seen in this source."""
    mentions: str | None = None
    posts: str | None = None
    messages: str | None = None
    """The highest ids of earlier rounds."""

    @property
    def known(self) -> str | None:
        """The highest id of earlier rounds in this source."""
        found: str | None = getattr(self, self.source)
        return found

    def beginning(self) -> "Cursor":
        """Of the next round."""
        return Cursor(mentions=self.mentions, posts=self.posts, messages=self.messages)

    @classmethod
    def read(cls, cursor: str | None) -> "Cursor":
        try:
            return cls.model_validate_json(cursor) if cursor else cls()
        except ValidationError as error:
            raise ConfigError("the stored cursor is not one of X's; reset the channel's cursor") from error


def poll(own: str, cursor: Cursor) -> Flow[Page]:
    request = _request(own, cursor)
    response: httpx.Response = yield request
    content = response.json()
    following = after(cursor, content)
    return Page(
        payloads=(_payload(request, response),) if _is_news(cursor, content) else (),
        cursor=following.to_json(),
        more=following != following.beginning(),
    )


def _is_news(cursor: Cursor, content: Json) -> bool:
    """Direct messages have no `since_id`, so most pages say again what is known. What we posted before the first
    round is no news either, unless somebody asks for a history."""
    ids = [text_of(item, "id") for item in objects_of(content, "data")]
    if cursor.known is None:
        return bool(ids) and cursor.source != "posts"
    return any(_number(found or "") > _number(cursor.known) for found in ids)


def _request(own: str, cursor: Cursor) -> httpx.Request:
    if cursor.source == "mentions":
        return api.mentions(own, cursor.mentions, cursor.token)
    if cursor.source == "posts":
        size = 100 if cursor.posts else NEWEST
        return api.posts_since(own, cursor.posts, cursor.token, size)
    return api.direct_messages("/2/dm_events", cursor.token)


def _payload(request: httpx.Request, response: httpx.Response) -> Payload:
    return Payload(
        source="poll",
        method="GET",
        url=str(request.url),
        body=response.content,
        received_at=answered_at(response),
    )


def after(cursor: Cursor, content: Json) -> Cursor:
    """The cursor behind this page: its next page, or the next source, or the next round."""
    known = cursor.known
    ids = [found for item in objects_of(content, "data") if (found := text_of(item, "id"))]
    newest = _highest(cursor.newest, *ids)
    token = text_of(object_of(content, "meta"), "next_token")
    is_begun = known is not None or cursor.source != "posts"
    if token and is_begun and not (known and any(_number(found) <= _number(known) for found in ids)):
        return cursor.model_copy(update={"token": token, "newest": newest})
    highest = _highest(known, newest) or ("1" if cursor.source == "posts" else None)
    told = {"source": FOLLOWING[cursor.source], "token": None, "newest": None, cursor.source: highest}
    return cursor.model_copy(update=told)


def _highest(*ids: str | None) -> str | None:
    return max((one for one in ids if one), key=_number, default=None)


def _number(native_id: str) -> int:
    return int(native_id) if native_id.isascii() and native_id.isdigit() and len(native_id) < 20 else 0
