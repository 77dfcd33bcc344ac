"""`socialsupport export`: the history as Parquet, for `report --from` and for tools of one's own."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from pathlib import Path
from typing import Annotated

import typer

from socialsupport_core.cli.people import AsJson
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of
from socialsupport_core.cli.report import Moment, utc


def add(app: typer.Typer) -> None:
    app.command()(export)


def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go, and are brought up to date.")],
    since: Moment = None,
    until: Moment = None,
    store: Store = DEFAULT,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Write who turned to whom when, without texts, names and addresses, as Parquet: a file for each table and day."""
    from dataclasses import asdict

    from socialsupport_core.cli.output import json_document, line, moving

    with hub_at(store) as hub, moving("exporting") as moved:
        done = hub.export(tenant_of(hub, tenant), folder, since=utc(since), until=utc(until), moved=moved)
    if as_json:
        json_document(asdict(done))
    else:
        line(f"{done.rows} rows of {done.days} days; {done.changed} files are new or changed, {done.removed} are gone")
