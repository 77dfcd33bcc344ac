"""Connecting: an operator goes to the network's own page, grants access there, and comes back with a code.

Whoever comes back must be expected: the state is unguessable, is used once and within ten minutes, and belongs to the
tenant, and to the browser, in which the trip began.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import SecretStr

from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    DeliveryError,
    Forbidden,
    SignIn,
    SignsIn,
    SocialSupportError,
    Unsupported,
)
from socialsupport_core.model import Credentials, Facts
from socialsupport_core.pipeline import health
from socialsupport_core.pipeline.channels import Channels, Live
from socialsupport_core.pipeline.credentials import Keepers, holders_of
from socialsupport_core.pipeline.crm import CRMs, LiveCRM
from socialsupport_core.store import Database, Tx, accounts, journal, micros, outbox
from socialsupport_core.store import credentials as table
from socialsupport_core.store.accounts import Channel
from socialsupport_core.store.secrets import SecretStore
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire.redact import redact

T = TypeVar("T")
LIFETIME = timedelta(minutes=10)  # from setting out to coming back
OF_CRM = "crm:"
"""Begins the name under which a trip for a CRM is kept; no channel's name holds a colon."""
STRANGER = "connect"
"""Under this name in the counter of what was refused."""
QUIET = timedelta(minutes=1)  # between two audit entries about strangers: they may be many, and mean nothing


class ConnectRefused(SocialSupportError, ValueError):
    """The message may be shown to whoever came. `return_to` is where they were going, if that is known."""

    def __init__(self, message: str, return_to: str | None = None) -> None:
        super().__init__(message)
        self.return_to = return_to


@dataclass(frozen=True, slots=True)
class Arrival:
    """An operator who is back, and was expected."""

    trip: table.Trip
    sign_in: SignIn


@dataclass(frozen=True, slots=True)
class Connection:
    """What came of it."""

    channel: str
    """Its name, or that of a CRM after `crm:`."""
    connector: str
    facts: Facts | None
    warning: str | None
    """Access was granted, but the connection test failed."""
    return_to: str | None


class Connecting:
    """Sign-ins of operators, and the connection test that follows them."""

    def __init__(
        self,
        database: Database,
        secrets: SecretStore,
        channels: Channels,
        crms: CRMs,
        wire: NetworkWire,
        keepers: Keepers,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        redirect: str,
    ) -> None:
        """`redirect` is our address to which networks send operators back."""
        self._database = database
        self._secrets = secrets
        self._channels = channels
        self._crms = crms
        self._wire = wire
        self._keepers = keepers
        self._clock = clock
        self._random = random_bytes
        self._redirect = redirect
        self._stranger_at: datetime | None = None

    # there

    def begin(self, live: Live, agent: str, *, return_to: str | None = None, browser: str | None = None) -> str:
        """The address at which the operator grants access. Raises ConfigError."""
        return self._begin(live.connector, live.channel.tenant, live.channel.id, agent, return_to, browser)

    def begin_crm(self, live: LiveCRM, agent: str, *, return_to: str | None = None, browser: str | None = None) -> str:
        """The same for a CRM."""
        one = live.connected
        return self._begin(live.adapter, one.tenant, f"{OF_CRM}{one.id}", agent, return_to, browser)

    def _begin(
        self, plugin: SignsIn, tenant: str, name: str, agent: str, return_to: str | None, browser: str | None
    ) -> str:
        state, verifier = self.unguessable(), SecretStr(self.unguessable())
        try:
            address = plugin.connect_with(SignIn(state=state, redirect=self._redirect, verifier=verifier))
        except DeliveryError as error:
            raise ConfigError(str(error)) from None
        trip = table.Trip(
            digest(state),
            tenant,
            agent,
            name,
            self._redirect,
            return_to,
            digest(browser) if browser else None,
            micros(self._clock() + LIFETIME),
        )
        self._database.do(lambda tx: self._set_out(tx, trip, verifier))
        return address

    def _set_out(self, tx: Tx, trip: table.Trip, verifier: SecretStr) -> None:
        now = micros(self._clock())
        table.set_out(tx, self._secrets, trip, verifier, now)
        accounts.audit(tx, trip.tenant, trip.agent, now, "connect", f"set out for {_named(trip)}")

    def unguessable(self) -> str:
        """43 characters, as RFC 7636, 4.1 wants them of a verifier."""
        return base64.urlsafe_b64encode(self._random(32)).rstrip(b"=").decode()

    # and back

    async def arrive(self, state: str, *, browser: str | None = None, tenant: str | None = None) -> Arrival:
        """Lets in whoever is expected, once. `tenant` is that of the agent who is signed in, if one is.

        Raises ConnectRefused.
        """
        found = await self._write(lambda tx: self._redeem(tx, state, browser, tenant))
        if isinstance(found, ConnectRefused):  # returned, since what is raised in there undoes the audit
            raise found
        return found

    def _redeem(self, tx: Tx, state: str, browser: str | None, tenant: str | None) -> Arrival | ConnectRefused:
        now = micros(self._clock())
        trip = table.trip(tx, digest(state))
        if trip is None:
            return self._stranger(tx)
        reason = _unexpected(trip, browser, tenant)
        verifier = None if reason else table.come_back(tx, self._secrets, trip, now)
        if verifier is None:
            reason = reason or (
                "this took longer than ten minutes" if trip.expires_at <= now else "this was used before"
            )
            accounts.audit(tx, trip.tenant, trip.agent, now, "connect refused", f"{_named(trip)}: {reason}")
            return ConnectRefused(f"{reason}; begin again where you began", trip.return_to)
        return Arrival(trip, SignIn(state=state, redirect=trip.redirect, verifier=verifier))

    def _stranger(self, tx: Tx) -> ConnectRefused:
        now = self._clock()
        journal.count_refused(tx, STRANGER)
        if self._stranger_at is None or abs(now - self._stranger_at) >= QUIET:
            self._stranger_at = now
            accounts.audit(tx, "", "", micros(now), "connect refused", "nobody set out with this state")
        return ConnectRefused("nobody set out from here with this state; begin again where you began")

    async def declined(self, arrival: Arrival, reason: str) -> None:
        """The network, or the operator there, has said no."""
        trip, now = arrival.trip, micros(self._clock())
        what = f"{_named(trip)}: the network said {reason[:200]}"
        await self._write(lambda tx: accounts.audit(tx, trip.tenant, trip.agent, now, "connect refused", what))

    async def finish(self, arrival: Arrival, code: str) -> Connection:
        """Gets the credentials, commits them, and tries them. Raises ConnectRefused, ConfigError, DeliveryError."""
        trip = arrival.trip
        if trip.channel.startswith(OF_CRM):
            return await self._finish_crm(arrival, code)
        live = self._channels.get(trip.tenant, trip.channel)
        before = self._database.read(lambda tx: self._held(tx, live.channel))
        fresh = await self._exchanged(live.connector, arrival, code, open_network=live.channel.open_network)
        await self._write(lambda tx: self._keep(tx, live.channel, trip.agent, fresh))
        facts, warning = await self._tried(live)
        if facts is not None and _another(live, facts):
            await self._write(lambda tx: self._restore(tx, live.channel, before))
            raise ConnectRefused(_told_another(live, facts), trip.return_to)
        return Connection(live.channel.id, live.connector.name, facts, warning, trip.return_to)

    async def _finish_crm(self, arrival: Arrival, code: str) -> Connection:
        trip = arrival.trip
        live = self._crms.get(trip.tenant, trip.channel.removeprefix(OF_CRM))
        fresh = await self._exchanged(live.adapter, arrival, code, open_network=True)
        holder, at = live.connected.secret_ref, micros(self._clock())

        def keep(tx: Tx) -> None:
            table.keep(tx, self._secrets, holder, fresh)
            accounts.audit(tx, trip.tenant, trip.agent, at, "connect", f"{_named(trip)} has new credentials")

        await self._write(keep)
        self._crms.forget()
        facts, warning = await self._crm_tried(live)
        return Connection(trip.channel, live.adapter.name, facts, warning, trip.return_to)

    async def _crm_tried(self, live: LiveCRM) -> tuple[Facts | None, str | None]:
        try:
            return await self._crms.test(live), None
        except Unsupported:
            return Facts(), None
        except DeliveryError as error:
            return None, str(error)

    async def _exchanged(self, plugin: SignsIn, arrival: Arrival, code: str, *, open_network: bool) -> Credentials:
        secret = {code, arrival.sign_in.verifier.get_secret_value()}
        try:
            flow = plugin.exchange_with(code, arrival.sign_in)
            return await self._wire.run(flow, plugin, open_network=open_network)
        except DeliveryError as error:
            error.args = tuple(redact(str(argument), secret) for argument in error.args)
            raise

    def _held(self, tx: Tx, channel: Channel) -> Credentials | None:
        held = table.standing(tx, channel.secret_ref)
        return table.get(tx, self._secrets, channel.secret_ref) if held else None

    def _keep(self, tx: Tx, channel: Channel, agent: str, credentials: Credentials) -> None:
        table.keep(tx, self._secrets, channel.secret_ref, credentials)
        at = micros(self._clock())
        accounts.audit(tx, channel.tenant, agent, at, "connect", f"channel {channel.id} has new credentials")

    def _restore(self, tx: Tx, channel: Channel, before: Credentials | None) -> None:
        if before is None:
            table.forget(tx, self._secrets, channel.secret_ref)
        else:
            table.keep(tx, self._secrets, channel.secret_ref, before)

    # does it work?

    async def _tried(self, live: Live) -> tuple[Facts | None, str | None]:
        """What the connection test learnt, or what it complains of."""
        try:
            facts = await self._probed(live)
        except Unsupported:
            facts = Facts()
        except DeliveryError as error:
            told, reason, now = str(error), health.remedied(error), micros(self._clock())
            if isinstance(error, AuthExpired | Forbidden):
                await self._write(lambda tx: health.trouble(tx, live.channel, "test", reason, now))
                self._channels.forget()
            return None, told
        if not _another(live, facts):
            await self._learn(live, facts)
        return facts, None

    async def test(self, live: Live) -> Facts:
        """Who are we there? What it learns is kept, and what was given up is tried again. Raises DeliveryError."""
        await self._write(lambda tx: [table.revive(tx, holder) for holder in holders_of(live.channel)])
        facts = await self._probed(live)
        await self._learn(live, facts)
        return facts

    async def _probed(self, live: Live) -> Facts:
        return await self._wire.read(
            live.connector.probe,
            live.connector,
            keeper=self._keepers.of(live),
            open_network=live.channel.open_network,
        )

    async def _learn(self, live: Live, facts: Facts) -> None:
        """It works: what is known of the account is kept, and what waited for this is sent now."""
        channel, now = live.channel, micros(self._clock())
        known = facts if facts != Facts() else channel.facts
        changed = replace(channel, facts=known, own_account=known.own_account or channel.own_account)

        def learn(tx: Tx) -> None:
            well = changed
            if channel.state != "paused":
                health.well(tx, channel, health.CONNECTION, now)
                state, reason = health.standing(tx, channel)
                well = replace(changed, state=state, reason=reason)
            accounts.put_channel(tx, well)
            outbox.hurry(tx, channel.tenant, channel.id, now)

        await self._write(learn)
        self._channels.forget()

    async def _write(self, call: Callable[[Tx], T]) -> T:
        return await asyncio.wrap_future(self._database.write(call))


def _named(trip: table.Trip) -> str:
    crm = trip.channel.removeprefix(OF_CRM)
    return f"channel {trip.channel}" if crm == trip.channel else f"CRM {crm}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _unexpected(trip: table.Trip, browser: str | None, tenant: str | None) -> str | None:
    """Why this is not the one who set out; None if it may be."""
    if tenant is not None and tenant != trip.tenant:
        return "this was begun for another tenant"
    if trip.browser is not None and not hmac.compare_digest(trip.browser, digest(browser or "")):
        return "this was begun in another browser"
    return None


def _another(live: Live, facts: Facts) -> bool:
    """The account is not the one that this channel has been so far."""
    known = live.channel.facts.own_account
    return None not in {known, facts.own_account} and known != facts.own_account


def _told_another(live: Live, facts: Facts) -> str:
    known = live.channel.facts
    return (
        f"you granted access to the account {facts.handle or facts.own_account}, and channel {live.channel.id} is"
        f" {known.handle or known.own_account}: sign in there as that one, or add a channel for the other"
    )
