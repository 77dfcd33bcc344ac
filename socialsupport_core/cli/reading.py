"""Reading what the command line names. Every mistake is told with its file, its place and the remedy."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import json
import sys
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.testing.problems import problems

if TYPE_CHECKING:
    from socialsupport_core.model import Intent


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
    found = json_of(path)
    if not isinstance(found, list):
        return [_intent(found, path)]
    return [_intent(one, f"{path}: [{number}]") for number, one in enumerate(found)]


def _intent(value: Any, where: str) -> "Intent":
    from socialsupport_core.model import INTENT, Intent

    try:
        return INTENT.validate_json(json.dumps(value))
    except ValidationError as error:
        raise ConfigError(problems(error, Intent, where)) from error


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
