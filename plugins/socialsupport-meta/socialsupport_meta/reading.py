"""Moments and context in Meta's JSON; everything else is read as `socialsupport_core.contract.lax` does."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from socialsupport_core.contract.lax import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IN_MILLISECONDS = 100_000_000_000
"""From here on a number of time counts milliseconds: in seconds it would be the year 5138."""
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")
CONTEXT = 4096
"""Characters that an interaction's context may have."""


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
