"""One more process on a store: `python process.py URL FOLDER`, until SIGTERM."""

import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "hub"))

from raven import Raven
from raven.connector import plugin

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub


def main(url: str, folder: str) -> None:
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    beside = Path(folder) if "://" in url else None
    hub = Hub.open(url, folder=beside, public_url="https://hub.example", registry=Registry.of(plugin(Raven)))
    hub.start()
    print("working", flush=True)
    asked.wait()
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
