"""Lax reading of native JSON: what is optional may be missing or strange, what is needed raises `Unreadable`.

For connectors whose network adds fields without notice and fills known ones with surprises.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


class Unreadable(ValueError):
    """One native event lacks what it cannot do without."""


def text_of(source: Json, name: str) -> str | None:
    """A filled text; a whole number becomes decimal."""
    value = source.get(name)
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def needed(source: Json, name: str) -> str:
    value = text_of(source, name)
    if value is None:
        raise Unreadable(f"{name} is missing")
    return value


def whole_of(source: Json, name: str) -> int | None:
    """A number from 0 on, as people count."""
    value = source.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 else None


def object_of(source: Json, name: str) -> Json:
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def objects_of(source: Json, name: str) -> Sequence[Json]:
    value = source.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def json_object(written: str | bytes | None) -> Json:
    """What was written as a JSON object; empty if it is none."""
    try:
        read = json.loads(written or "{}")
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
