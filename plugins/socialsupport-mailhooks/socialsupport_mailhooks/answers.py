"""Reading what the providers' APIs answer."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx


def object_of(response: httpx.Response) -> dict[str, Any]:
    """Its JSON, empty if it is none."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def answered_at(response: httpx.Response) -> datetime:
    """By the provider's clock; without one it is long ago, so nothing is concluded from it."""
    sent = response.headers.get("date")
    return parsedate_to_datetime(sent).astimezone(UTC) if sent else datetime.fromtimestamp(0, UTC)
