"""`socialsupport mcp`: assistants read, and draft, over the Model Context Protocol."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import TYPE_CHECKING, Annotated

import typer

from socialsupport_core.cli.people import agent_of
from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of

if TYPE_CHECKING:
    from socialsupport_core.hub import Hub
    from socialsupport_core.store.accounts import Access


def add(app: typer.Typer) -> None:
    app.command()(mcp)


def mcp(
    store: Store = DEFAULT,
    tenant: Tenant = None,
    agent: Annotated[str, typer.Option(help="For whom it reads; needed only where there are several agents.")] = "",
    draft: Annotated[bool, typer.Option("--draft", help="It may draft answers, too. A person sends them.")] = False,
    token: Annotated[
        str,
        typer.Option(
            envvar="SOCIALSUPPORT_TOKEN",
            help="A token of the HTTP API, in place of the three above: what it allows of `read` and `draft`.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Let an assistant read conversations and draft answers, over standard input and output. It cannot send."""
    import asyncio

    from socialsupport_core.assistant.server import over_stdio

    with hub_at(store, working=True) as hub:
        access = _by_token(hub, token) if token else _named(hub, tenant, agent, draft=draft)
        asyncio.run(over_stdio(hub, access))


def _by_token(hub: "Hub", token: str) -> "Access":
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.store.accounts import Access

    found = hub.access(token)
    if found is None or "read" not in found.scopes:
        raise ConfigError("this token is not known here, or lacks the scope read; POST /api/tokens makes one")
    return Access(found.agent, found.scopes & {"read", "draft"})


def _named(hub: "Hub", tenant: str | None, agent: str, *, draft: bool) -> "Access":
    from socialsupport_core.store.accounts import Access, Agent

    owner = tenant_of(hub, tenant)
    known = agent_of(hub, owner, agent)
    found = next(one for one in hub.agents(owner) if one["id"] == known)
    scopes = frozenset({"read", "draft"} if draft else {"read"})
    return Access(Agent(owner, known, found["name"], found["is_bot"]), scopes)  # type: ignore[arg-type]
