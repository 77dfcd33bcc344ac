"""Lax reading of native JSON: what is optional may be missing or strange, what is needed raises `Unreadable`.

For connectors whose network adds fields without notice and fills known ones with surprises. A payload is asked some
fifty times: plain loops cost half of what generators do.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

Json = Mapping[str, Any]


class Unreadable(ValueError):
    """One native event lacks what it cannot do without."""


def text_of(source: Json, *names: str) -> str | None:
    """The first filled text among the fields; a whole number becomes decimal."""
    for name in names:
        value = source.get(name)
        if value is None:
            continue
        if value.__class__ is str:
            if value:
                return value
        elif (text := _text(value)) is not None:
            return text
    return None


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def texts_of(source: Json, *names: str) -> list[str]:
    """The filled texts in the first list among the fields."""
    return [text for item in _list_of(source, names) if (text := _text(item)) is not None]


def needed(source: Json, *names: str) -> str:
    value = text_of(source, *names)
    if value is None:
        raise Unreadable(f"{names[0]} is missing")
    return value


def whole_of(source: Json, *names: str) -> int | None:
    """The first number from 0 on, as people count."""
    for name in names:
        if _is_whole(value := source.get(name)):
            return value
    return None


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def number_of(source: Json, *names: str) -> float | None:
    """The first finite number among the fields."""
    return next((number for name in names if (number := _finite(source.get(name))) is not None), None)


def _finite(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def object_of(source: Json, *names: str) -> Json:
    """The first object among the fields, or an empty one."""
    for name in names:
        value = source.get(name)
        if isinstance(value, dict):
            return value
    return {}


def objects_of(source: Json, *names: str) -> Sequence[Json]:
    """The objects in the first list among the fields."""
    for name in names:
        value = source.get(name)
        if value.__class__ is list:
            return [item for item in value if isinstance(item, dict)]
    return ()


def _list_of(source: Json, names: Sequence[str]) -> Sequence[Any]:
    for name in names:
        if isinstance(value := source.get(name), list):
            return value
    return ()


def json_object(written: str | bytes | None) -> Json:
    """What was written as a JSON object; empty if it is none."""
    try:
        read = json.loads(written or "{}")
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
