"""`socialsupport plan`: what an intent would become, what would be lost, what forbids it."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socialsupport_core.cli.options import ConnectorName, IntentFile, SettingsFile

if TYPE_CHECKING:
    from socialsupport_core.contract import Connector
    from socialsupport_core.pipeline.plan import Part, Plan


def add(app: typer.Typer) -> None:
    app.command()(plan)


def plan(
    connector: ConnectorName,
    intent: IntentFile,
    settings: SettingsFile = None,
    last_inbound: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the customer last wrote.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each intent.")] = False,
) -> None:
    """Tell what would be sent, lost or forbidden.

    In how many parts it would go, what the recipient would not get, what else is possible. The exit
    status is 1 if something forbids it.
    """
    from socialsupport_core.cli import plugged
    from socialsupport_core.cli.output import json_line, remark
    from socialsupport_core.cli.reading import intents_of, moment
    from socialsupport_core.pipeline.plan import also_possible, make_plan

    heard, possible = moment(last_inbound, "--last-inbound"), True
    kind = plugged.connector(connector)
    fitted = plugged.fitted(kind, settings)
    if fitted.remark:
        remark(fitted.remark)
    planner = kind(fitted.settings, fitted.facts)
    for one in intents_of(intent):
        made = make_plan(planner, one, now=datetime.now(UTC), last_inbound=heard)
        others = also_possible(planner, one)
        possible &= made.possible
        if as_json:
            json_line(as_object(planner, made, others))
        else:
            _show(planner, made, others)
    if not possible:
        raise typer.Exit(1)


def as_object(planner: "Connector[Any]", plan: "Plan", others: tuple[str, ...]) -> dict[str, Any]:
    """The plan, each part with its text as the network counts it."""
    shown = plan.model_dump(mode="json", exclude_none=True)
    for part, as_json in zip(plan.parts, shown["parts"], strict=True):
        as_json["counted"] = _counted(planner, part.intent)
    return {"possible": plan.possible, **shown, "also_possible": others}


def _show(planner: "Connector[Any]", plan: "Plan", others: tuple[str, ...]) -> None:
    from socialsupport_core.cli.output import line, table

    if plan.parts:
        parts = [_row(planner, part) for part in plan.parts]
        table(("part", "intent", "size", "content, as it is counted"), parts, title="would be sent")
    if plan.losses:
        table(("lost", "why"), [(one.what, one.why) for one in plan.losses], title="would be lost")
    if plan.obstacles:
        rows = [(one.rule, one.reason, one.remedy) for one in plan.obstacles]
        table(("rule", "why not", "instead"), rows, title="forbidden")
    line(f"possible: {'yes' if plan.possible else 'no'}; also possible here: {', '.join(others) or 'nothing'}")


def _row(planner: "Connector[Any]", part: "Part") -> tuple[str, str, str, str]:
    size = f"{part.size} of {part.limit} {part.unit}" if part.limit else ""
    return part.intent.key, part.intent.type, size, _content(planner, part.intent)


def _counted(planner: "Connector[Any]", intent: Any) -> str:
    """The text whose length is its size, with markup where the network counts that."""
    return planner.measured(getattr(intent, "text", None) or "")


def _content(planner: "Connector[Any]", intent: Any) -> str:
    files = [f"[{one.name or one.media_type}]" for one in getattr(intent, "attachments", ())]
    choices = [f"({one.title})" for one in getattr(intent, "choices", ())]
    said = _counted(planner, intent) or getattr(intent, "reaction", None)
    return "\n".join(filter(None, [said, " ".join(files), " ".join(choices)]))
