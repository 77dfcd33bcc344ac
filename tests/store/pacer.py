"""One of several processes that call a network as fast as they may: `python pacer.py STORE PORT LIMIT SECONDS`.

When a line comes on stdin it begins; at the end it prints when each call went out, by the machine's own clock.
"""

import asyncio
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).parent.parent / "hub"))

import httpx
from raven import Raven, RavenSettings
from raven.outpost import Way

from socialsupport_core.contract import DeliveryError, Flow
from socialsupport_core.model import Credentials, RateLimit
from socialsupport_core.store import open_store
from socialsupport_core.wire import NetworkWire

AT_ONCE = 12


class Hasty(Raven):
    gone_out: ClassVar[list[float]] = []

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        self.gone_out.append(time.time())
        return request


def ask() -> Flow[None]:
    yield httpx.Request("GET", "https://api.raven.example/me")


async def hurry(wire: NetworkWire, connector: Hasty, until: float) -> None:
    while time.time() < until:
        try:
            await wire.run(ask(), connector)
        except DeliveryError:
            await asyncio.sleep(0.05)


async def everybody(store: Any, port: int, seconds: float) -> None:
    wire = NetworkWire(database=store, transport=Way(port))
    try:
        await asyncio.gather(*(hurry(wire, Hasty(RavenSettings()), time.time() + seconds) for _ in range(AT_ONCE)))
    finally:
        await wire.aclose()


def main(where: str, port: str, limit: str, seconds: str) -> None:
    Hasty.rate_limits = (RateLimit.model_validate_json(limit),)
    store = open_store(where)
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(everybody(store, int(port), float(seconds)))
    print(*Hasty.gone_out, flush=True)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:5])
