"""Attachments: brought in after the recording, before their addresses expire."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from socialsupport_core.contract import AuthExpired, ConfigError, DeliveryError, RateLimited, Unsupported
from socialsupport_core.model import Blob
from socialsupport_core.pipeline.channels import Channels
from socialsupport_core.pipeline.credentials import Keepers
from socialsupport_core.pipeline.files import drop
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.store import (
    Database,
    StoreError,
    Tx,
    attachments,
    conversations,
    interactions,
    journal,
    log,
    micros,
)
from socialsupport_core.store.attachments import Kept
from socialsupport_core.store.blobs import BlobStore, BlobTooLarge
from socialsupport_core.store.interactions import Stored

logger = logging.getLogger("socialsupport")
FETCHES = 8  # attachments in one turn
FETCH_TRIES = 12  # with growing pauses of an hour at most
HELD_UP = 6  # tries, some ten minutes, after which /health says so


class Fetching:
    def __init__(
        self,
        database: Database,
        channels: Channels,
        keepers: Keepers,
        blobs: BlobStore,
        leases: Leases,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._channels = channels
        self._keepers = keepers
        self._wire = keepers.wire
        self._blobs = blobs
        self._leases = leases
        self._clock = clock

    async def pending(self) -> int:
        """Brings attachments in; the number that was tried."""
        now = micros(self._clock())
        if not self._database.read(lambda tx: attachments.pending(tx, now, 1)):
            return 0  # looking is cheap, claiming is a commit
        claimed = self._database.write(lambda tx: attachments.claim(tx, now, self._leases.until, FETCHES))
        pending = await asyncio.wrap_future(claimed)
        for tenant, kept in pending:
            result = await self._fetch(tenant, kept)
            settle = partial(_settle_attachment, tenant=tenant, kept=result, at=micros(self._clock()))
            kept_here = await asyncio.wrap_future(self._database.write(settle, tenant))
            if result.blob and not kept_here:
                drop(self._database, self._blobs, result.blob)
        return len(pending)

    async def _fetch(self, tenant: str, kept: Kept) -> Kept:
        found = self._database.read(lambda tx: _origin(tx, tenant, kept))
        if found is None:
            return replace(kept, state="expired", reason="its message is gone")
        stored, channel, entry = found
        attachment = stored.interaction.attachments[kept.position]
        try:
            live = self._channels.get(tenant, channel)
            blob: Blob = await self._wire.read(
                lambda: live.connector.fetch(attachment),
                live.connector,
                keeper=self._keepers.of(live),
                payload=entry.payload if entry else None,
                open_network=live.channel.open_network,
            )
            digest = self._blobs.put(blob.content)
        except StoreError as error:
            logger.error("%s", error)  # noqa: TRY400 - no stack, it is outside
            return self._fetch_later(kept, error)
        except (RateLimited, AuthExpired) as error:
            return self._fetch_later(kept, error)
        except (DeliveryError, ConfigError, BlobTooLarge) as error:
            state = "refused" if isinstance(error, Unsupported | BlobTooLarge | ConfigError) else "expired"
            return replace(kept, state=state, reason=str(error))
        except (Exception, SystemExit) as error:
            return replace(kept, state="refused", reason=f"{channel} failed: {type(error).__name__}")
        return replace(
            kept,
            state="stored",
            blob=digest,
            media_type=kept.media_type or blob.media_type,
            name=kept.name or blob.name,
            size=len(blob.content),
        )

    def _fetch_later(self, kept: Kept, error: RateLimited | AuthExpired | StoreError) -> Kept:
        """However often, while it waits for credentials or a disk that an operator must mend."""
        tired = kept.attempts >= FETCH_TRIES
        if tired and isinstance(error, RateLimited):
            return replace(kept, state="expired", reason=str(error))
        told = getattr(error, "retry_after", None)
        wait = timedelta(seconds=told or min(3600, 10 * 2**kept.attempts))
        due = micros(self._clock() + wait)
        return replace(kept, reason=str(error), attempts=kept.attempts + (not tired), due_at=due)


def _settle_attachment(tx: Tx, *, tenant: str, kept: Kept, at: int) -> bool:
    """False if its message has been erased meanwhile, or another process has settled it."""
    if not attachments.settle(tx, tenant, kept):
        return False
    if kept.state == "pending":
        return True
    log.publish(
        tx,
        tenant,
        "attachment.stored" if kept.state == "stored" else "attachment.refused",
        at,
        {"id": f"{kept.seq}.{kept.position}", "state": kept.state, "reason": kept.reason or ""},
    )
    return True


def _origin(tx: Tx, tenant: str, kept: Kept) -> tuple[Stored, str, journal.Entry | None] | None:
    key = interactions.key_by_seq(tx, tenant, kept.seq)
    stored = interactions.get(tx, tenant, key) if key else None
    leg = conversations.leg(tx, stored.leg) if stored else None
    if stored is None or leg is None or kept.position >= len(stored.interaction.attachments):
        return None
    entry = journal.get(tx, stored.entry) if stored.entry else None
    return stored, leg.channel, entry
