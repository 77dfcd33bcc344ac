"""What a benchmark says: two figures of one run and their ratio."""

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from socialsupport_core.cli import garbage

MICRO = 1e6
MEASURED = ("socialsupport", "pydantic", "httpx", "aiohttp", "psycopg", "chat-sdk")


class Missing(Exception):
    """A piece that cannot be run here, and what would be needed."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`ours` and `other` in `unit`, measured in one run; `other` is `than`."""

    what: str
    ours: float
    than: str
    other: float
    unit: str = "µs CPU a message"
    at_most: float | None = None
    """The goal for the ratio."""
    at_least: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.other if self.other else float("nan")

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return f"at least {self.at_least:g}" if self.at_least is not None else ""

    @property
    def met(self) -> bool | None:
        if self.at_most is not None:
            return self.ratio <= self.at_most
        return self.ratio >= self.at_least if self.at_least is not None else None

    def as_json(self) -> dict[str, Any]:
        plain = {"what": self.what, "ours": round(self.ours, 2), "than": self.than, "other": round(self.other, 2)}
        return plain | {"unit": self.unit, "ratio": round(self.ratio, 3), "goal": self.goal, "met": self.met}


def cpu(work: Callable[[], Any], beside: Callable[[], float] = lambda: 0.0) -> float:
    """Seconds of CPU of this process, all threads, and of what works beside it."""
    began = time.process_time() + beside()
    work()
    return time.process_time() + beside() - began


@contextmanager
def settled() -> Iterator[None]:
    """Python collects its garbage as it does in `serve`."""
    before = gc.get_threshold()
    garbage.settle()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def percentile(values: Iterable[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def machine() -> dict[str, Any]:
    """Where it was measured: what is needed to weigh a figure, and nothing that names the machine."""
    found = {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count() or 0}
    if hasattr(os, "getloadavg"):
        found["load"] = round(os.getloadavg()[0], 1)
    return found | {name: version for name in MEASURED if (version := _version(name))}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
