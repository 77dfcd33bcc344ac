"""How the verbs that read a store find it: `--config FILE`, or `--store FILE` where no configuration is needed."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from socialsupport_core.hub import Hub

Store = Annotated[Path, typer.Option("--store", metavar="FILE", help="The SQLite file of the hub.")]
Tenant = Annotated[str | None, typer.Option(help="Needed only where there are several.", show_default=False)]
DEFAULT = Path("support.sqlite")


@contextmanager
def hub_at(store: Path) -> Iterator["Hub"]:
    """The hub in that file. Raises ConfigError when there is none."""
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.hub import Hub

    if not store.exists():
        raise ConfigError(f"there is no store {store}; give its path with --store")
    hub = Hub.open(store, public_url="http://localhost")
    try:
        yield hub
    finally:
        hub.close()


def tenant_of(hub: "Hub", given: str | None) -> str:
    from socialsupport_core.contract import ConfigError

    known = hub.tenants()
    if given is None and len(known) == 1:
        return known[0]
    if given not in known:
        raise ConfigError(f"name one of the tenants with --tenant: {', '.join(known) or 'there is none yet'}")
    return given
