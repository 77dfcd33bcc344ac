"""Where and when something is said on Discord."""

from datetime import UTC, datetime, timedelta

from socialsupport_core.contract.lax import Json, Unreadable, needed, text_of
from socialsupport_core.model import Thread

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
"""Of snowflakes, https://docs.discord.com/developers/reference#snowflakes (2026-11)"""
PRIVATE_THREAD = 12
"""https://docs.discord.com/developers/resources/channel#channel-object-channel-types (2026-11)"""


def snowflake(source: Json, name: str) -> str:
    found = needed(source, name)
    if not (found.isascii() and found.isdecimal() and len(found) <= 20):
        raise Unreadable(f"{name} is no id of Discord's")
    return found


def made_at(number: str) -> datetime:
    """Every id tells when it was made."""
    return EPOCH + timedelta(milliseconds=int(number) >> 22)


def number_at(moment: datetime) -> str:
    return str(max(0, (moment - EPOCH) // timedelta(milliseconds=1)) << 22)


def moment_of(source: Json, name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text_of(source, name) or "")
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def thread(source: Json, channel: str) -> Thread:
    """In a server whoever is a member may read it; only direct messages and private threads are private."""
    is_private = text_of(source, "guild_id") is None or source.get("channel_type") == PRIVATE_THREAD
    return Thread(id=channel, visibility="private" if is_private else "public")
