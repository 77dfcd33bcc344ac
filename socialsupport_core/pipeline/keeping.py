"""What has had its time goes: in small batches, by whichever process holds the lease."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from socialsupport_core.pipeline.files import drop
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.store import Database, Row, Tx, drafts, erasures, journal, micros, removing, retention
from socialsupport_core.store.blobs import BlobStore
from socialsupport_core.store.database import Compacted
from socialsupport_core.store.erasures import Erasure
from socialsupport_core.store.retention import Retention

T = TypeVar("T")
logger = logging.getLogger("socialsupport")
LEASE = "retention"
MICRO = timedelta(microseconds=1)
BATCH = 200  # rows of one kind in one commit
ACCOUNTS = 200  # looked at in one commit
PAUSE = timedelta(minutes=1) // MICRO  # between looks, while nothing is due
ROUND = timedelta(hours=6) // MICRO  # between two rounds over everybody's interactions
EARLY = timedelta(days=30) // MICRO
UPLOADS = timedelta(days=1)  # for which a file that belongs to no message is kept
SWEEP = timedelta(hours=1) // MICRO  # between two looks at all files
CRM_ENDS = timedelta(days=30) // MICRO
ABANDONED = timedelta(minutes=5) // MICRO  # after which another process finishes an erasure
NEVER_CAME = "it waited 30 days for the message that it is about"


class Keeping:
    """`turn` does a batch of each kind that is due; it costs next to nothing while nothing is.

    `erase` carries out a demand that needs no agent.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        leases: Leases,
        clock: Callable[[], datetime],
        erase: Callable[[Row], None],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._leases = leases
        self._clock = clock
        self._erase = erase
        self._next_look = 0
        self._next_sweep = 0

    async def turn(self, *, at_once: bool = False) -> int:
        """How much went. Looks once a minute unless it is asked to look `at_once`."""
        now = micros(self._clock())
        if (now < self._next_look and not at_once) or not await self._leases.mine(LEASE):
            return 0
        done = await self._expire(now) + await self._finish_erasures(now) + await self._erase_on_request(now)
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            done += await asyncio.to_thread(self._sweep_files)
        self._next_look = now if done else now + PAUSE
        return done

    async def _expire(self, now: int) -> int:
        done = await self._write(lambda tx: self._expire_rows(tx, now)) if self._anything(now) else 0
        for one in self._database.read(retention.everyone):
            if one.interactions is not None and now >= one.swept_at + ROUND:
                done += await self._expire_interactions(one, now)
        return done

    def _anything(self, now: int) -> bool:
        """Looking is cheap, writing is a commit."""
        return any(count for count in due(self._database, now).values())

    def _expire_rows(self, tx: Tx, now: int) -> int:
        self._leases.confirm(tx, LEASE)
        done = retention.expire_early(tx, now - EARLY, BATCH, NEVER_CAME)
        done += erasures.forget_crm_ends(tx, now - CRM_ENDS)
        for tenant, span in _spans(tx):
            entries = retention.old_payloads(tx, tenant, now - span, BATCH)
            done += removing.empty_payloads(tx, entries, "expired")
        return done

    async def _expire_interactions(self, one: Retention, now: int) -> int:
        assert one.interactions is not None
        before = now - one.interactions

        def expire(tx: Tx) -> tuple[int, set[str]]:
            self._leases.confirm(tx, LEASE)
            seqs, last = retention.old_interactions(tx, one, before, ACCOUNTS, BATCH)
            told = removing.of_numbers(tx, one.tenant, seqs)
            gone = removing.remove(tx, one.tenant, told)
            drafts.forget_before(tx, one.tenant, before)
            retention.note_round(tx, one, last, now)
            return gone["interactions"] + (last is not None), told.blobs

        done, blobs = await self._write(expire, one.tenant)
        for blob in sorted(blobs):
            await asyncio.to_thread(drop, self._database, self._blobs, blob)
        return done

    async def _finish_erasures(self, now: int) -> int:
        """Those whose process has died, or that asked for no cleaning of the store's files."""
        found = self._database.read(lambda tx: erasures.unfinished(tx, now - ABANDONED))
        if not found:
            return 0
        for one in found:
            await asyncio.to_thread(remove_files, self._database, self._blobs, one)
        await asyncio.to_thread(clean, self._database, found)
        return 0  # what could not be finished is tried again after the pause

    async def _erase_on_request(self, now: int) -> int:
        found = self._database.read(lambda tx: erasures.requests(tx, None, "accepted"))
        for row in found:
            await asyncio.to_thread(self._erase, row)
        return len(found)

    def _sweep_files(self) -> int:
        """Uploads that were never sent, and what was written when a process died."""
        before = (self._clock() - UPLOADS).timestamp()
        return sum(drop(self._database, self._blobs, blob) is not None for blob in list(self._blobs.put_before(before)))

    async def _write(self, call: Callable[[Tx], T], tenant: str | None = None) -> T:
        return await asyncio.wrap_future(self._database.write(call, tenant))


def _spans(tx: Tx) -> list[tuple[str, int]]:
    """By tenant, how long payloads are kept."""
    found = [(one.tenant, one.payloads) for one in retention.everyone(tx) if one.payloads is not None]
    shared = retention.shared_payloads(tx) if found else None
    return [*found, (journal.MANY, shared)] if shared is not None else found


def due(database: Database, now: int) -> dict[str, int]:
    """What has had its time and is still there."""

    def look(tx: Tx) -> dict[str, int]:
        payloads = sum(retention.count_old_payloads(tx, tenant, now - span) for tenant, span in _spans(tx))
        early, named = retention.count_early(tx, now - EARLY), erasures.count_crm_ends(tx, now - CRM_ENDS)
        return {"payloads": payloads, "early": early, "contacts": named}

    return database.read(look)


def remove_files(database: Database, blobs: BlobStore, one: Erasure) -> None:
    """Deletes the files of an erasure, each noted as it goes."""
    for blob in one.blobs:
        size = drop(database, blobs, blob)
        database.do(lambda tx, blob=blob, size=size: erasures.file_gone(tx, one, blob, size))  # type: ignore[misc]


def clean(database: Database, removed: list[Erasure]) -> Compacted:
    """Cleans the store's own files, and then those erasures are finished. What came of it."""
    tables = {table for one in removed for table in one.removed}
    result = database.compact(sorted(tables & CLEANED))
    if result.done:
        database.do(lambda tx: erasures.finish(tx, removed, told(result)))
    return result


def told(result: Compacted) -> dict[str, Any]:
    """As the proof shows it."""
    store = {"cleaned": result.done, "seconds": round(result.seconds, 3), "bytes": result.bytes}
    return {"store": store, "left": list(result.left)}


CLEANED = frozenset(
    {
        "asks",
        "attachments",
        "audit",
        "challenges",
        "consents",
        "controls",
        "context",
        "conversations",
        "crm_cases",
        "crm_contacts",
        "crm_waiting",
        "drafts",
        "early",
        "evidence",
        "handoffs",
        "interaction_keys",
        "interactions",
        "journal",
        "legs",
        "log",
        "moves",
        "nodes",
        "nonces",
        "openings",
        "outbox",
        "proposals",
        "ratings",
        "reactions",
        "reviews",
        "routing",
        "told_away",
        "webhook_waiting",
    }
)
"""Tables that hold values."""
