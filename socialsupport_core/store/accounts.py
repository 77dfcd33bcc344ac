"""Who and what is configured: tenants, agents and their tokens, apps, channels."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from socialsupport_core.model import Facts
from socialsupport_core.store.database import Row, Tx

Scope = Literal["read", "reply", "link", "approve", "configure", "erase", "operate", "draft"]
SCOPES: tuple[Scope, ...] = ("read", "reply", "link", "approve", "configure", "erase", "operate", "draft")


@dataclass(frozen=True, slots=True)
class Agent:
    """The person or bot acting for us."""

    tenant: str
    id: str
    name: str
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What a token allows."""

    agent: Agent
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Channel:
    """One configured account on a network. The settings, secrets among them, live in the secret store."""

    tenant: str
    id: str
    connector: str
    app: str | None
    door: str
    own_account: str | None
    facts: Facts
    state: str
    """`active`, `paused`, `failing`, `gap`, or `silent`."""
    reason: str | None
    cursor: str | None
    open_network: bool
    """Private addresses and plain http are allowed."""
    mode: str = "webhook"
    """How we receive: `webhook` or `poll`."""

    @property
    def secret_ref(self) -> str:
        return f"channel/{self.tenant}/{self.id}"


@dataclass(frozen=True, slots=True)
class App:
    """Credentials registered once at a network and shared by channels, also of several tenants."""

    id: str
    connector: str
    door: str

    @property
    def secret_ref(self) -> str:
        return f"app/{self.id}"


def add_tenant(tx: Tx, tenant: str, name: str, key: bytes) -> bool:
    """False if it was there already: then it has another name, and its own key."""
    known = tx.one("SELECT name FROM tenants WHERE tenant = ?", tenant)
    if known is None or known["name"] != name:
        tx.run(
            "INSERT INTO tenants VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET name = excluded.name",
            tenant,
            name,
            key,
        )
    return known is None


def tenants(tx: Tx) -> list[tuple[str, str]]:
    return [(row["tenant"], row["name"]) for row in tx.all("SELECT tenant, name FROM tenants ORDER BY tenant")]


def has_tenant(tx: Tx, tenant: str) -> bool:
    return tx.one("SELECT 1 AS one FROM tenants WHERE tenant = ?", tenant) is not None


def tenant_key(tx: Tx, tenant: str) -> bytes:
    known = tx.memo("tenant_key")
    if tenant not in known:
        row = tx.one("SELECT key FROM tenants WHERE tenant = ?", tenant)
        if row is None:
            raise LookupError(f"there is no tenant {tenant!r}")
        known[tenant] = bytes(row["key"])
    key: bytes = known[tenant]
    return key


def add_agent(tx: Tx, agent: Agent) -> None:
    tx.run(
        "INSERT INTO agents VALUES (?, ?, ?, ?) ON CONFLICT (tenant, agent)"
        " DO UPDATE SET name = excluded.name, is_bot = excluded.is_bot",
        agent.tenant,
        agent.id,
        agent.name,
        agent.is_bot,
    )


def agents(tx: Tx, tenant: str) -> list[Agent]:
    rows = tx.all("SELECT * FROM agents WHERE tenant = ? ORDER BY agent", tenant)
    return [_agent(row) for row in rows]


def add_token(tx: Tx, token: str, tenant: str, agent: str, scopes: frozenset[Scope]) -> None:
    tx.run(
        "INSERT INTO tokens VALUES (?, ?, ?, ?) ON CONFLICT (digest)"
        " DO UPDATE SET tenant = excluded.tenant, agent = excluded.agent, scopes = excluded.scopes",
        _digest(token),
        tenant,
        agent,
        " ".join(sorted(scopes)),
    )


def access(tx: Tx, token: str) -> Access | None:
    row = tx.one(
        "SELECT agents.*, tokens.scopes FROM tokens JOIN agents USING (tenant, agent) WHERE digest = ?",
        _digest(token),
    )
    if row is None:
        return None
    return Access(_agent(row), frozenset(scope for scope in SCOPES if scope in row["scopes"].split()))


def version(tx: Tx) -> str:
    """Another one after each change of what is configured."""
    row = tx.one("SELECT value FROM meta WHERE name = 'configuration'")
    return str(row["value"]) if row else ""


def changed(tx: Tx) -> None:
    tx.run("UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = 'configuration'")


def put_channel(tx: Tx, channel: Channel) -> None:
    changed(tx)
    tx.run(
        "INSERT INTO channels VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, channel) DO UPDATE SET"
        " connector = excluded.connector, app = excluded.app, own_account = excluded.own_account,"
        " facts = excluded.facts, state = excluded.state, reason = excluded.reason,"
        " open_network = excluded.open_network, mode = excluded.mode",
        channel.tenant,
        channel.id,
        channel.connector,
        channel.app,
        channel.door,
        channel.own_account,
        channel.facts.model_dump_json(),
        channel.state,
        channel.reason,
        channel.cursor,
        channel.open_network,
        channel.mode,
    )


def cursor(tx: Tx, tenant: str, channel: str) -> str | None:
    """How far it has been polled."""
    row = tx.one("SELECT cursor FROM channels WHERE tenant = ? AND channel = ?", tenant, channel)
    return row["cursor"] if row else None


def set_cursor(tx: Tx, tenant: str, channel: str, cursor: str | None) -> None:
    tx.run("UPDATE channels SET cursor = ? WHERE tenant = ? AND channel = ?", cursor, tenant, channel)


def set_state(tx: Tx, tenant: str, channel: str, state: str, reason: str | None) -> bool:
    """True if that is a change."""
    turned = bool(
        tx.run(
            "UPDATE channels SET state = ?, reason = ? WHERE tenant = ? AND channel = ?"
            " AND (state <> ? OR reason IS DISTINCT FROM ?)",
            state,
            reason,
            tenant,
            channel,
            state,
            reason,
        )
    )
    if turned:
        changed(tx)
    return turned


def state(tx: Tx, tenant: str, channel: str) -> str | None:
    row = tx.one("SELECT state FROM channels WHERE tenant = ? AND channel = ?", tenant, channel)
    return str(row["state"]) if row else None


def delete_channel(tx: Tx, tenant: str, channel: str) -> bool:
    changed(tx)
    return bool(tx.run("DELETE FROM channels WHERE tenant = ? AND channel = ?", tenant, channel))


def channels(tx: Tx, tenant: str | None = None) -> list[Channel]:
    rows = tx.all(
        "SELECT * FROM channels WHERE CAST(? AS TEXT) IS NULL OR tenant = ? ORDER BY tenant, channel", tenant, tenant
    )
    return [_channel(row) for row in rows]


def put_app(tx: Tx, app: App) -> None:
    changed(tx)
    tx.run(
        "INSERT INTO apps VALUES (?, ?, ?) ON CONFLICT (app) DO UPDATE SET connector = excluded.connector",
        app.id,
        app.connector,
        app.door,
    )


def apps(tx: Tx) -> list[App]:
    return [App(row["app"], row["connector"], row["door"]) for row in tx.all("SELECT * FROM apps ORDER BY app")]


def audit(tx: Tx, tenant: str, agent: str, at: int, verb: str, what: str) -> None:
    tx.run(
        "INSERT INTO audit (tenant, agent, at, verb, object) VALUES (?, ?, ?, ?, ?)",
        tenant,
        agent,
        at,
        verb,
        what,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _agent(row: Row) -> Agent:
    return Agent(row["tenant"], row["agent"], row["name"], bool(row["is_bot"]))


def _channel(row: Row) -> Channel:
    return Channel(
        row["tenant"],
        row["channel"],
        row["connector"],
        row["app"],
        row["door"],
        row["own_account"],
        Facts.model_validate_json(row["facts"]),
        row["state"],
        row["reason"],
        row["cursor"],
        bool(row["open_network"]),
        row["mode"],
    )
