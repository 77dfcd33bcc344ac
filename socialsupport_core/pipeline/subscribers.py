"""Everybody who is told what happens: each reads the log by a cursor of its own."""

import asyncio
from dataclasses import dataclass
from typing import Any

from socialsupport_core.pipeline.crm import CRMs
from socialsupport_core.pipeline.fanouts import FanOuts
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.pipeline.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Subscribers:
    crms: CRMs
    webhooks: Webhooks
    fanouts: FanOuts
    leases: Leases

    async def begin(self) -> int:
        """Begins what is to be told now, beside what is under way; how much."""
        return await self.webhooks.begin() + await self.fanouts.begin()

    async def tell(self) -> int:
        """Tells what is to be told now, and waits for it; how much."""
        return await self.crms.tell(self.leases) + await self.webhooks.deliver() + await self.fanouts.hand_on()

    @property
    def under_way(self) -> "list[asyncio.Task[Any]]":
        return [*self.webhooks.under_way, *self.fanouts.under_way]

    async def aclose(self) -> None:
        await self.webhooks.aclose()
        await self.fanouts.aclose()
