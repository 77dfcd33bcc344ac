"""What is wrong with what somebody wrote, field by field, in words that say what to do.

No value is repeated: it may be a secret.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
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
ALIKE = 0.75
"""Below it two names only happen to share letters, such as heron and phone (0.6)."""


def mistakes(error: ValidationError, model: Any = None) -> list[tuple[str, str]]:
    """Field and problem, unknown fields first: a misspelt one is often why another is missing.

    The model, or union of models, knows the fields that there are.
    """
    found = error.errors(include_url=False, include_input=False)
    found.sort(key=lambda one: one["type"] != "extra_forbidden")
    return [_told(one, model) for one in found]


def problems(error: ValidationError, model: Any = None, where: str = "") -> str:
    """`where: key: problem`, one after another, in one line."""
    told = (f"{key or 'the whole'}: {problem}" for key, problem in mistakes(error, model))
    return "; ".join(f"{where}: {one}" if where else one for one in told)


def near(word: str, known: Iterable[str], else_: str = "there is: {}") -> str:
    """The remedy for a name that does not exist: what was probably meant, else all that there is."""
    names = sorted(known)
    turned = [name for name in names if sorted(name) == sorted(word)]
    close = turned or difflib.get_close_matches(word, names, n=1, cutoff=ALIKE)
    return f"did you mean {close[0]}?" if close else else_.format(", ".join(names) or "nothing")


def _told(one: ErrorDetails, model: Any) -> tuple[str, str]:
    steps = [str(step) for step in one["loc"]]
    place, inside = _walked(steps, model)
    key = ".".join(place)
    if one["type"] == "extra_forbidden":
        known = _keys(_walked(steps[:-1], model)[1])
        return key, f"there is no such key; {near(place[-1], known) if known else 'take it out'}"
    if one["type"].startswith("union_tag"):
        expected = one.get("ctx", {}).get("expected_tags", "").replace("'", "") or ", ".join(_tags(inside))
        return ".".join([*place, "type"]), f"must be one of {expected}"
    if words := WORDS.get(one["type"]):
        return key, words.format(**one.get("ctx", {}))
    said = one["msg"].removeprefix("Value error, ")
    return key, said.replace("Input should", "must").replace("String should", "must")


def _walked(steps: Iterable[str], annotation: Any) -> tuple[list[str], Any]:
    """The steps as they stand in the JSON (pydantic also names the member of a union), and what stands there."""
    place = []
    for step in steps:
        if tagged := [one for one in _members(annotation) if _tag(one) == step]:
            annotation = tagged[0]
            continue
        place.append(step)
        annotation = _at(annotation, step)
    return place, annotation


def _at(annotation: Any, step: str) -> Any:
    """What stands under a field of a model, a name of a table, or a number of a list."""
    inside = [one for one in get_args(annotation) if one is not Ellipsis]
    if get_origin(annotation) in TABLES:
        return inside[-1]
    for name, field in _fields(annotation):
        if step in (field.alias, name):
            return field.annotation
    return next((found for one in inside if (found := _at(one, step)) is not None), None)


def _members(annotation: Any) -> list[Any]:
    """The models that may stand there."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in TABLES:
        return []
    return [found for one in get_args(annotation) for found in _members(one)]


def _fields(model: Any) -> Iterable[tuple[str, FieldInfo]]:
    return list(getattr(model, "model_fields", {}).items()) if isinstance(model, type) else []


def _keys(annotation: Any) -> list[str]:
    return [field.alias or name for one in _members(annotation) for name, field in _fields(one)]


def _tags(annotation: Any) -> list[str]:
    return [tag for one in _members(annotation) if (tag := _tag(one))]


def _tag(model: Any) -> str | None:
    """What tells the member of a union: its `type`."""
    field = dict(_fields(model)).get("type")
    return str(field.default) if field and not field.is_required() else None
