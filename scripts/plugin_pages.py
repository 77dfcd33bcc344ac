"""A plugin's page: its README, then what its class and its cases say."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from standing import PLUGINS, proven
from telling import Lines, fields, table

from socialsupport_core.contract import Registry
from socialsupport_core.model import EventType, IntentType
from socialsupport_core.testing.loading import SPECIAL


def plugins() -> list[tuple[str, Path]]:
    """Name and folder, in alphabetical order."""
    found = sorted(PLUGINS.glob("socialsupport-*"))
    return [(path.name.removeprefix("socialsupport-"), path) for path in found if (path / "README.md").exists()]


def plugin_pages() -> Iterator[tuple[str, Lines]]:
    for name, folder in plugins():
        yield name, plugin(name, folder)


def plugin(name: str, folder: Path) -> Lines:
    """Its README, then what its class and its cases say."""
    registry = Registry.of(importlib.import_module(f"socialsupport_{name.replace('-', '_')}"))
    yield (folder / "README.md").read_text("utf-8").rstrip() + "\n"
    for kind in registry.connectors.values():
        yield from claims(kind.capabilities)
    kinds: list[type[Any]] = [*registry.connectors.values(), *registry.crms.values(), *registry.fanouts.values()]
    if not kinds:
        return  # a library that others depend on
    for one in kinds:
        yield from proven(name, one)
    for one in kinds:
        yield from ("## Every setting", "", *fields(one.settings_model))
    yield from golden(folder / f"socialsupport_{name.replace('-', '_')}" / "cases")


def claims(able: Any) -> Lines:
    marks = {"yes": "yes", "unsupported": "the network has no such thing", "not_implemented": "not yet"}
    yield from ("## Claims", "", "Each is proven by a golden case below.", "")
    rows = [(f"`{name}`", claimed(getattr(able, name))) for name in type(able).model_fields if name not in TYPES]
    yield from table(("capability", ""), rows)
    for head, kinds in (("event", EventType), ("intent", IntentType)):
        yield from table((head, ""), [(f"`{one}`", marks[able.support(one)]) for one in get_args(kinds)])


TYPES = ("events", "intents", "unsupported")


def claimed(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(f"{one.media_type} up to {one.max_bytes:,} bytes" for one in value) or "none"
    if isinstance(value, BaseModel):
        return " ".join(str(one) for one in value.model_dump().values())
    return "none" if value is None else str(value)


def golden(folder: Path) -> Lines:
    yield from ("## Golden cases", "", "They ship with the plugin and are run by `socialsupport check`.")
    rows = []
    for file in sorted(one for one in folder.glob("*.json") if one.name not in SPECIAL):
        content = json.loads(file.read_text("utf-8"))
        cases = content if isinstance(content, list) else [content]
        rows += [(f"`{file.name}`", one["name"], linked(one["source"])) for one in cases if "source" in one]
    yield from table(("file", "case", "source"), rows)


def linked(source: str) -> str:
    return re.sub(r"(https?://[^\s()]+)", r"<\1>", source)
