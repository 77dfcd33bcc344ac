"""Tenants, agents, apps, channels and CRMs, at run time."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from socialsupport_core.conversation import views
from socialsupport_core.hub.base import Base
from socialsupport_core.model import Facts
from socialsupport_core.store import (
    Tx,
    accounts,
    log,
)
from socialsupport_core.store.accounts import SCOPES, Access, Agent, App, Channel, Scope
from socialsupport_core.store.crm import Connected


class Configuring(Base):
    def add_tenant(self, tenant: str, name: str) -> None:
        """Adding a tenant that is there changes nothing."""
        key = self._random(32)
        self._database.do(lambda tx: accounts.add_tenant(tx, tenant, name, key))

    def tenants(self) -> list[str]:
        return [tenant for tenant, _ in self._database.read(accounts.tenants)]

    def add_agent(self, tenant: str, agent: str, name: str, *, is_bot: bool = False) -> Agent:
        added = Agent(tenant, agent, name, is_bot)
        self._database.do(lambda tx: accounts.add_agent(tx, added))
        return added

    def agents(self, tenant: str) -> list[dict[str, Any]]:
        found = self._database.read(lambda tx: accounts.agents(tx, tenant))
        return [{"id": one.id, "name": one.name, "is_bot": one.is_bot} for one in found]

    def issue_token(self, tenant: str, agent: str, scopes: Iterable[Scope] = SCOPES[:3]) -> str:
        """A bearer token for the HTTP API; only its digest is kept."""
        token = "sst_" + base64.urlsafe_b64encode(self._random(24)).decode()
        self.accept_token(tenant, agent, token, scopes)
        return token

    def accept_token(self, tenant: str, agent: str, token: str, scopes: Iterable[Scope]) -> None:
        """The same for a token that comes from elsewhere."""
        self._database.do(lambda tx: accounts.add_token(tx, token, tenant, agent, frozenset(scopes)))

    def access(self, token: str) -> Access | None:
        """What the token allows, None if it is not one of ours."""
        return self._database.read(lambda tx: accounts.access(tx, token))

    def add_app(self, app: str, connector: str, settings: Mapping[str, Any]) -> str:
        """Credentials that several channels share. Returns the path of the app's door."""
        self.registry.connector(connector)
        known = next((one for one in self._database.read(accounts.apps) if one.id == app), None)
        added = App(app, connector, known.door if known else self._door())
        self._database.do(lambda tx: self._keep(tx, added, settings))
        self.channels.forget()
        return f"/hooks/app/{added.door}"

    def add_channel(
        self,
        tenant: str,
        channel: str,
        connector: str,
        settings: Mapping[str, Any],
        *,
        app: str | None = None,
        own_account: str | None = None,
        mode: str | None = None,
        open_network: bool = False,
    ) -> str:
        """Adds or changes a channel, live at once. Returns the path of its door. Raises ConfigError."""
        cls = self.registry.connector(connector)
        shared = self._app_settings(app) if app else {}
        self.channels.settings(connector, dict(settings), shared, where=f"channel {channel}")
        known = self._known(tenant, channel)
        paused = known is not None and known.state == "paused"
        receives = cls.capabilities.receives
        added = Channel(
            tenant,
            channel,
            connector,
            app,
            known.door if known else self._door(),
            own_account or (known.own_account if known else None),
            known.facts if known else Facts(),
            "paused" if paused else "active",
            known.reason if known and paused else None,
            known.cursor if known else None,
            open_network,
            mode or ("poll" if "poll" in receives and "webhook" not in receives else "webhook"),
        )
        self._database.do(lambda tx: self._keep(tx, added, settings))
        self.channels.forget()
        self.bell.ring()
        return f"/hooks/{added.door}"

    def list_channels(self, tenant: str) -> list[dict[str, Any]]:
        broken = (self.channels.all(), self.channels.broken)[1]
        found = self._database.read(lambda tx: accounts.channels(tx, tenant))
        return [views.channel(one, self.public_url, broken.get((tenant, one.id))) for one in found]

    def set_channel_state(self, tenant: str, channel: str, state: str, reason: str | None = None) -> None:
        """`active` or `paused`."""
        self.channels.get(tenant, channel)
        self._database.do(lambda tx: accounts.set_state(tx, tenant, channel, state, reason))
        self.channels.forget()

    def remove_channel(self, tenant: str, channel: str) -> None:
        """What came through it stays."""
        live = self.channels.get(tenant, channel)

        def remove(tx: Tx) -> None:
            accounts.delete_channel(tx, tenant, channel)
            self._secrets.forget(tx, live.channel.secret_ref)

        self._database.do(remove)
        self.channels.forget()

    def add_crm(self, tenant: str, crm: str, adapter: str, settings: Mapping[str, Any]) -> str:
        """Connects a CRM: it is told what happens from now on. Returns the path of its door. Raises ConfigError."""
        self.crms.made(adapter, dict(settings), where=f"crm {crm}")
        known = next((one for one in self.crms.by_door().values() if one.is_for(tenant, crm)), None)
        door = known.connected.door if known else self._door()
        added = Connected(tenant, crm, adapter, door, self._database.read(lambda tx: log.newest(tx, tenant)))
        self._database.do(lambda tx: self._keep(tx, added, settings))
        self.crms.forget()
        return f"/hooks/{door}"

    async def test_channel(self, tenant: str, channel: str) -> Facts:
        """The connection test: who are we there? What it learns is kept. Raises DeliveryError."""
        live = self.channels.get(tenant, channel)
        facts = await self.wire.read(live.connector.probe, live.connector, open_network=live.channel.open_network)
        changed = replace(live.channel, facts=facts, own_account=facts.own_account or live.channel.own_account)
        self._database.do(lambda tx: accounts.put_channel(tx, changed))
        self.channels.forget()
        return facts

    async def subscribe(self, tenant: str, channel: str) -> None:
        """Tells the network where our door is. Raises DeliveryError."""
        live = self.channels.get(tenant, channel)
        address = f"{self.public_url}/hooks/{live.channel.door}"
        await self.wire.run(live.connector.subscribe(address), live.connector, open_network=live.channel.open_network)
