"""Names of records: https://atproto.com/specs/at-uri-scheme, https://atproto.com/specs/tid (2026-11)."""

import hashlib
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from socialsupport_core.contract.lax import Unreadable

POST, LIKE = "app.bsky.feed.post", "app.bsky.feed.like"
DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,256}", re.ASCII)
_URI = re.compile(
    r"at://(did:[a-z]+:[A-Za-z0-9._:%-]{1,256})/([A-Za-z0-9.-]{1,317})/([A-Za-z0-9._:~-]{1,512})", re.ASCII
)
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


def parted(uri: str) -> tuple[str, str, str]:
    """The account, the collection and the record's key."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise Unreadable(f"{uri[:60]!r} is no address of a record")
    return found[1], found[2], found[3]


def tid(key: str) -> str:
    """A record key in the form of a timestamp, always the same for one key of ours."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> 1  # its highest bit is 0
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def moment(written: str) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written[:40]!r} is no moment") from None
    if at.tzinfo is None:
        raise Unreadable(f"{written[:40]!r} has no time zone")
    return at


def now(response: httpx.Response) -> str:
    """By the server's clock: a connector has none of its own."""
    try:
        at = parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        raise ValueError("the answer carries no Date, and a record needs one") from None
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
