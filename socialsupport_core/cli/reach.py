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
def hub_at(store: str, *, working: bool = False) -> Iterator["Hub"]:
    """The hub in that store; `working` if it is to record and send, for which it needs the key. Raises ConfigError."""
    hub = _opened(store, working=working)
    try:
        yield hub
    finally:
        hub.close()


def _opened(store: str, *, working: bool) -> "Hub":
    from socialsupport_core.config import connect, load
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.hub import Hub
    from socialsupport_core.store import is_server
    from socialsupport_core.store.secrets import new_key

    if store.endswith(".toml"):
        return connect(load(Path(store)), Path(store).parent)
    if is_server(store):
        if working:
            raise ConfigError(
                "this needs the channels' settings, and the key to them is not in the store: give --store the TOML"
                " file of `serve`, which says where it is"
            )
        return Hub.open(store, public_url="http://localhost", folder=Path(), secret_keys=[new_key()])
    if not Path(store).exists():
        raise ConfigError(f"there is no store {store}; give its path, or the TOML file of `serve`, with --store")
    return Hub.open(store, public_url="http://localhost")


def tenant_of(hub: "Hub", given: str | None) -> str:
    from socialsupport_core.contract import ConfigError

    known = hub.tenants()
    if given is None and len(known) == 1:
        return known[0]
    if given not in known:
        raise ConfigError(f"name one of the tenants with --tenant: {', '.join(known) or 'there is none yet'}")
    return given
