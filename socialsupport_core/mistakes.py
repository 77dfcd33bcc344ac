"""What is wrong with what somebody wrote, field by field, in words that say what to do.

No value is repeated: it may be a secret.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

WORDS: Mapping[str, str] = {
    "missing": "is missing; add it",
    "string_type": "must be a text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a table of names and values",
    "model_type": "must be a table of names and values",
    "model_attributes_type": "must be a table of names and values",
    "too_short": "needs at least {min_length} of them",
    "literal_error": "must be {expected}",
    "timezone_aware": "says no time zone; add Z or +01:00",
    "datetime_from_date_parsing": "is no time; write 2026-01-30T01:57:09Z",
    "json_invalid": "is not JSON: {error}",
}
"""Pydantic's kinds of error, https://docs.pydantic.dev/latest/errors/validation_errors/ (2026-11). Others keep
pydantic's own words."""

TABLES = (dict, list, tuple, set, frozenset)


def mistakes(error: ValidationError, model: type[BaseModel] | None = None) -> list[tuple[str, str]]:
    """Field and problem, unknown fields first: a misspelt one is often why another is missing."""
    found = error.errors(include_url=False, include_input=False)
    found.sort(key=lambda one: one["type"] != "extra_forbidden")
    return [(".".join(map(str, one["loc"])), _told(one, model)) for one in found]


def _told(one: ErrorDetails, model: type[BaseModel] | None) -> str:
    if one["type"] == "extra_forbidden":
        *path, name = map(str, one["loc"])
        known = sorted(_keys(model, path))
        return f"there is no such key{near(name, known)}"
    if words := WORDS.get(one["type"]):
        return words.format(**one.get("ctx", {}))
    return one["msg"].removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")


def near(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: what was probably meant, or all that there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there is: {', '.join(names)}" if names else ""


def _keys(model: Any, path: list[str]) -> Iterable[str]:
    """The fields of what stands at `path` in the model, found by walking the annotations."""
    for step in path:
        model = _at(model, step)
    return _fields(model) or next((found for one in get_args(model) if (found := _fields(one))), {})


def _at(annotation: Any, step: str) -> Any:
    """What stands under a field of a model, a name of a table, or a number of a list."""
    if fields := _fields(annotation):
        return fields[step].annotation if step in fields else None
    inside = [one for one in get_args(annotation) if one is not Ellipsis]
    if get_origin(annotation) in TABLES:
        return inside[-1]
    return next((found for one in inside if (found := _at(one, step)) is not None), None)


def _fields(model: Any) -> Mapping[str, Any]:
    return getattr(model, "model_fields", {})
