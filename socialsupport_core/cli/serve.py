"""`socialsupport serve`: the hub with its doors, HTTP API and event stream."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from socialsupport_core.config import Config
    from socialsupport_core.hub import Hub

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


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
    from socialsupport_core.cli import logs
    from socialsupport_core.cli.serving import bound, run
    from socialsupport_core.config import apply, load, open_hub, store_of
    from socialsupport_core.listening import listening
    from socialsupport_core.store.alone import alone
    from socialsupport_core.web import create_app

    read = load(config)
    logs.begin()
    opened = bound(host, port)
    with alone(store_of(read, config.parent)):
        hub = open_hub(read, config.parent)
        asked = {
            (tenant, name): channel.listen
            for tenant, section in read.tenants.items()
            for name, channel in section.channels.items()
            if channel.listen
        }
        more, around = _with_assistants(read, hub, listening(hub, asked))
        app = create_app(hub, inbox=read.hub.inbox, hosts=read.hub.hosts, around=around, more=more)
        doors = apply(read, hub)
        run(app, opened, lambda: _announce(read, hub, doors, host, opened.getsockname()[1]))


def _with_assistants(read: "Config", hub: "Hub", around: Any) -> tuple[tuple[Any, ...], Any]:
    """What is mounted beside the API, and what is entered around it."""
    if not read.hub.mcp:
        return (), around
    from contextlib import AsyncExitStack, asynccontextmanager

    from socialsupport_core.assistant.server import Mounted

    mounted = Mounted(hub)

    @asynccontextmanager
    async def both() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(around())
            await stack.enter_async_context(mounted.running())
            yield

    return tuple(mounted.routes), both


def _announce(read: "Config", hub: "Hub", doors: dict[str, str], host: str, port: int) -> None:
    from socialsupport_core.cli.output import complain, line, remark

    everyone = hub.channels.all().values()
    lives = [live for live in everyone if live.connector.name in hub.registry.surfaces]
    surfaces = {live.channel.door for live in lives}
    for one in hub.registry.broken:
        complain(f"the plugin {one.plugin} is not loaded: {one.reason}")
    for name, path in doors.items():
        line(f"{name}: {hub.public_url}{path}")
        if (door := path.removeprefix("/hooks/")) in surfaces:
            line(f"{name}, its page: {hub.public_url}/chat/{door}/")
    if not doors and not everyone:
        remark("the configuration names no channel, so nobody can be heard yet; channels can be added over HTTP")
    if read.hub.inbox:
        line(f"inbox: {hub.public_url}/")
    line(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")
    _warn(hub.public_url, port)


def _warn(public_url: str, port: int) -> None:
    """A public address on this very machine with another port leads nowhere, unless a proxy stands there."""
    from urllib.parse import urlsplit

    from socialsupport_core.cli.output import remark

    public = urlsplit(public_url)
    named = public.port or (443 if public.scheme == "https" else 80)
    if public.hostname in LOOPBACK and named != port:
        remark(
            f"public_url says port {named}, but this listens on {port}: the addresses above lead there only through"
            f" a proxy; else set public_url = {public.scheme}://{public.hostname}:{port}, or give --port {named}"
        )
