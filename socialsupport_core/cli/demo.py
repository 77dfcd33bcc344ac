"""`socialsupport demo`: the whole thing on this machine, with no account anywhere."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from socialsupport_core.demo.clock import StoryClock
    from socialsupport_core.demo.story import Scene, Story
    from socialsupport_core.demo.world import World

HOST = "127.0.0.1"


def add(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the pages; 0 takes any that is free.")] = 0,
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="Of the SMTP door; 0 takes any.")] = 0,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the store is kept; else it goes with the demo.")
    ] = None,
    network: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of an installed plugin with a simulator: show it too.")
    ] = None,
    script: Annotated[bool, typer.Option("--script", help="Tell the story in the terminal and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")] = False,
) -> None:
    """Run everything on this machine: hub, simulated networks, SMTP door, web chat, inbox page.

    No account and no server of yours is needed. Ctrl-C ends it. With --network also the simulator of a plugin of
    yours: somebody asks there and is answered; with --script nothing else is told.
    """
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        _run(data, port, smtp_port, network, script=script, as_json=as_json)
        return
    with tempfile.TemporaryDirectory(prefix="socialsupport-demo-", ignore_cleanup_errors=True) as folder:
        _run(Path(folder), port, smtp_port, network, script=script, as_json=as_json)


def _run(folder: Path, port: int, smtp_port: int, network: str | None, *, script: bool, as_json: bool) -> None:
    if script:
        _tell(folder, network)
    else:
        _serve(folder, port, smtp_port, network, as_json=as_json)


def _world(folder: Path, url: str, network: str | None) -> tuple["World", "StoryClock"]:
    from socialsupport_core.demo.clock import StoryClock, real
    from socialsupport_core.demo.guest import build_with
    from socialsupport_core.demo.world import build

    clock = StoryClock(real() - timedelta(hours=6))
    return (build_with(folder, url, clock, network) if network else build(folder, url, clock)), clock


def _tell(folder: Path, network: str | None) -> None:
    from rich.console import Console

    from socialsupport_core.demo.guest import tell_at
    from socialsupport_core.demo.story import tell

    world, clock = _world(folder, "https://support.acme.example", network)
    console = Console(highlight=False)

    def scene(one: "Scene") -> None:
        _print_scene(console, one)

    try:
        story = tell_at(world, clock, network, scene) if network else tell(world, clock, scene)
        _print_timeline(world, story)
    finally:
        world.hub.close()


def _print_scene(console: object, scene: "Scene") -> None:
    from rich.console import Console
    from rich.text import Text

    assert isinstance(console, Console)
    console.print(Text.assemble((f"{scene.where:<17} ", "cyan"), (f"{scene.who}: ", "bold"), scene.what))
    console.print(Text.assemble(" " * 18, ("→ ", "green"), (scene.outcome, "dim")))


def _print_timeline(world: "World", story: "Story") -> None:
    from socialsupport_core.cli.output import line, table
    from socialsupport_core.cli.people import row
    from socialsupport_core.demo.world import TENANT

    entries = world.hub.timeline(TENANT, story.customer)
    line("\nWhat the agent reads: one conversation.\n")
    table(("when", "where", "who", "what", "state"), [row(entry) for entry in entries])


def _serve(folder: Path, port: int, smtp_port: int, network: str | None, *, as_json: bool) -> None:
    from socialsupport_core.cli.serving import bound, free_port, run
    from socialsupport_core.demo.guest import tell_at
    from socialsupport_core.demo.server import create_demo
    from socialsupport_core.demo.story import tell
    from socialsupport_core.store.alone import alone

    store = folder / "support.sqlite"
    with alone(store):
        fresh = not store.exists()
        opened = bound(HOST, port)
        smtp = f"{HOST}:{free_port(HOST, smtp_port, '--smtp-port')}"
        world, clock = _world(folder, f"http://{HOST}:{opened.getsockname()[1]}", network)
        if network and not world.hub.payloads(world.doors[network]):
            tell_at(world, clock, network)
        if fresh:
            tell(world, clock)
        clock.catch_up()
        run(create_demo(world, smtp), opened, lambda: _announce(world, smtp, network, as_json=as_json))


def _announce(world: "World", smtp: str, network: str | None, *, as_json: bool) -> None:
    from socialsupport_core.cli.output import json_line, line
    from socialsupport_core.demo.world import CHANNELS

    url, token = world.hub.public_url, world.tokens["dana"]
    inbox, people, chat = f"{url}/#token={token}", f"{url}/people", world.channel_url("webchat")
    mailbox = CHANNELS["email"]["address"]
    if as_json:
        pages = {"inbox": inbox, "people": people, "chat": chat}
        json_line({**pages, "api": f"{url}/api", "smtp": smtp, "mailbox": mailbox, "token": token})
        return
    line(f"inbox      {inbox}")
    line(f"customers  {people}")
    line(f"web chat   {chat}")
    line(f"mail to    {mailbox} at {smtp}")
    if network:
        line(f"{network:<10} {people}#{network}")
    line("Ctrl-C ends it.")
