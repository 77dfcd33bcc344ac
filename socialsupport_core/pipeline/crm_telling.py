"""What a CRM is told: cases, interactions, edits and removals, files, and who works on it, in the order of the log."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from socialsupport_core.contract import (
    CaseChanged,
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    Conflict,
    Contact,
    Ref,
    Unreachable,
    Unsupported,
)
from socialsupport_core.model import Blob, Interaction, Party, Thread
from socialsupport_core.pipeline import crm_fields, crm_links
from socialsupport_core.store import Tx, attachments, conversations, identity, interactions, log, micros, moment
from socialsupport_core.store import crm as crms
from socialsupport_core.store.conversations import Conversation
from socialsupport_core.store.crm import Case, Connected
from socialsupport_core.store.identity import Node
from socialsupport_core.store.log import Record

if TYPE_CHECKING:
    from socialsupport_core.pipeline.crm import CRMs, LiveCRM

CONFLICT_TRIES = 3  # somebody there may be typing
Saving = Callable[[CaseRef], Awaitable[None]]


class Telling:
    def __init__(self, crms_: "CRMs") -> None:
        self._crms = crms_
        self._database = crms_.database

    async def tell(self, live: "LiveCRM", record: Record) -> None:
        """Raises DeliveryError."""
        teller = _TELLERS.get(record.type)
        if teller is None:
            return
        found = self._database.read(lambda tx: _conversation(tx, record))
        if found is not None:
            await teller(self, live, found, record)

    # interactions

    async def _interaction(self, live: "LiveCRM", conversation: Conversation, record: Record) -> None:
        interaction = Interaction.model_validate(record.data["interaction"])
        if _is_from(live.connected, interaction, record.data.get("agent")):
            return  # it was written there
        await self._contact(live, record, _author(record))  # of every account, whether its case is there or not
        seq, key = int(record.data["id"]), _key(record)

        async def save(case: CaseRef) -> None:
            known = self._known(live, seq) if record.type == "interaction.edited" else None
            adapter = live.adapter
            flow = (
                adapter.edit_interaction(case, known, interaction, key)
                if known
                else adapter.save_interaction(case, interaction, key)
            )
            saved: Ref = await self._crms.run(live, flow)
            await self._keep(live, conversation, seq, "", case, saved)
            await self._files(live, conversation, seq, interaction, case)

        await self._in_case(live, conversation, record, save)

    async def _files(
        self, live: "LiveCRM", conversation: Conversation, seq: int, interaction: Interaction, case: CaseRef
    ) -> None:
        """Ours are there from the start; those of customers are told when they have been fetched."""
        for position, file in enumerate(interaction.attachments):
            if file.blob:
                await self._attach(live, conversation, (seq, position), case, file.blob, file.media_type, file.name)

    async def _attach(
        self,
        live: "LiveCRM",
        conversation: Conversation,
        place: tuple[int, int],
        case: CaseRef,
        digest: str,
        media_type: str,
        name: str | None,
    ) -> None:
        seq, position = place
        known = self._database.read(lambda tx: crms.record_of(tx, live.connected, seq, str(position)))
        if known or not live.can("attach"):
            return
        try:
            content = self._crms.blobs.get(digest)
        except (OSError, LookupError):
            return  # it has had its time
        blob = Blob(content=content, media_type=media_type, name=name)
        key = f"{conversation.tenant}:{seq}.{position}"
        saved: Ref = await self._crms.run(live, live.adapter.attach(case, blob, key))
        await self._keep(live, conversation, seq, str(position), case, saved)

    async def _file(self, live: "LiveCRM", conversation: Conversation, record: Record) -> None:
        """A customer's file has been fetched."""
        seq, position = map(int, str(record.data["id"]).split("."))
        found = self._database.read(lambda tx: attachments.one(tx, record.tenant, seq, position))
        if found is None or found.blob is None:
            return
        digest, media_type, name = found.blob, found.media_type or "application/octet-stream", found.name

        async def save(case: CaseRef) -> None:
            await self._attach(live, conversation, (seq, position), case, digest, media_type, name)

        await self._in_case(live, conversation, record, save)

    async def _removal(self, live: "LiveCRM", conversation: Conversation, record: Record) -> None:
        """Where the CRM removes nothing, its agents read that the author did."""
        seq = int(record.data["id"])
        known = self._database.read(lambda tx: crms.record_of(tx, live.connected, seq))
        if known is None:
            return
        case = CaseRef(id=known[0])
        try:
            await self._crms.run(live, live.adapter.remove_interaction(case, Ref(id=known[1]), _key(record)))
        except Unsupported:
            text = "A message above was deleted by its author on the network. It is still kept here."
            await self._note(live, conversation, record, text, f"{_key(record)}:deleted")

    async def _delivery(self, live: "LiveCRM", conversation: Conversation, record: Record) -> None:
        """Whoever answered there, and whoever reads it next, learns that the customer did not get it."""
        state = "uncertain" if record.type == "intent.uncertain" else record.data.get("state")
        if record.data.get("intent", "open.private") != "open.private":
            return  # what was said before stands as it stood
        if state not in _NOT_ARRIVED or self._case_of(live, conversation) is None:
            return
        reason = record.data.get("reason")
        text = _NOT_ARRIVED[state] + (f" ({reason})" if reason else "")
        await self._note(live, conversation, record, text, f"{_key(record)}:{state}")

    async def _note(self, live: "LiveCRM", conversation: Conversation, record: Record, text: str, key: str) -> None:
        interaction = Interaction(
            network="internal",
            native_id=key,
            kind="note",
            direction="internal",
            own_account=conversation.tenant,
            thread=Thread(id=conversation.id, visibility="private"),
            author=Party(name="socialsupport", is_self=True, is_bot=True),
            text=text,
            sent_at=datetime.fromisoformat(record.at),
        )

        async def save(case: CaseRef) -> None:
            await self._crms.run(live, live.adapter.save_interaction(case, interaction, key))

        await self._in_case(live, conversation, record, save)

    # cases

    async def _in_case(self, live: "LiveCRM", conversation: Conversation, record: Record, save: Saving) -> None:
        """A case that takes nothing more, since it was deleted or closed for good, is followed by another, once."""
        one = live.connected
        case = await self._case(live, conversation, record)
        try:
            await save(case)
        except Unreachable:
            if not self._database.read(lambda tx: crms.any_record(tx, one, conversation.id, case.id)):
                raise  # it has never taken anything: another would not either
            await self._crms.write(lambda tx: crms.case_gone(tx, one, case.id))
            await save(await self._case(live, conversation, record))

    async def _case(self, live: "LiveCRM", conversation: Conversation, record: Record) -> CaseRef:
        one, known = live.connected, self._case_of(live, conversation)
        if known is not None and not known.gone:
            return CaseRef(id=known.id, url=known.url)
        author = _author(record)
        contact = await self._contact(live, record, author)
        follows = known.id if known else None
        opening = self._database.read(lambda tx: _summary(tx, conversation, contact, author, follows))
        case: CaseRef = await self._crms.run(live, live.adapter.open_case(opening))
        await self._crms.write(lambda tx: _keep_case(tx, one, conversation, case))
        return case

    def _case_of(self, live: "LiveCRM", conversation: Conversation) -> Case | None:
        return self._database.read(lambda tx: crms.case_of(tx, live.connected, conversation.id))

    async def _contact(self, live: "LiveCRM", record: Record, author: Party | None) -> str | None:
        """Whom the CRM takes this account for, if for exactly one. Asked once an account; all is kept as evidence."""
        one = live.connected
        node = self._database.read(lambda tx: _node(tx, record))
        if node is None:
            return None
        known = self._database.read(lambda tx: crms.contacts_of(tx, one, node.number))
        if known is None:
            also = author.identifiers if author else ()
            identifiers = dict.fromkeys((node.identifier, *also))
            party = Party(identifiers=tuple(identifiers), name=node.name, handle=node.handle)
            found: tuple[Contact, ...] = await self._crms.read(live, lambda: live.adapter.find_customers(party))
            at = micros(self._crms.clock())
            await self._crms.write(lambda tx: crm_links.learn(tx, one, node, found, at), one.tenant)
            known = [contact.id for contact in found]
        return known[0] if len(known) == 1 else None

    def _known(self, live: "LiveCRM", seq: int) -> Ref | None:
        found = self._database.read(lambda tx: crms.record_of(tx, live.connected, seq))
        return Ref(id=found[1]) if found else None

    async def _keep(
        self, live: "LiveCRM", conversation: Conversation, seq: int, part: str, case: CaseRef, saved: Ref
    ) -> None:
        def keep(tx: Tx) -> None:
            if conversations.get(tx, conversation.tenant, conversation.id) is not None:  # else erased meanwhile
                crms.keep_record(tx, live.connected, seq, part, conversation.id, case.id, saved.id)

        await self._crms.write(keep)

    # conversations that become one, or two again

    async def _rearranged(self, live: "LiveCRM", conversation: Conversation, record: Record) -> None:
        """Each case leads to the other, and one that has nothing left is closed until it is its own again."""
        origin = self._database.read(lambda tx: conversations.get(tx, record.tenant, str(record.data["from"])))
        if origin is None:
            return
        left, kept = self._case_of(live, origin), self._case_of(live, conversation)
        if left is None or kept is None or left.gone or kept.gone or left.id == kept.id:
            return
        back = record.type == "conversation.restored"
        key = f"{record.tenant}:{record.data['move']}:{'back' if back else 'on'}"
        away, here = (_APART, _APART) if back else (_GOES_ON, _COMES_FROM)
        await self._note(live, origin, record, away.format(_named(kept)), f"{key}:from")
        await self._note(live, conversation, record, here.format(_named(left)), f"{key}:to")
        if origin.superseded_by:
            await self._change(live, CaseRef(id=left.id, url=left.url), "status", "closed")
            await self._agree(live, origin, "status", "closed", await self._state(live, left))
        await self._fields(live, conversation, record)

    # fields

    async def _fields(self, live: "LiveCRM", conversation: Conversation, record: Record) -> None:
        """Whoever has changed a field prevails; if both have, the rule decides and the conflict is shown."""
        case = self._case_of(live, conversation)
        if case is None or case.gone or record.data.get("agent") == f"crm.{live.connected.id}":
            return
        for attempt in range(CONFLICT_TRIES):
            try:
                await self._reconcile(live, conversation, case)
                break
            except Conflict:
                if attempt == CONFLICT_TRIES - 1:
                    raise

    async def _reconcile(self, live: "LiveCRM", conversation: Conversation, case: Case) -> None:
        one = live.connected
        state = await self._state(live, case)
        current, agreed, changed = self._database.read(lambda tx: _both(tx, one, conversation))
        if current is None:
            return
        ours, theirs = crm_fields.ours_of(current, one.id), crm_fields.theirs_of(state)
        for name, value in ours.items():
            known = agreed[name][0] if name in agreed else _FRESH[name]
            there = theirs.get(name, known)
            newer = state.at is not None and micros(state.at) > changed
            made = crm_fields.decide(name, known, value, there, theirs_newer=newer, rules=one.rules)
            if made is None:
                await self._agree(live, conversation, name, value, state)
                continue
            if made.conflict:
                await self._show(live, conversation, case, name, value, there, made)
            if made.side == "ours":
                await self._change(live, CaseRef(id=case.id, url=case.url, version=state.version), name, value)
                state = await self._state(live, case)
            else:
                await self._take(live, conversation, case, name, there, state)
            await self._agree(live, conversation, name, made.value, state)

    async def _state(self, live: "LiveCRM", case: Case) -> CaseState:
        if not live.can("read_case"):
            return CaseState()
        state: CaseState = await self._crms.read(live, lambda: live.adapter.read_case(CaseRef(id=case.id)))
        return state

    async def _change(self, live: "LiveCRM", case: CaseRef, name: str, value: str) -> None:
        adapter = live.adapter
        try:
            if name == "assignee":
                flow: Any = adapter.change_case(case, CaseFields(assignee=value))
            else:
                flow = adapter.close_case(case, "resolved") if value == "closed" else adapter.reopen_case(case)
            await self._crms.run(live, flow)
        except Unsupported:
            return  # there is no such field there
        except Unreachable:
            if value == "closed":
                raise
            await self._crms.write(lambda tx: crms.case_gone(tx, live.connected, case.id))  # closed for good

    async def _take(
        self, live: "LiveCRM", conversation: Conversation, case: Case, name: str, value: str, state: CaseState
    ) -> None:
        at = state.at or self._crms.clock()
        fields = CaseFields.model_validate({name: value})
        event = CaseChanged(id=f"read.{case.id}", case=case.id, fields=fields, at=at)
        await self._crms.take(live.connected, conversation.id, event)

    async def _agree(
        self, live: "LiveCRM", conversation: Conversation, name: str, value: str, state: CaseState
    ) -> None:
        """Since when by the CRM's own clock, where it tells: its news are compared with that, and clocks differ."""
        at = micros(state.at or self._crms.clock())
        await self._crms.write(lambda tx: crms.agree(tx, live.connected, conversation.id, name, value, at))

    async def _show(
        self,
        live: "LiveCRM",
        conversation: Conversation,
        case: Case,
        name: str,
        ours: str,
        theirs: str,
        made: crm_fields.Decision,
    ) -> None:
        one, at = live.connected, micros(self._crms.clock())
        data = conflict(one, case.id, name, ours, theirs, made)
        await self._crms.write(
            lambda tx: log.publish(tx, one.tenant, "crm.conflict", at, data, conversation=conversation.id)
        )


def conflict(one: Connected, case: str, name: str, ours: str, theirs: str, made: crm_fields.Decision) -> dict[str, str]:
    """As the log shows it."""
    return {
        "crm": one.id,
        "case": case,
        "field": name,
        "ours": ours,
        "theirs": theirs,
        "kept": made.side,
        "rule": made.rule,
    }


_TELLERS: Mapping[str, Callable[..., Awaitable[None]]] = {
    "interaction.received": Telling._interaction,
    "interaction.edited": Telling._interaction,
    "interaction.deleted": Telling._removal,
    "attachment.stored": Telling._file,
    "delivery.updated": Telling._delivery,
    "intent.uncertain": Telling._delivery,
    "conversation.merged": Telling._rearranged,
    "conversation.moved": Telling._rearranged,
    "conversation.restored": Telling._rearranged,
    "conversation.resolved": Telling._fields,
    "conversation.reopened": Telling._fields,
    "conversation.assigned": Telling._fields,
}
_NOT_ARRIVED = {
    "failed": "The message above did not reach the customer.",
    "uncertain": "The message above may not have reached the customer; please check on the network.",
}
_GOES_ON = "This goes on in case {}: it turned out to be the same conversation."
_COMES_FROM = "What was said in case {} belongs to this conversation."
_APART = "This and case {} are two conversations again."
_FRESH = {"status": "open", "assignee": ""}
"""What a case is that was just opened."""


def _key(record: Record) -> str:
    return f"{record.tenant}:{record.data.get('id') or record.data['key']}"


def _named(case: Case) -> str:
    return f"{case.id} ({case.url})" if case.url else case.id


def _is_from(one: Connected, interaction: Interaction, agent: str | None) -> bool:
    """Whether an agent wrote it in this very CRM: it is there."""
    mine = f"crm.{one.id}."
    return bool(agent and agent.startswith(mine) and (interaction.client_key or "").startswith(mine))


def _author(record: Record) -> Party | None:
    """The customer, as the network tells of them."""
    told = record.data.get("interaction")
    return Interaction.model_validate(told).counterpart if told else None


def _conversation(tx: Tx, record: Record) -> Conversation | None:
    name = record.conversation
    if name is None and record.type == "attachment.stored":
        seq = int(str(record.data["id"]).split(".")[0])
        key = interactions.key_by_seq(tx, record.tenant, seq)
        stored = interactions.get(tx, record.tenant, key) if key else None
        leg = conversations.leg(tx, stored.leg) if stored else None
        name = leg.conversation if leg else None
    return conversations.get(tx, record.tenant, name) if name else None


def _both(
    tx: Tx, one: Connected, conversation: Conversation
) -> tuple[Conversation | None, dict[str, tuple[str, int]], int]:
    """How it stands here now, on what was agreed, and when we changed it last."""
    current = conversations.current(tx, one.tenant, conversation.id)
    return current, crms.fields_of(tx, one, conversation.id), log.changed_at(tx, one.tenant, conversation.id)


def _keep_case(tx: Tx, one: Connected, conversation: Conversation, case: CaseRef) -> None:
    if conversations.get(tx, one.tenant, conversation.id) is None:
        return  # erased while the CRM opened it
    crms.keep_case(tx, one, conversation.id, case.id, case.url)
    crms.agree(tx, one, conversation.id, "status", "open", 0)


def _summary(
    tx: Tx, conversation: Conversation, contact: str | None, author: Party | None, follows: str | None
) -> CaseSummary:
    node = identity.by_numbers(tx, [conversation.node])[conversation.node]
    customer = identity.by_numbers(tx, [node.customer])[node.customer]
    first = next(iter(conversations.legs(tx, conversation.tenant, conversation.id)), None)
    where = f" on {first.network}" if first else ""
    known = Party(identifiers=(node.identifier,), name=node.name, handle=node.handle)
    return CaseSummary(
        conversation=conversation.id,
        customer=customer.id,
        contact=contact,
        party=author if author and author.identifiers else known,
        subject=conversation.subject or f"{node.name or node.identifier.value}{where}",
        opened_at=moment(conversation.opened_at),
        follows=follows,
    )


def _node(tx: Tx, record: Record) -> Node | None:
    if "interaction" not in record.data:
        return None
    key = interactions.key_by_seq(tx, record.tenant, int(record.data["id"]))
    return identity.by_numbers(tx, [key.node])[key.node] if key else None
