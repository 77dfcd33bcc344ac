"""New plugins: a folder that passes the conformance kit before its author changes a line."""

import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template

from socialsupport_core.contract import ConfigError
from socialsupport_core.contract.registry import taken

LONGEST_NAME = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def new_connector(name: str, folder: Path) -> Path:
    """Writes `folder/socialsupport-NAME`. Raises ConfigError: no name, or taken; the folder exists."""
    return _new("connector", name, folder)


def new_crm(name: str, folder: Path) -> Path:
    """The same for a CRM or helpdesk adapter."""
    return _new("crm", name, folder)


def _new(kind: str, name: str, folder: Path) -> Path:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ConfigError(
            f"{name!r} is no name for a plugin; take at most {LONGEST_NAME} lower-case letters and digits, "
            "beginning with a letter, words joined by _"
        )
    plugin = folder / f"socialsupport-{name.replace('_', '-')}"
    if owner := taken().get(name):
        raise ConfigError(
            f"the name {name} is taken by {owner}; of two plugins of one name only one loads: choose another"
        )
    if plugin.exists():
        raise ConfigError(f"{plugin} exists already; choose another name, or move it away")
    words = {"name": name, "title": "".join(word.capitalize() for word in name.split("_"))}
    templates = resources.files(__package__) / "templates" / kind
    for path, template in _templates(templates, PurePosixPath()):
        _write(plugin / _place(path, name), Template(template).substitute(words))
    return plugin


def _templates(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, at / entry.name)
        elif entry.name.endswith(".tmpl"):
            yield at / entry.name.removesuffix(".tmpl"), entry.read_text("utf-8")


def _place(path: PurePosixPath, name: str) -> Path:
    renamed = {"package": f"socialsupport_{name}", "test_name.py": f"test_{name}.py"}
    return Path(*(renamed.get(part, part) for part in path.parts))


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
