"""`socialsupport work`: one more worker beside `serve`, on this machine or another."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import signal
import threading
from pathlib import Path
from typing import Annotated, Any

import typer


def add(app: typer.Typer) -> None:
    app.command()(work)


def work(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The file that `serve` reads.")] = Path(
        "socialsupport.toml"
    ),
) -> None:
    """Record, send, poll and fetch beside other processes on one PostgreSQL.

    Any number may run, on any number of machines: each takes what nobody else has, and what a killed one held is
    taken over. Of the file it takes the store, the folder and the plugins; the rest is in the store, where `serve`
    puts it. Ctrl-C or SIGTERM finishes what is under way and gives the rest back.
    """
    from socialsupport_core.cli import garbage, logs
    from socialsupport_core.cli.output import complain, line
    from socialsupport_core.config import connect, load
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.store import is_server

    read = load(config)
    if not is_server(read.hub.store):
        raise ConfigError(
            f"{read.hub.store} is a file, on which `serve` works alone; more workers need a store on PostgreSQL"
        )
    asked = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: asked.set())
    logs.begin()
    hub = connect(read, config.parent)
    for broken in hub.registry.broken:
        complain(f"the plugin {broken.plugin} is not loaded: {broken.reason}")
    hub.check_key()
    hub.start()
    garbage.settle()
    line(f"working on {_shown(read.hub.store)}; Ctrl-C ends it")
    asked.wait()
    hub.close()


def _shown(store: Any) -> str:
    from socialsupport_core.store.postgres import shown

    return shown(str(store))
