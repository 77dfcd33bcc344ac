"""Lax reading of LINE's JSON: what is optional may be missing or strange, what is needed raises `Unreadable`."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Mapping[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONTEXT = 4096
"""Characters that an interaction's context may have."""


class Unreadable(ValueError):
    """One native event lacks what it cannot do without."""


def text_of(source: Json, name: str) -> str | None:
    """A filled text; a number becomes decimal."""
    value = source.get(name)
    if isinstance(value, str) and value:
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def needed(source: Json, name: str) -> str:
    value = text_of(source, name)
    if value is None:
        raise Unreadable(f"{name} is missing")
    return value


def number_of(source: Json, name: str) -> float | None:
    value = source.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def object_of(source: Json, name: str) -> Json:
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def objects_of(source: Json, name: str) -> Sequence[Json]:
    value = source.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def texts_of(source: Json, name: str) -> list[str]:
    value = source.get(name)
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []


def moment_of(source: Json, name: str) -> datetime | None:
    """Milliseconds since 1970."""
    number = number_of(source, name)
    try:
        return EPOCH + timedelta(milliseconds=int(number)) if number and number > 0 else None
    except OverflowError:
        return None


def digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]


def context(tokens: Mapping[str, Any], more: Mapping[str, Any]) -> str | None:
    """What is worth keeping of a message, as JSON; what is not needed for an answer goes first if it is too long."""
    for kept in ({**more, **tokens}, tokens):
        filled = {name: value for name, value in kept.items() if value not in (None, "", {}, [], False)}
        written = json.dumps(filled, ensure_ascii=False, separators=(",", ":")) if filled else None
        if written is None or len(written) <= CONTEXT:
            return written
    return None


def kept(written: str | None, name: str) -> str | None:
    """A text out of a context that `context` wrote."""
    try:
        read = json.loads(written or "{}")
    except (ValueError, RecursionError):
        return None
    return text_of(read, name) if isinstance(read, dict) else None
