"""Reading histories back: page by page, each journalled with the cursor in one commit, whoever works on the store."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from socialsupport_core.contract import AuthExpired, ConfigError, DeliveryError, RateLimited
from socialsupport_core.model import Page
from socialsupport_core.pipeline.channels import Channels, Live
from socialsupport_core.pipeline.credentials import Keepers
from socialsupport_core.pipeline.health import READ_BACK, remedied
from socialsupport_core.pipeline.leases import LeaseLost, Leases
from socialsupport_core.store import Database, StoreError, Tx, backfills, journal, micros, moment
from socialsupport_core.store.backfills import Backfill

logger = logging.getLogger("socialsupport")
IDLE = 1.0  # seconds between two looks
SECOND = 1_000_000
TRIES = 12  # in a row that bring nothing, with growing pauses of an hour at most: after about four hours it is given up
LONGEST_PAUSE = 3600 * SECOND
MAX_WAITING = 5_000  # journal entries that are not recorded yet: as long as there are so many, nothing is read back
PAUSE = 2 * SECOND  # until it is looked again whether there are fewer


def begin(tx: Tx, tenant: str, channel: str, since: int, cause: str, now: int) -> Backfill:
    """One that is under way and reaches as far goes on; else it begins anew."""
    known = backfills.get(tx, tenant, channel)
    if known is not None and known.state == "running" and known.since <= since:
        return known
    fresh = Backfill(tenant, channel, since, cause, None, "running", 0, 0, 0, now, None, now, now)
    backfills.put(tx, fresh)
    return fresh


class Backfilling:
    def __init__(
        self,
        database: Database,
        channels: Channels,
        keepers: Keepers,
        leases: Leases,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._channels = channels
        self._keepers = keepers
        self._wire = keepers.wire
        self._leases = leases
        self._clock = clock

    async def forever(self) -> None:
        """A page at a time, beside everything else, until it is cancelled."""
        while True:
            read = 0
            try:
                read = await self.round()
            except StoreError as error:
                logger.error("the store does not answer: %s", error)  # noqa: TRY400 - no stack, it is outside
            except Exception:
                logger.exception("a history could not be read back")
            await asyncio.sleep(0 if read else IDLE)

    async def round(self) -> int:
        """One page of each history that is being read back; how many were read."""
        now = micros(self._clock())
        due = self._database.read(lambda tx: backfills.due(tx, now))
        return sum([await self._page(one) for one in due])

    async def _page(self, one: Backfill) -> bool:
        lease = f"backfill {one.tenant} {one.channel}"
        if not await self._leases.mine(lease):
            return False
        try:
            live = self._channels.get(one.tenant, one.channel)
            if live.channel.state == "paused" or self._full():
                return await self._note(one, lease, due_at=micros(self._clock()) + PAUSE)
            page = await self._read(live, one)
        except ConfigError as error:
            return await self._note(one, lease, state="failed", reason=str(error))
        except DeliveryError as error:
            return await self._trouble(one, lease, error)
        except (Exception, SystemExit) as error:
            return await self._note(one, lease, state="failed", reason=f"its connector failed: {type(error).__name__}")
        return await self._keep(live, one, lease, page)

    def _full(self) -> bool:
        return self._database.read(journal.counts)["waiting"] >= MAX_WAITING

    async def _read(self, live: Live, one: Backfill) -> Page:
        since = moment(one.since)
        page: Page = await self._wire.read(
            lambda: live.connector.history(since, one.cursor),
            live.connector,
            keeper=self._keepers.of(live),
            open_network=live.channel.open_network,
        )
        return page

    async def _keep(self, live: Live, one: Backfill, lease: str, page: Page) -> bool:
        """The page's payloads and the cursor in one commit."""
        now = self._clock()
        mark = ((READ_BACK, "1"),)
        stamped = [one.model_copy(update={"received_at": now, "headers": one.headers + mark}) for one in page.payloads]
        stuck = page.more and page.cursor == one.cursor
        further = replace(
            one,
            cursor=page.cursor,
            state="failed" if stuck else "running" if page.more else "done",
            reason="the network gives the same page again and again" if stuck else None,
            pages=one.pages + 1,
            payloads=one.payloads + len(stamped),
            attempts=0,
            due_at=micros(now),
            updated_at=micros(now),
        )

        def keep(tx: Tx) -> None:
            self._leases.confirm(tx, lease)
            if backfills.get(tx, one.tenant, one.channel) != one:
                return  # it was begun anew meanwhile
            journal.append(tx, [(one.tenant, live.channel.door, payload) for payload in stamped])
            backfills.put(tx, further)

        return await self._commit(keep)

    async def _trouble(self, one: Backfill, lease: str, error: DeliveryError) -> bool:
        now = micros(self._clock())
        for_now = isinstance(error, RateLimited | AuthExpired)
        if not for_now or one.attempts + 1 >= TRIES:
            return await self._note(one, lease, state="failed", reason=remedied(error))
        told = getattr(error, "retry_after", None)
        pause = int(told * SECOND) if told is not None else min(LONGEST_PAUSE, 10 * SECOND * 2**one.attempts)
        return await self._note(
            one, lease, attempts=one.attempts + 1, due_at=now + pause, reason=remedied(error), updated_at=now
        )

    async def _note(self, one: Backfill, lease: str, **changes: object) -> bool:
        """No page was read."""
        changed = replace(one, **changes)  # type: ignore[arg-type]

        def note(tx: Tx) -> None:
            self._leases.confirm(tx, lease)
            if backfills.get(tx, one.tenant, one.channel) == one:
                backfills.put(tx, changed)

        await self._commit(note)
        return False

    async def _commit(self, call: Callable[[Tx], None]) -> bool:
        try:
            await asyncio.wrap_future(self._database.write(call))
        except LeaseLost:
            return False
        return True
