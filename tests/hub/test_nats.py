"""The hub with a real broker behind it, which is killed and started again while things happen."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, message
from raven.connector import plugin

from socialsupport_core.contract import Registry

nats = pytest.importorskip("socialsupport_nats")
pytestmark = pytest.mark.server


def stored(address: str) -> list[dict[str, Any]]:
    from nats.aio.client import Client

    async def read() -> list[dict[str, Any]]:
        client = Client()
        await client.connect(address, allow_reconnect=False)
        try:
            stream = client.jetstream()
            last = (await stream.stream_info("SOCIALSUPPORT")).state.last_seq
            found = [await stream.get_msg("SOCIALSUPPORT", seq=number) for number in range(1, last + 1)]
            return [json.loads(one.data or b"") for one in found]
        finally:
            await client.close()

    return asyncio.run(read())


def until(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_broker_that_is_killed_misses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from socialsupport_nats import fanout
    from socialsupport_nats.local import LocalServer

    monkeypatch.setattr(fanout, "PATIENCE", 1.0)
    chance = random.Random(3)
    registry = Registry.of(plugin(Raven), nats)
    roost = Roost(tmp_path, registry=registry, clock=lambda: datetime.now(UTC))
    server = LocalServer(tmp_path / "jetstream").start()
    try:
        roost.hub.add_fanout("broker", "nats", {"servers": [server.address]})
        roost.hub.start()
        for number in range(300):
            tenant = chance.choice(["acme", "rival"])
            roost.deliver(message(number, "hello", f"bird{number % 9}", at=number), tenant=tenant)
            if number in (60, 150, 240):
                server.kill()
            if number in (90, 210):
                server.start()
            time.sleep(chance.uniform(0, 0.01))
        server.start()
        until(lambda: roost.journal()["waiting"] == 0)
        wanted = {tenant: roost.hub.events(tenant, limit=2_000) for tenant in ("acme", "rival")}
        until(lambda: len(stored(server.address)) >= sum(map(len, wanted.values())))
        found = stored(server.address)
    finally:
        roost.hub.close()
        server.kill()
    for tenant, events in wanted.items():
        assert len(events) > 100
        assert [one for one in found if one["tenant"] == tenant] == events
