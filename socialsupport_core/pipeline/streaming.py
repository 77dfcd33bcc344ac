"""Streams: one owner each, every payload committed with the state, and only then acknowledged."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import (
    AuthExpired,
    Closed,
    DeliveryError,
    Forbidden,
    Happening,
    Opened,
    RateLimited,
    Step,
    Tick,
)
from socialsupport_core.model import Payload
from socialsupport_core.pipeline import backfilling, health
from socialsupport_core.pipeline.channels import Live
from socialsupport_core.pipeline.credentials import Keepers
from socialsupport_core.pipeline.leases import LeaseLost, Leases
from socialsupport_core.pipeline.watching import Watching
from socialsupport_core.store import Database, StoreError, Tx, journal, micros, streams
from socialsupport_core.wire.sockets import Line

logger = logging.getLogger("socialsupport")
LOOK = 5.0  # seconds after which an idle stream looks whether it is still ours, and a stopped one whether it may go on
ELSEWHERE = 5.0  # seconds until the next look at a stream that another process owns
STEADY = 10.0  # seconds for which a connection must stand to count as a good one
SAVE = 5.0  # seconds after which a new state is committed although nothing was kept
LONGEST_PAUSE = 120.0  # seconds between two dials
STOPPED = 900.0  # seconds after which a stream that was stopped is tried once more by itself
FAILURES = 3  # connections in a row that come to nothing, until that is told
BEFORE = 60_000_000  # microseconds: by so much a history is read back from before the last sign of life
READ_AHEAD = 64  # frames


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ended."""

    closed: Closed | None = None
    """None if we hung up."""
    redial: float | None = None
    stop: str | None = None
    trouble: str | None = None
    """The connector failed."""
    steady: bool = False

    @property
    def told(self) -> str:
        code = f" with {self.closed.code}" if self.closed and self.closed.code else ""
        reason = f" ({self.closed.reason[:200]})" if self.closed and self.closed.reason else ""
        return f"the connection ends{code}{reason} as soon as it stands"


class Streaming:
    def __init__(
        self,
        database: Database,
        keepers: Keepers,
        leases: Leases,
        watching: Watching,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        self.database = database
        self.leases = leases
        self.clock = clock
        self.chance = chance
        self._keepers = keepers
        self._watching = watching
        self._failed: dict[tuple[str, str], int] = {}
        """Connections in a row that came to nothing."""

    async def forever(self, live: Live) -> None:
        """Until it is cancelled."""
        while True:
            try:
                pause = await self.once(live)
            except StoreError as error:
                logger.error("the store does not answer: %s", error)  # noqa: TRY400 - no stack, it is outside
                pause = self._backoff(live)
            await asyncio.sleep(pause)

    async def once(self, live: Live, quiet: float | None = None) -> float:
        """One connection, from dial to hang-up, if the channel is ours; for how long to pause.

        `quiet`: hangs up when nothing has happened for so many seconds, for tests and scripts.
        """
        lease = f"stream {live.channel.tenant} {live.channel.id}"
        if not await self.leases.mine(lease):
            return ELSEWHERE
        try:
            state = self._state(live)
            line = await self._dial(live, state)
        except DeliveryError as error:
            return await self._refused(live, error)
        except StoreError:
            raise
        except (Exception, SystemExit) as error:
            return await self._ended(live, End(trouble=f"{live.connector.name} failed: {type(error).__name__}"))
        connection = _Connection(self, live, lease, line, state, quiet)
        try:
            return await self._ended(live, await connection.run())
        except LeaseLost:
            return ELSEWHERE
        finally:
            await connection.hang_up()

    def _state(self, live: Live) -> Any:
        """As it was committed last; from the beginning if another release has written it."""
        kept = self.database.read(lambda tx: streams.get(tx, live.channel.tenant, live.channel.id))
        kind = live.connector.stream_state
        with suppress(ValidationError):
            return kind.model_validate_json(kept.state) if kept else kind()
        return kind()

    async def _dial(self, live: Live, state: Any) -> Line:
        keeper, opened, wire = self._keepers.of(live), live.channel.open_network, self._keepers.wire
        dial = await wire.read(lambda: live.connector.dial(state), live.connector, keeper=keeper, open_network=opened)
        return await wire.dial(dial, live.connector, keeper=keeper, open_network=opened)

    # how it goes on

    async def _refused(self, live: Live, error: DeliveryError) -> float:
        if type(error) is RateLimited:  # who is told to wait is not in trouble
            return error.retry_after or self._backoff(live)
        failed = self._failed.get(_key(live), 0) + 1
        if failed >= FAILURES or not isinstance(error, RateLimited):
            await self.feel(live, health.remedied(error))
        if isinstance(error, AuthExpired | Forbidden):
            return await self._until_mended(live)
        return max(getattr(error, "retry_after", None) or 0.0, self._backoff(live))

    async def _ended(self, live: Live, end: End) -> float:
        if end.stop:
            await self.feel(live, end.stop)
            return await self._until_mended(live)
        if end.steady:
            self._failed.pop(_key(live), None)
            return self.chance.random() if end.redial is None else end.redial
        pause = max(end.redial or 0.0, self._backoff(live))
        if end.trouble or self._failed[_key(live)] >= FAILURES:
            await self.feel(live, end.trouble or end.told)
        return pause

    def _backoff(self, live: Live) -> float:
        """Longer with each failure, and never the same for all workers."""
        failed = self._failed[_key(live)] = self._failed.get(_key(live), 0) + 1
        longest: float = min(LONGEST_PAUSE, 2.0 ** min(failed - 1, 10))
        return longest * self.chance.uniform(0.5, 1)

    async def _until_mended(self, live: Live) -> float:
        """Until an operator has done something about it, or for a while. Still ours, so that nobody else tries."""
        lease, waited = f"stream {live.channel.tenant} {live.channel.id}", 0.0
        while waited < STOPPED and await self.leases.mine(lease):
            await asyncio.sleep(LOOK)
            waited += LOOK
            if "stream" not in self.database.read(lambda tx: health.known(tx, live.channel)):
                return 0.0
        return ELSEWHERE

    async def feel(self, live: Live, reason: str | None = None) -> None:
        await self._watching.feel(live, "stream", reason)


def _key(live: Live) -> tuple[str, str]:
    return live.channel.tenant, live.channel.id


class _Connection:
    """One connection: what happens on it, one thing after the other."""

    def __init__(
        self, streaming: Streaming, live: Live, lease: str, line: Line, state: Any, quiet: float | None
    ) -> None:
        self._streaming = streaming
        self._live = live
        self._lease = lease
        self._line = line
        self._state = self._saved = state
        self._quiet = quiet
        self._alarm: float | None = None
        self._is_steady = False
        self._loop = asyncio.get_running_loop()
        self._began = self._saved_at = self._heard_at = self._loop.time()
        self._happened: asyncio.Queue[Happening] = asyncio.Queue(READ_AHEAD)
        self._reader = asyncio.create_task(self._read())

    async def run(self) -> End:
        """Raises LeaseLost, StoreError: then nothing that was not committed was acknowledged."""
        happened: Happening | None = Opened(self._streaming.chance.random())
        while happened is not None:
            if end := await self._take(happened):
                return end
            happened = await self._next()
        return End(steady=True)

    async def hang_up(self) -> None:
        self._reader.cancel()
        if self._state != self._saved:
            with suppress(StoreError):
                self._streaming.database.write(self._commit(Step(self._state)))  # if we are cut off, it is only older
        with suppress(Exception):
            await self._line.aclose()

    async def _read(self) -> None:
        try:
            async for frame in self._line.frames():
                await self._happened.put(frame)
            closed = self._line.closed
        except Exception as error:
            logger.warning("the stream of %s broke: %s", self._live.channel.id, type(error).__name__)
            closed = Closed(None, type(error).__name__)
        await self._happened.put(closed)

    async def _next(self) -> Happening | None:
        """None if nothing has come for so long that we hang up."""
        while True:
            if not await self._streaming.leases.mine(self._lease):
                raise LeaseLost(self._lease)
            await self._stands()
            now = self._loop.time()
            if self._alarm is not None and now >= self._alarm:
                self._alarm = None
                return Tick()
            quiet_at = None if self._quiet is None else self._heard_at + self._quiet
            if quiet_at is not None and now >= quiet_at and self._happened.empty():
                return None
            until = min(at for at in (now + LOOK, self._alarm, quiet_at) if at is not None)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, until - now)):
                    happened = await self._happened.get()
                self._heard_at = self._loop.time()
                return happened

    async def _stands(self) -> None:
        if not self._is_steady and self._loop.time() - self._began >= STEADY:
            await self._well()

    async def _well(self) -> None:
        self._is_steady = True
        await self._streaming.feel(self._live)

    async def _take(self, happened: Happening) -> End | None:
        try:
            step = self._live.connector.step(self._state, happened)
        except Exception as error:
            logger.exception("%s failed at a frame", self._live.connector.name)
            return End(trouble=f"{self._live.connector.name} failed: {type(error).__name__}")
        for text in step.say:
            await self._line.say(text)
        if self._is_due(step):
            await asyncio.wrap_future(self._streaming.database.write(self._commit(step)))
            self._saved, self._saved_at = step.state, self._loop.time()
        self._state = step.state  # not before the commit: a state that is ahead of what was kept would lose it
        if step.keep and not self._is_steady:
            await self._well()
        for text in step.after:
            await self._line.say(text)
        if step.tick_in is not None:
            self._alarm = self._loop.time() + step.tick_in
        return self._end(step, happened)

    def _is_due(self, step: Step) -> bool:
        """Whether it is time for a commit. An older state only means that the network tells more again."""
        if step.keep or step.gap:
            return True
        return step.state != self._saved and (
            bool(step.after) or self._loop.time() - self._saved_at >= SAVE or step.redial is not None
        )

    def _end(self, step: Step, happened: Happening) -> End | None:
        closed = happened if isinstance(happened, Closed) else None
        if step.stop is None and step.redial is None and closed is None:
            return None
        return End(closed, step.redial, step.stop, steady=self._is_steady)

    def _commit(self, step: Step) -> Callable[[Tx], None]:
        """The payloads and the state in one transaction, if the stream is still ours."""
        tenant, channel, door = self._live.channel.tenant, self._live.channel.id, self._live.channel.door
        state, now = step.state.to_json(), self._streaming.clock()
        kept = [Payload(source="stream", method="", body=body, received_at=now) for body in step.keep]

        def commit(tx: Tx) -> None:
            self._streaming.leases.confirm(tx, self._lease)
            if step.gap:
                self._read_back(tx, micros(now))
            journal.append(tx, [(tenant, door, one) for one in kept])
            streams.put(tx, tenant, channel, state, micros(now), kept=bool(kept) or step.gap)

        return commit

    def _read_back(self, tx: Tx, now: int) -> None:
        tenant, channel = _key(self._live)
        known = streams.get(tx, tenant, channel)
        if known is not None and health.reads_back(self._live.connector, self._streaming.clock()):
            backfilling.begin(tx, tenant, channel, known.kept_at - BEFORE, "gap", now)
