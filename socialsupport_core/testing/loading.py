"""Reading the golden cases that ship inside a plugin's package."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from socialsupport_core.contract import CRM, ConfigError, Connector, Settings
from socialsupport_core.model import Credentials, Facts
from socialsupport_core.testing.cases import (
    CALLS,
    CRM_CALLS,
    Call,
    Case,
    CRMInbound,
    CRMPoll,
    FlowCase,
    Inbound,
    Outbound,
    Poll,
    Signature,
    Stream,
)
from socialsupport_core.testing.mentions import Mentions
from socialsupport_core.testing.problems import problems

M = TypeVar("M", bound=BaseModel)
Plugin = type[Connector[Any]] | type[CRM[Any]]
SPECIAL = frozenset({"settings.json", "facts.json", "credentials.json", "exempt.json", "mentions.json", "truth.json"})
Kinds = Mapping[str, type[Case]]
KINDS: Kinds = {"payload": Inbound, "intent": Outbound, "poll": Poll, "stream": Stream, "call": Call}
CRM_KINDS: Kinds = {"payload": CRMInbound, "poll": CRMPoll, "call": Call}


@dataclass(frozen=True)
class Cases:
    """All cases of one connector or CRM adapter."""

    settings: Settings
    facts: Facts | None = None
    credentials: Credentials | None = None
    exempt: Mapping[str, str] = field(default_factory=dict)
    mentions: Mentions | None = None
    inbound: tuple[Inbound, ...] = ()
    outbound: tuple[Outbound, ...] = ()
    polls: tuple[Poll, ...] = ()
    calls: tuple[Call, ...] = ()
    streams: tuple[Stream, ...] = ()

    @property
    def flows(self) -> tuple[FlowCase, ...]:
        return (*self.outbound, *self.polls, *self.calls, *(case for case in self.streams if case.is_dialled))


_loaded: dict[Plugin, Cases] = {}
"""Kept for the life of the process: the kit reads them for every property."""


def load_cases(connector: type[Connector[Any]]) -> Cases:
    """Raises ConfigError that names the file, the case and what is wrong with it."""
    return _load(connector, KINDS, CALLS)


def load_crm_cases(crm: type[CRM[Any]]) -> Cases:
    return _load(crm, CRM_KINDS, CRM_CALLS)


def _load(plugin: Plugin, kinds: Kinds, calls: Mapping[str, Signature]) -> Cases:
    if plugin not in _loaded:
        _loaded[plugin] = _read(plugin, kinds, calls)
    return _loaded[plugin]


def _read(plugin: Plugin, kinds: Kinds, calls: Mapping[str, Signature]) -> Cases:
    folder = folder_of(plugin)
    found = list(_cases(folder, kinds, calls))
    return Cases(
        settings=_settings(folder, plugin),
        facts=special(folder / "facts.json", Facts),
        credentials=special(folder / "credentials.json", Credentials),
        exempt=_exempt(folder),
        mentions=special(folder / "mentions.json", Mentions),
        inbound=tuple(case for case in found if isinstance(case, Inbound)),
        outbound=tuple(case for case in found if isinstance(case, Outbound)),
        polls=tuple(case for case in found if isinstance(case, Poll)),
        calls=tuple(case for case in found if isinstance(case, Call)),
        streams=tuple(case for case in found if isinstance(case, Stream)),
    )


def folder_of(plugin: Plugin) -> Traversable:
    """`cases/NAME/` or `cases/` in the package of the class, or of the class that it extends."""
    for cls in plugin.__mro__:
        package = getattr(sys.modules.get(cls.__module__), "__package__", None)
        if not package or package.startswith("socialsupport_core."):
            continue
        root = resources.files(package) / "cases"
        for folder in (root / plugin.name, root):
            if (folder / "settings.json").is_file():
                return folder
    package = plugin.__module__.split(".")[0]
    raise ConfigError(
        f"{plugin.__name__} ships no golden cases: its package {package} needs cases/settings.json "
        "with fake settings, and cases in further files beside it"
    )


def _settings(folder: Traversable, plugin: Plugin) -> Settings:
    settings = special(folder / "settings.json", plugin.settings_model)
    assert settings is not None
    return settings


def exempt_of(plugin: Plugin) -> Mapping[str, str]:
    """What cannot hold here, or is described otherwise → why. Raises ConfigError."""
    return _exempt(folder_of(plugin))


def _exempt(folder: Traversable) -> Mapping[str, str]:
    file = folder / "exempt.json"
    reasons = _json(file) if file.is_file() else {}
    if not isinstance(reasons, dict) or not all(isinstance(why, str) and why for why in reasons.values()):
        raise ConfigError('cases/exempt.json: write {"name of the property": "why it cannot hold here"}')
    return reasons


def _cases(folder: Traversable, kinds: Kinds, calls: Mapping[str, Signature]) -> Iterator[Case]:
    """The cases of all files in alphabetical order; names are unique."""
    names: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".json") or file.name in SPECIAL:
            continue
        content = _json(file)
        for raw in content if isinstance(content, list) else [content]:
            case = _case(file.name, raw, kinds, calls)
            if case.name in names:
                raise ConfigError(f"{case}: the name is taken by a case in {names[case.name]}")
            names[case.name] = file.name
            yield case


def _case(file: str, raw: Any, kinds: Kinds, calls: Mapping[str, Signature]) -> Case:
    name = raw.get("name", "without a name") if isinstance(raw, dict) else "that is no object"
    where = f"cases/{file}, case {name!r}"
    kind = next((kinds[key] for key in kinds if isinstance(raw, dict) and key in raw), None)
    if kind is None:
        raise ConfigError(f"{where}: it needs one of the keys {', '.join(kinds)}")
    try:
        case = kind.model_validate_json(json.dumps({**raw, "file": f"cases/{file}"}))
        if isinstance(case, Call):
            case.given(calls)
            _ = case.error or case.expected(calls)
    except ValidationError as error:
        raise ConfigError(f"{where}: {problems(error, kind)}") from error
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    return case


def special(file: Traversable, model: type[M]) -> M | None:
    """What stands beside the cases; None if there is no such file. Raises ConfigError."""
    if not file.is_file():
        return None
    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ConfigError(f"cases/{file.name}: {problems(error, model)}") from error


def _json(file: Traversable) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise ConfigError(f"cases/{file.name} is not JSON: {error}") from error
