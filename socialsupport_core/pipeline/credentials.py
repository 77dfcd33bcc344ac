"""Credentials in use: the current ones for every request, renewed once, however many ask at the same moment.

A refresh is claimed in the store before it is asked for, and what it brings is committed before anybody uses it. Some
refresh tokens work once. So a refresh that was asked for and never answered leaves the credentials doubtful: it is
tried once more, and if the network then refuses, only an operator can mend them, by connecting again.
"""

import asyncio
import copy
import hashlib
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from pydantic import SecretStr

from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    DeliveryError,
    RateLimited,
    SocialSupportError,
    Unavailable,
    Uncertain,
)
from socialsupport_core.model import Credentials
from socialsupport_core.pipeline.channels import Live
from socialsupport_core.store import Database, StoreError, Tx, micros
from socialsupport_core.store import credentials as table
from socialsupport_core.store.accounts import Channel
from socialsupport_core.store.secrets import SecretStore
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire.keeper import Given, Held, Unusable
from socialsupport_core.wire.redact import secrets_in

T = TypeVar("T")
logger = logging.getLogger("socialsupport")
SOON = timedelta(minutes=1)  # credentials that expire within it are renewed before they are used
FRESH = 60_000_000  # microseconds; what the network refuses although it is newer than that, no refresh will mend
TRY = 60.0  # seconds that the network gets to answer a refresh
LEASE = 150_000_000  # microseconds after which another process may try: longer than the two tries of one claim
PATIENCE = 5.0  # seconds that we wait for the result of another process, until what is to be done comes again later
LOOK = 0.1  # seconds between two looks
NONE_YET = Credentials(access_token=SecretStr("none"), expires_at=datetime(1970, 1, 1, tzinfo=UTC))


class Keepers:
    """The credentials of channels, apps and CRMs. One for a host process; safe in any thread and event loop."""

    def __init__(
        self,
        database: Database,
        secrets: SecretStore,
        wire: NetworkWire,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.database = database
        self.secrets = secrets
        self.wire = wire
        self.clock = clock
        self.sleep = sleep
        self.claimant = f"{os.getpid()}.{random_bytes(8).hex()}"
        self._lock = threading.Lock()
        self._read: dict[str, Held] = {}
        self._under_way: dict[str, Future[DeliveryError | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, live: Live) -> "Keeper":
        return Keeper(self, holders_of(live.channel), live.connector, live.channel.open_network)

    def of_crm(self, holder: str, adapter: Any) -> "Keeper":
        return Keeper(self, (holder,), adapter, open_network=True)

    def now(self) -> int:
        return micros(self.clock())

    async def write(self, call: Callable[[Tx], T]) -> T:
        return await asyncio.wrap_future(self.database.write(call))

    def look(self, holders: Sequence[str]) -> tuple[table.Standing, Held] | None:
        """The first of them who holds any. The texts are only read when there is a new version."""

        def find(tx: Tx) -> tuple[table.Standing, Held] | None:
            for holder in holders:
                if found := table.standing(tx, holder):
                    known = self._read.get(holder)
                    if known is None or known.version != found.version:
                        known = Held(holder, found.version, table.get(tx, self.secrets, holder))
                    return found, known
            return None

        found = self.database.read(find)
        if found is not None:
            self._read[found[1].holder] = found[1]
        return found

    async def once(self, holder: str, refresh: Callable[[], Awaitable[None]]) -> None:
        """Begins the refresh, or waits for the one under way in this process. Raises DeliveryError."""
        with self._lock:
            under_way = self._under_way.get(holder)
            if under_way is None:
                under_way = self._under_way[holder] = Future()
                under_way.set_running_or_notify_cancel()  # whoever stops waiting does not end it for the others
                task = asyncio.get_running_loop().create_task(self._lead(holder, refresh, under_way))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if error := await asyncio.wrap_future(under_way):
            raise copy.copy(error)

    async def _lead(
        self, holder: str, refresh: Callable[[], Awaitable[None]], under_way: "Future[DeliveryError | None]"
    ) -> None:
        error: DeliveryError | None = Unavailable("the refresh of its credentials was cut off")
        try:
            await refresh()
            error = None
        except DeliveryError as found:
            error = found
        except StoreError as found:
            error = Unavailable(f"its credentials could not be renewed: {found}")
        finally:
            with self._lock:
                del self._under_way[holder]
            under_way.set_result(error)


def holders_of(channel: Channel) -> tuple[str, ...]:
    """A channel has its own credentials, or those of its app."""
    return (channel.secret_ref, f"app/{channel.app}") if channel.app else (channel.secret_ref,)


class Keeper:
    """The credentials of one channel or CRM, for the wire."""

    def __init__(self, keepers: Keepers, holders: Sequence[str], plugin: Any, open_network: bool) -> None:
        self._keepers = keepers
        self._holders = holders
        self._plugin = plugin
        self._open = open_network

    @cached_property
    def name(self) -> str:
        """The same for all channels whose settings hold the same credentials."""
        secrets = sorted(secrets_in(self._plugin.settings))
        if not secrets:
            return self._holders[0]
        return f"{self._plugin.name}/{hashlib.sha256(repr(secrets).encode()).hexdigest()}"

    async def current(self) -> Held | None:
        held = self._held() or await self._begun()
        if held is None or not self._ends(held, SOON):
            return held
        try:
            return await self.renewed(held)
        except DeliveryError:
            if self._ends(held, timedelta(0)):
                raise
            return held  # it is good for some seconds yet

    async def _begun(self) -> Held | None:
        """For a plugin that gets credentials by itself: some that have run out, which are then renewed as any are."""
        if not self._plugin.grants_itself:
            return None
        await self._keepers.write(lambda tx: table.begin(tx, self._keepers.secrets, self._holders[0], NONE_YET))
        return self._held()

    async def renewed(self, refused: Held) -> Held:
        for _ in range(3):
            held = self._held(refused)
            if held is None:
                raise AuthExpired("its credentials were taken away: connect it again")
            if held != refused:
                return held
            await self._keepers.once(held.holder, _Refresh(self._keepers, held, self._plugin, self._open).run)
        raise Unavailable("its credentials are being renewed over and over; it is tried again later")

    def _held(self, refused: Held | None = None) -> Held | None:
        """Raises AuthExpired with what the operator must do about those that the network does not take any more."""
        try:
            found = self._keepers.look(self._holders)
        except StoreError as error:
            raise Unavailable(f"its credentials cannot be read: {error}") from None
        except ConfigError as error:
            raise Unusable(f"its credentials cannot be read: {error}") from None
        if found is None:
            return None
        standing, held = found
        if standing.state == "refused":
            raise AuthExpired(standing.reason or "its credentials are refused: connect it again")
        if held == refused and self._is_fresh(standing) and not self._ends(held, timedelta(0)):
            raise AuthExpired("the network refuses a token that was renewed just now: connect it again")
        return held

    def _is_fresh(self, standing: table.Standing) -> bool:
        return standing.renewed_at is not None and self._keepers.now() - standing.renewed_at < FRESH

    def _ends(self, held: Held, within: timedelta) -> bool:
        ends = held.credentials.expires_at
        return ends is not None and ends <= self._keepers.clock() + within


class _Refresh:
    """One refresh, claimed in the store: at most two calls."""

    def __init__(self, keepers: Keepers, held: Held, plugin: Any, open_network: bool) -> None:
        self._keepers = keepers
        self._held = held
        self._plugin = plugin
        self._open = open_network

    async def run(self) -> None:
        """Returns when there is another version, whoever has brought it. Raises DeliveryError."""
        before = await self._claimed()
        if before is None:
            return
        try:
            await self._ask(before)
        except asyncio.CancelledError:
            with suppress(StoreError):  # so that the next process need not wait for the lease to run out
                self._write_settled("doubtful")
            raise

    async def _ask(self, before: table.State) -> None:
        found = await self._asked()
        doubtful = before == "doubtful" or isinstance(found, Uncertain)
        if isinstance(found, Uncertain):
            found = await self._asked()
        if isinstance(found, Credentials):
            await self._commit(found)
        else:
            await self._failed(found, doubtful)

    async def _claimed(self) -> table.State | None:
        """What they were before; None if somebody else has settled it meanwhile."""
        keepers, held, waited = self._keepers, self._held, 0.0
        while True:
            now = keepers.now()
            standing = keepers.database.read(lambda tx: table.standing(tx, held.holder))
            if standing is None or standing.version != held.version or standing.state == "refused":
                return None
            if standing.claimed_until <= now:
                until = now + LEASE
                claimed = await keepers.write(
                    lambda tx: table.claim(tx, held.holder, held.version, keepers.claimant, now, until)  # noqa: B023
                )
                if claimed is not None:
                    return claimed
            if waited >= PATIENCE:
                left = max(1.0, (standing.claimed_until - now) / 1_000_000)
                raise Unavailable("another process is renewing its credentials", retry_after=min(left, TRY))
            await keepers.sleep(LOOK)
            waited += LOOK

    async def _asked(self) -> Credentials | SocialSupportError:
        flow = self._plugin.refresh
        given = Given(self._held.holder, self._held)
        try:
            answer = self._keepers.wire.run(
                flow(self._held.credentials), self._plugin, keeper=given, open_network=self._open
            )
            fresh: Credentials = await asyncio.wait_for(answer, TRY)
        except TimeoutError:
            return Uncertain(f"no answer within {TRY:.0f} seconds")
        except (DeliveryError, ConfigError) as error:
            return error
        except (Exception, SystemExit) as error:  # without its text, which may hold a token
            return Uncertain(f"{self._plugin.name} failed: {type(error).__name__}")
        return _completed(fresh, self._held.credentials)

    async def _commit(self, fresh: Credentials) -> None:
        """However long the store does not answer: it is known nowhere else."""
        keepers, held = self._keepers, self._held
        while True:
            try:
                now = keepers.now()
                await keepers.write(
                    lambda tx: table.renew(tx, keepers.secrets, held.holder, held.version, fresh, now)  # noqa: B023
                )
            except StoreError as error:
                logger.error("new credentials of %s wait for the store: %s", held.holder, error)  # noqa: TRY400
                await keepers.sleep(1.0)
            else:
                return

    async def _failed(self, error: SocialSupportError, doubtful: bool) -> None:
        if isinstance(error, RateLimited | Uncertain):
            await self._settle("doubtful" if doubtful else "good")
            if isinstance(error, RateLimited):
                raise error
            raise Unavailable(f"the network has not answered a refresh of its credentials: {error}")
        told = _told(self._plugin.name, error, doubtful)
        if not await self._settle("refused", told):
            raise Unavailable("another process is renewing its credentials")
        raise AuthExpired(told, code=getattr(error, "code", None))

    async def _settle(self, state: table.State, reason: str | None = None) -> bool:
        return await asyncio.wrap_future(self._write_settled(state, reason))

    def _write_settled(self, state: table.State, reason: str | None = None) -> "Future[bool]":
        keepers, held = self._keepers, self._held
        return keepers.database.write(
            lambda tx: table.settle(tx, held.holder, held.version, keepers.claimant, state, reason)
        )


def _completed(fresh: Credentials, old: Credentials) -> Credentials:
    """What the network leaves out stays as it was (RFC 6749, 5.1 and 6)."""
    kept: dict[str, Any] = {}
    if fresh.refresh_token is None:
        kept["refresh_token"] = old.refresh_token
    if not fresh.scopes:
        kept["scopes"] = old.scopes
    return fresh.model_copy(update=kept)


def _told(name: str, error: SocialSupportError, doubtful: bool) -> str:
    if isinstance(error, ConfigError):
        return f"its credentials cannot be renewed: {error}; correct the settings, or connect it again"
    if doubtful:
        return (
            f"the answer to a refresh was lost, and now {name} refuses the old credentials ({error}): connect it again"
        )
    return f"{name} refuses to renew its credentials ({error}): connect it again"
