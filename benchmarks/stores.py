"""The stores that are measured: a file, and a PostgreSQL server of our own with everything as durable as it comes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.figures import Missing
from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.testing import postgresql

PUBLIC = "https://hub.example"


@dataclass
class Ground:
    """Gives one fresh store after the other, all of one kind."""

    name: str
    folder: Path
    server: postgresql.Server | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def store(self) -> str | Path:
        number = next(self._numbers)
        if self.server is None:
            place = self.folder / str(number) / "hub.sqlite"
            place.parent.mkdir()
            return place
        from socialsupport_core.store.postgres import migrate  # noqa: PLC0415 - only where there is a server

        url = f"{self.server.url}?schema=hub_{number}"
        migrate(url)
        return url

    def open(self, store: str | Path, plugin: Any, **more: Any) -> Hub:
        beside = None if isinstance(store, Path) else self.folder
        return Hub.open(store, public_url=PUBLIC, registry=Registry.of(plugin), folder=beside, **more)

    def cpu(self) -> float:
        """Seconds of CPU that the server has used so far; 0 for a file, whose work is done in this process."""
        if self.server is None:
            return 0.0
        return cpu_of_family(int((self.server.folder / "data/postmaster.pid").read_text().split()[0]))


@contextmanager
def sqlite() -> Iterator[Ground]:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        yield Ground("SQLite", Path(folder))


@contextmanager
def postgres() -> Iterator[Ground]:
    """Durable: `fsync` and `synchronous_commit` are left on. Raises Missing."""
    if postgresql.programs() is None:
        raise Missing(postgresql.MISSING)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder, postgresql.running(()) as server:
        yield Ground("PostgreSQL", Path(folder), server)


GROUNDS: dict[str, Any] = {"SQLite": sqlite, "PostgreSQL": postgres}


def ground(name: str) -> AbstractContextManager[Ground]:
    found: AbstractContextManager[Ground] = GROUNDS[name]()
    return found


def cpu_of_family(pid: int) -> float:
    """Seconds of CPU of a process, of its children, and of those that have ended; nan where there is no /proc.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (2026-11)
    """
    if not Path("/proc/self/stat").exists():
        return float("nan")
    ticks = sum(_ticks(pid, ended=True))
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            ticks += sum(_ticks(int(child), ended=False))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since, and its parent will count it
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int, *, ended: bool) -> list[int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(value) for value in fields[11 : 15 if ended else 13]]
