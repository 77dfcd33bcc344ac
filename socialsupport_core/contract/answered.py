"""When a network answered, by its own clock: a plugin has none."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def answered_at(response: "httpx.Response") -> datetime:
    """The Date header (RFC 9110, 6.6.1) in UTC; the epoch if there is none that can be read."""
    try:
        at = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return EPOCH
    return at.astimezone(UTC) if at.tzinfo else EPOCH
