"""What is wrong with a value, in one readable line: its place, the problem, the remedy.

No value is ever repeated: it may be a secret.
"""

import difflib
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from socialsupport_core.mistakes import WORDS

ALIKE = 0.75
"""Below it two names only happen to share letters, such as heron and phone (0.6)."""
_NOT_THEIRS = re.compile(r"socialsupport_core|site-packages|<frozen|<string>|lib[/\\\\]python3")
Models = Sequence[type[BaseModel]]


def problems(error: ValidationError, model: Any = None, where: str = "") -> str:
    """`where: key: problem`, one after another; the model, or union of models, knows the keys that there are."""
    told = (_problem(dict(one), model) for one in error.errors(include_url=False, include_input=False))
    return "; ".join(f"{where}: {one}" if where else one for one in told)


def one_line(error: BaseException) -> str:
    """The message without line breaks; what pydantic said inside it is told as `problems` does."""
    text = str(error)
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ValidationError):
            text = text.replace(str(at), f"{at.title}: {problems(at)}")
        at = at.__cause__ or at.__context__
    return " ".join(text.split())


def raised(error: BaseException) -> str:
    """Class, message and, where it came out of somebody else's code, the line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = next((f for f in reversed(frames) if not _NOT_THEIRS.search(f.filename)), None)
    place = f" ({Path(where.filename).name}, line {where.lineno})" if where else ""
    return f"{type(error).__name__}: {one_line(error)}{place}"


def near(word: str, known: Iterable[str]) -> str:
    """The remedy for a name that does not exist."""
    names = sorted(known)
    turned = [name for name in names if sorted(name) == sorted(word)]
    close = turned or difflib.get_close_matches(word, names, n=1, cutoff=ALIKE)
    return f"did you mean {close[0]}?" if close else f"there is: {', '.join(names) or 'nothing'}"


def _problem(one: Mapping[str, Any], model: Any) -> str:
    place, models = _walked([str(step) for step in one["loc"]], list(_models(model)))
    key = ".".join(place) or "the whole"
    if one["type"] == "extra_forbidden":
        _, models = _walked([str(step) for step in one["loc"][:-1]], list(_models(model)))
        remedy = f"; {near(place[-1], _keys(models))}" if models else "; take it out"
        return f"{key}: there is no such key{remedy}"
    if one["type"].startswith("union_tag"):
        expected = one.get("ctx", {}).get("expected_tags", "").replace("'", "") or ", ".join(_tags(models))
        return f"{'.'.join([*place, 'type'])}: must be one of {expected}"
    if words := WORDS.get(one["type"]):
        return f"{key}: {words.format(**one.get('ctx', {}))}"
    said = one["msg"].removeprefix("Value error, ")
    return f"{key}: {said.replace('Input should', 'must').replace('String should', 'must')}"


def _walked(steps: list[str], models: Models) -> tuple[list[str], Models]:
    """The steps as they stand in the JSON (pydantic also names the member of a union), and what stands there."""
    place = []
    for step in steps:
        if tagged := [one for one in models if _tag(one) == step]:
            models = tagged
            continue
        place.append(step)
        if not step.isdigit():
            models = [inner for one in models for inner in _inside(one, step)]
    return place, models


def _inside(model: type[BaseModel], key: str) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if key in (field.alias, name):
            yield from _models(field.annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _keys(models: Models) -> list[str]:
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _tags(models: Models) -> list[str]:
    return [tag for one in models if (tag := _tag(one))]


def _tag(model: type[BaseModel]) -> str | None:
    """What tells the member of a union: its `type`."""
    field = model.model_fields.get("type")
    return str(field.default) if field and not field.is_required() else None
