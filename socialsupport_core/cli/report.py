"""`socialsupport report`: how fast, how many, how well, what it cost, and where it breaks down."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socialsupport_core.cli.people import AsJson
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant

if TYPE_CHECKING:
    from socialsupport_core.cli.reporting import Source

Moment = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"],
        metavar="DAY",
        help="A day or a moment, in UTC.",
    ),
]
Assumed = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="Targets, hours and costs of your own, as TOML.")
]
Channel = Annotated[str | None, typer.Option(metavar="ID", help="Only matters that were on this channel.")]
Network = Annotated[str | None, typer.Option(help="Only matters that were on this network.")]
Visible = Annotated[
    str | None, typer.Option(metavar="public|private", help="Only matters that were public, or private.")
]
Agent = Annotated[str | None, typer.Option(metavar="ID", help="Only matters in which this agent answered.")]
Staffing = Annotated[
    bool, typer.Option("--staffing", help="Instead: how many agents the targets take, by hour of the week.")
]
Share = Annotated[int, typer.Option(min=1, max=99, help="With --staffing: of 100, within the target.")]
Handling = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="With --staffing: for one contact; else it is measured.")
]
Folder = Annotated[
    Path | None,
    typer.Option("--from", metavar="FOLDER", help="What `export` wrote, in place of a store: for what is large."),
]
Lines = Annotated[
    list[Path] | None,
    typer.Option(
        "--history",
        metavar="FILE",
        help="A history of your own, in place of a store: JSON lines or CSV, as the page on measures says. Repeatable.",
    ),
]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="With --history: of times that name no zone, such as Europe/Berlin.")
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page with charts there.")]
Inbox = Annotated[
    str | None, typer.Option(metavar="URL", help="Where the inbox page is, to which the page's figures lead.")
]


def add(app: typer.Typer) -> None:
    app.command()(report)


def report(  # noqa: PLR0913, PLR0917 - each is an option
    store: Store = DEFAULT,
    tenant: Tenant = None,
    since: Moment = None,
    until: Moment = None,
    settings: Assumed = None,
    channel: Channel = None,
    network: Network = None,
    visibility: Visible = None,
    agent: Agent = None,
    staffing: Staffing = False,
    share: Share = 80,
    handling: Handling = None,
    folder: Folder = None,
    history: Lines = None,
    zone: Zone = None,
    as_json: AsJson = False,
    html: Html = None,
    inbox: Inbox = None,
) -> None:
    """Tell how fast and how well customers are answered, what failures cost, and where and why they begin."""
    from socialsupport_core.cli.output import json_document
    from socialsupport_core.cli.reporting import Asked, Needed
    from socialsupport_core.cli.staffing import show as show_staffing
    from socialsupport_core.insight import settings_of

    filters = {"channel": channel, "network": network, "visibility": visibility, "agent": agent}
    asked = Asked(settings_of(settings), utc(since), utc(until), filters)
    source = _source(store, tenant, folder, history, zone)
    if staffing:
        needed = source.staffing(asked, Needed(share, handling))
        (json_document if as_json else show_staffing)(needed)
        return
    found, whose = source.report(asked, drawn=html is not None)
    if html:
        _write(html, found, whose, inbox)
    if as_json:
        json_document(found)
    elif not html:
        _show(found)


def _source(
    store: str, tenant: str | None, folder: Path | None, history: list[Path] | None, zone: str | None
) -> "Source":
    from socialsupport_core.cli.reporting import OfExport, OfHistory, OfStore
    from socialsupport_core.contract import ConfigError

    if folder is not None and history:
        raise ConfigError("a report is made --from an export or of a --history; leave one of them out")
    if zone is not None and not history:
        raise ConfigError("--zone is for the times of a --history; leave it out")
    if history:
        return OfHistory(history, zone, tenant)
    return OfStore(store, tenant) if folder is None else OfExport(folder, tenant)


def _show(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.measured import show

    show(found)


def _write(file: Path, found: dict[str, Any], whose: str, inbox: str | None) -> None:
    from socialsupport_core.cli.output import remark
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.insight.page import page

    content = page(found, name=whose, inbox=inbox).encode()
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    remark(f"{file}: {len(content) / 1000:,.0f} kB")


def utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
