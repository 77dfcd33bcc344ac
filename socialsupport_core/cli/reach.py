"""How the verbs that read a store find it: `--config FILE`, or `--store FILE` where no configuration is needed."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from socialsupport_core.hub import Hub

Store = Annotated[
    str,
    typer.Option("--store", metavar="STORE", help="The SQLite file, postgresql://…, or the TOML file of `serve`."),
]
Tenant = Annotated[str | None, typer.Option(help="Needed only where there are several.", show_default=False)]
DEFAULT = "support.sqlite"


@contextmanager
def hub_at(store: str) -> Iterator["Hub"]:
    """The hub in that store. Raises ConfigError when there is none."""
    hub = _opened(store)
    try:
        yield hub
    finally:
        hub.close()


def _opened(store: str) -> "Hub":
    from socialsupport_core.config import connect, load
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.hub import Hub
    from socialsupport_core.store import is_server
    from socialsupport_core.store.secrets import new_key

    if store.endswith(".toml"):
        return connect(load(Path(store)), Path(store).parent)
    if is_server(store):  # the key is elsewhere; whoever needs it names the TOML file, which says where
        return Hub.open(store, public_url="http://localhost", folder=Path(), secret_keys=[new_key()])
    if not Path(store).exists():
        raise ConfigError(f"there is no store {store}; give its path with --store")
    return Hub.open(store, public_url="http://localhost")


def tenant_of(hub: "Hub", given: str | None) -> str:
    from socialsupport_core.contract import ConfigError

    known = hub.tenants()
    if given is None and len(known) == 1:
        return known[0]
    if given not in known:
        raise ConfigError(f"name one of the tenants with --tenant: {', '.join(known) or 'there is none yet'}")
    return given
