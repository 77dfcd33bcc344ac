"""The plugin that a verb is about, and its settings: given, or placeholders."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError

from socialsupport_core.cli.reading import table_of
from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.testing.hidden import secrets_of
from socialsupport_core.testing.problems import near, problems

if TYPE_CHECKING:
    from socialsupport_core.contract import CRM, Broken, Connector, Registry, Settings
    from socialsupport_core.model import Credentials, Facts

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


@dataclass(frozen=True, slots=True)
class Subject:
    """A plugin class to check, and the simulator of its name if there is one."""

    kind: "type[Connector[Any]] | type[CRM[Any]]"
    simulator: type[Any] | None


def connector(name: str) -> "type[Connector[Any]]":
    """By its name, or by the folder of a plugin that holds one. Raises ConfigError.

    Loads that one plugin if it is named after its network, else all.
    """
    from socialsupport_core.contract import Registry

    alone = Registry.discover(only=[name])
    if name in alone.connectors:
        return alone.connectors[name]
    if _is_folder(name):
        return _only_connector(name)
    registry = Registry.discover()
    return registry.connectors.get(name) or _missing(name, registry.connectors, registry)


def _only_connector(folder: str) -> "type[Connector[Any]]":
    from socialsupport_core.testing.folder import plugin_at

    found = plugin_at(Path(folder)).connectors
    if len(found) != 1:
        held = f"the connectors {', '.join(sorted(found))}; install it and name one" if found else "no connector"
        raise ConfigError(f"{folder} holds {held}")
    return next(iter(found.values()))


def everything(names: list[str]) -> "list[type[Connector[Any]] | type[CRM[Any]]]":
    """What `subjects` gives, without simulators. Raises ConfigError."""
    return [one.kind for one in subjects(names)]


def subjects(names: list[str]) -> list[Subject]:
    """The connectors and CRM adapters of these names; all that is installed without names. Raises ConfigError.

    A folder that holds a plugin stands for what is in it, installed or not.
    """
    from socialsupport_core.contract import Registry
    from socialsupport_core.testing.folder import plugin_at

    registry = Registry.discover()
    known = {one.kind.name: one for one in _subjects(registry)}
    found: list[Subject] = []
    for name in names or sorted(known):
        if name not in known and _is_folder(name):
            found += _subjects(plugin_at(Path(name))) or _nothing_in(name)
        else:
            found.append(known.get(name) or _missing(name, known, registry))
    return found


def _nothing_in(folder: str) -> NoReturn:
    raise ConfigError(f"{folder} holds no connector and no CRM adapter; there is nothing to check")


def _subjects(registry: "Registry") -> list[Subject]:
    kinds: dict[str, Any] = {**registry.crms, **registry.connectors}
    return [Subject(kind, registry.simulators.get(name)) for name, kind in kinds.items()]


def _is_folder(name: str) -> bool:
    return Path(name).is_dir()


def _missing(name: str, known: Iterable[str], registry: "Registry") -> NoReturn:
    reasons = {one.plugin: one.reason for one in registry.broken}
    if name in reasons:
        raise ConfigError(f"the plugin {name} cannot be used: {reasons[name]}")
    if "/" in name:
        raise ConfigError(f"{name}: there is no such folder; give that of a plugin, or the name of a plugin")
    remedy = near(name, known)
    or_folder = "" if remedy.startswith("did") else "; the folder of a plugin will do too"
    raise ConfigError(f"there is no connector {name!r}; {remedy}{or_folder}")


def broken() -> "list[Broken]":
    from socialsupport_core.contract import Registry

    return Registry.discover().broken


@dataclass(frozen=True, slots=True)
class Fitted:
    """Settings, and the names of those that are only placeholders."""

    settings: "Settings"
    facts: "Facts | None" = None
    credentials: "Credentials | None" = None
    """What `authorize` is given."""
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
        return tuple(sorted(set(secrets_of([self.settings, self.credentials])))) if self.invented is None else ()


def fitted(kind: "type[Connector[Any]] | type[CRM[Any]]", path: str | None) -> Fitted:
    """The settings in the file, or placeholders without one. Raises ConfigError."""
    return Fitted(settings_of(kind, path)) if path else placeholders(kind)


def settings_of(kind: "type[Connector[Any]] | type[CRM[Any]]", path: str) -> "Settings":
    """Raises ConfigError that names the file, each key and the remedy."""
    read = table_of(path)
    try:
        return kind.settings_model.model_validate(read)
    except ValidationError as error:
        raise ConfigError(problems(error, kind.settings_model, path)) from error


def placeholders(kind: "type[Connector[Any]] | type[CRM[Any]]") -> Fitted:
    """The fake settings that ship with the plugin's cases, else something of the right form."""
    fake, facts, credentials = _shipped(kind)
    try:
        settings = kind.settings_model.model_validate(fake)
    except ValidationError:
        fake, facts, credentials = dict(_made_up(kind.settings_model)), None, None
        settings = _valid(kind, fake)
    return Fitted(settings, facts, credentials, tuple(fake))


def _valid(kind: "type[Connector[Any]] | type[CRM[Any]]", fake: dict[str, Any]) -> "Settings":
    try:
        return kind.settings_model.model_validate(fake)
    except ValidationError as error:
        told = problems(error, kind.settings_model, kind.name)
        raise ConfigError(f"{told}; no placeholder fits, give --settings FILE") from error


def credentials_of(path: str) -> "Credentials":
    """What an operator's sign-in has given, as JSON. Raises ConfigError."""
    from socialsupport_core.model import Credentials

    read = table_of(path)
    try:
        return Credentials.model_validate_json(json.dumps(read))
    except ValidationError as error:
        raise ConfigError(problems(error, Credentials, path)) from error


def _shipped(kind: "type[Connector[Any]] | type[CRM[Any]]") -> "tuple[Any, Facts | None, Credentials | None]":
    """What the plugin's golden cases are made with; nothing if there are none that can be read."""
    from socialsupport_core.model import Credentials, Facts
    from socialsupport_core.testing.loading import folder_of, special

    try:
        folder = folder_of(kind)
        fake = json.loads((folder / "settings.json").read_bytes())
        return fake, special(folder / "facts.json", Facts), special(folder / "credentials.json", Credentials)
    except (ConfigError, OSError, ValueError, TypeError, ImportError):
        return None, None, None


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
