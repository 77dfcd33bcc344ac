"""The plugin that a verb is about, and its settings: given, or placeholders."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from socialsupport_core.cli.reading import problems, table_of
from socialsupport_core.contract.errors import ConfigError

if TYPE_CHECKING:
    from socialsupport_core.contract import CRM, Broken, Connector, Registry, Settings
    from socialsupport_core.model import Facts

PLACEHOLDER = "placeholder"
_SAMPLES: tuple[Any, ...] = (
    PLACEHOLDER,
    "0",
    0,
    1,
    True,
    1.0,
    "+15550000000",
    "https://placeholder.example",
    "placeholder@placeholder.example",
    "placeholder.example",
    (),
    {},
    "00" * 32,
)
"""Tried in this order for a required setting, until its model takes one."""


def connector(name: str) -> "type[Connector[Any]]":
    """Loads that one plugin if it is named after its network, else all. Raises ConfigError."""
    from socialsupport_core.contract import Registry

    alone = Registry.discover(only=[name])
    return alone.connectors[name] if name in alone.connectors else Registry.discover().connector(name)


def everything(names: list[str]) -> "list[type[Connector[Any]] | type[CRM[Any]]]":
    """The connectors and CRM adapters of these names; all that is installed without names.

    A folder that holds a plugin stands for what is in it, installed or not.
    """
    from socialsupport_core.contract import Registry

    registry = Registry.discover()
    known = _kinds(registry)
    found: list[Any] = []
    for name in names or sorted(known):
        if name not in known and Path(name).is_dir():
            found += _in_folder(Path(name))
        else:
            found.append(known.get(name) or registry.connector(name))
    return found


def _kinds(registry: "Registry") -> "dict[str, Any]":
    return {**registry.crms, **registry.connectors}


def _in_folder(folder: Path) -> "Iterator[Any]":
    from socialsupport_core.testing.scaffold import plugin_at

    yield from _kinds(plugin_at(folder)).values()


def broken() -> "list[Broken]":
    from socialsupport_core.contract import Registry

    return Registry.discover().broken


@dataclass(frozen=True, slots=True)
class Fitted:
    """Settings, and the names of those that are only placeholders."""

    settings: "Settings"
    facts: "Facts | None" = None
    invented: tuple[str, ...] | None = None
    """None: the settings were given."""

    @property
    def remark(self) -> str:
        """What stderr says about them, "" if they were given."""
        if self.invented is None:
            return ""
        names = ", ".join(self.invented)
        held = f"placeholders stand in for {names}" if names else "the defaults hold"
        return f"no --settings: {held}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be printed. Placeholders may."""
        return tuple(sorted(set(secrets_of(self.settings)))) if self.invented is None else ()


def fitted(kind: "type[Connector[Any]] | type[CRM[Any]]", path: str | None) -> Fitted:
    """The settings in the file, or placeholders without one. Raises ConfigError."""
    return Fitted(settings_of(kind, path)) if path else placeholders(kind)


def settings_of(kind: "type[Connector[Any]] | type[CRM[Any]]", path: str) -> "Settings":
    """Raises ConfigError that names the file, each key and the remedy."""
    read = table_of(path)
    try:
        return kind.settings_model.model_validate(read)
    except ValidationError as error:
        raise ConfigError(problems(error, path, kind.settings_model)) from error


def placeholders(kind: "type[Connector[Any]] | type[CRM[Any]]") -> Fitted:
    """The fake settings that ship with the plugin's cases, else something of the right form."""
    fake, facts = _shipped(kind)
    try:
        settings = kind.settings_model.model_validate(fake)
    except ValidationError:
        fake, facts = dict(_made_up(kind.settings_model)), None
        settings = _valid(kind, fake)
    return Fitted(settings, facts, tuple(fake))


def _valid(kind: "type[Connector[Any]] | type[CRM[Any]]", fake: dict[str, Any]) -> "Settings":
    try:
        return kind.settings_model.model_validate(fake)
    except ValidationError as error:
        told = problems(error, kind.name, kind.settings_model)
        raise ConfigError(f"{told}; no placeholder fits, give --settings FILE") from error


def _shipped(kind: "type[Connector[Any]] | type[CRM[Any]]") -> "tuple[Any, Facts | None]":
    """What the plugin's golden cases are made with; nothing if there are none that can be read."""
    from socialsupport_core.model import Facts
    from socialsupport_core.testing.loading import folder_of

    try:
        folder = folder_of(kind)
        about = folder / "facts.json"
        facts = Facts.model_validate_json(about.read_bytes()) if about.is_file() else None
        return json.loads((folder / "settings.json").read_bytes()), facts
    except (ConfigError, OSError, ValueError, TypeError, ImportError):
        return None, None


def _made_up(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, about in model.model_fields.items():
        if about.is_required():
            yield about.alias or name, _sample(model, about.alias or name, about.annotation)


def _sample(model: type[BaseModel], name: str, annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return dict(_made_up(annotation))
    candidates = [one for one in (*get_args(annotation), *_SAMPLES) if not isinstance(one, type)]
    return next((one for one in candidates if _fits(model, name, one)), PLACEHOLDER)


def _fits(model: type[BaseModel], name: str, value: Any) -> bool:
    """Whether the model has nothing against this one value; what it says of other keys does not matter."""
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        return all(one["loc"][:1] != (name,) for one in error.errors(include_url=False))
    return True


def secrets_of(value: Any) -> Iterator[str]:
    """Every secret in settings, however deep."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode("utf-8", "replace")
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_of(getattr(value, name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from secrets_of(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from secrets_of(inner)
