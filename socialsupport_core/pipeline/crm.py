"""The CRM is told what happens, from the log by cursor; what agents do there comes back as replies.

Everything is told in order and may be told twice: saving is idempotent by key. What a CRM knows of people is
evidence: it joins accounts only where the CRM marks an identifier as proven.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import (
    CRM,
    AuthExpired,
    CaseRef,
    ConfigError,
    Conflict,
    CRMEvent,
    DeliveryError,
    RateLimited,
    Ref,
    Registry,
    SocialSupportError,
    Uncertain,
    Unsupported,
)
from socialsupport_core.mistakes import problems
from socialsupport_core.model import Attachment, Facts
from socialsupport_core.pipeline.channels import DoorClosed
from socialsupport_core.pipeline.credentials import Keepers
from socialsupport_core.pipeline.crm_news import News
from socialsupport_core.pipeline.crm_telling import Telling
from socialsupport_core.pipeline.erasing import OTHERS
from socialsupport_core.pipeline.inbound import Translated
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.store import Database, StoreError, Tx, erasures, journal, log, micros
from socialsupport_core.store import crm as crms
from socialsupport_core.store.blobs import BlobStore
from socialsupport_core.store.crm import Connected
from socialsupport_core.store.erasures import CRMErasure, CRMState
from socialsupport_core.store.log import Record
from socialsupport_core.store.secrets import SecretStore
from socialsupport_core.wire import NetworkWire

PAGE = 100
REST = timedelta(minutes=1)
TRIES = 12
"""Of one thing, with growing pauses of ten minutes at most."""
NOTICED = 5
"""So many in vain, half a minute, and people are told that it is away."""
ERASE_TRIES = 48  # with growing pauses of an hour at most: two days


@dataclass(frozen=True, slots=True)
class LiveCRM:
    connected: Connected
    adapter: CRM[Any]

    @property
    def lease(self) -> str:
        return f"crm {self.connected.tenant} {self.connected.id}"

    def can(self, verb: str) -> bool:
        """Whether the adapter has written it."""
        return getattr(type(self.adapter), verb) is not getattr(CRM, verb)


Act = Callable[[Connected, str, CRMEvent, tuple[Attachment, ...]], None]
"""What the hub does about an event of a CRM: the CRM, our conversation, the event, its files in the blob store."""
Note = Callable[[str, str, str, str, str], None]
"""Writes an internal note: tenant, conversation, text, agent, key."""


class CRMs:
    """The connected CRMs. `act` carries out what agents do there."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        secrets: SecretStore,
        wire: NetworkWire,
        keepers: Keepers,
        blobs: BlobStore,
        clock: Callable[[], datetime],
        act: Act,
        note: Note,
    ) -> None:
        self.database = database
        self.blobs = blobs
        self.clock = clock
        self.act = act
        self.note = note
        self._registry = registry
        self._secrets = secrets
        self._wire = wire
        self._keepers = keepers
        self._live: dict[str, LiveCRM] | None = None
        self.broken: dict[str, tuple[Connected, str]] = {}
        """CRMs, by their doors, that cannot run, and why."""
        self._resting: dict[str, tuple[datetime, str]] = {}
        """CRMs, by their doors, that are left alone: until when, and why."""
        self._tries: dict[str, tuple[int, int]] = {}
        """By door: the log entry that could not be told, and how often it was tried."""
        self._telling = Telling(self)
        self._news = News(self)

    def forget(self) -> None:
        """The configuration has changed."""
        self._live = None
        self._resting = {}
        self._news.forget()

    def by_door(self) -> dict[str, LiveCRM]:
        if self._live is None:
            self.broken, self._live = self.database.read(self._load)
        return self._live

    def at(self, door: str) -> LiveCRM | None:
        """Raises DoorClosed."""
        if found := self.by_door().get(door):
            return found
        if door in self.broken:
            raise DoorClosed("this CRM cannot run at the moment; /health says why")
        return None

    def closed(self) -> Set[str]:
        """Doors at which nothing can be read at the moment."""
        self.by_door()
        return self.broken.keys()

    def connected(self, tenant: str, crm: str) -> Connected | None:
        """Whether or not it can run."""
        found = [*(one.connected for one in self.by_door().values()), *(one for one, _ in self.broken.values())]
        return next((one for one in found if (one.tenant, one.id) == (tenant, crm)), None)

    def get(self, tenant: str, crm: str) -> LiveCRM:
        """Raises ConfigError."""
        known = self.connected(tenant, crm)
        if known is None:
            raise ConfigError(f"{tenant} has no CRM {crm!r}; add it first")
        if live := self.by_door().get(known.door):
            return live
        raise ConfigError(self.broken[known.door][1])

    def _load(self, tx: Tx) -> tuple[dict[str, tuple[Connected, str]], dict[str, LiveCRM]]:
        live, broken = dict[str, LiveCRM](), dict[str, tuple[Connected, str]]()
        for one in crms.connected(tx):
            try:
                live[one.door] = LiveCRM(one, self._adapter(tx, one))
            except tx.outside:
                raise
            except SocialSupportError as error:
                broken[one.door] = one, str(error)
            except (Exception, SystemExit) as error:
                broken[one.door] = one, f"{one.adapter} failed: {type(error).__name__}"
        return broken, live

    def _adapter(self, tx: Tx, one: Connected) -> CRM[Any]:
        settings = json.loads(self._secrets.get(tx, one.secret_ref))
        return self.made(one.adapter, settings, where=f"crm {one.id}", facts=one.facts)

    def made(self, adapter: str, settings: dict[str, Any], *, where: str, facts: Facts | None = None) -> CRM[Any]:
        """Raises ConfigError that names the key and the remedy."""
        cls = self._registry.crm(adapter)
        try:
            return cls(cls.settings_model.model_validate(settings), facts)
        except ValidationError as error:
            raise ConfigError(problems(error, cls.settings_model, where)) from None

    # who they are

    async def test(self, live: LiveCRM) -> Facts:
        """The connection test: who are we there? What it learns is kept. Raises DeliveryError."""
        facts: Facts = await self.read(live, live.adapter.probe)
        await self.write(lambda tx: crms.learnt(tx, live.connected, facts))
        self.forget()
        return facts

    async def _introduced(self, live: LiveCRM) -> LiveCRM | None:
        """With what the connection test learns, which an adapter may need to know its own writing by."""
        if live.connected.facts is not None or not live.can("probe"):
            return live
        try:
            await self.test(live)
        except (DeliveryError, ConfigError) as error:
            await self._rest(live.connected, None, str(error))
            return None
        return self.get(live.connected.tenant, live.connected.id)

    # the turn

    async def tell(self, leases: Leases) -> int:
        """Tells every CRM that is ours to tell what it does not know yet, and asks it for news; how much was done."""
        done = 0
        for one in list(self.by_door().values()):
            try:
                done += await self._turn(one, leases)
            except StoreError:
                raise
            except (Exception, SystemExit) as error:  # its own affair: the others are told
                await self._rest(one.connected, None, _why(one, error))
        return done

    async def _turn(self, live: LiveCRM, leases: Leases) -> int:
        if self._is_resting(live.connected) or not await leases.mine(live.lease):
            return 0
        known = await self._introduced(live)
        if known is None:
            return 0
        done = await self._tell_new(known) + await self._erase_due(known) + await self._news.fetch(known)
        return done + await self._poll(known, leases)

    async def _tell_new(self, live: LiveCRM) -> int:
        one = live.connected
        since = self.database.read(lambda tx: crms.cursor(tx, one))
        records = self.database.read(lambda tx: log.after(tx, one.tenant, since, PAGE))
        told = 0
        for record in records:
            if not await self._told(live, record):
                break
            await self.write(partial(crms.told, one=one, cursor=record.cursor))
            told += 1
        return told

    async def _told(self, live: LiveCRM, record: Record) -> bool:
        """False if it is to be told again; saving twice makes one record."""
        one = live.connected
        try:
            await self._telling.tell(live, record)
        except (RateLimited, Uncertain, Conflict) as error:
            return await self._given_up(live, record, error)
        except AuthExpired as error:
            await self._rest(one, record, str(error))
            return False
        except StoreError:
            raise
        except (Exception, SystemExit) as error:
            await self.complain(one, record, _why(live, error))
        return True

    async def _given_up(self, live: LiveCRM, record: Record, error: DeliveryError) -> bool:
        """A CRM that is away is waited for; what it chokes on holds up the rest for an hour or two."""
        one, (cursor, count) = live.connected, self._tries.get(live.connected.door, (0, 0))
        count = count + 1 if cursor == record.cursor else 1
        self._tries[one.door] = record.cursor, count
        if count >= TRIES and not isinstance(error, RateLimited):
            await self.complain(one, record, f"given up after {count} tries: {error}")
            return True
        if count == NOTICED and isinstance(error, RateLimited):
            await self.complain(one, record, f"{error}; it is asked until it answers")
        wait = getattr(error, "retry_after", None) or (0 if count == 1 else min(600, 2**count))
        if wait:
            self._resting[one.door] = self.clock() + timedelta(seconds=wait), ""
        return False

    async def _poll(self, live: LiveCRM, leases: Leases) -> int:
        try:
            return await self._news.poll(live, leases)
        except AuthExpired as error:
            await self._rest(live.connected, None, str(error))
        return 0

    def _is_resting(self, one: Connected) -> bool:
        return one.door in self._resting and self.clock() < self._resting[one.door][0]

    async def _rest(self, one: Connected, record: Record | None, reason: str) -> None:
        """Until what is wrong is mended it is asked once a minute, misses nothing, and complains once."""
        before = self._resting.get(one.door)
        self._resting[one.door] = self.clock() + REST, reason
        if before is None or before[1] != reason:
            await self.complain(one, record, reason)

    # erasing

    async def _erase_due(self, live: LiveCRM) -> int:
        """Asks the CRM to erase whom we have erased; after what it was told, never beside it."""
        one, now = live.connected, micros(self.clock())
        due = self.database.read(lambda tx: erasures.crm_due(tx, one.tenant, one.id, now, PAGE))
        for asked in due:
            state, reason, wait = await self._erase(live, asked)
            again = now + wait
            await self.write(partial(erasures.tell_crm, one=asked, state=state, reason=reason, now=now, due_at=again))
        return len(due)

    async def _erase(self, live: LiveCRM, asked: CRMErasure) -> tuple[CRMState, str | None, int]:
        """How it ended, why, and how long to wait before the next try."""
        by_hand = OTHERS if asked.what == "entries" else "erase it there by hand"
        try:
            if asked.what == "entries":
                await self._remove_entries(live, asked)
            else:
                verb = live.adapter.erase_case if asked.what == "case" else live.adapter.erase
                await self.run(live, verb(asked.contact))
        except Unsupported as error:
            return "by_hand", OTHERS if asked.what == "entries" else str(error), 0
        except DeliveryError as error:
            if asked.attempts + 1 >= ERASE_TRIES:
                return "failed", f"{error}; {by_hand}", 0
            told = getattr(error, "retry_after", None)
            seconds = told if told is not None else min(3600, 10 * 2 ** min(asked.attempts, 10))
            return "queued", str(error), int(seconds * 1_000_000)
        except (Exception, SystemExit) as error:
            return "failed", f"{live.adapter.name} failed: {type(error).__name__}; {by_hand}", 0
        return "done", None, 0

    async def _remove_entries(self, live: LiveCRM, asked: CRMErasure) -> None:
        """What one person said in a case, one record after the other. Raises Unsupported for files, too."""
        one, case = live.connected, CaseRef(id=asked.contact)
        for seq, part, record in self.database.read(lambda tx: crms.records_of_erased(tx, one, asked.erasure, case.id)):
            if part:
                raise Unsupported("files")
            key = f"{one.tenant}:{seq}:erased"
            await self.run(live, live.adapter.remove_interaction(case, Ref(id=record), key))
            await self.write(partial(crms.forget_record, one=one, seq=seq, part=part))

    # listening

    def translate(self, live: LiveCRM, entry: journal.Entry) -> Translated:
        """Acts on one journalled payload of a CRM, which may be done twice; what cannot be read is quarantined."""
        return self._news.translate(live, entry)

    async def take(self, one: Connected, conversation: str, event: CRMEvent) -> None:
        """What was changed there is changed here."""
        await asyncio.to_thread(self.act, one, conversation, event, ())

    # what its parts share

    async def run(self, live: LiveCRM, flow: Any) -> Any:
        keeper = self._keepers.of_crm(live.connected.secret_ref, live.adapter)
        return await self._wire.run(flow, live.adapter, keeper=keeper, open_network=True)

    async def read(self, live: LiveCRM, flow: Callable[[], Any]) -> Any:
        """What changes nothing, and is tried again while the CRM is busy."""
        keeper = self._keepers.of_crm(live.connected.secret_ref, live.adapter)
        return await self._wire.read(flow, live.adapter, keeper=keeper, open_network=True)

    async def complain(self, one: Connected, record: Record | None, reason: str) -> None:
        about = {"event": record.cursor} if record else {}
        data = {"crm": one.id, **about, "reason": reason}
        conversation, at = record.conversation if record else None, micros(self.clock())
        await self.write(lambda tx: log.publish(tx, one.tenant, "crm.failed", at, data, conversation=conversation))

    def write(self, call: Callable[[Tx], Any], tenant: str | None = None) -> Awaitable[Any]:
        return asyncio.wrap_future(self.database.write(call, tenant))


def _why(live: LiveCRM, error: BaseException) -> str:
    if isinstance(error, DeliveryError | ConfigError):
        return str(error)
    return f"{live.adapter.name} failed: {type(error).__name__}"
