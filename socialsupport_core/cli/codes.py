"""`socialsupport code`: ask a customer for a one-time code, and see what became of those that were asked for."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import Annotated, Any

import typer

from socialsupport_core.cli.people import agent_of
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def add(app: typer.Typer) -> None:
    app.command()(code)


def code(
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION", help="con_….")],
    told: Annotated[str | None, typer.Option(metavar="KIND:VALUE", help="To which account it is told.")] = None,
    expected: Annotated[str | None, typer.Option(metavar="KIND:VALUE", help="Which account has to type it.")] = None,
    store: Store = DEFAULT,
    tenant: Tenant = None,
    agent: Annotated[str, typer.Option(help="Who asks; needed only where there are several agents.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask for a one-time code: told to one account of the customer, typed by another. The running hub sends it.

    Without --told and --expected: the codes so far, and the accounts between which one can be asked for.
    """
    from socialsupport_core.cli.output import json_document
    from socialsupport_core.contract import ConfigError

    if (told is None) != (expected is None):
        raise ConfigError("say both ends: --told gets the code, --expected types it")
    with hub_at(store) as hub:
        owner = tenant_of(hub, tenant)
        if told and expected:
            hub.ask_for_code(owner, conversation, told, expected, agent=agent_of(hub, owner, agent))
        found = {"challenges": hub.challenges(owner, conversation), "ends": hub.code_ends(owner, conversation)}
    if as_json:
        json_document(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    if found["challenges"]:
        heads = ("told to", "typed by", "state", "tries left", "until")
        table(heads, [_challenge(one) for one in found["challenges"]])
    else:
        line("no code was asked for here so far")
    for one in found["ends"]:
        ways = [f"told by {one['tells']['channel']}"] if "tells" in one else []
        ways += [f"typed by {one['says']['channel']} ({one['says']['how']})"] if "says" in one else []
        line(f"{one['account']}: can be {', '.join(ways)}")


def _challenge(one: dict[str, Any]) -> tuple[str, str, str, str, str]:
    return one["told"], one["expected"], one["state"], str(one.get("tries_left", "")), one["expires_at"][:16]
