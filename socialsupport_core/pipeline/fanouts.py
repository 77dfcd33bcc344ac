"""Brokers are told what was committed: each tenant's log in order, batch by batch, again until it is acknowledged."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, FanOut, LogRecord, RateLimited, Registry
from socialsupport_core.mistakes import problems
from socialsupport_core.pipeline.leases import SHORT, kept
from socialsupport_core.store import Database, Tx, fanouts, log, micros
from socialsupport_core.store.fanouts import Feed
from socialsupport_core.wire.redact import redact, secrets_in

T = TypeVar("T")
logger = logging.getLogger("socialsupport")
SECOND = 1_000_000
BATCH = 100  # log entries in one call
TIMEOUT = 30.0  # seconds for one call
LONGEST = 60  # seconds between two attempts; the first pause is one
TROUBLE = 5  # attempts in a row that failed, after which /health says so


class FanOuts:
    """The brokers of this process. A broker that hangs holds up no other."""

    def __init__(self, database: Database, registry: Registry, clock: Callable[[], datetime], worker: str) -> None:
        self._worker = worker
        self._database = database
        self._registry = registry
        self._clock = clock
        self._live: dict[str, FanOut[Any]] = {}
        self._under_way: dict[asyncio.Task[int], str] = {}

    @property
    def under_way(self) -> "list[asyncio.Task[int]]":
        return list(self._under_way)

    def add(self, name: str, adapter: str, settings: Mapping[str, Any], *, everything: bool) -> None:
        """Raises ConfigError that names the key and the remedy."""
        cls = self._registry.fanout(adapter)
        try:
            made = cls(cls.settings_model.model_validate(dict(settings)))
        except ValidationError as error:
            raise ConfigError(problems(error, cls.settings_model, f"fan-out {name}")) from None
        except (Exception, SystemExit) as error:  # without its text, which may hold a secret
            raise ConfigError(f"fan-out {name}: {adapter} cannot be made, {type(error).__name__}") from error
        self._database.do(lambda tx: fanouts.add(tx, name, everything=everything))
        self._live[name] = made

    def remove(self, name: str) -> None:
        self._live.pop(name, None)
        self._database.do(lambda tx: fanouts.remove(tx, name))

    async def aclose(self) -> None:
        """The brokers connect again when there is something for them."""
        for name, one in list(self._live.items()):
            try:
                async with asyncio.timeout(TIMEOUT):
                    await one.aclose()
            except (Exception, SystemExit) as error:
                logger.warning("the fan-out %s could not be closed: %s", name, type(error).__name__)

    async def hand_on(self) -> int:
        """Hands on what is there now, and waits for it; the number of entries."""
        count = 0
        while True:
            await self.begin()
            done = await asyncio.gather(*self._under_way, return_exceptions=True)
            if not (handed := sum(one for one in done if isinstance(one, int))):
                return count
            count += handed

    async def begin(self) -> int:
        """Begins to tell each broker that is behind and not being told already; how many."""
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            if not task.cancelled() and (error := task.exception()):
                logger.error("a fan-out failed: %s", error, exc_info=error)
        now, begun = micros(self._clock()), 0
        for name, one in list(self._live.items()):
            if name in self._under_way.values():
                continue
            if self._database.read(partial(fanouts.is_new_to, fanout=name)):
                await self._write(partial(fanouts.welcome, fanout=name))
            if feeds := self._database.read(partial(fanouts.behind, fanout=name, now=now)):
                self._under_way[asyncio.create_task(self._tell(one, feeds))] = name
                begun += 1
        return begun

    async def _tell(self, one: FanOut[Any], feeds: list[Feed]) -> int:
        """One batch of each feed, so that no tenant waits for all of another."""
        return sum([await self._tell_one(one, feed) for feed in feeds])

    async def _tell_one(self, one: FanOut[Any], feed: Feed) -> int:
        now = micros(self._clock())
        if not await self._write(lambda tx: fanouts.claim(tx, feed, self._worker, now, now + SHORT)):
            return 0
        found = self._database.read(lambda tx: log.after(tx, feed.tenant, feed.cursor, BATCH))
        records = [LogRecord.model_validate(record.as_json()) for record in found]
        if not records:
            return 0
        try:
            with kept(lambda: self._renew(feed)):
                async with asyncio.timeout(TIMEOUT):
                    await one.publish(records)
        except asyncio.CancelledError:
            self._database.write(lambda tx: fanouts.release(tx, feed, self._worker, now))
            raise
        except (Exception, SystemExit) as error:
            await self._failed(one, feed, error)
            return 0
        await self._write(lambda tx: fanouts.advance(tx, feed, self._worker, records[-1].cursor))
        return len(records)

    def _renew(self, feed: Feed) -> None:
        lease = micros(self._clock()) + SHORT
        self._database.write(lambda tx: fanouts.renew(tx, feed, self._worker, lease))

    async def _failed(self, one: FanOut[Any], feed: Feed, error: BaseException) -> None:
        pause = min(LONGEST, 2 ** min(feed.attempts, 16))
        if isinstance(error, RateLimited) and error.retry_after is not None:
            pause = max(pause, int(min(error.retry_after, 3_600)))
        due = micros(self._clock()) + pause * SECOND
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        reason = redact(told, secrets_in(one.settings))[:500]
        await self._write(lambda tx: fanouts.fail(tx, feed, self._worker, due, reason))

    async def _write(self, call: Callable[[Tx], T]) -> T:
        return await asyncio.wrap_future(self._database.write(call))
