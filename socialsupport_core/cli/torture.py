"""`socialsupport torture`: a hub is hurt in every way we know, and an auditor looks for what is missing or twice."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from socialsupport_core.testing.torture import Row

SHOWN = 3
"""Seeds told of each fault; --json tells them all."""


def add(app: typer.Typer) -> None:
    app.command()(torture)


def torture(
    minutes: Annotated[
        float | None, typer.Option(help="Shared among the faults; default: as often as is quick.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where to begin; with one --fault, exactly this try again.")] = None,
    fault: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these; default: all.")] = None,
    store: Annotated[
        str | None, typer.Option(help="postgresql (starts one), postgresql://… or a folder; default: SQLite.")
    ] = None,
    setup: Annotated[str | None, typer.Option(help="module:function, called first; may return hub options.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each fault.")] = False,
) -> None:
    """Hurt a hub in every way we know, and look for what is lost or doubled.

    It makes hubs of its own and touches nothing else. The exit status is 1 if anything does not hold.
    """
    from socialsupport_core.cli.output import json_line
    from socialsupport_core.testing.torture import run

    again = seed is not None and minutes is None and len(fault or ()) == 1
    watch = _Watch()
    rows = run(
        fault or (),
        seed=1 if seed is None else seed,
        tries=1 if again else None,
        seconds=None if minutes is None else minutes * 60,
        store=store,
        setup=setup,
        told=watch.told,
    )
    watch.done()
    for row in rows if as_json else ():
        json_line(row.as_json())
    if not as_json:
        _show(rows, store, setup)
    if not all(row.holds for row in rows):
        raise typer.Exit(1)


class _Watch:
    """On a terminal, one line that follows; elsewhere a line for each fault that is done."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def told(self, row: "Row") -> None:
        from socialsupport_core.cli.output import remark

        text = f"{row.fault}: {row.hurts:,} tried, {row.count('lost')} lost, {row.count('doubled')} doubled"
        if self._terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif row.done:
            remark(text)

    def done(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _show(rows: "list[Row]", store: str | None, setup: str | None) -> None:
    from socialsupport_core.cli.output import line, table
    from socialsupport_core.testing.torture import again

    columns = ("fault", "tried", "lost", "doubled", "verdict")
    table(columns, [(r.fault, f"{r.hurts:,}", r.count("lost"), r.count("doubled"), r.verdict) for r in rows])
    for row in rows:
        for seed in row.seeds[:SHOWN]:
            found = next(one for number, one in row.findings if number == seed)
            line(f"{row.fault}, seed {seed}: {found.kind}: {found.what}\n    {again(row.fault, seed, store, setup)}")
        if len(row.seeds) > SHOWN:
            line(f"{row.fault}: and {len(row.seeds) - SHOWN} seeds more")
