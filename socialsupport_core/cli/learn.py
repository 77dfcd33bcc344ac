"""`socialsupport learn`: triage learns from what agents have put right."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import Annotated

import typer

from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of


def add(app: typer.Typer) -> None:
    app.command()(learn)


def learn(
    store: Store = DEFAULT,
    tenant: Tenant = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Let triage learn from what agents have put right, and tell how good it is on what it had not seen."""
    from socialsupport_core.cli.output import json_document, table

    with hub_at(store) as hub:
        told = hub.learn_triage(tenant_of(hub, tenant))
    if as_json:
        json_document(told)
        return
    rows = [
        (plugin, kind, *(f"{one:.2f}" for one in pair))
        for plugin, figures in told.items()
        for kind, pair in figures.get("kinds", {}).items()
    ]
    table(("plugin", "kind", "precision", "recall"), rows)
