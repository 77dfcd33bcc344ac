"""Everybody who is told what happens, each from the log by a cursor of its own; and what has had its time goes."""

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from socialsupport_core.pipeline.crm import CRMs
from socialsupport_core.pipeline.fanouts import FanOuts
from socialsupport_core.pipeline.keeping import Keeping
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.pipeline.webhooks import Webhooks


class Turns(Protocol):
    """Looks now and then whose time has come."""

    async def turn(self, *, at_once: bool = False) -> int:
        """How many it was; `at_once`, or only if it has not looked for a while."""


@dataclass(frozen=True, slots=True)
class Subscribers:
    crms: CRMs
    webhooks: Webhooks
    fanouts: FanOuts
    leases: Leases
    keeping: Keeping
    turns: tuple[Turns, ...]

    async def begin(self) -> int:
        """Begins what is to be told now, beside what is under way; how much."""
        return await self.webhooks.begin() + await self.fanouts.begin() + await self._look()

    async def tell(self) -> int:
        """Tells what is to be told now, and waits for it; how much."""
        told = await self.crms.tell(self.leases) + await self.webhooks.deliver() + await self.fanouts.hand_on()
        return told + await self._look(at_once=True) + await self.keeping.turn(at_once=True)

    async def _look(self, *, at_once: bool = False) -> int:
        return sum([await one.turn(at_once=at_once) for one in self.turns])

    @property
    def under_way(self) -> "list[asyncio.Task[Any]]":
        return [*self.webhooks.under_way, *self.fanouts.under_way]

    async def aclose(self) -> None:
        await self.webhooks.aclose()
        await self.fanouts.aclose()
