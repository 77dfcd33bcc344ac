"""`socialsupport erase`: erases a customer and proves it: what was removed where, what may still hold something."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import Annotated, Any

import typer

from socialsupport_core.cli.people import AsJson, agent_of
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of


def add(app: typer.Typer) -> None:
    app.command()(erase)


def erase(
    who: Annotated[str, typer.Argument(metavar="CUSTOMER", help="cus_… or kind:value.")],
    store: Store = DEFAULT,
    tenant: Tenant = None,
    agent: Annotated[str, typer.Option(help="Who has decided it; needed only where there are several agents.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a customer for good, with a proof: what was removed where, and what may still hold something.

    Cut off, it has either done nothing or is finished by the same command.
    """
    from socialsupport_core.cli.output import json_document

    with hub_at(store) as hub:
        owner = tenant_of(hub, tenant)
        decided_by = agent_of(hub, owner, agent)
        if not (yes or as_json):
            _ask(hub, owner, who)
        found = hub.erase(owner, who, agent=decided_by)
    if as_json:
        json_document(found)
    else:
        _show(found)


def _ask(hub: Any, tenant: str, who: str) -> None:
    """What is erased cannot be brought back."""
    from socialsupport_core.identity import NoSuchCustomer

    try:
        found = hub.customer(tenant, who)
    except NoSuchCustomer:
        return  # perhaps an erasure that was cut off
    accounts = ", ".join(one["identifier"] for one in found["accounts"])
    typer.confirm(f"Erase {found['id']} ({accounts}) for good?", abort=True)


def _show(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    line(f"{found['customer']} was erased at {found['at']} by {found['agent']}: {found['id']}, {found['state']}")
    table(("removed from", "rows"), list(found["removed"].items()))
    files = found["files"]
    line(f"files: {files['removed']} removed, {files['bytes']:,} bytes; {files['shared']} stay, others have them too")
    if "store" in found:
        told = "cleaned" if found["store"]["cleaned"] else "not cleaned yet"
        line(f"the store's own files: {told} in {found['store']['seconds']} seconds")
    for one in found["crm"]:
        line(f"{one['crm']}: {one['state']}" + _named(one) + _why(one))
    for one in found["left"]:
        line(f"may still hold something: {one}")


def _named(one: dict[str, Any]) -> str:
    return "".join(f", {what} {one[what]}" for what in ("contact", "case") if what in one)


def _why(one: dict[str, Any]) -> str:
    return f" ({one['reason']})" if one.get("reason") else ""
