"""`socialsupport plugins`: what is installed, what each claims, what is broken and why."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

if TYPE_CHECKING:
    from socialsupport_core.contract import CRM, Connector, FanOut, Registry

MARKS = {"yes": "✓", "unsupported": "–", "not_implemented": "not yet"}


def add(app: typer.Typer) -> None:
    app.command()(plugins)


def plugins(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a plugin is broken.")] = False,
) -> None:
    """Tell what is installed, claimed and broken.

    The tiers are those that plugins have if `check` is green. In the claims, ✓ is done, – is what the network does not
    have, "not yet" what the connector does not do.
    """
    from socialsupport_core.cli.output import json_document
    from socialsupport_core.contract import Registry

    registry = Registry.discover()
    if as_json:
        json_document(as_object(registry))
    else:
        _show(registry)
    if strict and registry.broken:
        raise typer.Exit(1)


def as_object(registry: "Registry") -> dict[str, Any]:
    return {
        "plugins": registry.plugins,
        "connectors": [_connector(one) for _, one in sorted(registry.connectors.items())],
        "crms": [_other(name, one) for name, one in sorted(registry.crms.items())],
        "fanouts": [_other(name, one) for name, one in sorted(registry.fanouts.items())],
        "broken": [{"plugin": one.plugin, "reason": one.reason} for one in registry.broken],
    }


def _other(name: str, kind: "type[CRM[Any]] | type[FanOut[Any]]") -> dict[str, Any]:
    return {"name": name, "contract": kind.contract, **_standing(kind)}


def _standing(kind: Any) -> dict[str, Any]:
    """The tier, if `check` is green, and what stands behind each surface."""
    from socialsupport_core.testing.tiers import standing_of, verdict

    standing = standing_of(kind)
    reached = verdict(standing)
    return {"tier": reached.tier, "missing": list(reached.missing), "surfaces": dict(standing.surfaces)}


def _connector(kind: "type[Connector[Any]]") -> dict[str, Any]:
    able = kind.capabilities
    events, intents = _types()
    return {
        "name": kind.name,
        "contract": kind.contract,
        "receives": sorted(able.receives),
        "verification": able.verification,
        "sends": sorted(able.sends),
        "text": able.text.model_dump(mode="json") if able.text else None,
        "events": {one: able.support(one) for one in events},
        "intents": {one: able.support(one) for one in intents},
        **_standing(kind),
    }


def _types() -> tuple[Sequence[Any], Sequence[Any]]:
    from socialsupport_core.model import EventType, IntentType

    return get_args(EventType), get_args(IntentType)


def _show(registry: "Registry") -> None:
    from socialsupport_core.cli.output import folded_table, line, table

    found = sorted(registry.connectors.items())
    if not (registry.plugins or registry.broken):
        line("no plugin is installed; install one, such as socialsupport-telegram")
    if registry.plugins:
        table(("plugin", "version", "provides"), _provided(registry), title="installed")
        table(("plugin", "tier", "for the next"), _tiers(registry), title="tiers, if check is green")
    if found:
        folded_table(("", *(name for name, _ in found)), _claims([kind for _, kind in found]), title="claims")
    if registry.broken:
        table(("plugin", "why"), [(one.plugin, one.reason) for one in registry.broken], title="broken")


def _tiers(registry: "Registry") -> Iterator[tuple[str, str, str]]:
    kinds: dict[str, Any] = {**registry.fanouts, **registry.crms, **registry.connectors}
    for name, kind in sorted(kinds.items()):
        told = _standing(kind)
        yield name, told["tier"], "; ".join(told["missing"])


def _provided(registry: "Registry") -> Iterator[tuple[str, str, str]]:
    """A connector belongs to the plugin of its name, else to the one whose package holds it."""
    kinds: dict[str, Any] = {**registry.fanouts, **registry.crms, **registry.connectors}
    for plugin, version in sorted(registry.plugins.items()):
        mine = [_what(kind) for name, kind in sorted(kinds.items()) if _is_of(plugin, name, kind)]
        yield plugin, version, ", ".join([*mine, *_guides(registry, plugin)])


def _guides(registry: "Registry", plugin: str) -> list[str]:
    """What it brings for whoever answers."""
    brought: dict[str, Sequence[Any]] = {
        "triage": registry.triage,
        "order of answers": registry.rankers,
        "routing": registry.routers,
        "rules": registry.policies,
    }
    package = plugin.replace("-", "_")
    return [name for name, made in brought.items() if any(_package(one) == package for one in made)]


def _package(thing: Any) -> str:
    return str(thing.__module__).partition(".")[0].removeprefix("socialsupport_")


def _is_of(plugin: str, name: str, kind: type) -> bool:
    return plugin in (name, _package(kind))


def _what(kind: "type[Connector[Any]] | type[CRM[Any]] | type[FanOut[Any]]") -> str:
    from socialsupport_core.contract import CRM, Connector, FanOut

    named = {Connector: "connector", CRM: "CRM", FanOut: "fan-out"}
    return f"{next(name for base, name in named.items() if issubclass(kind, base))} {kind.name}"


def _claims(kinds: "Sequence[type[Connector[Any]]]") -> Iterator[tuple[str, ...]]:
    able = [kind.capabilities for kind in kinds]
    yield "receives", *(", ".join(sorted(one.receives)) for one in able)
    yield "verification", *(one.verification for one in able)
    yield "sends", *(", ".join(sorted(one.sends)) for one in able)
    yield "text", *(f"{one.text.limit} {one.text.unit}" if one.text else "" for one in able)
    for types in _types():
        for what in types:
            yield what, *(MARKS[one.support(what)] for one in able)
