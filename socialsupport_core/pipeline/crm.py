"""The CRM is told what happens, from the log by cursor; what agents do there comes back as replies.

Everything is told in order and may be told twice: saving is idempotent by key. What a CRM knows of people is
evidence: it joins accounts only where the CRM marks an identifier as proven.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import (
    CRM,
    AgentReplied,
    AuthExpired,
    CaseClosed,
    CaseRef,
    CaseSummary,
    ConfigError,
    Contact,
    ContactChanged,
    CRMEvent,
    DeliveryError,
    MalformedPayload,
    RateLimited,
    Registry,
    Uncertain,
    Unsupported,
)
from socialsupport_core.identity.proofs import CrmRecord
from socialsupport_core.mistakes import problems
from socialsupport_core.model import Identifier, Interaction, Party
from socialsupport_core.pipeline.credentials import Keepers
from socialsupport_core.pipeline.inbound import Translated
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.store import (
    Database,
    Tx,
    conversations,
    erasures,
    identity,
    interactions,
    journal,
    log,
    micros,
    moment,
)
from socialsupport_core.store import crm as crms
from socialsupport_core.store.conversations import Conversation
from socialsupport_core.store.crm import Connected
from socialsupport_core.store.erasures import CRMErasure, CRMState
from socialsupport_core.store.identity import Node
from socialsupport_core.store.log import Record
from socialsupport_core.store.secrets import SecretStore
from socialsupport_core.wire import NetworkWire

RECORD = CrmRecord()
PAGE = 100
REST = timedelta(minutes=1)
ERASE_TRIES = 48  # with growing pauses of an hour at most: two days


@dataclass(frozen=True, slots=True)
class LiveCRM:
    connected: Connected
    adapter: CRM[Any]

    @property
    def lease(self) -> str:
        return f"crm {self.connected.tenant} {self.connected.id}"

    def is_for(self, tenant: str, crm: str) -> bool:
        return (self.connected.tenant, self.connected.id) == (tenant, crm)


Act = Callable[[Connected, str, CRMEvent], None]
"""What the hub does about an event of a CRM: the CRM, our conversation, the event."""


class CRMs:
    """The connected CRMs. `act` carries out what agents do there."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        secrets: SecretStore,
        wire: NetworkWire,
        keepers: Keepers,
        clock: Callable[[], datetime],
        act: Act,
    ) -> None:
        self._database = database
        self._registry = registry
        self._secrets = secrets
        self._wire = wire
        self._keepers = keepers
        self._clock = clock
        self._act = act
        self._live: dict[str, LiveCRM] | None = None
        self._resting: dict[str, tuple[datetime, str]] = {}
        """CRMs, by their doors, that do not take our credentials: until when they are left alone, and why."""

    def forget(self) -> None:
        """The configuration has changed."""
        self._live = None
        self._resting = {}

    def by_door(self) -> dict[str, LiveCRM]:
        if self._live is None:
            self._live = self._database.read(self._load)
        return self._live

    def _load(self, tx: Tx) -> dict[str, LiveCRM]:
        return {one.door: LiveCRM(one, self._adapter(tx, one)) for one in crms.connected(tx)}

    def _adapter(self, tx: Tx, one: Connected) -> CRM[Any]:
        return self.made(one.adapter, json.loads(self._secrets.get(tx, one.secret_ref)), where=f"crm {one.id}")

    def made(self, adapter: str, settings: dict[str, Any], *, where: str) -> CRM[Any]:
        """Raises ConfigError that names the key and the remedy."""
        cls = self._registry.crm(adapter)
        try:
            return cls(cls.settings_model.model_validate(settings))
        except ValidationError as error:
            raise ConfigError(problems(error, cls.settings_model, where)) from None

    # telling

    async def tell(self, leases: Leases) -> int:
        """Tells every CRM that is ours to tell what it does not know yet; the number of log entries that were told."""
        return sum([await self._tell(one) for one in self.by_door().values() if await leases.mine(one.lease)])

    async def _tell(self, live: LiveCRM) -> int:
        one = live.connected
        if self._is_resting(one):
            return 0
        return await self._tell_new(live) + await self._erase_due(live)

    async def _tell_new(self, live: LiveCRM) -> int:
        one = live.connected
        since = self._database.read(lambda tx: crms.cursor(tx, one))
        records = self._database.read(lambda tx: log.after(tx, one.tenant, since, PAGE))
        told = 0
        for record in records:
            try:
                await self._tell_one(live, record)
            except (RateLimited, Uncertain):
                break  # again at the next turn: saving twice makes one record
            except AuthExpired as error:
                await self._rest(one, record, error)
                break
            except DeliveryError as error:
                await self._note_failure(one, record, error)
            await self._write(partial(crms.told, one=one, cursor=record.cursor))
            told += 1
        return told

    def _is_resting(self, one: Connected) -> bool:
        return one.door in self._resting and self._clock() < self._resting[one.door][0]

    async def _rest(self, one: Connected, record: Record, error: AuthExpired) -> None:
        """Until its credentials are mended it is asked once a minute, misses nothing, and complains once."""
        before = self._resting.get(one.door)
        self._resting[one.door] = self._clock() + REST, str(error)
        if before is None or before[1] != str(error):
            await self._note_failure(one, record, error)

    async def _tell_one(self, live: LiveCRM, record: Record) -> None:
        teller = _TELLERS.get(record.type)
        if teller is None or record.conversation is None:
            return
        found = self._database.read(lambda tx: conversations.get(tx, record.tenant, str(record.conversation)))
        if found is not None:
            await teller(self, live, found, record)

    async def _tell_interaction(self, live: LiveCRM, conversation: Conversation, record: Record) -> None:
        contact = await self._contact(live, record)
        case = await self._case(live, conversation, contact)
        interaction = Interaction.model_validate(record.data["interaction"])
        key = f"{record.tenant}:{record.data['id']}"
        await self._run(live, live.adapter.save_interaction(case, interaction, key))

    async def _tell_resolved(self, live: LiveCRM, conversation: Conversation, _record: Record) -> None:
        case = self._database.read(lambda tx: crms.case_of(tx, live.connected, conversation.id))
        if case is not None:
            await self._run(live, live.adapter.close_case(CaseRef(id=case), "resolved"))

    async def _case(self, live: LiveCRM, conversation: Conversation, contact: str | None) -> CaseRef:
        one = live.connected
        known = self._database.read(lambda tx: crms.case_of(tx, one, conversation.id))
        if known is not None:
            return CaseRef(id=known)
        opening = self._database.read(lambda tx: _summary(tx, conversation, contact))
        case: CaseRef = await self._run(live, live.adapter.open_case(opening))
        await self._write(lambda tx: _keep_case(tx, one, conversation, case))
        return case

    async def _contact(self, live: LiveCRM, record: Record) -> str | None:
        """Whom the CRM takes this account for, if for exactly one. Asked once an account; all is kept as evidence."""
        one = live.connected
        node = self._database.read(lambda tx: _node(tx, record))
        if node is None:
            return None
        known = self._database.read(lambda tx: crms.contacts_of(tx, one, node.number))
        if known is None:
            party = Party(identifiers=(node.identifier,), name=node.name, handle=node.handle)
            found: tuple[Contact, ...] = await self._run(live, live.adapter.find_customers(party))
            at = micros(self._clock())
            await self._write(lambda tx: _learn(tx, one, node, found, at), one.tenant)
            known = [contact.id for contact in found]
        return known[0] if len(known) == 1 else None

    async def _erase_due(self, live: LiveCRM) -> int:
        """Asks the CRM to erase whom we have erased; after what it was told, never beside it."""
        one, now = live.connected, micros(self._clock())
        due = self._database.read(lambda tx: erasures.crm_due(tx, one.tenant, one.id, now, PAGE))
        for asked in due:
            state, reason, wait = await self._erase(live, asked)
            again = now + wait
            await self._write(partial(erasures.tell_crm, one=asked, state=state, reason=reason, now=now, due_at=again))
        return len(due)

    async def _erase(self, live: LiveCRM, asked: CRMErasure) -> tuple[CRMState, str | None, int]:
        """How it ended, why, and how long to wait before the next try."""
        try:
            await self._run(live, live.adapter.erase(asked.contact))
        except Unsupported as error:
            return "by_hand", str(error), 0
        except DeliveryError as error:
            if asked.attempts + 1 >= ERASE_TRIES:
                return "failed", f"{error}; erase it there by hand", 0
            told = getattr(error, "retry_after", None)
            seconds = told if told is not None else min(3600, 10 * 2 ** min(asked.attempts, 10))
            return "queued", str(error), int(seconds * 1_000_000)
        except (Exception, SystemExit) as error:
            return "failed", f"{live.adapter.name} failed: {type(error).__name__}; erase it there by hand", 0
        return "done", None, 0

    async def _run(self, live: LiveCRM, flow: Any) -> Any:
        keeper = self._keepers.of_crm(live.connected.secret_ref, live.adapter)
        return await self._wire.run(flow, live.adapter, keeper=keeper, open_network=True)

    async def _note_failure(self, one: Connected, record: Record, error: DeliveryError) -> None:
        data = {"crm": one.id, "event": record.cursor, "reason": str(error)}
        at = micros(self._clock())
        conversation = record.conversation
        await self._write(lambda tx: log.publish(tx, one.tenant, "crm.failed", at, data, conversation=conversation))

    async def _write(self, call: Callable[[Tx], Any], tenant: str | None = None) -> Any:
        return await asyncio.wrap_future(self._database.write(call, tenant))

    # listening

    def translate(self, live: LiveCRM, entry: journal.Entry) -> Translated:
        """Acts on one journalled payload of a CRM, which may be done twice; what cannot be read is quarantined."""
        try:
            events = list(live.adapter.parse(entry.payload))
        except MalformedPayload as error:
            return Translated(entry, trouble=str(error))
        done = [(event, self._hear(live, event)) for event in events]
        return Translated(entry, finish=partial(_heard, one=live.connected, entry=entry, done=done))

    def _hear(self, live: LiveCRM, event: CRMEvent) -> str | None:
        """Why nothing was done, None if something was."""
        one = live.connected
        if isinstance(event, ContactChanged):
            return "a contact changed"
        if not isinstance(event, AgentReplied | CaseClosed):
            return f"unrecognised: {event.native_type}"
        conversation = self._database.read(lambda tx: crms.conversation_of(tx, one, event.case))
        if conversation is None:
            return f"no conversation has the case {event.case}"
        if self._database.read(lambda tx: interactions.seen(tx, one.tenant, f"crm.{one.id}", event.id)):
            return "it was recorded before"
        try:
            self._act(one, conversation, event)
        except ValueError as error:
            return str(error)
        return None


def _heard(tx: Tx, *, one: Connected, entry: journal.Entry, done: list[tuple[CRMEvent, str | None]]) -> None:
    for event, reason in done:
        if reason is None:
            interactions.see(tx, one.tenant, f"crm.{one.id}", event.id)
        _note_whom(tx, one, event, entry)
    reasons = [reason for _, reason in done if reason]
    state: journal.State = "recorded" if len(reasons) < len(done) else "ignored"
    journal.settle(tx, entry.number, state, "; ".join(reasons) or None, len(done) - len(reasons))


def _note_whom(tx: Tx, one: Connected, event: CRMEvent, entry: journal.Entry) -> None:
    """The payload speaks of the customer whose case it is."""
    conversation = crms.conversation_of(tx, one, event.case) if isinstance(event, AgentReplied | CaseClosed) else None
    for leg in conversations.legs(tx, one.tenant, conversation) if conversation else []:
        node = identity.by_numbers(tx, [leg.node])[leg.node]
        mark = identity.account_digest(tx, one.tenant, node.identifier)
        erasures.note_subjects(tx, one.tenant, [mark], entry.number)


def _keep_case(tx: Tx, one: Connected, conversation: Conversation, case: CaseRef) -> None:
    if conversations.get(tx, one.tenant, conversation.id) is not None:  # else erased while the CRM opened it
        crms.keep_case(tx, one, conversation.id, case.id)


_TELLERS: dict[str, Callable[..., Any]] = {
    "interaction.received": CRMs._tell_interaction,
    "interaction.edited": CRMs._tell_interaction,
    "conversation.resolved": CRMs._tell_resolved,
}


def _summary(tx: Tx, conversation: Conversation, contact: str | None) -> CaseSummary:
    node = identity.by_numbers(tx, [conversation.node])[conversation.node]
    customer = identity.by_numbers(tx, [node.customer])[node.customer]
    first = next(iter(conversations.legs(tx, conversation.tenant, conversation.id)), None)
    where = f" on {first.network}" if first else ""
    return CaseSummary(
        conversation=conversation.id,
        customer=customer.id,
        contact=contact,
        subject=conversation.subject or f"{node.name or node.identifier.value}{where}",
        opened_at=moment(conversation.opened_at),
    )


def _node(tx: Tx, record: Record) -> Node | None:
    key = interactions.key_by_seq(tx, record.tenant, int(record.data["id"]))
    return identity.by_numbers(tx, [key.node])[key.node] if key else None


def _learn(tx: Tx, one: Connected, node: Node, found: tuple[Contact, ...], at: int) -> None:
    """The contacts as evidence about the account, and their fields for whoever reads."""
    if node.number not in identity.by_numbers(tx, [node.number]):
        return  # erased while the CRM was asked
    crms.asked(tx, one, node.number)
    for contact in found:
        record = Identifier(kind=f"crm.{one.id}", value=contact.id)
        source = f"crm.{one.id}:{contact.id}"
        RECORD.judge(node.identifier, record, contact.verified, source=source, at=at).establish(tx, one.tenant)
        data = {"name": contact.name, "fields": contact.fields}
        crms.keep_contact(tx, one, node.number, contact.id, json.dumps(data))
