"""Finding plugins. One broken plugin stays one broken plugin: it is listed with its reason, the others load."""

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires
from typing import Any, Self

import pluggy
from pydantic import ValidationError

from socialsupport_core.contract import hookspecs
from socialsupport_core.contract.connector import CONTRACT, Connector
from socialsupport_core.contract.crm import CRM
from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.contract.fanout import FanOut
from socialsupport_core.contract.policy import Policy
from socialsupport_core.contract.ranking import Ranker
from socialsupport_core.contract.routing import Router
from socialsupport_core.contract.surface import ListenerFactory, SurfaceFactory
from socialsupport_core.contract.triage import TriageFactory
from socialsupport_core.contract.wire import Wire
from socialsupport_core.mistakes import near

GROUP = "socialsupport"
_NAMED = ("connectors", "crms", "fanouts", "surfaces", "listeners", "simulators", "canonical_forms")
_OURS = re.compile(r"socialsupport_core|pydantic|importlib|<frozen|<string>")
_HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("socialsupport_"))


def taken() -> dict[str, str]:
    """The names that plugins have, installed or shipped with this release, and their distributions. Loads none."""
    shipped = re.findall(rf"^{GROUP}-([a-z0-9-]+)", "\n".join(_requirements()), re.MULTILINE)
    names = {name.replace("-", "_"): f"{GROUP}-{name}" for name in shipped}
    return names | {entry.name: entry.dist.name if entry.dist else entry.value for entry in entry_points(group=GROUP)}


def _requirements() -> list[str]:
    try:
        return requires(GROUP) or []
    except PackageNotFoundError:
        return []


class PluginError(Exception):
    """Why a plugin cannot be used."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that was found and not loaded."""

    plugin: str
    reason: str


@dataclass
class Registry:
    """What is installed. On the hot path a dictionary, never a hook."""

    connectors: dict[str, type[Connector[Any]]] = field(default_factory=dict)
    crms: dict[str, type[CRM[Any]]] = field(default_factory=dict)
    fanouts: dict[str, type[FanOut[Any]]] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    surfaces: dict[str, SurfaceFactory] = field(default_factory=dict)
    listeners: dict[str, ListenerFactory] = field(default_factory=dict)
    policies: list[Policy] = field(default_factory=list)
    rankers: list[Ranker] = field(default_factory=list)
    triage: list[TriageFactory] = field(default_factory=list)
    routers: list[Router] = field(default_factory=list)
    simulators: dict[str, type[Any]] = field(default_factory=dict)
    canonical_forms: dict[str, Callable[[str], str]] = field(default_factory=dict)
    """By the kind of identifiers."""
    plugins: dict[str, str] = field(default_factory=dict)
    """Loaded plugins and their versions."""
    broken: list[Broken] = field(default_factory=list)
    unnamed: frozenset[str] = frozenset()
    """Plugins that are installed, and were not to be loaded."""

    @classmethod
    def discover(cls, only: Iterable[str] | None = None) -> Self:
        """Loads the installed plugins, or `only` those named, in alphabetical order. What is named may also be
        something that a plugin of another name provides."""
        wanted = None if only is None else set(only)
        found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))
        registry = cls()
        for entry in found:
            if wanted is None or entry.name in wanted:
                registry._load(entry)
        installed = sorted({entry.name for entry in found})
        missing = (wanted or set()).difference(installed)
        registry.unnamed = frozenset(installed) - (set(installed) if wanted is None else wanted)
        for entry in found if missing else ():
            missing -= registry._load_for(entry, missing)
        for name in sorted(missing):
            registry.broken.append(Broken(name, f"is not installed; {near(name, installed, 'installed: {}')}"))
        return registry

    @classmethod
    def of(cls, *plugins: object) -> Self:
        """A registry of plugins given directly. Raises ConfigError when one is broken."""
        registry = cls()
        for plugin in plugins:
            name = getattr(plugin, "__name__", type(plugin).__name__)
            registry._contained(name, partial(_itself, plugin), "")
        if registry.broken:
            raise ConfigError("; ".join(f"{broken.plugin}: {broken.reason}" for broken in registry.broken))
        return registry

    def connector(self, name: str) -> type[Connector[Any]]:
        """Raises ConfigError that names the installed ones, or why this one is broken."""
        if name in self.connectors:
            return self.connectors[name]
        raise ConfigError(self._missing("connector", name, self.connectors))

    def crm(self, name: str) -> type[CRM[Any]]:
        if name in self.crms:
            return self.crms[name]
        raise ConfigError(self._missing("CRM adapter", name, self.crms))

    def fanout(self, name: str) -> type[FanOut[Any]]:
        if name in self.fanouts:
            return self.fanouts[name]
        raise ConfigError(self._missing("fan-out", name, self.fanouts))

    def _missing(self, what: str, name: str, installed: Iterable[str]) -> str:
        for broken in self.broken:
            if broken.plugin == name:
                return f"the plugin {name} cannot be used: {broken.reason}"
        if name in self.unnamed - set(self.plugins):
            return f"the plugin {name} is installed, and not loaded: name it in `plugins` under [hub], and start again"
        return f"there is no {what} {name!r}; {near(name, installed, 'installed: {}')}"

    def _load(self, entry: EntryPoint) -> None:
        version = entry.dist.version if entry.dist else ""
        self._contained(entry.name, entry.load, version)

    def _load_for(self, entry: EntryPoint, missing: Set[str]) -> Set[str]:
        """Loads the plugin if it provides any of these; which ones."""
        alone = Registry()
        alone._load(entry)
        provided = missing & (alone.connectors.keys() | alone.crms.keys() | alone.fanouts.keys())
        if provided and entry.name not in self.plugins:
            self._load(entry)
        return provided

    def _contained(self, name: str, load: Callable[[], object], version: str) -> None:
        try:
            offer = _offered(name, load())
            self._check(offer)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except PluginError as error:
            self.broken.append(Broken(name, " ".join(str(error).split())))
        except BaseException as error:
            self.broken.append(Broken(name, f"{type(error).__name__} while loading: {_told(error)}"))
        else:
            self._take(offer)
            self.plugins[name] = version

    def _check(self, offer: "Registry") -> None:
        for kind in _NAMED:
            for name in getattr(offer, kind):
                if name in getattr(self, kind):
                    what = kind.removesuffix("s").replace("_", " ")
                    raise PluginError(f"{what} {name!r} is already provided by another plugin")

    def _take(self, offer: "Registry") -> None:
        for kind in _NAMED:
            getattr(self, kind).update(getattr(offer, kind))
        self.wires += offer.wires
        self.policies += offer.policies
        self.rankers += offer.rankers
        self.triage += offer.triage
        self.routers += offer.routers


def _told(error: BaseException) -> str:
    """What is wrong, in one line, and where in the plugin."""
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False)
        what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}, not {one['input']!r}" for one in found)
        what = f"{error.title}: {what}"
    else:
        what = str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = next((f for f in reversed(frames) if not _OURS.search(f.filename)), None)
    return f"{what} ({where.filename}, line {where.lineno})" if where else what


def _itself(plugin: object) -> object:
    return plugin


def _offered(name: str, plugin: object) -> Registry:
    """What one plugin provides, in a registry of its own. Raises PluginError."""
    _check_hooks(plugin)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(str(error)) from error
    offer = Registry()
    offer.connectors = _by_name(_flat(manager.hook.socialsupport_connectors()), Connector)
    offer.crms = _by_name(_flat(manager.hook.socialsupport_crms()), CRM)
    offer.fanouts = _by_name(_flat(manager.hook.socialsupport_fanouts()), FanOut)
    offer.wires = list(_flat(manager.hook.socialsupport_wires()))
    offer.policies = list(_flat(manager.hook.socialsupport_policies()))
    offer.rankers = list(_flat(manager.hook.socialsupport_rankers()))
    offer.triage = list(_flat(manager.hook.socialsupport_triage()))
    offer.routers = list(_flat(manager.hook.socialsupport_routers()))
    offer.simulators = {one.network: one for one in _flat(manager.hook.socialsupport_simulators())}
    for forms in manager.hook.socialsupport_canonical_forms():
        offer.canonical_forms.update(forms)
    for surfaces in manager.hook.socialsupport_surfaces():
        offer.surfaces.update(surfaces)
    for listeners in manager.hook.socialsupport_listeners():
        offer.listeners.update(listeners)
    return offer


def _check_hooks(plugin: object) -> None:
    """A misspelt hook would be silent, and one without its marker too."""
    for name in dir(plugin):
        if not name.startswith("socialsupport_") or not callable(getattr(plugin, name)):
            continue
        if name not in _HOOKS:
            raise PluginError(f"{name} is not a hook; {near(name, _HOOKS)}")
        if not hasattr(getattr(plugin, name), f"{hookspecs.PROJECT}_impl"):
            raise PluginError(f"{name} lacks its marker; write @hookimpl above it")


def _flat(answers: Iterable[Iterable[Any]]) -> Iterator[Any]:
    for answer in answers:
        yield from answer


def _by_name(classes: Iterable[Any], base: type) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for cls in classes:
        _check_class(cls, base)
        if cls.name in named:
            raise PluginError(f"it provides two {base.__name__.lower()}s named {cls.name!r}")
        named[cls.name] = cls
    return named


def _check_class(cls: Any, base: type) -> None:
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise PluginError(f"{cls!r} is not a subclass of {base.__name__}")
    required = ("name", "settings_model", "capabilities") if base is Connector else ("name", "settings_model")
    missing = [attribute for attribute in required if not hasattr(cls, attribute)]
    if missing:
        raise PluginError(f"{cls.__name__} declares no {', '.join(missing)}")
    if cls.contract != CONTRACT:  # type: ignore[attr-defined]
        raise PluginError(
            f"{cls.__name__} is written for contract {cls.contract}, this is contract {CONTRACT}; "  # type: ignore[attr-defined]
            "install the release of the plugin that fits"
        )
