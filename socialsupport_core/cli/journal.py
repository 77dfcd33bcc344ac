"""`socialsupport quarantine`, `replay`, `doctor` and `import`: what came in, and what became of it."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from pathlib import Path
from typing import Annotated

import typer

from socialsupport_core.cli.people import AsJson
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of


def add(app: typer.Typer) -> None:
    app.command()(quarantine)
    app.command()(replay)
    app.command()(doctor)
    app.command("import")(import_)


def quarantine(store: Store = DEFAULT, as_json: AsJson = False) -> None:
    """List what could not be read, and why."""
    from socialsupport_core.cli.output import json_line, line, table

    with hub_at(store) as hub:
        found = hub.quarantine()
    rows = [
        {
            "entry": one.number,
            "tenant": one.tenant or "",
            "received_at": one.payload.received_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "reason": one.reason or "",
            "bytes": len(one.payload.body),
        }
        for one in found
    ]
    if as_json:
        for row in rows:
            json_line(row)
    elif rows:
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    else:
        line("nothing is in quarantine")


def replay(
    entry: Annotated[int | None, typer.Argument(metavar="[ENTRY]", help="All in quarantine if left out.")] = None,
    store: Store = DEFAULT,
) -> None:
    """Run quarantined entries, or the one given, again. What was recorded before is not recorded twice."""
    from socialsupport_core.cli.output import line

    with hub_at(store) as hub:
        count = hub.replay(entry)
        hub.drain()
        left = len(hub.quarantine())
    line(f"{count} run again; {left} in quarantine")


def doctor(store: Store = DEFAULT, as_json: AsJson = False) -> None:
    """Tell whether all is well and all is accounted for. The exit status is 1 if not."""
    from socialsupport_core.cli.output import json_document, line, table

    with hub_at(store) as hub:
        found = hub.health()
    if as_json:
        json_document(found)
    else:
        table(("journal", "entries"), list(found["journal"].items()))
        table(("outbox", "parts"), list(found["outbox"].items()) or [("nothing has been sent", 0)])
        for trouble in (*found["failing"], *found["broken"]):
            line(trouble)
        line(f"{found['status']}; {found['refused']} forged payloads were refused")
    if found["status"] != "ok":
        raise typer.Exit(1)


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="mbox, .eml, CSV: what its connector reads.")],
    channel: Annotated[str, typer.Option(help="The channel to which the history belongs.")],
    store: Store = DEFAULT,
    tenant: Tenant = None,
) -> None:
    """Bring history in through a channel's connector. Importing a file twice changes nothing."""
    from socialsupport_core.cli.output import line, progress

    with hub_at(store) as hub:
        owner = tenant_of(hub, tenant)
        before = hub.health()["journal"]
        for file in progress(files, len(files), doing="importing"):
            hub.import_file(owner, channel, file.read_bytes(), file.name)
            hub.drain()
        after = hub.health()["journal"]
    grown = {state: after[state] - before[state] for state in ("recorded", "ignored", "quarantined")}
    line(f"{len(files)} files: " + ", ".join(f"{count} {state}" for state, count in grown.items()))
    if grown["quarantined"]:
        raise typer.Exit(1)
