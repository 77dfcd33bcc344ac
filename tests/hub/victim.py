"""Children that receive payloads as fast as they can, tell which were acknowledged, and are killed.

Forked from one process that has loaded everything, so that a death costs milliseconds.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from raven import Raven, message
from raven.connector import SECRET, plugin
from raven.events import NOON

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload


def live(path: str, door: str, start: int, tell: int) -> None:
    folder = Path.cwd() if "://" in path else None
    hub = Hub.open(path, folder=folder, public_url="https://hub.example", registry=Registry.of(plugin(Raven)))
    hub.start()
    pending = []
    for number in range(start, start + 100_000):
        body = f"[{message(number, f'text {number}', f'bird{number % 7}', at=number % 1000).to_json()}]".encode()
        payload = Payload(body=body, headers=(("raven-secret", SECRET),), received_at=NOON)
        pending.append((number, hub.receive(door, payload)))
        if len(pending) >= 8:
            for acknowledged, answer in pending:
                answer.result()
                os.write(tell, b"%d\n" % acknowledged)
            pending = []


def live_and_die(path: str, door: str, start: int, seconds: float) -> list[int]:
    """A process that is killed so long after its first acknowledgement; what it had acknowledged."""
    listen, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(listen)
        live(path, door, start, tell)
        os._exit(1)
    os.close(tell)
    with os.fdopen(listen, "rb") as told:
        first = told.readline()
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        lines = (first + told.read()).split(b"\n")[:-1]  # the last may be cut off
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    return [int(line) for line in lines]


def main(path: str, door: str, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(kills):
        print(json.dumps(live_and_die(path, door, number * 100_000, chance.uniform(0, 0.05))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
