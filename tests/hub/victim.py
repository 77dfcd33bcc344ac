"""Receives payloads as fast as it can and tells which were acknowledged; made to be killed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from raven import Raven, message
from raven.connector import SECRET, plugin
from raven.events import NOON

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload


def main(path: str, door: str, start: int) -> None:
    hub = Hub.open(path, public_url="https://hub.example", registry=Registry.of(plugin(Raven)))
    hub.start()
    pending = []
    for number in range(start, start + 100_000):
        body = f"[{message(number, f'text {number}', f'bird{number % 7}', at=number % 1000).to_json()}]".encode()
        payload = Payload(body=body, headers=(("raven-secret", SECRET),), received_at=NOON)
        pending.append((number, hub.receive(door, payload)))
        if len(pending) >= 8:
            for acknowledged, answer in pending:
                answer.result()
                print(acknowledged, flush=True)
            pending = []


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
