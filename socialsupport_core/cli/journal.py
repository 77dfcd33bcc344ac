"""`socialsupport quarantine`, `replay`, `doctor` and `import`: what came in, and what became of it."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from socialsupport_core.cli.people import AsJson
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of

if TYPE_CHECKING:
    from datetime import datetime

    from socialsupport_core.hub import Hub

TOLD = 50  # rows of a file that were left out
LOOKED_AT = 32 * 1024 * 1024  # bytes of a file in which they are looked for


def add(app: typer.Typer) -> None:
    app.command()(quarantine)
    app.command()(replay)
    app.command()(doctor)
    app.command("import")(import_)


def quarantine(
    store: Store = DEFAULT,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what could not be read, and why."""
    from socialsupport_core.cli.output import json_line, line, remark, table

    with hub_at(store) as hub:
        found, total = hub.quarantine(limit=limit), hub.health()["journal"]["quarantined"]
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
        if total > len(rows):
            remark(f"these are the newest {len(rows)} of {total}; --limit gives more")
    else:
        line("nothing is in quarantine")


def replay(
    entry: Annotated[int | None, typer.Argument(metavar="[ENTRY]", help="All in quarantine if left out.")] = None,
    store: Store = DEFAULT,
) -> None:
    """Run quarantined entries, or the one given, again. What was recorded before is not recorded twice."""
    from socialsupport_core.cli.output import line

    with hub_at(store, working=True) as hub:
        count = hub.replay(entry)
        hub.drain()
        left = hub.health()["journal"]["quarantined"]
    line(f"{count} run again; {left} in quarantine")


def doctor(store: Store = DEFAULT, as_json: AsJson = False) -> None:
    """Tell whether all is well and all is accounted for. The exit status is 1 if not."""
    from socialsupport_core.cli.output import json_document, line, table

    with hub_at(store) as hub:
        found = hub.health(audited=True) | {"due": hub.retention_due()}
    if as_json:
        json_document(found)
    else:
        table(("journal", "entries"), list(found["journal"].items()))
        table(("outbox", "parts"), list(found["outbox"].items()) or [("nothing has been sent", 0)])
        table(("channels", "are"), [(count, state) for state, count in found["channels"].items()])
        table(("due", "waiting"), list(found["due"].items()))
        for trouble in (*found["failing"], *found["broken"]):
            line(trouble)
        line(f"{found['status']}; {found['refused']} forged payloads were refused")
    if found["status"] != "ok":
        raise typer.Exit(1)


def import_(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[contacts] [FILE…]", help="mbox, .eml, CSV: what the channel's connector reads; or contact tables."
        ),
    ] = None,
    channel: Annotated[str | None, typer.Option(help="The channel to which the history belongs.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="In place of files: what the network still has since then.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--as", metavar="crm.NAME", help="Whose records a contact table holds; else its file's name."),
    ] = None,
    store: Store = DEFAULT,
    tenant: Tenant = None,
) -> None:
    """Bring history in through a channel's connector, or a contact table. Importing it twice changes nothing.

    A contact table is CSV whose first line names its columns: id, email, phone, name, verified.
    """
    from socialsupport_core.contract import ConfigError

    tables = _tables(files or [], asked=channel is None and since is None)
    if tables:
        _import_contacts(tables, kind, store, tenant)
        return
    if channel is None:
        raise ConfigError(
            "name the --channel to which the history belongs, or write: import contacts FILE; a history that is only to"
            " be measured needs no import: report --history FILE"
        )
    if bool(files) == (since is not None):
        raise ConfigError("import takes either files, or --since DATE to read back what the network still has")
    _import_history(files or [], channel, since, store, tenant)


def _import_history(files: list[Path], channel: str, since: str | None, store: str, tenant: str | None) -> None:
    from socialsupport_core.cli.output import complain, line

    with hub_at(store, working=True) as hub:
        owner = tenant_of(hub, tenant)
        before = hub.health()["journal"]
        trouble, left_out = None, 0
        if since:
            trouble = _read_back(hub, owner, channel, since)
        else:
            left_out = _read_files(hub, owner, channel, files)
        after = hub.health()["journal"]
    grown = {state: after[state] - before[state] for state in ("recorded", "ignored", "quarantined")}
    what = f"since {since}" if since else f"{len(files)} files"
    line(f"{what}: " + ", ".join(f"{count} {state}" for state, count in grown.items()))
    if trouble:
        complain(trouble)
    if trouble or left_out or grown["quarantined"]:
        raise typer.Exit(1)


def _tables(files: list[Path], *, asked: bool) -> list[Path]:
    """The contact tables among the files: said to be some, or all of them look like it."""
    from socialsupport_core.identity.contacts import is_contact_table

    if files and str(files[0]) == "contacts" and (len(files) > 1 or not files[0].exists()):
        if len(files) == 1:
            from socialsupport_core.contract import ConfigError

            raise ConfigError("name the contact table: import contacts FILE")
        return files[1:]
    looks = asked and all(file.is_file() and is_contact_table(file.read_bytes()) for file in files)
    return files if looks else []


def _import_contacts(files: list[Path], kind: str | None, store: str, tenant: str | None) -> None:
    from socialsupport_core.cli.output import complain, line, progress

    kept, left_out = 0, 0
    with hub_at(store) as hub:
        owner = tenant_of(hub, tenant)
        for file in progress(files, len(files), doing="importing"):
            name = kind or f"crm.{_named_like(file)}"
            told = hub.import_contacts(owner, file.read_bytes(), kind=name)
            for one in told["left_out"]:
                complain(f"{file}, line {one['line']}: {one['reason']}; this row was left out")
            line(f"{file}: {told['kept']} contacts kept as {name}, {len(told['left_out'])} left out")
            kept, left_out = kept + told["kept"], left_out + len(told["left_out"])
    if left_out:
        raise typer.Exit(1)


def _named_like(file: Path) -> str:
    import re

    return re.sub(r"[^a-z0-9]+", "_", file.stem.lower()).strip("_0123456789") or "contacts"


def _read_files(hub: "Hub", tenant: str, channel: str, files: list[Path]) -> int:
    """How many of their rows, or whatever else they hold, could not be read."""
    from socialsupport_core.cli.output import complain, progress

    left_out = 0
    for file in progress(files, len(files), doing="importing"):
        content = file.read_bytes()
        hub.import_file(tenant, channel, content, file.name)
        hub.drain()
        reasons = hub.unreadable(tenant, channel, content) if len(content) <= LOOKED_AT else []
        for reason in reasons[:TOLD]:
            complain(f"{file}, {reason}; this was left out")
        if len(reasons) > TOLD:
            complain(f"{file}: {len(reasons) - TOLD} more were left out")
        left_out += len(reasons)
    return left_out


def _read_back(hub: "Hub", tenant: str, channel: str, since: str) -> str | None:
    """Page by page, beside a `serve` that may do the same. Why it did not come to its end."""
    import time

    from socialsupport_core.cli.output import moving

    found = hub.backfill(tenant, channel, since=_moment(since))
    with moving("reading back") as moved:
        while found["state"] == "running":
            read = hub.read_back()
            found = hub.backfilled(tenant, channel) or found
            moved(found["payloads"], None)
            if not read and "reason" in found:
                break
            if not read:
                time.sleep(0.5)
    if found["state"] == "done":
        return None
    goes_on = "" if found["state"] == "failed" else "; `serve` goes on with it, or run this again"
    return f"it was not read to its end: {found['reason']}{goes_on}"


def _moment(text: str) -> "datetime":
    from datetime import UTC, datetime

    from socialsupport_core.contract import ConfigError

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--since {text!r} is no date; write it as 2026-03-01, or 2026-03-01T09:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
