"""Tenants, agents, apps, channels and CRMs, at run time."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from socialsupport_core.contract import ConfigError, Connector, SocialSupportError
from socialsupport_core.conversation import views
from socialsupport_core.hub.admitting import Admitting
from socialsupport_core.hub.base import NoSuchChannel, check_tenant
from socialsupport_core.hub.names import check_agent, check_id
from socialsupport_core.identity import Policy, keep_policy, rebuild
from socialsupport_core.mistakes import near
from socialsupport_core.model import Credentials, Facts
from socialsupport_core.pipeline import backfilling, crm_fields, health
from socialsupport_core.pipeline.credentials import holders_of
from socialsupport_core.store import (
    Tx,
    accounts,
    backfills,
    credentials,
    log,
    micros,
    outbox,
    streams,
)
from socialsupport_core.store import health as watch
from socialsupport_core.store.accounts import Agent, App, Channel
from socialsupport_core.store.crm import Connected

WAYS_IN = ("webhook", "poll", "stream")
_CRM = re.compile(r"[a-z][a-z0-9_]{0,59}")  # what it knows of people stands under the kind crm.NAME


class Configuring(Admitting):
    def add_tenant(self, tenant: str, name: str) -> None:
        """Adding a tenant that is there changes its name and nothing else. Raises ConfigError."""
        check_id("tenant", tenant)
        key = self._random(32)
        self._database.do(lambda tx: accounts.add_tenant(tx, tenant, name, key))

    def tenants(self) -> list[str]:
        return [tenant for tenant, _ in self._database.read(accounts.tenants)]

    def list_tenants(self) -> list[dict[str, str]]:
        return [{"id": tenant, "name": name} for tenant, name in self._database.read(accounts.tenants)]

    def set_identity(self, tenant: str, policy: Policy | None) -> int:
        """How this tenant's identities are resolved; None is the default. Customers follow at once, as if it had always
        been so; how many accounts have another customer now."""

        def write(tx: Tx) -> int:
            check_tenant(tx, tenant)
            return rebuild(tx, tenant) if keep_policy(tx, tenant, policy) else 0

        return self._database.do(write, tenant)

    def add_agent(self, tenant: str, agent: str, name: str, *, is_bot: bool = False) -> Agent:
        check_agent(agent)
        added = Agent(tenant, agent, name, is_bot)

        def write(tx: Tx) -> None:
            check_tenant(tx, tenant)
            accounts.add_agent(tx, added)

        self._database.do(write)
        return added

    def agents(self, tenant: str) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[Agent]:
            check_tenant(tx, tenant)
            return accounts.agents(tx, tenant)

        found = self._database.read(read)
        return [{"id": one.id, "name": one.name, "is_bot": one.is_bot} for one in found]

    def add_app(self, app: str, connector: str, settings: Mapping[str, Any]) -> str:
        """Credentials that several channels share. Returns the path of the app's door."""
        check_id("app", app)
        self.registry.connector(connector)
        known = next((one for one in self._database.read(accounts.apps) if one.id == app), None)
        added = App(app, connector, known.door if known else self._door())

        def keep(tx: Tx) -> str:
            self._keep(tx, added, settings)
            return next(one.door for one in accounts.apps(tx) if one.id == app)  # another process may have been first

        door = self._database.do(keep)
        self.channels.forget()
        return f"/hooks/app/{door}"

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
        expect_within: timedelta | None = None,
    ) -> str:
        """Adds or changes a channel, live at once. Returns the path of its door. Raises ConfigError.

        `expect_within`: so long it may be silent at most; else, or with 0, its own rhythm tells.
        """
        check_id("channel", channel)
        cls = self.registry.connector(connector)
        shared = self._app_settings(app) if app else {}
        checked = self.channels.settings(connector, dict(settings), shared, where=f"channel {channel}")
        known = self._known(tenant, channel)
        if known is not None and known.connector != connector:
            raise ConfigError(
                f"there is a channel {channel!r} of {known.connector}; remove it first, or give the new one another"
                " name"
            )
        if mode is not None and mode not in WAYS_IN:
            raise ConfigError(f"channel {channel}: there is no mode {mode!r}; {near(mode, WAYS_IN)}")
        before = known or Channel(
            tenant, channel, connector, app, self._door(), own_account, Facts(), "active", None, None, open_network
        )
        added = replace(
            before,
            app=app,
            own_account=own_account or before.own_account,
            open_network=open_network,
            mode=mode or cls(checked, known.facts if known else None).way_in,
        )
        moved = known is not None and self._leads_elsewhere(known, cls(checked, added.facts))

        now = micros(self.clock())

        def keep(tx: Tx) -> str:
            mended = known is not None and not self._has_settings(tx, known, settings)
            self._keep(tx, added, settings)
            watch.expect(tx, tenant, channel, _microseconds(expect_within), now)
            if mended:
                health.well(tx, added, health.CONNECTION, now)
            if moved:
                credentials.forget(tx, self._secrets, added.secret_ref)
            return next(one.door for one in accounts.channels(tx, tenant) if one.id == channel)

        door = self._database.do(keep)  # not the one that we made: another process may have been first
        self.channels.forget()
        self.bell.ring()
        return f"/hooks/{door}"

    def change_channel(
        self,
        tenant: str,
        channel: str,
        settings: Mapping[str, Any],
        *,
        own_account: str | None = None,
        mode: str | None = None,
        expect_within: timedelta | None = None,
    ) -> str:
        """Merges the given keys into its settings, in depth; None takes a key away (RFC 7396). Returns the path of
        its door. Raises ConfigError, and then nothing has changed.

        What `open_network` opens is the hosts that it was given for: settings that lead to others close it."""
        known = self._existing(tenant, channel)
        kept = json.loads(self._database.read(lambda tx: self._secrets.get(tx, known.secret_ref)))
        expected = self._database.read(lambda tx: watch.watched(tx, tenant, channel)).expect_within
        merged = _merged(kept, settings)
        return self.add_channel(
            tenant,
            channel,
            known.connector,
            merged,
            app=known.app,
            own_account=own_account,
            mode=mode or known.mode,
            open_network=known.open_network and not self._moves(known, merged),
            expect_within=timedelta(microseconds=expected or 0) if expect_within is None else expect_within,
        )

    def list_channels(self, tenant: str) -> list[dict[str, Any]]:
        broken = (self.channels.all(), self.channels.broken)[1]

        def look(tx: Tx) -> list[dict[str, Any]]:
            check_tenant(tx, tenant)
            watched, running = watch.all_watched(tx), backfills.of_tenant(tx, tenant)
            return [
                views.channel(
                    one, self.public_url, broken.get((tenant, one.id)), page=one.connector in self.registry.surfaces
                )
                | views.felt(watched.get((tenant, one.id)), running.get(one.id))
                for one in accounts.channels(tx, tenant)
            ]

        return self._database.read(look)

    def set_channel_state(self, tenant: str, channel: str, state: str, reason: str | None = None) -> None:
        """`active` or `paused`. To make it active acknowledges what was wrong: it is watched from now on."""
        if state not in ("active", "paused"):
            raise ConfigError(f"a channel is made active or paused, and not {state!r}")
        known, now = self._existing(tenant, channel), micros(self.clock())

        def turn(tx: Tx) -> None:
            if state == "active":
                watch.begin_anew(tx, tenant, channel, now)
            if accounts.set_state(tx, tenant, channel, state, reason):
                health.tell(tx, known, state, reason, now)

        self._database.do(turn)
        self.channels.forget()

    def examine(self) -> None:
        """Looks at once which channels have fallen silent and where something is missing; the workers do every half
        minute."""
        self.workers.watching.look()

    def backfill(self, tenant: str, channel: str, *, since: datetime) -> dict[str, Any]:
        """Reads back what the network still has of a channel from then on, beside everything else, and only what is not
        there yet becomes visible. Returns how far it is; `backfilled` tells later. Raises ConfigError."""
        self._existing(tenant, channel)
        live, now = self.channels.get(tenant, channel), self.clock()
        if since > now:
            raise ConfigError("since: this is still to come; give a moment in the past")
        if not health.reads_back(live.connector, now):
            raise ConfigError(f"{live.connector.name} keeps no history that could be read back; import a file instead")
        wanted = micros(since)
        begun = self._database.do(lambda tx: backfilling.begin(tx, tenant, channel, wanted, "asked", micros(now)))
        return views.backfill(begun)

    def read_back(self) -> int:
        """One page of each history that is being read back, recorded; how many. For scripts, which have no workers."""

        async def once() -> int:
            try:
                return await self.workers.backfilling.round()
            finally:
                await self.wire.aclose()

        pages = asyncio.run(once())
        while self.workers.record_waiting():
            pass
        return pages

    def backfilled(self, tenant: str, channel: str) -> dict[str, Any] | None:
        """How far the newest reading back of a channel is; None if there was none."""
        found = self._database.read(lambda tx: backfills.get(tx, tenant, channel))
        return views.backfill(found) if found else None

    def remove_channel(self, tenant: str, channel: str) -> None:
        """What came through it stays."""
        known = self._existing(tenant, channel)

        def remove(tx: Tx) -> None:
            accounts.delete_channel(tx, tenant, channel)
            watch.forget(tx, tenant, channel)
            backfills.forget(tx, tenant, channel)
            streams.forget(tx, tenant, channel)
            self._secrets.forget(tx, known.secret_ref)
            credentials.forget(tx, self._secrets, known.secret_ref)

        self._database.do(remove)
        self.channels.forget()

    def add_crm(
        self,
        tenant: str,
        crm: str,
        adapter: str,
        settings: Mapping[str, Any],
        *,
        rules: Mapping[str, str] | None = None,
    ) -> str:
        """Connects a CRM: it is told what happens from now on. Returns the path of its door. Raises ConfigError.

        `rules`: which side stands (`newest`, `ours`, `theirs`) where a field of a case was changed on both.
        """
        if not _CRM.fullmatch(crm):
            raise ConfigError(f"crm {crm}: a CRM's name begins with a letter and holds a-z, 0-9 and _ only")
        self.crms.made(adapter, dict(settings), where=f"crm {crm}")
        chosen = crm_fields.checked(rules or {}, f"crm {crm}")
        known = self.crms.connected(tenant, crm)
        door = known.door if known else self._door()
        newest = self._database.read(lambda tx: log.newest(tx, tenant))
        added = Connected(tenant, crm, adapter, door, newest, micros(self.clock()), chosen)
        self._database.do(lambda tx: self._keep(tx, added, settings))
        self.crms.forget()
        return f"/hooks/{door}"

    async def test_crm(self, tenant: str, crm: str) -> Facts:
        """The connection test of a CRM: who are we there? What it learns is kept. Raises ConfigError, DeliveryError."""
        live = self.crms.get(tenant, crm)
        self._database.do(lambda tx: credentials.revive(tx, live.connected.secret_ref))
        return await self.crms.test(live)

    async def subscribe_crm(self, tenant: str, crm: str) -> None:
        """Tells the CRM where our door is. Raises ConfigError, DeliveryError."""
        live = self.crms.get(tenant, crm)
        await self.crms.run(live, live.adapter.subscribe(f"{self.public_url}/hooks/{live.connected.door}"))

    async def test_channel(self, tenant: str, channel: str) -> Facts:
        """The connection test: who are we there? What it learns is kept. Raises DeliveryError."""
        self._existing(tenant, channel)
        return await self.connecting.test(self.channels.get(tenant, channel))

    async def subscribe(self, tenant: str, channel: str) -> None:
        """Tells the network where our door is. Raises DeliveryError."""
        self._existing(tenant, channel)
        live = self.channels.get(tenant, channel)
        address = f"{self.public_url}/hooks/{live.channel.door}"
        flow = live.connector.subscribe(address)
        keeper = self.keepers.of(live)
        await self.wire.run(flow, live.connector, keeper=keeper, open_network=live.channel.open_network)

    def connect(
        self, tenant: str, channel: str, *, agent: str, return_to: str | None = None, browser: str | None = None
    ) -> str:
        """The address of the network's own page, at which an operator grants access (OAuth). Raises ConfigError.

        Valid for ten minutes and once. `browser` is what only that browser knows; `return_to` a path of ours.
        """
        self._existing(tenant, channel)
        return self.connecting.begin(self.channels.get(tenant, channel), agent, return_to=return_to, browser=browser)

    def connect_crm(
        self, tenant: str, crm: str, *, agent: str, return_to: str | None = None, browser: str | None = None
    ) -> str:
        """The same for a CRM at which an operator signs in."""
        return self.connecting.begin_crm(self.crms.get(tenant, crm), agent, return_to=return_to, browser=browser)

    def keep_credentials(self, tenant: str, channel: str, given: Credentials) -> None:
        """Credentials that you have got by a sign-in of your own; from here on they are refreshed here."""
        self._mend(self._existing(tenant, channel).secret_ref, given)

    def keep_app_credentials(self, app: str, given: Credentials) -> None:
        """The same for all channels of an app that have none of their own."""
        self._app_settings(app)
        self._mend(f"app/{app}", given)

    def keep_crm_credentials(self, tenant: str, crm: str, given: Credentials) -> None:
        """The same for a CRM."""
        self._mend(self.crms.get(tenant, crm).connected.secret_ref, given)
        self.crms.forget()

    def _mend(self, holder: str, given: Credentials) -> None:
        """What waited for them is due now."""
        now = micros(self.clock())

        def keep(tx: Tx) -> None:
            credentials.keep(tx, self._secrets, holder, given)
            for one in accounts.channels(tx):
                if holder in holders_of(one):
                    outbox.hurry(tx, one.tenant, one.id, now)

        self._database.do(keep)

    def _has_settings(self, tx: Tx, known: Channel, settings: Mapping[str, Any]) -> bool:
        """Whether it has these already; not if nobody can open them any more."""
        try:
            return bool(json.loads(self._secrets.get(tx, known.secret_ref)) == json.loads(json.dumps(dict(settings))))
        except (SocialSupportError, LookupError, ValueError):
            return False

    def _moves(self, known: Channel, settings: Mapping[str, Any]) -> bool:
        shared = self._app_settings(known.app) if known.app else {}
        checked = self.channels.settings(known.connector, dict(settings), shared, where=f"channel {known.id}")
        return self._leads_elsewhere(known, self.registry.connector(known.connector)(checked, known.facts))

    def _leads_elsewhere(self, known: Channel, changed: Connector[Any]) -> bool:
        """Whether its credentials would now go to hosts that they were not given for: then it is connected again."""
        before = self.channels.all().get((known.tenant, known.id))
        return before is not None and not changed.hosts <= before.connector.hosts

    def _existing(self, tenant: str, channel: str) -> Channel:
        """Also one whose connector cannot be made: it must be possible to mend or remove it."""
        if known := self._known(tenant, channel):
            return known
        raise NoSuchChannel(f"{tenant} has no channel {channel!r}")


def _microseconds(span: timedelta | None) -> int | None:
    return span // timedelta(microseconds=1) if span else None


def _merged(kept: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Merge Patch: https://www.rfc-editor.org/rfc/rfc7396#section-2 (2026-11)."""
    found = dict(kept)
    for name, value in given.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, Mapping):
            inner = found.get(name)
            found[name] = _merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            found[name] = value
    return found
