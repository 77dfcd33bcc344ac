"""What people do in a CRM: polled or told by webhook, journalled like everything else, then acted upon, each once.

A reply with files waits until they have been fetched, and what the same agent or another says next in that case waits
behind it. What cannot be said to the customer is shown to the agents, there and here; nothing is swallowed.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    AuthExpired,
    CaseChanged,
    CaseClosed,
    CaseFields,
    CaseGone,
    CaseMerged,
    ContactChanged,
    ContactGone,
    CRMEvent,
    DeliveryError,
    MalformedPayload,
    RateLimited,
    SocialSupportError,
)
from socialsupport_core.model import Attachment, Blob, Page
from socialsupport_core.pipeline import crm_fields, crm_links
from socialsupport_core.pipeline.crm_telling import conflict
from socialsupport_core.pipeline.inbound import Translated
from socialsupport_core.pipeline.leases import LeaseLost, Leases
from socialsupport_core.store import (
    Database,
    StoreError,
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
from socialsupport_core.store.blobs import BlobTooLarge
from socialsupport_core.store.crm import Connected, Waiting

if TYPE_CHECKING:
    from socialsupport_core.pipeline.crm import CRMs, LiveCRM

Spoken = AgentReplied | AgentNoted
SPOKEN: TypeAdapter[Spoken] = TypeAdapter(Spoken)
TROUBLE = timedelta(minutes=1)
FETCHES = 8
FETCH_TRIES = 12
Effect = Callable[[Tx], bool | None]
"""What remains to be written in the journal's own transaction; False if it was about nothing of ours."""


class News:
    def __init__(self, crms_: "CRMs") -> None:
        self._crms = crms_
        self._due: dict[str, datetime] = {}
        """By door: when the CRM is polled next."""
        self._trouble: dict[str, str] = {}

    @property
    def _database(self) -> Database:
        return self._crms.database

    def forget(self) -> None:
        self._due = {}

    # polling

    async def poll(self, live: "LiveCRM", leases: Leases) -> int:
        """One page, if it is time: its payloads and the cursor in one commit; their number. Raises AuthExpired."""
        one, now = live.connected, self._crms.clock()
        if not live.can("poll") or now < self._due.get(one.door, now):
            return 0
        cursor = self._database.read(lambda tx: crms.news(tx, one))
        since = cursor if cursor is not None else live.adapter.starting(moment(one.since))
        try:
            page: Page = await self._crms.read(live, lambda: live.adapter.poll(since))
        except (AuthExpired, StoreError):
            raise
        except (Exception, SystemExit) as error:
            await self._stumbled(live, error)
            return 0
        self._trouble.pop(one.door, None)
        stamped = [payload.model_copy(update={"received_at": now}) for payload in page.payloads]

        def keep(tx: Tx) -> None:
            leases.confirm(tx, live.lease)
            journal.append(tx, [(one.tenant, one.door, payload) for payload in stamped])
            crms.polled(tx, one, page.cursor)

        if stamped or page.cursor != cursor:
            try:
                await self._crms.write(keep)
            except LeaseLost:
                return 0
        more = page.more and page.cursor != since  # a cursor that stands still goes on for ever
        self._due[one.door] = now if more else now + timedelta(seconds=live.adapter.pause)
        return len(stamped) + more

    async def _stumbled(self, live: "LiveCRM", error: BaseException) -> None:
        """Later again; the same reason is told once."""
        one = live.connected
        wait = getattr(error, "retry_after", None)
        self._due[one.door] = self._crms.clock() + (timedelta(seconds=wait) if wait else TROUBLE)
        reason = str(error) if isinstance(error, DeliveryError) else f"{live.adapter.name}: {type(error).__name__}"
        if type(error) is not RateLimited and self._trouble.get(one.door) != reason:
            self._trouble[one.door] = reason
            await self._crms.complain(one, None, f"its news could not be read: {reason}")

    # reading

    def translate(self, live: "LiveCRM", entry: journal.Entry) -> Translated:
        try:
            events = list(live.adapter.parse(entry.payload))
        except MalformedPayload as error:
            return Translated(entry, trouble=str(error))
        except (Exception, SystemExit) as error:
            return Translated(entry, trouble=f"{live.adapter.name} failed: {type(error).__name__}: {error}")
        done = [(event, *self._hear(live.connected, event)) for event in events]
        return Translated(entry, finish=partial(_heard, one=live.connected, entry=entry, done=done))

    def _hear(self, one: Connected, event: CRMEvent) -> tuple[str | None, Effect | None]:
        """Why nothing was done, None if something was; and what remains to be written."""
        if self._database.read(lambda tx: interactions.seen(tx, one.tenant, f"crm.{one.id}", event.id)):
            return "it was recorded before", None
        if isinstance(event, ContactChanged):
            return None, lambda tx: crm_links.changed(tx, one, event.contact, micros(event.at))
        if isinstance(event, ContactGone):
            return None, lambda tx: crm_links.gone(tx, one, event.contact, micros(event.at))
        if not isinstance(event, Spoken | CaseClosed | CaseChanged | CaseMerged | CaseGone):
            return f"unrecognised: {event.native_type}", None
        conversation = self._database.read(lambda tx: crms.conversation_of(tx, one, event.case))
        if conversation is None:
            return f"no conversation has the case {event.case}", None
        return self._done(one, conversation, event)

    def _done(self, one: Connected, conversation: str, event: CRMEvent) -> tuple[str | None, Effect | None]:
        if isinstance(event, CaseMerged):
            return None, lambda tx: crms.case_merged(tx, one, event.case, event.into)
        if isinstance(event, CaseGone):
            return None, lambda tx: crms.case_gone(tx, one, event.case)
        if isinstance(event, CaseClosed):
            event = CaseChanged(id=event.id, case=event.case, fields=CaseFields(status="closed"), at=event.at)
        if isinstance(event, CaseChanged):
            return self._changed(one, conversation, event)
        assert isinstance(event, Spoken)
        if self._is_ours(one, event):
            return "we have written it ourselves", None
        waits: bool = self._database.read(lambda tx: crms.any_waiting(tx, one, conversation))
        if event.attachments or waits:
            told, at = event, micros(event.at)
            return None, lambda tx: crms.wait(tx, one, told.id, conversation, told.to_json(), at)
        return self._said(one, conversation, event, ()), None

    def _is_ours(self, one: Connected, event: Spoken) -> bool:
        if (record := event.record) is None:
            return False
        ours: bool = self._database.read(lambda tx: crms.is_ours(tx, one, record))
        return ours

    # what agents say

    def _said(self, one: Connected, conversation: str, event: Spoken, files: tuple[Attachment, ...]) -> str | None:
        """Why it was not said. Then it stands in an internal note, which the CRM is told as well."""
        try:
            self._crms.act(one, conversation, event, files)
        except (SocialSupportError, ValueError, LookupError) as error:
            if isinstance(error, StoreError):
                raise
            self._refused(one, conversation, event, str(error))
            return str(error)
        return None

    def _refused(self, one: Connected, conversation: str, event: Spoken, reason: str) -> None:
        who = event.agent_name or event.agent
        quoted = "\n".join(f"> {line}" for line in event.text.splitlines())
        text = f"What {who} wrote in {one.id} was not sent to the customer: {reason}\n\n{quoted}"
        try:
            self._crms.note(one.tenant, conversation, text, f"crm.{one.id}", f"refused.{one.id}.{event.id}")
        except (SocialSupportError, ValueError, LookupError) as error:
            if isinstance(error, StoreError):
                raise
            return  # the conversation is gone

    async def fetch(self, live: "LiveCRM") -> int:
        """Brings the files in of what agents have sent, and says what waited for them, in order."""
        one, now = live.connected, micros(self._crms.clock())
        waiting = self._database.read(lambda tx: crms.waiting(tx, one, FETCHES))
        due = [each for each in waiting if each.due_at <= now]
        for each in due:
            await self._fetch_one(live, each)
        return len(due)

    async def _fetch_one(self, live: "LiveCRM", each: Waiting) -> None:
        one, event = live.connected, SPOKEN.validate_json(each.data)
        try:
            files = tuple([await self._file(live, file) for file in event.attachments])
        except (RateLimited, AuthExpired) as error:
            if each.attempts < FETCH_TRIES or isinstance(error, AuthExpired):
                seconds = getattr(error, "retry_after", None) or min(3600, 10 * 2 ** min(each.attempts, 10))
                due = micros(self._crms.clock() + timedelta(seconds=seconds))
                await self._crms.write(lambda tx: crms.wait_longer(tx, one, each.event, due))
                return
            await asyncio.to_thread(self._refused, one, each.conversation, event, f"a file could not be had: {error}")
        except StoreError:
            raise
        except (Exception, SystemExit) as error:
            reason = str(error) if isinstance(error, SocialSupportError | BlobTooLarge) else type(error).__name__
            await asyncio.to_thread(self._refused, one, each.conversation, event, f"a file could not be had: {reason}")
        else:
            await asyncio.to_thread(self._said, one, each.conversation, event, files)
        await self._crms.write(lambda tx: crms.waits_no_longer(tx, one, each.event))

    async def _file(self, live: "LiveCRM", file: Attachment) -> Attachment:
        blob: Blob = await self._crms.read(live, lambda: live.adapter.fetch(file))
        digest = self._crms.blobs.put(blob.content)
        return Attachment(
            media_type=file.media_type if file.media_type != _UNKNOWN else blob.media_type,
            name=file.name or blob.name,
            size=len(blob.content),
            blob=digest,
        )

    # what they change

    def _changed(self, one: Connected, conversation: str, event: CaseChanged) -> tuple[str | None, Effect | None]:
        at = micros(event.at)
        current, agreed, ours_at = self._database.read(lambda tx: _stand(tx, one, conversation))
        if current is None:
            return "its conversation is gone", None
        ours, effects = crm_fields.ours_of(current, one.id), list[Callable[[Tx], None]]()
        reasons: list[str] = []
        for name, value in crm_fields.theirs_of(event.fields).items():
            known = agreed.get(name)
            if known is not None and at < known[1]:
                reasons.append(f"{name} was changed again since")
                continue
            effects.append(partial(crms.agree, one=one, conversation=conversation, field=name, value=value, at=at))
            mine = ours.get(name, f"\0{current.assignee}")  # an agent of ours whom the CRM does not know
            before = known[0] if known else mine
            made = crm_fields.decide(name, before, mine, value, theirs_newer=at > ours_at, rules=one.rules)
            if made is None:
                continue
            if made.conflict:
                told = conflict(one, event.case, name, mine.lstrip("\0"), value, made)
                effects.append(partial(_publish, one=one, conversation=conversation, data=told, at=at))
            if made.side == "theirs":
                fields = CaseFields.model_validate({name: value})
                self._crms.act(one, conversation, event.model_copy(update={"fields": fields}), ())
        return "; ".join(reasons) or None, lambda tx: _all(tx, effects)


_UNKNOWN = Attachment().media_type


def _stand(
    tx: Tx, one: Connected, conversation: str
) -> tuple[conversations.Conversation | None, dict[str, tuple[str, int]], int]:
    current = conversations.current(tx, one.tenant, conversation)
    return current, crms.fields_of(tx, one, conversation), log.changed_at(tx, one.tenant, conversation)


def _all(tx: Tx, effects: list[Callable[[Tx], None]]) -> None:
    for effect in effects:
        effect(tx)


def _publish(tx: Tx, *, one: Connected, conversation: str, data: dict[str, str], at: int) -> None:
    log.publish(tx, one.tenant, "crm.conflict", at, data, conversation=conversation)


def _heard(
    tx: Tx, *, one: Connected, entry: journal.Entry, done: list[tuple[CRMEvent, str | None, Effect | None]]
) -> None:
    reasons = []
    for event, given, effect in done:
        reason = given
        _note_whom(tx, one, event, entry)
        if effect is not None and effect(tx) is False:
            reason = reason or "it is about nobody whom we know"
        if reason is None or effect is not None:
            interactions.see(tx, one.tenant, f"crm.{one.id}", event.id)
        reasons += [reason] if reason else []
    state: journal.State = "recorded" if len(reasons) < len(done) else "ignored"
    why = "; ".join(dict.fromkeys(reasons))[:2000]
    journal.settle(tx, entry.number, state, why or (None if done else "it holds no event"), len(done) - len(reasons))


def _note_whom(tx: Tx, one: Connected, event: CRMEvent, entry: journal.Entry) -> None:
    """The payload speaks of the customer whose case it is, and of whom a contact stands for."""
    nodes: set[int] = set()
    if isinstance(event, ContactChanged):
        nodes.update(crms.nodes_of(tx, one, event.contact.id))
    elif case := getattr(event, "case", None):
        conversation = crms.conversation_of(tx, one, case)
        nodes.update(leg.node for leg in (conversations.legs(tx, one.tenant, conversation) if conversation else ()))
    for node in identity.by_numbers(tx, sorted(nodes)).values():
        mark = identity.account_digest(tx, one.tenant, node.identifier)
        erasures.note_subjects(tx, one.tenant, [mark], entry.number)
