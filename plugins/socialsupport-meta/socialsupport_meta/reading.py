"""Lax reading of Meta's JSON: what is optional may be missing or strange, what is needed raises `Unreadable`."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Mapping[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IN_MILLISECONDS = 100_000_000_000
"""From here on a number of time counts milliseconds: in seconds it would be the year 5138."""
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")
CONTEXT = 4096
"""Characters that an interaction's context may have."""


class Unreadable(ValueError):
    """One native event lacks what it cannot do without."""


def text_of(source: Json, *names: str) -> str | None:
    """The first filled text among the fields; a number becomes decimal."""
    for name in names:
        value = source.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def needed(source: Json, *names: str) -> str:
    value = text_of(source, *names)
    if value is None:
        raise Unreadable(f"{names[0]} is missing")
    return value


def number_of(source: Json, *names: str) -> float | None:
    """The first finite number among the fields."""
    for name in names:
        value = source.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(_float(value)):
            return _float(value)
    return None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def object_of(source: Json, *names: str) -> Json:
    """The first object among the fields, or an empty one."""
    return next((value for name in names if isinstance(value := source.get(name), dict)), {})


def objects_of(source: Json, *names: str) -> Sequence[Json]:
    """The objects in the first list among the fields."""
    for name in names:
        value = source.get(name)
        if isinstance(value, list):
            return [item for item in value if isinstance(item, dict)]
    return ()


def texts_of(source: Json, *names: str) -> list[str]:
    for name in names:
        value = source.get(name)
        if isinstance(value, list):
            return [text for item in value if (text := text_of({"": item}, ""))]
    return []


def moment_of(source: Json, *names: str) -> datetime | None:
    """The first readable moment among the fields."""
    return next((at for name in names if (at := moment(source.get(name))) is not None), None)


def moment(value: object) -> datetime | None:
    """Seconds or milliseconds since 1970, as number or text, or ISO 8601 with an offset such as +0000."""
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
            return _counted(int(value))
        if not isinstance(value, str):
            return None
        at = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", value))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _counted(number: int) -> datetime | None:
    if number <= 0:
        return None
    return EPOCH + (timedelta(milliseconds=number) if number >= IN_MILLISECONDS else timedelta(seconds=number))


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def legible(text: str) -> str:
    """Without lone surrogates, which no store takes."""
    return text.encode("utf-8", "replace").decode()


def context(**kept: Any) -> str | None:
    """What is worth keeping of a message, as JSON; nothing if it is too long for that."""
    filled = {name: value for name, value in kept.items() if value not in (None, "", {}, [])}
    written = json.dumps(filled, ensure_ascii=False, separators=(",", ":")) if filled else None
    return written if written and len(written) <= CONTEXT else None
