"""What was said while nobody listened, channel by channel. Direct messages cannot be listed by a bot.

https://docs.discord.com/developers/resources/message#get-channel-messages (2026-11)
"""

import json
from datetime import datetime
from typing import Any

import httpx

from socialsupport_core.contract import Flow, Forbidden
from socialsupport_core.contract.lax import json_object, object_of, objects_of, text_of
from socialsupport_core.model import Page, Payload
from socialsupport_discord import places
from socialsupport_discord.outbound import call

AT_ONCE = 100
READABLE = frozenset({0, 2, 5, 10, 11, 12, 13})
"""Types of channels with messages, https://docs.discord.com/developers/resources/channel (2026-11)."""
NOW = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
"""In place of the moment: the host stamps what is read."""


def page(since: datetime, cursor: str | None) -> Flow[Page]:
    if cursor is None:
        waiting = yield from _channels()
        return _page([], waiting, places.number_at(since))
    known = json_object(cursor)
    waiting = [(text_of(one, "channel") or "", text_of(one, "guild") or "") for one in objects_of(known, "waiting")]
    after, begun = text_of(known, "after") or places.number_at(since), text_of(object_of(known, "now"), "after")
    if not waiting:
        return Page()
    messages = yield from _messages(waiting[0][0], begun or after)
    if len(messages) == AT_ONCE:
        newest = max((places.snowflake(one, "id") for one in messages), key=int)
        return _page(_told(messages, waiting[0][1]), waiting, after, newest)
    return _page(_told(messages, waiting[0][1]), waiting[1:], after)


def _channels() -> Flow[list[tuple[str, str]]]:
    response: httpx.Response = yield call("GET", "users", "@me", "guilds")
    found: list[tuple[str, str]] = []
    for guild in [places.snowflake(one, "id") for one in response.json()]:
        listed = yield call("GET", "guilds", guild, "channels")
        threads = yield call("GET", "guilds", guild, "threads", "active")
        known = [*listed.json(), *objects_of(threads.json(), "threads")]
        found += [(places.snowflake(one, "id"), guild) for one in known if one.get("type") in READABLE]
    return found


def _messages(channel: str, after: str) -> Flow[list[Any]]:
    """The oldest first; none of what the bot may not read."""
    try:
        response = yield call("GET", "channels", channel, "messages", params={"after": after, "limit": str(AT_ONCE)})
    except Forbidden:
        return []
    return sorted(response.json(), key=lambda one: int(places.snowflake(one, "id")))


def _told(messages: list[Any], guild: str) -> list[Payload]:
    """As the gateway would have told it."""
    bodies = [{"t": "MESSAGE_CREATE", "d": {**one, "guild_id": guild}} for one in messages]
    return [Payload(source="poll", method="", body=json.dumps(one).encode(), received_at=NOW) for one in bodies]


def _page(payloads: list[Payload], waiting: list[tuple[str, str]], after: str, newest: str | None = None) -> Page:
    listed = [{"channel": channel, "guild": guild} for channel, guild in waiting]
    cursor = {"waiting": listed, "after": after, "now": {"after": newest} if newest else {}}
    return Page(payloads=tuple(payloads), cursor=json.dumps(cursor), more=bool(waiting))
