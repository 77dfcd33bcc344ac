"""Why a payload is not what its network says: the reason in the quarantine, which must repeat nobody's words."""

import re
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

MOST = 5
"""Fields that are told; whoever mends the first sees the others."""
_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "union_tag_invalid": "is of a kind that is not known",
    "uuid_parsing": "is no UUID",
    "extra_forbidden": "is not known",
}
"""Kinds of error that pydantic tells with a piece of the value, or too shortly,
https://docs.pydantic.dev/latest/errors/validation_errors/ (2026-11). The others keep its words."""
_NAME = re.compile(r"[A-Za-z_@$][A-Za-z0-9_$-]{0,63}")
"""The form of a field's name. What is none may be what somebody has written, as the keys of a table are."""


def misfit(error: ValidationError, whole: str = "the body") -> str:
    """`ticket.id: is missing; from: Input should be a valid string`: which fields are wrong and how, never what was
    in them. `whole` stands for what has no field."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{_place(one) or whole}: {_told(one)}" for one in faults[:MOST])


def _place(one: ErrorDetails) -> str:
    return ".".join(_step(step) for step in one["loc"])


def _step(step: int | str) -> str:
    return str(step) if isinstance(step, int) or _NAME.fullmatch(step) else "…"


def _told(one: ErrorDetails) -> str:
    return _WORDS.get(one["type"]) or one["msg"].removeprefix("Value error, ")
