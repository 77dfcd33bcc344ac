"""Everybody who is told what happens, each from the log by a cursor of its own; and what has had its time goes."""

import asyncio
from dataclasses import dataclass
from typing import Any

from socialsupport_core.pipeline.crm import CRMs
from socialsupport_core.pipeline.fanouts import FanOuts
from socialsupport_core.pipeline.guiding import Guiding
from socialsupport_core.pipeline.handing import FollowUps
from socialsupport_core.pipeline.keeping import Keeping
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.pipeline.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Subscribers:
    crms: CRMs
    webhooks: Webhooks
    fanouts: FanOuts
    leases: Leases
    keeping: Keeping
    handing: FollowUps
    guiding: Guiding

    async def begin(self) -> int:
        """Begins what is to be told now, beside what is under way; how much."""
        begun = await self.webhooks.begin() + await self.fanouts.begin() + await self.handing.turn()
        return begun + await self.guiding.turn()

    async def tell(self) -> int:
        """Tells what is to be told now, and waits for it; how much."""
        told = await self.crms.tell(self.leases) + await self.webhooks.deliver() + await self.fanouts.hand_on()
        told += await self.guiding.turn(at_once=True)
        return told + await self.handing.turn(at_once=True) + await self.keeping.turn(at_once=True)

    @property
    def under_way(self) -> "list[asyncio.Task[Any]]":
        return [*self.webhooks.under_way, *self.fanouts.under_way]

    async def aclose(self) -> None:
        await self.webhooks.aclose()
        await self.fanouts.aclose()
