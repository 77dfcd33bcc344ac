"""Reading what the command line names. Every mistake is told with its file, its place and the remedy."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import difflib
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import typer
from pydantic import BaseModel, TypeAdapter, ValidationError

from socialsupport_core.contract.errors import ConfigError

if TYPE_CHECKING:
    from socialsupport_core.model import Intent

T = TypeVar("T")


def content(path: str) -> bytes:
    """The file's bytes; `-` is stdin. Raises OSError."""
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def json_of(path: str) -> Any:
    """Raises ConfigError with line and column."""
    try:
        return json.loads(content(path), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"{path}, line {error.lineno}, column {error.colno}"
        raise ConfigError(f"{place}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number; write null or a number")


def table_of(path: str) -> Any:
    """A TOML file (`.toml`) or JSON. Raises ConfigError."""
    if not path.endswith(".toml"):
        return json_of(path)
    try:
        return tomllib.loads(content(path).decode())
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def intents_of(path: str) -> "list[Intent]":
    """One intent or a list of them. Raises ConfigError."""
    from socialsupport_core.model import INTENT

    found = json_of(path)
    if not isinstance(found, list):
        return [_checked(INTENT, found, path)]
    return [_checked(INTENT, one, f"{path}: [{number}]") for number, one in enumerate(found)]


def _checked(adapter: TypeAdapter[T], value: Any, where: str) -> T:
    try:
        return adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        raise ConfigError(problems(error, where, adapter)) from error


def problems(error: ValidationError, where: str, model: Any) -> str:
    """`where: key: problem`, one after another. No value is repeated: it may be a secret."""
    told = (_problem(dict(one), model) for one in error.errors(include_url=False, include_input=False))
    return "; ".join(f"{where}: {one}" for one in told)


def _problem(one: Mapping[str, Any], model: Any) -> str:
    tags = {tag for tag, _ in _union(model)}
    place = [str(step) for step in one["loc"] if step not in tags]
    key = ".".join(place) or "the whole"
    if one["type"] == "extra_forbidden":
        known = _keys(model, [str(step) for step in one["loc"][:-1]])
        return f"{key}: there is no such key; {near(place[-1], known)}"
    if one["type"] == "missing":
        return f"{key}: is missing; add it"
    if one["type"].startswith("union_tag"):
        return f"type: must be one of {', '.join(tag for tag, _ in _union(model))}"
    said = one["msg"].removeprefix("Value error, ")
    return f"{key}: {said.replace('Input should', 'must').replace('String should', 'must')}"


def near(word: str, known: Iterable[str]) -> str:
    """The remedy for a name that does not exist."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {close[0]}?" if close else f"there is: {', '.join(names) or 'nothing'}"


def _union(model: Any) -> list[tuple[str, type[BaseModel]]]:
    """The members of a tagged union by their tags; nothing for a plain model."""
    from socialsupport_core.model import INTENT, Intent

    return [(cls.model_fields["type"].default, cls) for cls in get_args(Intent)] if model is INTENT else []


def _keys(model: Any, path: list[str]) -> Iterable[str]:
    """The keys of the model at `path`, found by walking the annotations."""
    members = dict(_union(model))
    if members:
        model, path = members.get(path[0]) if path else None, path[1:]
    for step in path:
        if step.isdigit():
            continue
        field = getattr(model, "model_fields", {}).get(step)
        model = next(_models(field.annotation), None) if field else None
    return getattr(model, "model_fields", {})


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def moment(written: str | None, option: str) -> datetime | None:
    """A time on the command line. Raises a usage error unless it says its time zone."""
    if written is None:
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError as error:
        message = f"{written!r} is no time; write 2026-01-30T01:57:09Z"
        raise typer.BadParameter(message, param_hint=option) from error
    if read.tzinfo is None:
        raise typer.BadParameter(f"{written!r} says no time zone; add Z or +01:00", param_hint=option)
    return read.astimezone(UTC)


def pairs(written: Iterable[str], mark: str, option: str) -> list[tuple[str, str]]:
    """`K: V` or `K=V` options. Raises a usage error."""
    found = []
    for one in written:
        key, sep, value = one.partition(mark)
        if not (sep and key.strip()):
            raise typer.BadParameter(f"{one!r} has no {mark!r} after its name", param_hint=option)
        found.append((key.strip(), value.strip()))
    return found
