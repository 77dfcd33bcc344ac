"""`socialsupport explain --review`: what the machine may not decide, and a person's decisions."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socialsupport_core.hub import Hub

DECISIONS = ("link", "apart", "later", "undo")
DONE = {
    "link": "they are one customer now: {}",
    "apart": "they are kept apart: {}",
    "later": "put off for a week",
    "undo": "taken back",
}


def review(hub: "Hub", tenant: str, item: str | None, decision: str | None, agent: str, *, as_json: bool) -> None:
    """Lists the queue, or one item of it, or decides one. Raises ConfigError, VerdictRefused."""
    if decision is not None:
        _decide(hub, tenant, item, decision, agent, as_json=as_json)
        return
    found = hub.reviews(tenant, limit=500)
    _show([one for one in found if item in (None, one["id"])], as_json=as_json)


def _decide(hub: "Hub", tenant: str, item: str | None, decision: str, agent: str, *, as_json: bool) -> None:
    from socialsupport_core.cli.output import json_document, line
    from socialsupport_core.contract import ConfigError

    if item is None:
        raise ConfigError("say what is decided: an item of the queue, such as rev_1f-2a")
    if decision not in DECISIONS:
        raise ConfigError(f"{decision!r} is no decision; there is {', '.join(DECISIONS)}")
    told: Any = decision
    verdict = hub.decide(tenant, item, told, agent=agent)
    if as_json:
        json_document({"verdict": verdict.id, "customers": list(verdict.customers)})
    else:
        line(f"{item}: {DONE[decision].format(', '.join(verdict.customers))}")


def _show(found: list[dict[str, Any]], *, as_json: bool) -> None:
    from socialsupport_core.cli.output import json_line, line

    for one in found:
        if as_json:
            json_line(one)
            continue
        line(f"{one['id']}  {one['reason']}")
        for end in one["between"]:
            named = f" ({end['name']})" if "name" in end else ""
            line(f"    {end['identifier']}{named}, {end['customer']}")
        for why in dict.fromkeys(_reasons(one)):
            line(f"    because {why}")
        if "remedy" in one:
            line(f"    it takes {one['remedy']}")
    if not found and not as_json:
        line("nothing waits for a person")


def _reasons(one: dict[str, Any]) -> list[str]:
    told = [f"{each['proof']} ({each['tier']}): {each['rule']}" for each in one["evidence"]]
    return [*told, *one.get("reasons", [])]
