"""A plugin in a folder, installed or not.

It is found as an installation would find it: by the entry point in its pyproject.toml.
"""

import importlib
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.contract.registry import GROUP
from socialsupport_core.testing.problems import near, raised


def plugin_at(folder: Path) -> Registry:
    """Raises ConfigError when there is none, it cannot be imported, or nobody would find it once it is installed."""
    file = folder / "pyproject.toml"
    named = _entry_points(file)
    sources = [path for path in (folder / "src", folder) if path.is_dir()]
    with _on_the_path(sources):
        registry = Registry.of(*(_loaded(file, name, str(value), sources) for name, value in named.items()))
    offered = {*registry.connectors, *registry.crms, *registry.fanouts}
    for name in named:
        if offered and name not in offered:
            raise ConfigError(
                f"{file}: the entry point {name} provides {', '.join(sorted(offered))}; call it so too, "
                "because `serve` loads the plugins that its configuration names"
            )
    return registry


def _entry_points(file: Path) -> Mapping[str, str]:
    """What an installation would register, by name."""
    try:
        project = tomllib.loads(file.read_text("utf-8")).get("project", {})
    except FileNotFoundError:
        raise ConfigError(f"{file.parent} holds no plugin: it has no pyproject.toml") from None
    except ValueError as error:
        raise ConfigError(f"{file}: not TOML: {error}") from error
    named: Mapping[str, str] = project.get("entry-points", {}).get(GROUP, {})
    if not named:
        raise ConfigError(
            f"{file.parent} holds no plugin: its pyproject.toml names none; "
            f'write [project.entry-points.{GROUP}] and NAME = "{GROUP}_NAME"'
        )
    return named


def _loaded(file: Path, name: str, value: str, sources: list[Path]) -> Any:
    """What the entry point names, from this folder and no other."""
    package = value.partition(":")[0].partition(".")[0].strip()
    here = sorted({found for source in sources for found in _packages(source)})
    if package not in here:
        raise ConfigError(
            f"{file}: the entry point {name} = {value!r} names no package of this folder; {near(package, here)}"
        )
    _forget(package)
    try:
        return EntryPoint(name, value, GROUP).load()
    except Exception as error:
        raise ConfigError(f"{file}: the entry point {name} = {value!r} cannot be imported: {raised(error)}") from error


def _packages(source: Path) -> Iterator[str]:
    yield from (path.parent.name for path in source.glob("*/__init__.py"))
    yield from (path.stem for path in source.glob("*.py"))


def _forget(package: str) -> None:
    """An older copy, which is installed elsewhere and was imported before."""
    for module in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[module]


@contextmanager
def _on_the_path(sources: list[Path]) -> Iterator[None]:
    first = [str(source.resolve()) for source in sources]
    sys.path[:0] = first
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for path in first:
            sys.path.remove(path)
