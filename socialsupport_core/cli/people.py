"""`socialsupport timeline` and `explain`: the continuous conversation, and why it is one customer's."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import Annotated, Any

import typer

from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of

Who = Annotated[str, typer.Argument(metavar="CUSTOMER-OR-IDENTIFIER", help="cus_… or kind:value.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def add(app: typer.Typer) -> None:
    app.command()(timeline)
    app.command()(explain)


def timeline(
    who: Who,
    store: Store = DEFAULT,
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Print the continuous conversation of one customer, whatever the networks."""
    from socialsupport_core.cli.output import json_line, table

    with hub_at(store) as hub:
        entries = hub.timeline(tenant_of(hub, tenant), who, limit=limit)
    if as_json:
        for entry in entries:
            json_line(entry)
        return
    table(("when", "where", "who", "what", "state"), [row(entry) for entry in entries])


def row(entry: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """One interaction as a line for people."""
    from socialsupport_core.text import plain, visible

    interaction = entry["interaction"]
    text = plain(interaction.get("text") or "") or interaction.get("subject") or interaction["kind"]
    if entry.get("deleted_at"):
        text = "(deleted)"
    where = interaction["network"] + ("" if interaction["thread"]["visibility"] == "private" else ", public")
    return entry["at"][5:16].replace("T", " "), where, visible(entry["by"]), visible(text), entry.get("state", "")


def explain(
    who: Annotated[
        str | None,
        typer.Argument(metavar="[CUSTOMER-OR-IDENTIFIER]", help="cus_… or kind:value; with --review, an item: rev_…."),
    ] = None,
    store: Store = DEFAULT,
    tenant: Tenant = None,
    review: Annotated[bool, typer.Option("--review", help="What waits for a person to decide who is who.")] = False,
    decide: Annotated[
        str | None, typer.Option(metavar="DECISION", help="With --review: link, apart, later, or undo.")
    ] = None,
    agent: Annotated[str, typer.Option(help="Who decides; needed only where there are several agents.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell why these identifiers are one customer, the weakest step, and what was refused by which rule.

    With --review: what the machine may not decide, with its reasons, and a person's decision.
    """
    from socialsupport_core.cli.output import json_document
    from socialsupport_core.cli.reviewing import review as reviewed
    from socialsupport_core.contract import ConfigError

    with hub_at(store) as hub:
        owner = tenant_of(hub, tenant)
        if review or decide:
            reviewed(hub, owner, who, decide, agent_of(hub, owner, agent) if decide else "", as_json=as_json)
            return
        if who is None:
            raise ConfigError("say whom to explain: a customer id or kind:value, as in phone:+15551234")
        found = hub.explain(owner, who)
    if as_json:
        json_document(found)
    else:
        _show_explained(found)


def agent_of(hub: Any, tenant: str, given: str) -> str:
    """The one who decides; the only one there is, if none is named. Raises ConfigError."""
    from socialsupport_core.contract import ConfigError

    known = [one["id"] for one in hub.agents(tenant)]
    if not given and len(known) == 1:
        return str(known[0])
    if given not in known:
        raise ConfigError(f"name who has decided it with --agent: {', '.join(known) or 'there is no agent yet'}")
    return given


def _show_explained(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    line(f"{found['customer']}: {', '.join(one['identifier'] for one in found['accounts'])}")
    line(f"{found['verdict']}")
    if found["evidence"]:
        table(("joined by", "between", "source", "when"), [_evidence(one) for one in found["evidence"]])
        weakest = found["weakest"]
        line(f"weakest step: {weakest.get('proof', 'evidence')} ({weakest['tier']}), {' – '.join(weakest['between'])}")
    for one in found["refused"]:
        line(f"not joined: {' – '.join(one['between'])}: {one['rule']}")
    for words in found.get("would_change", []):
        line(f"would change it: {words}")
    for one in found["retracted"]:
        line(f"taken back by {one['by']}: {' – '.join(one['between'])}")


def _evidence(one: dict[str, Any]) -> tuple[str, str, str, str]:
    by = f" by {one['agent']}" if one.get("agent") else ""
    return f"{one['proof']} ({one['tier']}){by}", " – ".join(one["between"]), one["source"], one["at"][:16]
