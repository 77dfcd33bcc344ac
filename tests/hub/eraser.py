"""A process of its own that erases somebody and is killed on the way, at the point that its arguments name."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from canary import Ledger
from raven import Clock, Raven
from raven.connector import plugin

from socialsupport_core.contract import Registry, hookimpl
from socialsupport_core.hub import Hub
from socialsupport_core.pipeline import erasing, keeping
from socialsupport_core.store import erasures
from socialsupport_core.store.blobs import FolderBlobs
from socialsupport_core.store.sqlite import SQLite

POINTS: dict[str, tuple[Any, str]] = {
    "rows": (erasures, "begin"),
    "told": (erasing, "_publish"),
    "files": (keeping, "remove_files"),
    "file": (FolderBlobs, "delete"),
    "noted": (erasures, "file_gone"),
    "pages": (SQLite, "compact"),
    "finish": (erasures, "finish"),
}


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(store: str, point: str, who: str) -> None:
    @hookimpl
    def socialsupport_crms() -> Any:
        return (Ledger,)

    where, folder = (store, Path.cwd()) if "://" in store else (Path(store), None)
    registry = Registry.of(plugin(Raven, socialsupport_crms=socialsupport_crms))
    hub = Hub.open(where, public_url="https://hub.example", registry=registry, folder=folder, clock=Clock())
    setattr(*POINTS[point], die)
    hub.erase("acme", who, agent="dana")


if __name__ == "__main__":
    main(*sys.argv[1:4])
