"""The doors, and what became of what came in."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from socialsupport_core import identity as people
from socialsupport_core import tracing
from socialsupport_core.contract import ConfigError, MalformedPayload, SignatureError
from socialsupport_core.conversation.continuity import reunite
from socialsupport_core.hub.base import Base, check_tenant
from socialsupport_core.identity import contacts
from socialsupport_core.model import Interaction, Payload, Reply, Unrecognised
from socialsupport_core.pipeline import contacts as importing
from socialsupport_core.pipeline.channels import BY_HAND, NoSuchDoor
from socialsupport_core.store import StoreError, Tx, journal, micros, traces


class Receiving(Base):
    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._counting = threading.Lock()
        self._refused = Counter[str]()
        """By door, what is to be counted with the next commit."""

    def receive(self, door: str, payload: Payload) -> "Future[Reply]":
        """What a door, its path or the end of it, answers, once the payload is committed. Raises NoSuchDoor (404),
        DoorClosed (503), SignatureError (401)."""
        door = door.rpartition("/")[2]  # of the path that `add_channel` gives, too
        if not tracing.active():
            return self._received(door, payload, tracing.NONE)
        span = tracing.begin("door", source=payload.source, bytes=len(payload.body))
        try:
            answer = self._received(door, payload, span)
        except BaseException as error:
            span.set(error=type(error).__name__)
            span.end()
            raise
        answer.add_done_callback(lambda done: _end(span, done.exception()))
        return answer

    def _received(self, door: str, payload: Payload, span: tracing.Span) -> "Future[Reply]":
        if crm := self.crms.at(door):
            if payload.method == "GET":
                return _done(self._handshake(door, crm.adapter, payload))
            self._verified(door, crm.adapter.verify, payload)
            return self._journalled(crm.connected.tenant, door, payload, crm.adapter, span)
        found = self.channels.door(door)
        if found.id.startswith(BY_HAND):
            raise NoSuchDoor("there is no such door")  # what comes there has passed the API and its tokens
        connector = found.connector
        span.set(network=connector.name)
        if payload.method == "GET":
            return _done(self._handshake(found.id, connector, payload))
        self._verified(found.id, connector.verify, payload)
        return self._journalled(found.tenant, found.id, payload, connector, span)

    def _journalled(
        self, tenant: str | None, door: str, payload: Payload, answers: Any, span: tracing.Span
    ) -> "Future[Reply]":
        """The acknowledgement of `answers` is made at once and leaves after the commit."""
        acknowledgement = _acknowledgement(answers, payload)
        if (context := span.context) is None:
            return self._database.gather(journal.append, (tenant, door, payload), acknowledgement)
        journalling = tracing.begin("journal", parent=span, bytes=len(payload.body))

        def keep(tx: Tx) -> Reply:
            number = journal.append_one(tx, tenant, door, payload)
            traces.put(tx, "entry", "", str(number), context)
            journalling.set(entry=number)
            return acknowledgement

        kept = self._database.write(keep)
        kept.add_done_callback(lambda done: _end(journalling, done.exception()))
        return kept

    def _handshake(self, door: str, connector: Any, payload: Payload) -> Reply:
        reply: Reply | None = self._verified(door, connector.handshake, payload)
        if reply is None:
            raise NoSuchDoor("this door answers no GET")
        return reply

    def _verified(self, door: str, check: Callable[[Payload], Any], payload: Payload) -> Any:
        """A check that fails in any other way lets nobody in either."""
        try:
            return check(payload)
        except SignatureError:
            self._count_refused(door)
            raise
        except (Exception, SystemExit) as error:
            self._count_refused(door)
            raise SignatureError(f"it could not be verified ({type(error).__name__})") from error

    def _count_refused(self, door: str) -> None:
        """A flood of forgeries waits as one write, so that it leaves room for whatever is genuine."""
        with self._counting:
            is_waiting = bool(self._refused)
            self._refused[door] += 1
        if is_waiting:
            return
        taken = Counter[str]()

        def write(tx: Tx) -> None:
            with self._counting:
                taken.update(self._refused)  # also of a first try, that could not be committed
                self._refused.clear()
            for one, count in taken.items():
                journal.count_refused(tx, one, count)

        try:
            self._database.write(write)
        except StoreError:
            with self._counting:
                self._refused.clear()
            raise

    def record_interaction(self, tenant: str, interaction: Interaction) -> int:
        """What no network tells: a call, a visit, a form. Journalled like everything else; the entry's number."""
        body = interaction.to_json().encode()
        payload = Payload(source="file", body=body, received_at=self.clock())

        def write(tx: Tx) -> int:
            check_tenant(tx, tenant)
            return journal.append_one(tx, tenant, f"{BY_HAND}{tenant}", payload)

        return self._database.do(write)

    def import_file(self, tenant: str, channel: str, content: bytes, name: str) -> None:
        """History in, through the channel's own connector."""
        live = self.channels.get(tenant, channel)
        payload = Payload(source="file", url=f"file:{name}", body=content, received_at=self.clock())
        self._database.gather(journal.append, (tenant, live.channel.door, payload), None).result()

    def unreadable(self, tenant: str, channel: str, content: bytes) -> list[str]:
        """Why parts of a file could not be read, such as rows of a table; all else in it comes in."""
        payload = Payload(source="file", body=content, received_at=self.clock())
        try:
            events = list(self.channels.get(tenant, channel).connector.parse(payload))
        except MalformedPayload:
            return []  # all of it is in quarantine
        return [one.reason or one.native_type for one in events if isinstance(one, Unrecognised)]

    def import_contacts(self, tenant: str, content: bytes, *, kind: str) -> dict[str, Any]:
        """A contact table (CSV) as evidence under `crm.NAME`: how many records were `kept`, and which were `left_out`,
        with line and reason. The same table twice changes nothing, and a corrected address takes the place of the one
        before. Raises ConfigError if it is no contact table."""
        if not re.fullmatch(r"crm\.[a-z][a-z0-9_]{0,59}", kind):
            raise ConfigError("the kind of the records is crm.NAME, in a-z, 0-9 and _, such as crm.ledger")
        now = micros(self.clock())

        def read(tx: Tx) -> people.Policy:
            check_tenant(tx, tenant)
            return people.policy_of(tx, tenant)

        policy = self._database.read(read)
        found = list(contacts.read(content, kind, policy))
        left_out = [(one.line, one.problem) for one in found if isinstance(one, contacts.Trouble)]
        records = [one for one in found if isinstance(one, contacts.Contact)]
        told = importing.told_of(records)
        for start in range(0, len(records), importing.BATCH):
            part = records[start : start + importing.BATCH]
            erased = self._database.do(
                partial(self._keep_contacts, tenant=tenant, part=part, told=told, now=now), tenant
            )
            left_out += [(one.line, "somebody in it has been erased since") for one in erased]
        shown = [{"line": line, "reason": reason} for line, reason in sorted(left_out)]
        return {"kept": len(found) - len(left_out), "left_out": shown}

    def _keep_contacts(
        self, tx: Tx, *, tenant: str, part: Sequence[contacts.Contact], told: importing.Told, now: int
    ) -> list[contacts.Contact]:
        numbers, erased = importing.keep(tx, tenant, part, told, now)
        if numbers:
            reunite(tx, tenant, numbers, self.channels.conducting.of(tx, tenant))
        return erased

    def quarantine(self, tenant: str | None = None, limit: int = 100) -> list[journal.Entry]:
        """What could not be read, and why; the newest first."""
        return self._database.read(lambda tx: journal.by_state(tx, "quarantined", limit, tenant))

    def journalled(self, entry: int) -> journal.Entry | None:
        """One entry of the journal, with its payload as it came."""
        return self._database.read(lambda tx: journal.get(tx, entry))

    def replay(self, entry: int | None = None, tenant: str | None = None) -> int:
        """Runs quarantined entries, or the one given, again; how many."""
        return self._database.do(lambda tx: journal.reopen(tx, entry, tenant))


def _end(span: tracing.Span, error: BaseException | None) -> None:
    if error is not None:
        span.set(error=type(error).__name__)
    span.end()


def _done(reply: Reply) -> "Future[Reply]":
    future: Future[Reply] = Future()
    future.set_result(reply)
    return future


def _acknowledgement(connector: Any, payload: Payload) -> Reply:
    """The network gets one, whatever the connector makes of it."""
    try:
        reply: Reply = connector.acknowledge(payload)
    except (Exception, SystemExit):
        return Reply()
    return reply
