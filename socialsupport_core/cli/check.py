"""`socialsupport check`: what the conformance kit says against a plugin, and an exit status."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from socialsupport_core.cli.plugged import Subject
    from socialsupport_core.testing.check import Report, Result
    from socialsupport_core.testing.tiers import Verdict

MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}
_WORST_FIRST = ("failed", "skipped", "passed")
_ENOUGH = 20
"""Lines of one failure; the kit under pytest shows the rest."""
_NAMED = 5
"""Names in a row; of more, their number is enough."""
_CASE = re.compile(r"cases/[\w.-]+, case (?:'[^']*'|\"[^\"]*\")")
"""How the kit names a case in its messages."""
_CRASH = re.compile(r"`\w+` raised ")


def add(app: typer.Typer) -> None:
    app.command()(check)


def check(
    plugin: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONNECTOR", help="Connectors, CRM adapters or folders of plugins; default: all installed."
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell what holds too, as a table.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each result, and one for the tier.")
    ] = False,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="Compare with this OpenAPI 3 or Swagger 2 file instead; may be repeated."),
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the paths of SPEC begin, if not where it says.")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="SPEC leaves out paths that the network has.")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Golden answers may leave out nothing that SPEC requires.")
    ] = False,
) -> None:
    """Check that plugins keep what they claim.

    This is the conformance kit. It tells what was skipped and why, what does not hold, and one line a plugin.
    The exit status is 1 if something does not hold. Then it tells the tier, bronze, silver or gold, and what is
    missing for the next. With --against the requests that the plugin composes, and the
    answers in its golden cases, are compared with what the network has published.
    """
    from socialsupport_core.cli.output import complain
    from socialsupport_core.cli.plugged import broken, subjects
    from socialsupport_core.contract import ConfigError

    if not against and (server or partial or whole):
        raise ConfigError("--server, --partial and --whole say how --against SPEC is read; give the description too")
    run, tiers = (_comparison(against, server, partial=partial, whole=whole), False) if against else (_run, True)
    chosen, unusable, passed = subjects(plugin or []), [] if plugin else broken(), True
    for one in chosen:
        report = run(one)
        passed &= report.passed
        _tell(report, _tier(one, report) if tiers else None, verbose=verbose, as_json=as_json)
    for fault in unusable:
        complain(f"{fault.plugin} is broken: {fault.reason}")
    if unusable or not passed:
        raise typer.Exit(1)


def _tell(report: "Report", reached: "Verdict | None", *, verbose: bool, as_json: bool) -> None:
    from socialsupport_core.cli.output import json_line

    if as_json:
        for result in report.results:
            json_line({"plugin": report.subject, **dataclasses.asdict(result)})
    else:
        _show(report, verbose=verbose)
    if reached is not None:
        _show_tier(report.subject, reached, as_json=as_json)


def _run(subject: "Subject") -> "Report":
    from socialsupport_core.cli.output import moving
    from socialsupport_core.contract import Connector
    from socialsupport_core.testing import check

    kind = subject.kind
    with moving(f"checking {kind.name}") as told:
        if issubclass(kind, Connector):
            return check.check(kind, told=told)
        return check.check_crm(kind, subject.simulator, told=told)


def _tier(subject: "Subject", report: "Report") -> "Verdict":
    from socialsupport_core.testing.tiers import standing_of, verdict

    return verdict(standing_of(subject.kind, "green" if report.passed else "red"))


def _show_tier(name: str, reached: "Verdict", *, as_json: bool) -> None:
    from socialsupport_core.cli.output import json_line, line

    if as_json:
        json_line({"plugin": name, "tier": reached.tier, "missing": list(reached.missing)})
    else:
        line(f"{name}: {reached}")


def _comparison(specs: "list[str]", server: str | None, *, partial: bool, whole: bool) -> "Callable[[Subject], Report]":
    """Raises ConfigError."""
    from socialsupport_core.cli.output import moving
    from socialsupport_core.testing.against import compare, descriptions

    described = descriptions(specs, server, whole=whole)

    def run(subject: "Subject") -> "Report":
        with moving(f"comparing {subject.kind.name}") as told:
            return compare(subject.kind, described, subject.simulator, partial=partial, told=told)

    return run


def _show(report: "Report", *, verbose: bool) -> None:
    from socialsupport_core.cli.output import line, table

    if verbose:
        table(("", "what holds", "cases", "seconds"), _properties(report), title=report.subject)
    else:
        for skipped in _alike(report.skipped, lambda one: one.message):
            line(f"{MARKS['skipped']} {_listed(one.name for one in skipped)}: {skipped[0].message}")
    for failures in _alike(report.failed, _without_case):
        line("\n".join(_failed(failures)))
    passed = len(report.results) - len(report.failed) - len(report.skipped)
    line(f"{report.subject}: {passed} passed, {len(report.failed)} failed, {len(report.skipped)} skipped")


def _alike(results: "Iterable[Result]", key: "Callable[[Result], Any]") -> "list[list[Result]]":
    """Results in groups of one key, in the order in which each key came first."""
    groups: dict[Any, list[Result]] = {}
    for one in results:
        groups.setdefault(key(one), []).append(one)
    return list(groups.values())


def _without_case(one: "Result") -> tuple[str, str]:
    """What a method has raised is one failure, however many promises it breaks."""
    if _CRASH.match(one.message):
        return "", one.message
    return one.name, _CASE.sub("", one.message.removeprefix(f"{one.case}: "))


def _failed(alike: "list[Result]") -> Iterator[str]:
    """Failures with one message: the first in full, the others by their properties and cases."""
    first = alike[0]
    names = dict.fromkeys(one.name for one in alike)
    cases = [one.case for one in alike if one.case]
    where = f" ({len(cases)} cases: {_listed(cases)})" if len(cases) > 1 else ""
    sentence = first.sentence if len(names) == 1 else f"{len(names)} promises are broken by one fault."
    yield f"{MARKS['failed']} {_listed(names)}{where}: {sentence}"
    yield from (f"    {one}" for one in first.message.splitlines()[-_ENOUGH:])


def _listed(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = len(every) - _NAMED
    return ", ".join(every) if more <= 1 else f"{', '.join(every[:_NAMED])} and {more} more"


def _properties(report: "Report") -> Iterator[tuple[str, str, int, str]]:
    """One row for each property, whatever the number of its cases; its outcome is the worst of them."""
    for name, group in groupby(report.results, lambda result: result.name):
        results = list(group)
        seconds = sum(result.duration for result in results)
        worst = min(results, key=lambda result: _WORST_FIRST.index(result.outcome))
        why = f"\n({worst.message})" if worst.outcome == "skipped" else ""
        yield MARKS[worst.outcome], f"{worst.sentence or name}{why}", len(results), f"{seconds:.2f}"
