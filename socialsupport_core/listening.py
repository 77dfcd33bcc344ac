"""Doors that are not HTTP, run beside the application: each hands what comes to its channel's own door."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from socialsupport_core.contract import ConfigError, Listener
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload, Reply


def listener(hub: Hub, tenant: str, channel: str, host: str, port: int) -> Listener:
    """Raises ConfigError if the channel's network has no such door."""
    live = hub.channels.get(tenant, channel)
    factory = hub.registry.listeners.get(live.connector.name)
    if factory is None:
        raise ConfigError(f"{live.connector.name} has no door beside HTTP; take `listen` out of channel {channel}")

    async def accept(payload: Payload) -> Reply:
        return await asyncio.wrap_future(hub.receive(live.channel.door, payload))

    return factory(live.connector, accept, host, port)


def listening(
    hub: Hub, asked: Mapping[tuple[str, str], str]
) -> Callable[[], AbstractAsyncContextManager[dict[str, str]]]:
    """Opens a listener for each channel at its `host:port`; the addresses by channel."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[dict[str, str]]:
        async with AsyncExitStack() as stack:
            found = {}
            for (tenant, channel), address in asked.items():
                host, _, port = address.rpartition(":")
                one = listener(hub, tenant, channel, host, int(port))
                found[channel] = await _start(one, address)
                stack.push_async_callback(one.stop)
            yield found

    return opened


async def _start(one: Listener, address: str) -> str:
    try:
        return await one.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(f"cannot listen on {address} ({reason}); choose another port") from None
