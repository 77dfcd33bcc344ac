"""`socialsupport serve`: the hub with its doors, HTTP API and event stream."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    config: Annotated[Path, typer.Option(metavar="FILE", help="TOML: tenants, agents, apps, channels.")] = Path(
        "socialsupport.toml"
    ),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8765,
) -> None:
    """Run the hub: doors, HTTP API and event stream.

    Only the plugins that the configuration names are loaded. Ctrl-C finishes what is under way.
    """
    from socialsupport_core.cli.output import complain, line
    from socialsupport_core.cli.serving import bound, run
    from socialsupport_core.config import apply, load, open_hub
    from socialsupport_core.listening import listening
    from socialsupport_core.web import create_app

    read = load(config)
    opened = bound(host, port)
    hub = open_hub(read, config.parent)
    for one in hub.registry.broken:
        complain(f"the plugin {one.plugin} is not loaded: {one.reason}")
    for name, path in apply(read, hub).items():
        line(f"{name}: {hub.public_url}{path}")
    asked = {
        (tenant, name): channel.listen
        for tenant, section in read.tenants.items()
        for name, channel in section.channels.items()
        if channel.listen
    }
    line(f"listening on http://{host}:{opened.getsockname()[1]}")
    run(create_app(hub, inbox=read.hub.inbox, hosts=read.hub.hosts, around=listening(hub, asked)), opened)
