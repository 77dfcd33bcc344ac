"""Time as those say whom we have asked: a plugin has no clock of its own."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

BEGINNING = datetime.fromtimestamp(0, UTC)


def answered_at(response: httpx.Response) -> datetime:
    """By the answer's Date header (RFC 9110, 6.6.1); 1970 if there is none that can be read."""
    try:
        moment = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return BEGINNING
    return moment.astimezone(UTC) if moment.tzinfo else BEGINNING
