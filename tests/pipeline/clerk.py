"""A process of its own with a hub on the same store. What it does is said by its arguments.

`ask N`: N connection tests at once, when a line comes on stdin; prints how each ended.
`work DEATH`: records and sends until it is killed; with `committing` it dies by itself, when it has new credentials.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "hub"))

from raven.connector import plugin
from raven.court import Forgetful
from raven.outpost import Way

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.store import credentials


async def ask(hub: Hub, number: int) -> list[str]:
    live = hub.channels.get("acme", "tower")

    async def one() -> str:
        try:
            facts = await hub.wire.run(live.connector.probe(), live.connector, keeper=hub.keepers.of(live))
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return str(facts.own_account)

    try:
        return await asyncio.gather(*(one() for _ in range(number)))
    finally:
        await hub.wire.aclose()


def die(*_: Any) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return False


def main(store: str, port: str, verb: str, argument: str) -> None:
    where, folder = (store, Path.cwd()) if "://" in store else (Path(store), None)
    options: dict[str, Any] = {
        "registry": Registry.of(plugin(Forgetful)),
        "transport": Way(int(port)),
        "folder": folder,
    }
    hub = Hub.open(where, public_url="https://hub.example", **options)
    if verb == "ask":
        hub.channels.all()
        print("ready", flush=True)
        sys.stdin.readline()
        print(*asyncio.run(ask(hub, int(argument))), sep="\n", flush=True)
        hub.close()
        return
    if argument == "committing":
        credentials.renew = die
    hub.start()
    time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:5])
