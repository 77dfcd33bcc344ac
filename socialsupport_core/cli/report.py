"""`socialsupport report`: how fast, how many, how well, what it cost, and where it breaks down."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socialsupport_core.cli.people import AsJson
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of

if TYPE_CHECKING:
    from socialsupport_core.insight import Settings

Moment = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"],
        metavar="DAY",
        help="A day or a moment, in UTC.",
    ),
]


def add(app: typer.Typer) -> None:
    app.command()(report)


def report(  # noqa: PLR0913, PLR0917 - each is an option
    store: Store = DEFAULT,
    tenant: Tenant = None,
    since: Moment = None,
    until: Moment = None,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Targets, hours and costs of your own, as TOML.")
    ] = None,
    channel: Annotated[str | None, typer.Option(metavar="ID", help="Only matters that were on this channel.")] = None,
    network: Annotated[str | None, typer.Option(help="Only matters that were on this network.")] = None,
    visibility: Annotated[
        str | None, typer.Option(metavar="public|private", help="Only matters that were public, or private.")
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="ID", help="Only matters in which this agent answered.")] = None,
    staffing: Annotated[
        bool, typer.Option("--staffing", help="Instead: how many agents the targets take, by hour of the week.")
    ] = False,
    share: Annotated[int, typer.Option(min=1, max=99, help="With --staffing: of 100, within the target.")] = 80,
    handling: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="With --staffing: for one contact; else it is measured.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="What `export` wrote, in place of a store: for what is large."),
    ] = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page with charts there.")] = None,
    inbox: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the inbox page is, to which the page's figures lead.")
    ] = None,
) -> None:
    """Tell how fast and how well customers are answered, what failures cost, and where and why they begin."""
    from socialsupport_core.cli.output import json_document
    from socialsupport_core.cli.staffing import show as show_staffing
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.insight import settings_of

    assumed = settings_of(settings)
    filters = {"channel": channel, "network": network, "visibility": visibility, "agent": agent}
    begin, end = utc(since), utc(until)
    if folder is not None:
        if staffing:
            raise ConfigError("--staffing needs the store: an export is read for its report")
        found, whose = _exported(folder, tenant, assumed, begin, end, filters, drawn=html is not None)
    else:
        with hub_at(store) as hub:
            whose = tenant_of(hub, tenant)
            if staffing:
                needed = hub.staffing(whose, since=begin, until=end, share=share / 100, handling=handling)
                (json_document if as_json else show_staffing)(needed)
                return
            found = hub.report(whose, since=begin, until=end, settings=assumed, **filters)
    if html:
        _write(html, found, whose, inbox)
    if as_json:
        json_document(found)
    elif not html:
        _show(found)


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


def _exported(
    folder: Path,
    tenant: str | None,
    settings: "Settings",
    since: datetime | None,
    until: datetime | None,
    filters: dict[str, str | None],
    *,
    drawn: bool,
) -> tuple[dict[str, Any], str]:
    """The report, and whose it is."""
    from datetime import UTC

    from socialsupport_core.cli.output import moving
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.hub.exporting import MISSING
    from socialsupport_core.insight import Filters
    from socialsupport_core.store import micros

    try:
        from socialsupport_core.insight.scaled.reading import drawn_of, owner_of, report_of
    except ModuleNotFoundError as missing:
        raise ConfigError(MISSING) from missing
    ends = micros(until or datetime.now(UTC))
    begins = None if since is None else micros(since)
    wanted, owner = Filters(**filters), owner_of(folder, tenant)
    if drawn:
        return drawn_of(folder, owner, settings, ends, begins, filters=wanted), owner
    with moving("measuring") as moved:
        return report_of(folder, owner, settings, ends, begins, moved=moved, filters=wanted), owner


def utc(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return moment.replace(tzinfo=UTC) if moment else None


def _show(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    line(f"{found['period']['from'][:16]} to {found['period']['until'][:16]} UTC, by when a matter began")
    if given := [f"{name} {value}" for name, value in found.get("filters", {}).items() if value]:
        line(f"only matters with {', '.join(given)} in them, whole")
    line("")
    before = found["previous"]
    table(
        ("measure", "value", *(("before",) if before else ())),
        [(name, value(found), *((value(before),) if before else ())) for name, value in _ROWS],
    )
    if found["channels"]:
        table(_CHANNEL, [_channel(one) for one in found["channels"]], title="by channel")
    if found.get("themes"):
        _show_themes(found["themes"])
    if found["breakdowns"]["by_reason"]:
        table(("why it broke down", "matters"), found["breakdowns"]["by_reason"].items())
        table(("change first", "", "cost", "matters"), [_change(one) for one in found["changes"][:5]])
    for one in found["journeys"][:5]:
        line(f"{one['customer']}, {one['began'][:16]}: {one['explanation']}")
    _show_cost(found["cost"])


def _show_themes(found: list[dict[str, Any]]) -> None:
    from socialsupport_core.cli.output import table
    from socialsupport_core.insight.page.about import risen

    rows = [
        (one["name"], _share(one["matters"]), risen(one), ", ".join(_conversations(one["examples"][:2])))
        for one in found[:5]
    ]
    table(("what they are about", "matters", "rises in", "such as"), rows)


def _conversations(examples: list[dict[str, Any]]) -> list[str]:
    return [one["conversations"][0] for one in examples if one["conversations"]]


def _show_cost(cost: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    each = cost["failed_contact"]
    rows = [(one["to"], f"{one['share']:.0%}", f"{one['cost']:.2f}", f"{one['product']:.4f}") for one in each["table"]]
    table(
        ("after a failed contact, to", "share", f"{cost['currency']} each", "makes"),
        [*rows, ("a failed social contact", "", "", f"{each['amount']:.4f}")],
        title=f"what failures cost ({each['source']})",
    )
    twice = cost["handled_twice"]
    line(
        f"expected of {cost['expected']['failed_legs']} failed social legs: {cost['expected']['amount']:.2f}\n"
        f"incurred by {cost['incurred']['contacts']} contacts that followed: {cost['incurred']['amount']:.2f}"
        f" ({cost['incurred']['without_a_price']} of them have no price)\n"
        f"avoided by {cost['avoided']['hand_offs']} hand-offs that held: {cost['avoided']['amount']:.2f}\n"
        f"handled twice, {twice['matters']} matters: {twice['from']:.2f} to {twice['to']:.2f}"
    )


def _change(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        f"{one['rank']}. {one['channel']}: {one['reason']}",
        one["do"],
        f"{one['amount']:.2f}",
        one["matters"]["count"],
    )


def _share(one: dict[str, Any]) -> str:
    return "nothing yet" if one["share"] is None else f"{one['share']:.1%} ({one['count']} of {one['of']})"


def _spread(one: dict[str, Any]) -> str:
    if not one["count"]:
        return "nothing yet"
    return f"{_span(one['p50'])}; 9 of 10 within {_span(one['p90'])} ({one['count']})"


def _span(seconds: float) -> str:
    from socialsupport_core.insight.words import span

    return span(int(seconds * 1_000_000))


_ROWS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("matters", lambda one: f"{one['matters']['count']}, {one['matters']['contacts']} contacts"),
    ("first response, median", lambda one: _spread(one["response"]["first"])),
    ("the same in your hours", lambda one: _spread(one["response"]["first_in_hours"])),
    ("resolution, median", lambda one: _spread(one["resolution"]["time"])),
    ("contacts answered", lambda one: _share(one["coverage"]["answered"])),
    ("within the target", lambda one: _share(one["coverage"]["in_target"])),
    ("resolved", lambda one: _share(one["resolution"]["resolved"])),
    ("resolved at first contact", lambda one: _share(one["first_contact_resolution"])),
    ("reopened", lambda one: _share(one["resolution"]["reopened"])),
    ("handled twice", lambda one: _share(one["handled_twice"])),
    ("switches that kept context", lambda one: _share(one["channel_switches"]["with_context"])),
    ("hand-offs that arrived", lambda one: _share(one["hand_offs"]["arrived"])),
    ("resolved by machines alone", lambda one: _share(one["deflection"])),
    ("called well done (4 or 5 of 5)", lambda one: _share(one["accuracy"]["verdicts"]["good"])),
    ("answered how it went", lambda one: _share(one["accuracy"]["verdicts"]["answered"])),
    ("messages that praise", lambda one: _share(one["praise"]["messages"])),
    ("broke down", lambda one: _share(one["breakdowns"])),
)
_CHANNEL = ("channel", "contacts", "answered", "response, median", "failed legs", "broke down here")


def _channel(one: dict[str, Any]) -> tuple[object, ...]:
    answered = _share(one["coverage"]["answered"])
    return one["channel"], one["contacts"], answered, _spread(one["response"]), one["failed_legs"], one["broke_here"]
