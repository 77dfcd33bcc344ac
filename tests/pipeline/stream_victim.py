"""A process that hears one letter over a stream, commits it, and dies before it can acknowledge it."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "hub"))

from raven.connector import plugin
from raven.herald import Herald

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.wire import sockets

say = sockets._WebSocket.say


async def die(self: Any, text: str) -> None:
    if '"ack"' in text:
        os._exit(9)
    await say(self, text)


if __name__ == "__main__":
    sockets._WebSocket.say = die  # type: ignore[method-assign]
    store, folder = sys.argv[1], Path(sys.argv[2])
    beside = folder if "://" in store else None
    hub = Hub.open(store, folder=beside, public_url="https://hub.example", registry=Registry.of(plugin(Herald)))
    hub.start()
    hub.workers._stopping.wait(20)
    os._exit(1)
