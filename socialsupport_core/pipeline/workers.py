"""The workers: one thread translates and records, one event loop sends, polls and fetches."""

import asyncio
import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial

from socialsupport_core.contract import AuthExpired, ConfigError, DeliveryError, RateLimited
from socialsupport_core.pipeline import health, inbound
from socialsupport_core.pipeline.backfilling import Backfilling
from socialsupport_core.pipeline.bell import Bell
from socialsupport_core.pipeline.channels import Channels, Live, NoSuchDoor
from socialsupport_core.pipeline.credentials import Keepers
from socialsupport_core.pipeline.fetching import Fetching
from socialsupport_core.pipeline.leases import LeaseLost, Leases
from socialsupport_core.pipeline.outbound import Sender, recover
from socialsupport_core.pipeline.record import Recorder
from socialsupport_core.pipeline.streaming import Streaming
from socialsupport_core.pipeline.subscribers import Subscribers
from socialsupport_core.pipeline.tracks import Tracks
from socialsupport_core.pipeline.watch import Watch
from socialsupport_core.pipeline.watching import Watching
from socialsupport_core.store import (
    Database,
    StoreError,
    Tx,
    accounts,
    fanouts,
    journal,
    leases,
    micros,
    outbox,
    webhooks,
)
from socialsupport_core.store.alone import alone
from socialsupport_core.store.blobs import BlobStore
from socialsupport_core.wire.breaker import NotAnswering

logger = logging.getLogger("socialsupport")
IDLE = 1.0  # seconds after which a worker looks by itself, should a bell be missed
BATCH = 100
AT_ONCE = 64  # sends under way at the same time
GRACE = 2.0  # seconds that what is under way gets at the end; what is cut off is recovered at the next start
RENEW = 10.0  # seconds after which what is being sent is kept for longer
POLL_PAUSE = 2.0  # seconds between pages when the network does not hold the line
POLL_TROUBLE = 30.0  # seconds after a failed poll
POLL_ELSEWHERE = 5.0  # seconds until the next look at a channel that another process polls

Pollers = dict[tuple[str, str], tuple[Live, "asyncio.Task[None]"]]


class Workers:
    """`start` and `stop` for a host; `drain` does everything that is waiting and returns, for tests and scripts."""

    def __init__(
        self,
        database: Database,
        channels: Channels,
        keepers: Keepers,
        blobs: BlobStore,
        recorder: Recorder,
        subscribers: Subscribers,
        leases: Leases,
        bell: Bell,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        self._database = database
        self._channels = channels
        self._keepers = keepers
        self._wire = keepers.wire
        self._recorder = recorder
        self._crms = subscribers.crms
        self._subscribers = subscribers
        self._leases = leases
        self._bell = bell
        self._clock = clock
        self._sender = Sender(database, keepers.wire, clock, chance)
        self._tracks = Tracks(database)
        self.fetching = Fetching(database, channels, keepers, blobs, leases, clock)
        self.watching = Watching(database, channels, leases, clock)
        self.streaming = Streaming(database, keepers, leases, self.watching, clock, chance)
        self.backfilling = Backfilling(database, channels, keepers, leases, clock)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._served = ""
        self._turn = ("", "")
        """The tenant and channel whose parts were claimed last."""
        self._claimed_unknown = False
        """A claim may be committed of which we were told nothing."""
        self._watch: Watch | None = None
        self._alone = ExitStack()

    def start(self) -> None:
        if self._database.shared:
            self._watch = Watch(self._database, self._bell.ring, self._forget)
            self._watch.start()
        else:
            self._alone.enter_context(alone(self._database.where))
            self._database.do(_inherit)
        self._threads = [
            threading.Thread(target=self._inbound_forever, name="socialsupport-inbound", daemon=True),
            threading.Thread(target=self._network_forever, name="socialsupport-network", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finishes what is under way; what waits stays in journal and outbox."""
        self._stopping.set()
        self._bell.ring()
        if self._watch is not None:
            self._watch.stop()
        at_work = bool(self._threads)
        for thread in self._threads:
            thread.join()
        self._threads = []
        try:
            if at_work:
                self._database.do(lambda tx: _let_go(tx, self._leases.worker))
            self._leases.release()
        except StoreError as error:
            logger.error("what was held ends by itself: %s", error)  # noqa: TRY400 - no stack, it is outside
        self._alone.close()

    def _forget(self) -> None:
        """The configuration is another."""
        self._channels.forget()
        self._crms.forget()

    def drain(self) -> None:
        """Records what is journalled, sends what is due, fetches what is pending, until nothing is left to do now."""

        async def once() -> int:
            try:
                await self._take_over(micros(self._clock()))
                done = await self.send_due() + await self.fetching.pending() + await self._subscribers.tell()
                return done + await self.backfilling.round()
            finally:
                await self._wire.aclose()
                await self._subscribers.aclose()

        while self.record_waiting() or asyncio.run(once()):
            pass

    # inbound

    def record_waiting(self) -> int:
        """One micro-batch; the number of entries."""
        closed = sorted(self._channels.closed() | self._crms.closed())
        with self._tracks.recorded():
            return self._database.work_off(
                lambda tx: self._claim_entries(tx, closed),
                self._tracks.following(self._translate),
                self._record,
            )

    def _record(self, tx: Tx, batch: Sequence[inbound.Translated]) -> None:
        if not tx.claiming:  # `socialsupport replay` may have been at it meanwhile
            left = journal.still_waiting(tx, [one.entry.number for one in batch])
            batch = [one for one in batch if one.entry.number in left]
        else:
            batch = inbound.at_hand(tx, batch)
        self._tracks.record(tx, batch)
        inbound.record(tx, self._recorder, batch)
        health.note(tx, batch)
        if turned := health.end(tx, batch, micros(self._clock())):
            for one in turned:
                one.say()
            self._channels.forget()

    def _claim_entries(self, tx: Tx, closed: Sequence[str]) -> list[journal.Entry]:
        """Equal shares for all tenants that have something waiting, from the one after the last served on.

        What came to doors that are `closed` waits: for a process in which they are not, or until they open.
        """
        entries = journal.claim(tx, BATCH, self._served, closed)
        self._served = (entries[-1].tenant or journal.MANY) if entries else ""
        return entries

    def _translate(self, entry: journal.Entry) -> inbound.Translated:
        """What the payload says, and to whom each of its events belongs."""
        try:
            if crm := self._crms.at(entry.door):
                return self._crms.translate(crm, entry)
            door = self._channels.door(entry.door)
        except (NoSuchDoor, ConfigError) as error:
            return inbound.Translated(entry, trouble=f"its door is gone: {error}")
        said = inbound.translate(door.connector, entry, door.route)
        counted, ended = health.counted(door, entry), health.ended(door, entry, micros(self._clock()))
        return inbound.Translated(entry, said.events, said.trouble, counted, ended)

    def _inbound_forever(self) -> None:
        while not self._stopping.is_set():
            heard = self._bell.heard()
            try:
                busy = self.record_waiting()
            except StoreError as error:
                logger.error("the store does not answer: %s", error)  # noqa: TRY400 - no stack, it is outside
                busy = 0
            except Exception:
                logger.exception("the journal could not be worked off")
                busy = 0
            if not busy:
                self._bell.wait(heard, IDLE)

    # outbound

    async def send_due(self) -> int:
        """Sends what is due now, one of a thread at a time; the number of parts."""
        parts = await self._claim([])
        await asyncio.gather(*(self._send(part) for part in parts))
        return len(parts)

    async def _claim(self, under_way: Iterable[outbox.Part]) -> list[outbox.Part]:
        now, busy = micros(self._clock()), Counter((part.tenant, part.channel) for part in under_way)
        due = self._database.read(outbox.next_due)
        if due is None or due > now:
            return []  # looking is cheap, claiming is a commit
        room, worker, until = AT_ONCE - busy.total(), self._leases.worker, self._leases.until
        after = self._turn
        claimed = self._database.write(lambda tx: outbox.claim(tx, now, room, busy, worker, until, after))
        parts = await asyncio.wrap_future(claimed)
        self._turn = (parts[-1].tenant, parts[-1].channel) if parts else after
        return parts

    async def _begin(self, sends: "dict[asyncio.Task[None], outbox.Part]") -> int:
        """Begins what is due beside what is under way, so that a network that hangs holds up nobody else."""
        for task in [task for task in sends if task.done()]:
            del sends[task]
            _complain(task)
        if self._claimed_unknown:
            await self._give_back_unknown(sends.values())
        self._claimed_unknown = True
        parts = await self._claim(sends.values())
        self._claimed_unknown = False
        sends.update({asyncio.create_task(self._send(part)): part for part in parts})
        return len(parts)

    async def _give_back_unknown(self, under_way: Iterable[outbox.Part]) -> None:
        """The store went away with the answer to a claim: what is ours there and not under way is taken over."""
        worker, until, now = self._leases.worker, self._leases.until, micros(self._clock())

        def give_back(tx: Tx) -> None:
            outbox.abandon(tx, worker)
            outbox.renew(tx, worker, until, under_way)
            recover(tx, now)

        await asyncio.wrap_future(self._database.write(give_back))

    async def _send(self, part: outbox.Part) -> None:
        try:
            live = self._channels.get(part.tenant, part.channel)
        except StoreError:
            await self._sender.put_off(part)
            return
        except ConfigError as error:
            await self._sender.give_up(part, str(error))
            return
        keeper = self._keepers.of(live)
        outcome = await self._sender.send(part, live.connector, keeper, open_network=live.channel.open_network)
        if isinstance(outcome.error, AuthExpired | NotAnswering):
            await self.watching.feel(live, "send", health.remedied(outcome.error))
        elif outcome.state == "sent":
            await self.watching.feel(live, "send")

    # polling

    async def _poll_forever(self, live: Live) -> None:
        while not self._stopping.is_set():
            try:
                pause = await self._poll_once(live)
            except StoreError as error:
                logger.error("the store does not answer: %s", error)  # noqa: TRY400 - no stack, it is outside
                pause = POLL_PAUSE
            await self._sleep(pause)

    def _cursor(self, live: Live) -> str | None:
        return self._database.read(lambda tx: accounts.cursor(tx, live.channel.tenant, live.channel.id))

    async def _poll_once(self, live: Live) -> float:
        """One page, if the channel is ours to poll: its payloads and the cursor in one commit. How long to pause."""
        channel = live.channel
        lease = f"poll {channel.tenant} {channel.id}"
        if not await self._leases.mine(lease):
            return POLL_ELSEWHERE
        cursor = self._cursor(live)
        try:
            page = await self._wire.read(
                lambda: live.connector.poll(cursor),
                live.connector,
                keeper=self._keepers.of(live),
                open_network=channel.open_network,
            )
        except DeliveryError as error:
            if type(error) is not RateLimited:  # who is told to wait is not in trouble
                await self.watching.feel(live, "poll", health.remedied(error))
            return getattr(error, "retry_after", None) or POLL_TROUBLE
        except (Exception, SystemExit) as error:
            await self.watching.feel(live, "poll", f"{live.connector.name} failed: {type(error).__name__}")
            return POLL_TROUBLE

        now = self._clock()

        def keep(tx: Tx) -> None:
            self._leases.confirm(tx, lease)
            stamped = [payload.model_copy(update={"received_at": now}) for payload in page.payloads]
            journal.append(tx, [(channel.tenant, channel.door, payload) for payload in stamped])
            accounts.set_cursor(tx, channel.tenant, channel.id, page.cursor)

        try:
            await asyncio.wrap_future(self._database.write(keep))
        except LeaseLost:
            return POLL_ELSEWHERE
        await self.watching.feel(live, "poll")
        return 0.0 if page.more and page.cursor != cursor else POLL_PAUSE  # one that stands still goes on for ever

    async def poll(self, tenant: str, channel: str) -> int:
        """Polls one channel until there is no more; the number of payloads now waiting."""
        live = self._channels.get(tenant, channel)
        before = self._database.read(journal.counts)["accepted"]
        while await self._poll_once(live) == 0.0:
            pass
        return self._database.read(journal.counts)["accepted"] - before

    async def stream(self, tenant: str, channel: str, quiet: float = 0.1) -> int:
        """Takes what one channel's stream has to tell, until it is quiet; the number of payloads."""
        before = self._database.read(journal.counts)["accepted"]
        await self.streaming.once(self._channels.get(tenant, channel), quiet)
        return self._database.read(journal.counts)["accepted"] - before

    # the loop

    def _network_forever(self) -> None:
        asyncio.run(self._network())

    async def _network(self) -> None:
        pollers: Pollers = {}
        sends: dict[asyncio.Task[None], outbox.Part] = {}
        chores: asyncio.Task[None] | None = None
        alive = asyncio.create_task(self._keep_alive(sends))
        back = asyncio.create_task(self.backfilling.forever())
        while not self._stopping.is_set():
            heard = self._bell.heard()
            busy = 0
            try:
                self._tend(pollers)
                busy = await self._begin(sends) + await self._subscribers.begin()
            except StoreError as error:
                logger.error("the store does not answer: %s", error)  # noqa: TRY400
            except Exception:
                logger.exception("a round of sending failed")  # the next one may do; without rounds nothing is sent
            if chores is None or chores.done():
                chores = asyncio.create_task(self._chores())
            if not busy:
                await self._bell.listen(heard, IDLE)
        alive.cancel()
        back.cancel()
        await _end([*sends, *self._subscribers.under_way, *([chores] if chores else [])], GRACE)
        await _end([task for _, task in pollers.values()], 0)
        await self._wire.aclose()
        await self._subscribers.aclose()

    async def _keep_alive(self, sends: "Mapping[asyncio.Task[None], outbox.Part]") -> None:
        """Keeps what this process is sending its own, and takes over from those who have died."""
        while True:
            try:
                if sends:
                    worker, until = self._leases.worker, self._leases.until
                    renew = partial(outbox.renew, worker=worker, until=until, parts=[*sends.values()])
                    await asyncio.wrap_future(self._database.write(renew))
                await self._take_over(micros(self._clock()))
            except StoreError as error:
                logger.error("the store does not answer: %s", error)  # noqa: TRY400 - no stack, it is outside
            except Exception:
                logger.exception("what is under way could not be kept for longer")
            await asyncio.sleep(RENEW)

    async def _take_over(self, now: int) -> None:
        if self._database.read(lambda tx: outbox.any_abandoned(tx, now)):  # looking is cheap, writing is a commit
            await asyncio.wrap_future(self._database.write(lambda tx: recover(tx, now)))

    async def _chores(self) -> None:
        """What takes its time and must not hold up the sending."""
        try:
            await self.watching.round()
            while (
                await self.fetching.pending()
                + await self._crms.tell(self._leases)
                + await self._subscribers.keeping.turn()
            ):
                pass
        except StoreError as error:
            logger.error("the store does not answer: %s", error)  # noqa: TRY400
        except Exception:
            logger.exception("a chore failed")

    def _tend(self, pollers: Pollers) -> None:
        """One a polled or streamed channel that is not paused; those of channels that are gone end."""
        ways = {"poll": self._poll_forever, "stream": self.streaming.forever}
        wanted = {
            key: live
            for key, live in self._channels.all().items()
            if live.channel.mode in ways and live.channel.state != "paused"
        }
        for key, (live, task) in list(pollers.items()):
            if key not in wanted or task.done() or not _same_account(live, wanted[key]):
                pollers.pop(key)
                task.cancel()
                _complain(task)
        for key, live in wanted.items():
            if key not in pollers:
                pollers[key] = live, asyncio.create_task(ways[live.channel.mode](live))

    async def _sleep(self, seconds: float) -> None:
        waited = 0.0
        while waited < seconds and not self._stopping.is_set():
            await asyncio.sleep(min(0.2, seconds - waited))
            waited += 0.2


def _same_account(one: Live, other: Live) -> bool:
    """Whether they were made of the same settings."""
    here, there = one.channel, other.channel
    same = (here.open_network, here.mode) == (there.open_network, there.mode)
    return same and one.connector.settings == other.connector.settings


def _complain(task: "asyncio.Task[None]") -> None:
    if task.done() and not task.cancelled() and (error := task.exception()):
        logger.error("a worker's task failed: %s", error, exc_info=error)


async def _end(tasks: "Sequence[asyncio.Task[None]]", grace: float) -> None:
    """Waits for them that long, then ends them."""
    if tasks and grace:
        await asyncio.wait(tasks, timeout=grace)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _inherit(tx: Tx) -> None:
    """Only one process works on this store, so whoever held anything is dead."""
    _let_go(tx)
    leases.release_all(tx)


def _let_go(tx: Tx, worker: str | None = None) -> None:
    """What this worker, or any, has under way is due again."""
    for one in (outbox, webhooks, fanouts):
        one.abandon(tx, worker)
