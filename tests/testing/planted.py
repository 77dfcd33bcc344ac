"""Bugs as other systems have had them, planted into the real code. Each function is called in the bench's worker.

A name that the code no longer has fails here, loudly: then the bug must be planted anew.
"""

import hmac
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from socialsupport_core.contract import SignatureError, Unavailable
from socialsupport_core.hub.base import Base
from socialsupport_core.hub.receiving import Receiving
from socialsupport_core.identity.proofs import base
from socialsupport_core.pipeline import inbound, outbound, record, reports, workers
from socialsupport_core.store import Tx, accounts, identity, interactions, journal, outbox


def swap(where: Any, name: str, bug: Callable[[Any], Any]) -> None:
    """Puts `bug(original)` in the original's place."""
    setattr(where, name, bug(getattr(where, name)))


def no_constraint(tx: Tx, tenant: str, channel: str, thread: str, native_id: str, node: int, at: int) -> int:
    """A number for an interaction whose table does not say that it is the only one."""
    made = tx.one("SELECT coalesce(max(seq), 0) + 1 AS seq FROM interaction_keys")
    assert made is not None
    seq = int(made["seq"])
    tx.run(
        "INSERT INTO interaction_keys (seq, tenant, channel, thread, native_id, node, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        seq,
        tenant,
        channel,
        thread,
        f"{native_id}\0{seq}",  # unlike every other: as if nothing were unique
        node,
        at,
    )
    return seq


def looked_up_before_it_was_inserted() -> None:
    """Whether an event is known is looked up when a batch begins, and inserted later."""
    looked: dict[str, Any] = {"tx": None, "known": set()}

    def see(tx: Tx, tenant: str, channel: str, event: str) -> bool:
        if looked["tx"] is not tx:
            rows = tx.all("SELECT tenant, channel, event FROM events_seen")
            looked.update(tx=tx, known={(row["tenant"], row["channel"], row["event"]) for row in rows})
        tx.run("INSERT INTO events_seen VALUES (?, ?, ?) ON CONFLICT DO NOTHING", tenant, channel, event)
        return (tenant, channel, event) not in looked["known"]

    swap(interactions, "see", lambda _: see)
    swap(interactions, "claim_key", lambda _: no_constraint)


def seen_in_memory() -> None:
    """What was seen is a set of the process."""
    seen: set[tuple[str, str, str]] = set()

    def see(tx: Tx, *event: str) -> bool:
        known = event in seen
        seen.add(event)  # type: ignore[arg-type]
        return not known

    def bug(really: Any) -> Any:
        def init(self: Any, *given: Any, **more: Any) -> None:
            seen.clear()  # as in every new process
            really(self, *given, **more)

        return init

    swap(Base, "__init__", bug)
    swap(interactions, "see", lambda _: see)
    swap(interactions, "claim_key", lambda _: no_constraint)


def acknowledged_before_the_commit() -> None:
    def bug(really: Any) -> Any:
        def journalled(self: Any, *given: Any) -> "Future[Any]":
            really(self, *given)
            answer: Future[Any] = Future()
            answer.set_result(None)
            return answer

        return journalled

    swap(Receiving, "_journalled", bug)


def marked_only_after_sending() -> None:
    """What is about to be asked is noted nowhere."""
    swap(outbox, "ask", lambda _: lambda tx, part, position, digest: None)


def claimed_without_a_mark() -> None:
    """Two workers may take the same part: what is being sent is not told from what waits."""

    def bug(really: Any) -> Any:
        def claim(tx: Tx, *given: Any) -> Any:
            under_way = [replace(part, attempts=part.attempts - 1) for part in outbox.in_state(tx, "sending")]
            return [*really(tx, *given), *under_way]

        return claim

    swap(outbox, "claim", bug)


def tried_again_on_any_error() -> None:
    async def settle(self: Any, part: Any, *given: Any) -> Any:
        self._database.do(lambda tx: outbox.forget_asks(tx, part))
        return self._later(part, Unavailable("something went wrong"))

    swap(outbound.Sender, "_settle", lambda _: settle)


def doubt_told_as_failure() -> None:
    async def settle(self: Any, *given: Any) -> Any:
        outcome = next(one for one in given if isinstance(one, outbound.Outcome))
        return outbound.Outcome("failed", error=outcome.error)

    swap(outbound.Sender, "_settle", lambda _: settle)


def cursor_stored_before_the_payloads() -> None:
    """Two commits in place of one."""
    only = {"cursor": False, "payloads": False}

    class Twice:
        def __init__(self, database: Any) -> None:
            self._database = database

        def __getattr__(self, name: str) -> Any:
            return getattr(self._database, name)

        def write(self, call: Any) -> Any:
            def cursor(tx: Tx) -> Any:
                only.update(cursor=True, payloads=False)
                return call(tx)

            def payloads(tx: Tx) -> Any:
                only.update(cursor=False, payloads=True)
                return call(tx)

            self._database.write(cursor).result()
            return self._database.write(payloads)

    def bug(really: Any) -> Any:
        async def poll_once(self: Any, *given: Any) -> Any:
            database, self._database = self._database, Twice(self._database)
            try:
                return await really(self, *given)
            finally:
                self._database = database
                only.update(cursor=False, payloads=False)

        return poll_once

    swap(workers.Workers, "_poll_once", bug)
    swap(journal, "append", lambda really: lambda *given: 0 if only["cursor"] else really(*given))
    swap(accounts, "set_cursor", lambda really: lambda *given: None if only["payloads"] else really(*given))


def the_oldest_edit_wins() -> None:
    def bug(really: Any) -> Any:
        def edit(tx: Tx, tenant: str, key: Any, *given: Any) -> bool:
            stored = interactions.get(tx, tenant, key)
            return bool(stored and stored.edited_at is None and really(tx, tenant, key, *given))

        return edit

    swap(interactions, "edit", bug)


def the_echo_is_not_matched() -> None:
    swap(reports, "part_of", lambda _: lambda tx, place, interaction: None)


def half_an_entry_stays() -> None:
    """No savepoint around an event."""

    @contextmanager
    def savepoint(self: Tx) -> Iterator[None]:
        yield

    swap(Tx, "savepoint", lambda _: savepoint)


def one_bad_event_spoils_the_rest() -> None:
    def bug(really: Any) -> Any:
        spoilt: set[int] = set()

        def recorded(self: Any, tx: Tx, place: Any, event: Any) -> Any:
            if place.entry.number in spoilt:
                raise ValueError("an earlier event was bad")
            try:
                return really(self, tx, place, event)
            except Exception:
                spoilt.add(place.entry.number)
                raise

        return recorded

    swap(record.Recorder, "record", bug)


def quarantine_drops_the_payload() -> None:
    def bug(really: Any) -> Any:
        def settle(tx: Tx, number: int, state: str, *given: Any) -> None:
            really(tx, number, state, *given)
            if state == "quarantined":
                tx.run("UPDATE journal SET body = ? WHERE entry = ?", b"", number)

        return settle

    swap(journal, "settle", bug)


def poison_is_ignored() -> None:
    """What cannot be read is nobody's business."""
    swap(inbound, "_verdict", lambda _: lambda recorded, reasons, *, bad: ("ignored", None, recorded))


def read_falls_back_to_sent() -> None:
    swap(interactions, "RANK", lambda ranks: dict.fromkeys(ranks, 0))


def a_tombstone_before_its_message_is_dropped() -> None:
    swap(interactions, "keep_early", lambda _: lambda *given: None)


def ordered_by_arrival() -> None:
    swap(record.Recorder, "_at", lambda _: lambda self, place, interaction: place.received_at)


def a_claim_about_somebody_unknown_is_dropped() -> None:
    def bug(really: Any) -> Any:
        def attest(tx: Tx, tenant: str, subject: Any, claims: Any, **given: Any) -> None:
            known = [one for one in claims if identity.find(tx, tenant, one)]
            really(tx, tenant, subject, known, **given)

        return attest

    swap(base, "attest", bug)


def what_was_being_sent_is_forgotten() -> None:
    """After a crash nobody looks for what was under way."""
    swap(workers, "recover", lambda _: lambda tx, now: 0)


def less_synchronous() -> None:
    """synchronous=NORMAL: nothing is synced at a commit."""

    class Lax(sqlite3.Connection):
        def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("synchronous=FULL", "synchronous=NORMAL"), *given)

    swap(sqlite3, "connect", lambda really: lambda *given, **more: really(*given, **more, factory=Lax))


def proofs_are_compared_as_far_as_they_go() -> None:
    swap(hmac, "compare_digest", lambda _: lambda one, other: bool(one) and (one[:20] == other[:20]))


def a_bad_signature_is_overlooked() -> None:
    def bug(really: Any) -> Any:
        def verified(self: Any, door: str, check: Any, payload: Any) -> Any:
            try:
                return really(self, door, check, payload)
            except SignatureError:
                return None

        return verified

    swap(Receiving, "_verified", bug)


# where several processes share a store


def what_is_claimed_stays_free() -> None:
    """No SKIP LOCKED, no lock, no fence: two that look at the same moment take the same, and both go on."""
    from socialsupport_core.store.postgres import PostgreSQLTx

    def slow(really: Any) -> Any:
        def due(*given: Any) -> Any:
            rows = really(*given)
            time.sleep(0.05 if rows else 0)  # so that they do look at the same moment
            return rows

        return due

    swap(outbox, "_due", slow)
    swap(outbox, "holds", lambda _: lambda tx, part: True)
    swap(PostgreSQLTx, "claiming", lambda _: "")
    swap(PostgreSQLTx, "try_lock", lambda _: lambda self, what: True)


def recorded_without_the_tenants_lock() -> None:
    """Two processes record what one customer said, each for itself."""
    from socialsupport_core.store.postgres import PostgreSQLTx

    def bug(really: Any) -> Any:
        def recorded(tx: Any, *given: Any) -> None:
            tx.lock = lambda *tenants: None
            try:
                really(tx, *given)
            finally:
                del tx.lock

        return recorded

    swap(inbound, "record", bug)
    swap(PostgreSQLTx, "try_lock", lambda _: lambda self, what: True)


def an_unknown_claim_is_left_alone() -> None:
    """The server went away with the answer to a claim, or before the first ask: the part stays with nobody."""
    from socialsupport_core.pipeline.workers import Workers

    async def forgets(self: Any, under_way: Any) -> None: ...

    async def raises(self: Any, part: Any) -> None:
        raise RuntimeError("the store does not answer")

    swap(Workers, "_give_back_unknown", lambda _: forgets)
    swap(outbound.Sender, "put_off", lambda _: raises)
    swap(outbound.Sender, "_later", lambda really: lambda self, part, error: _unless_away(really, self, part, error))


def _unless_away(really: Any, self: Any, part: Any, error: Any) -> Any:
    if error is outbound._STORE:
        raise RuntimeError("the store does not answer")
    return really(self, part, error)
