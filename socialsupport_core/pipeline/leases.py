"""What this process owns among those that work on one store."""

import asyncio
import itertools
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from socialsupport_core.store import Database, Tx, leases, micros

SPAN = 30_000_000  # microseconds that a lease lasts; whoever lives renews it after a third
SHORT = 8_000_000  # the same for what is told to others: whoever comes after a crash goes on with it so soon
RENEW = 2.0  # seconds after which such a short one is renewed
_count = itertools.count(1)


class LeaseLost(Exception):
    """Somebody else has taken over; what was about to be committed is theirs to do."""


@contextmanager
def kept(renew: Callable[[], object]) -> Iterator[None]:
    """Renews a short lease for as long as the block lasts."""
    renewing = asyncio.create_task(_again(renew))
    try:
        yield
    finally:
        renewing.cancel()


async def _again(renew: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(RENEW)
        renew()


class Leases:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{next(_count)}:{secrets.token_hex(4)}"
        """Nobody else's ever: containers may share their host's name and all be its first process."""
        self._database = database
        self._clock = clock
        self._held: dict[str, tuple[int, int]] = {}
        """By name: the fence, and until when."""

    @property
    def until(self) -> int:
        return micros(self._clock()) + SPAN

    async def mine(self, name: str) -> bool:
        """Whether this process owns it now; takes it if it is free."""
        now, until = micros(self._clock()), self.until
        if name in self._held and now < self._held[name][1] - SPAN * 2 // 3:
            return True
        held = self._database.write(lambda tx: leases.hold(tx, name, self.worker, now, until))
        fence = await asyncio.wrap_future(held)
        if fence is None:
            self._held.pop(name, None)
            return False
        self._held[name] = fence, until
        return True

    def confirm(self, tx: Tx, name: str) -> None:
        """Raises LeaseLost, and then nothing of the transaction's work is kept."""
        fence, _ = self._held.get(name, (0, 0))
        if not leases.confirm(tx, name, self.worker, fence):
            self._held.pop(name, None)
            raise LeaseLost(name)

    def release(self) -> None:
        """Lets go of everything, so that whoever comes next need not wait."""
        if self._held:
            self._held.clear()
            self._database.do(lambda tx: leases.release(tx, self.worker))
