"""Turns: who may call now, asked of the store, so that all of its processes together keep to the rates.

A call that is counted, or that the outbox notes, costs one commit: its token, the look at the host's breaker and the
note are one transaction. Whatever else is asked only looks.
"""

import asyncio
import itertools
import logging
import os
import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from socialsupport_core.contract.errors import DeliveryError, RateLimited, Unavailable, Uncertain
from socialsupport_core.store import Database, StoreError, Tx, breakers, micros, pace
from socialsupport_core.store.pace import Bucket, Token
from socialsupport_core.wire import breaker as rules
from socialsupport_core.wire.breaker import SECOND
from socialsupport_core.wire.pace import LONGEST_WAY

logger = logging.getLogger("socialsupport")
LONGEST_HOLD = 24 * 3600 * SECOND  # that a network can keep everybody from asking
KEEP = 24 * 3600 * SECOND  # after which a host of which nothing was heard counts as well
PRUNE = 60 * SECOND  # between two looks for what counts no more
_count = itertools.count(1)

Note = Callable[[Tx], None]
"""What is committed together with the turn, before the call. Raises DeliveryError: then there is no turn."""


class NotNoted(StoreError):
    """The store did not answer, and nothing was asked."""


class Turn:
    """One call that is about to be made, as this credential."""

    __slots__ = ("buckets", "credential", "host", "is_probe", "token", "was_broken")

    def __init__(self, credential: str, host: str, buckets: list[Bucket]) -> None:
        self.credential = credential
        self.host = host
        self.buckets = buckets
        self.token: Token | None = None
        self.is_probe = False
        self.was_broken = False
        """Whether some calls to this host had not been answered when this one began."""

    @property
    def is_counted(self) -> bool:
        return any(bucket.rates for bucket in self.buckets)

    @property
    def way(self) -> int:
        """Microseconds that it may take to the network, so that its rates are kept there too."""
        return min((rate.way for bucket in self.buckets for rate in bucket.rates), default=LONGEST_WAY)


class Turns:
    """Thread-safe."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{next(_count)}"
        self._failing: set[tuple[str, str]] = set()
        """Hosts that have not answered this process lately."""
        self._pruned_at: int | None = None

    async def take(self, turn: Turn, note: Note | None = None) -> int:
        """0 when it is its turn, and that is committed; else the microseconds until it may ask again.

        Raises NotAnswering for a host that is left alone, NotNoted, and what the note raises.
        """
        try:
            if note is None and not turn.is_counted:
                wait = self._database.read(lambda tx: self._look(tx, turn))
                if wait or not turn.is_probe:
                    return wait
            lock = pace.lock(turn.credential) if turn.is_counted else None
            return await asyncio.wrap_future(self._database.write(lambda tx: self._take(tx, turn, note), lock))
        except StoreError as error:
            raise NotNoted(str(error)) from error

    def _now(self) -> int:
        return micros(self._clock())

    def _look(self, tx: Tx, turn: Turn) -> int:
        """Raises NotAnswering. Notes in the turn whether it would be the probe."""
        now, found = self._now(), breakers.get(tx, turn.credential, turn.host)
        turn.was_broken = found is not None
        turn.is_probe = found is not None and found.until is not None
        if found is not None and rules.wait(found, now):
            raise rules.told(turn.host, found, now)
        return pace.held(tx, turn.buckets, now)

    def _take(self, tx: Tx, turn: Turn, note: Note | None) -> int:
        """The clock is read under the lock: whoever comes later notes a later moment."""
        wait, now = self._look(tx, turn), self._now()
        if wait:
            return wait
        taken = pace.take(tx, turn.buckets, now)
        if isinstance(taken, int):
            return taken
        turn.token = taken
        if turn.is_probe:
            self._probe(tx, turn, now)
        if note is not None:
            note(tx)
        self._prune(tx, now)
        return 0

    def _probe(self, tx: Tx, turn: Turn, now: int) -> None:
        found = breakers.get(tx, turn.credential, turn.host)
        if found is None:
            turn.is_probe = False
            return
        probing = rules.probing(found, self._worker, now)
        if not breakers.probe(tx, turn.credential, turn.host, found, probing):
            raise rules.told(turn.host, probing, now)

    def _prune(self, tx: Tx, now: int) -> None:
        if self._pruned_at is None:
            self._pruned_at = now
        elif abs(now - self._pruned_at) >= PRUNE:
            self._pruned_at = now
            pace.prune(tx, now)
            breakers.prune(tx, now - KEEP)

    def begun(self, turn: Turn) -> None:
        """It is made now, some time after it was noted."""
        now = self._now()
        if turn.token is not None and now > turn.token.at + turn.way // 2:
            self._move(turn, turn.token, now)

    def _arrived(self, turn: Turn) -> None:
        """It may have reached the network just now: if it took longer than was allowed for, it counts from later on."""
        at = self._now() - turn.way
        if turn.token is not None and at > turn.token.at:
            self._move(turn, turn.token, at)

    def _move(self, turn: Turn, token: Token, at: int) -> None:
        """Nobody waits for this: it is early enough if it is committed before the token would come back."""
        turn.token = replace(token, at=at)
        if token.numbers:
            self._write(turn, lambda tx: pace.late(tx, token, at))

    async def ended(self, turn: Turn, error: DeliveryError | None) -> None:
        """How it ended: what follows for the others."""
        self._arrived(turn)
        futures = [self._write(turn, work) for work in self._follows(turn, error)]
        for future in futures:
            with suppress(StoreError):
                await asyncio.wrap_future(future)

    def cut_off(self, turn: Turn, error: DeliveryError) -> None:
        """The same for whoever cannot wait."""
        self._arrived(turn)
        for work in self._follows(turn, error):
            self._write(turn, work)

    def _write(self, turn: Turn, work: Note) -> "Future[Any]":
        try:
            return self._database.write(work, pace.lock(turn.credential))
        except StoreError as error:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed

    def _follows(self, turn: Turn, error: DeliveryError | None) -> list[Note]:
        key = turn.credential, turn.host
        follows: list[Note] = []
        is_down, is_answer = isinstance(error, Unavailable), not isinstance(error, Unavailable | Uncertain)
        if is_down or turn.is_probe or (is_answer and (turn.was_broken or key in self._failing)):
            follows.append(lambda tx: self._note_end(tx, turn, error))
        (self._failing.add if is_down else self._failing.discard)(key)
        if isinstance(error, RateLimited) and not is_down and error.retry_after:
            span = min(int(error.retry_after * SECOND), LONGEST_HOLD)
            follows.append(lambda tx: pace.hold(tx, turn.buckets, self._now(), self._now() + span))
        return follows

    def _note_end(self, tx: Tx, turn: Turn, error: DeliveryError | None) -> None:
        found = breakers.get(tx, turn.credential, turn.host)
        probe = turn.is_probe and found is not None and found.prober == self._worker
        after = rules.noted(found, error, self._now(), probe=probe)
        if after is None:
            breakers.remove(tx, turn.credential, turn.host)
        elif after != found:
            breakers.put(tx, turn.credential, turn.host, after)
