"""Moments and context in LINE's JSON; everything else is read as `socialsupport_core.contract.lax` does."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from socialsupport_core.contract.lax import Json, json_object, number_of, text_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONTEXT = 4096
"""Characters that an interaction's context may have."""


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
    return text_of(json_object(written), name)
