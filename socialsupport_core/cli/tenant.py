"""`socialsupport tenant remove`: erases everything of a tenant that leaves."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from pathlib import Path
from typing import Annotated, Any

import typer

from socialsupport_core.cli.people import AsJson
from socialsupport_core.cli.reach import DEFAULT, Store, hub_at


def add(app: typer.Typer) -> None:
    made = typer.Typer(help="What is done to a tenant as a whole.", rich_markup_mode=None)
    made.callback()(_only_verbs)
    made.command()(remove)
    app.add_typer(made, name="tenant")


def _only_verbs() -> None:
    """What is done to a tenant as a whole."""


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The tenant's id.")],
    store: Store = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the name again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase everything of a tenant for good: people, messages, files, channels, credentials, log and audit.

    Tells what was removed where, and what may still hold something. Take the tenant out of the configuration of
    `serve` first, else it would be made again; a SQLite file must not be served meanwhile.
    """
    from socialsupport_core.cli.output import json_document
    from socialsupport_core.store.alone import alone

    file = _file_of(store, name)
    with hub_at(store) as hub, alone(file):
        if not yes:
            _ask(name, as_json=as_json)
        found = hub.remove_tenant(name)
    if as_json:
        json_document(found)
    else:
        _show(found)


def _file_of(store: str, tenant: str) -> str | Path:
    """Where everything lies. Raises ConfigError while the configuration names the tenant."""
    from socialsupport_core.config import load, store_of
    from socialsupport_core.contract import ConfigError

    if not store.endswith(".toml"):
        return store
    read = load(Path(store))
    if tenant in read.tenants:
        raise ConfigError(
            f"{store} still has the tenant {tenant}: take [tenants.{tenant}] out of it and restart `serve`, else the"
            " next start would make it again"
        )
    return store_of(read, Path(store).parent)


def _ask(tenant: str, *, as_json: bool) -> None:
    """What is removed cannot be brought back."""
    from socialsupport_core.contract import ConfigError

    if as_json:
        raise ConfigError("nobody is asked with --json: add --yes")
    if typer.prompt(f"Everything of {tenant} will be erased for good. Type its name to go on") != tenant:
        raise ConfigError(f"that is not {tenant}; nothing was removed")


def _show(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    line(f"the tenant {found['tenant']} was removed at {found['at']}")
    table(("removed from", "rows"), list(found["removed"].items()))
    files = found["files"]
    line(f"files: {files['removed']} removed, {files['bytes']:,} bytes; {files['shared']} stay, others have them too")
    told = "cleaned" if found["store"]["cleaned"] else "not cleaned yet"
    line(f"the store's own files: {told} in {found['store']['seconds']} seconds")
    for one in found["left"]:
        line(f"may still hold something: {one}")
