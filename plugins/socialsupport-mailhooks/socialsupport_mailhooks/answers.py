"""Reading what the providers' APIs answer."""

import json
from typing import Any

import httpx


def object_of(response: httpx.Response) -> dict[str, Any]:
    """Its JSON, empty if it is none."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
