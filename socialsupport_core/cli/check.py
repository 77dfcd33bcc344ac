"""`socialsupport check`: the conformance kit as a table and an exit status."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import dataclasses
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from socialsupport_core.contract import CRM, Connector
    from socialsupport_core.testing.check import Report

MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}
_WORST_FIRST = ("failed", "skipped", "passed")
_ENOUGH = 20
"""Lines of one failure; the kit under pytest shows the rest."""


def add(app: typer.Typer) -> None:
    app.command()(check)


def check(
    plugin: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONNECTOR", help="Connectors, CRM adapters or folders of plugins; default: all installed."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each result.")] = False,
) -> None:
    """Check that plugins keep what they claim.

    This is the conformance kit. The exit status is 1 if something does not hold.
    """
    from socialsupport_core.cli.output import complain, json_line, progress
    from socialsupport_core.cli.plugged import broken, everything

    subjects, unusable = everything(plugin or []), [] if plugin else broken()
    reports = [_run(one) for one in progress(subjects, len(subjects), doing="checking")]
    for report in reports:
        if as_json:
            for result in report.results:
                json_line({"plugin": report.subject, **dataclasses.asdict(result)})
        else:
            _show(report)
    for one in unusable:
        complain(f"{one.plugin} is broken: {one.reason}")
    if unusable or not all(report.passed for report in reports):
        raise typer.Exit(1)


def _run(subject: "type[Connector[Any]] | type[CRM[Any]]") -> "Report":
    from socialsupport_core.contract import Connector
    from socialsupport_core.testing import check

    if issubclass(subject, Connector):
        return check.check(subject)
    return check.check_crm(subject)


def _show(report: "Report") -> None:
    from socialsupport_core.cli.output import line, table

    table(("", "what holds", "cases", "seconds"), _properties(report), title=report.subject)
    for failure in report.failed:
        where = f"{failure.name}, case {failure.case!r}" if failure.case else failure.name
        line(f"\n✗ {report.subject}: {where}")
        line("\n".join(f"  {one}" for one in failure.message.splitlines()[-_ENOUGH:]))
    passed = len(report.results) - len(report.failed) - len(report.skipped)
    line(f"{report.subject}: {passed} passed, {len(report.failed)} failed, {len(report.skipped)} skipped\n")


def _properties(report: "Report") -> Iterator[tuple[str, str, int, str]]:
    """One row for each property, whatever the number of its cases; its outcome is the worst of them."""
    for name, group in groupby(report.results, lambda result: result.name):
        results = list(group)
        seconds = sum(result.duration for result in results)
        worst = min(results, key=lambda result: _WORST_FIRST.index(result.outcome))
        why = f"\n({worst.message})" if worst.outcome == "skipped" else ""
        yield MARKS[worst.outcome], f"{worst.sentence or name}{why}", len(results), f"{seconds:.2f}"
