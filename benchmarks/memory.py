"""Memory over many messages: the resident size of a process that takes them in, on SQLite.

python -m benchmarks.memory MESSAGES FOLDER     prints [[messages, MB], …], and each as it is measured to stderr
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import telegram
from benchmarks.figures import Figure, Missing
from benchmarks.stores import Ground

POINTS = 50
LIMIT_MB = 120
GROWTH = 1.1
HOUSE = Path(__file__).parents[1]


def resident() -> float:
    """MB of this process. https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html (2026-11)"""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def watch(count: int, folder: Path) -> list[tuple[int, float]]:
    """(messages so far, MB), about fifty times."""
    hub, door = telegram.prepared(Ground("SQLite", folder))
    every = max(1, count // telegram.WAVE // POINTS)
    found = []
    for wave in range(-(-count // telegram.WAVE)):
        numbers = range(wave * telegram.WAVE, min(count, (wave + 1) * telegram.WAVE))
        telegram.ingest(hub, door, [telegram.payload(one, telegram.customer_of(one)) for one in numbers])
        if wave % every == every - 1:
            found.append((numbers.stop, resident()))
            print(*found[-1], file=sys.stderr, flush=True)
    recorded = telegram.recorded(hub)
    hub.close()
    if recorded != count:
        raise AssertionError(f"{recorded} of {count} were recorded")
    return found


def series(count: int) -> list[tuple[int, float]]:
    """The same in a process of its own, which holds nothing else. Raises Missing."""
    if not Path("/proc/self/statm").exists():
        raise Missing("memory is read from /proc, which this system has not")
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        command = [sys.executable, "-m", "benchmarks.memory", str(count), folder]
        done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr[-1000:])
    return [(at, size) for at, size in json.loads(done.stdout)]


def measure(count: int, kept: list[tuple[int, float]] | None = None) -> list[Figure]:
    """`kept` gets the whole series."""
    found = series(count)
    if kept is not None:
        kept += found
    early = found[len(found) // 10][1]
    largest = max(size for _, size in found)
    return [
        Figure(f"memory after {count:,} messages", found[-1][1], "after a tenth", early, "MB", at_most=GROWTH),
        Figure(f"memory, the most of {count:,} messages", largest, "the goal", LIMIT_MB, "MB", at_most=1),
    ]


if __name__ == "__main__":
    gc.collect()
    print(json.dumps(watch(int(sys.argv[1]), Path(sys.argv[2]))))
