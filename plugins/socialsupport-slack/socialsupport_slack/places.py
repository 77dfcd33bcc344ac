"""Where something is said on Slack, in one word, and moments as Slack writes them.

A message's `ts` is unique in its conversation only, so an id has both: `C024BE91L:1700000000.000100`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from socialsupport_core.contract.lax import Unreadable
from socialsupport_core.model import Thread, Visibility

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TS = re.compile(r"(\d{1,11})\.(\d{1,6})", re.ASCII)
VISIBLE: Mapping[str, Visibility] = {"channel": "public", "group": "private", "im": "private", "mpim": "private"}
"""By `channel_type`, https://docs.slack.dev/reference/events/message (2026-11). Whoever is in a workspace can read its
public channels."""


def moment(ts: str) -> datetime:
    found = _TS.fullmatch(ts)
    if found is None:
        raise Unreadable(f"{ts[:40]!r} is no moment of Slack's")
    return EPOCH + timedelta(seconds=int(found[1]), microseconds=int(found[2].ljust(6, "0")))


def native_id(channel: str, ts: str) -> str:
    moment(ts)
    return f"{channel}:{ts}"


def is_direct(channel: str) -> bool:
    return channel.startswith("D")


def thread(channel: str, kind: str | None, root: str) -> Thread:
    """In channels each thread is one of its own; a direct conversation, of two or of several, is one as a whole."""
    whole = kind in {"im", "mpim"} or is_direct(channel)
    return Thread(id=channel if whole else native_id(channel, root), visibility=visible(channel, kind))


def channel_itself(channel: str, kind: str | None) -> Thread:
    return Thread(id=channel, visibility=visible(channel, kind))


def visible(channel: str, kind: str | None) -> Visibility:
    return VISIBLE.get(kind or "", "private" if channel[:1] in {"D", "G"} else "public")


def parted(written: str) -> tuple[str, str | None]:
    """The conversation and the `ts` of a thread's or a message's id."""
    channel, _, ts = written.partition(":")
    return channel, ts or None
