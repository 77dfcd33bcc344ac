"""The report over a year of interactions: time and memory as they grow, by DuckDB over Parquet and in pure Python.

python -m benchmarks.analytics write FOLDER INTERACTIONS        a year that is always the same
python -m benchmarks.analytics copy FOLDER OTHER TIMES          OTHER so many times
python -m benchmarks.analytics duckdb|python FOLDER [MEMORY]    prints {"seconds", "cpu", "mb", "told"}

Each figure is taken in a process of its own, which holds nothing else.
"""

import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Missing
from socialsupport_core.insight import Handed, History, Settings, Touch, Turn
from socialsupport_core.insight import report as in_memory

BLOCK = 100_000
"""Interactions of one seed."""
START = 1_735_689_600_000_000
"""1 January 2025."""
DAY = 86_400_000_000
HOUR = DAY // 24
MINUTE = HOUR // 60
YEAR = 365
LIMIT = "4GB"
"""What DuckDB may keep in memory."""
WRITTEN = 1_000_000
"""Interactions up to which a year is written row by row."""
IN_PYTHON = 1_000_000
"""More than so many do not fit into memory beside everything else."""
HOUSE = Path(__file__).parents[1]
CHANNELS = {"x": "public", "facebook": "public", "whatsapp": "private", "email": "private", "webchat": "private"}
Event = Touch | Turn | Handed


def year(interactions: int) -> Iterator[tuple[str, list[Event]]]:
    """Customers with one to five matters each, of one to some ten words, some of them on several channels: about one
    matter in two resolved by hand, one in five about an order, one in fifty handed off."""
    for block in range(-(-interactions // BLOCK)):
        wanted = min(BLOCK, interactions - block * BLOCK)
        rows: dict[str, list[Event]] = {"touches": [], "turns": [], "handed": []}
        customers = _Customers(block)
        while len(rows["touches"]) < wanted:
            customers.one(rows)
        rows["touches"] = rows["touches"][:wanted]
        yield from rows.items()


class _Customers:
    """Of one seed."""

    def __init__(self, block: int) -> None:
        self._chance = random.Random(block)
        self._block = block
        self._customers = self._touches = 0

    def one(self, rows: dict[str, list[Event]]) -> None:
        self._customers += 1
        customer = f"cus_{self._block:06}{self._customers:06}"
        at = START + int(self._chance.random() * YEAR * DAY)
        for number in range(self._chance.choice((1, 1, 1, 2, 2, 3, 5))):
            at = self._matter(rows, customer, f"con_{customer[4:]}{number}", at)
            at += int(self._chance.expovariate(1 / 20) * DAY)
            if at > START + (YEAR - 10) * DAY:
                return

    def _matter(self, rows: dict[str, list[Event]], customer: str, conversation: str, at: int) -> int:
        chance = self._chance
        channel = chance.choice(list(CHANNELS))
        order = f"order:{chance.getrandbits(40):x}" if chance.random() < 0.2 else ""
        agent, last = f"agent{chance.randrange(60)}", ""
        for word in range(chance.choice((1, 1, 2, 2, 3, 4, 6))):
            if word and chance.random() < 0.15:
                channel = chance.choice(list(CHANNELS))
            names = order if chance.random() < 0.5 else ""
            last = self._said(rows, customer, conversation, channel, "customer", at, topic=names, answers=last)
            if chance.random() < 0.8:
                at += int(chance.lognormvariate(0, 1.5) * 40 * MINUTE)
                by = "bot" if chance.random() < 0.1 else "agent"
                last = self._said(rows, customer, conversation, channel, by, at, agent=agent, answers=last)
            at += int(chance.lognormvariate(0, 1.5) * 3 * HOUR)
        if chance.random() < 0.02:
            state = chance.choice(("arrived", "expired"))
            rows["handed"].append(Handed(at, conversation, channel, state, chance.choice(list(CHANNELS))))
        if chance.random() < 0.5:
            rows["turns"].append(Turn(at + MINUTE, "resolved", conversation, agent))
            if chance.random() < 0.2:
                self._said(rows, customer, conversation, channel, "customer", at + HOUR)
        return at

    def _said(
        self, rows: dict[str, list[Event]], customer: str, conversation: str, channel: str, by: Any, at: int, *,
        agent: str = "", topic: str = "", answers: str = "",
    ) -> str:  # fmt: skip
        self._touches += 1
        ours = by != "customer"
        id = f"{self._block * 10 * BLOCK + self._touches}"
        rows["touches"].append(
            Touch(
                at, id, customer, channel, channel, f"{channel}{customer}", CHANNELS[channel], by, conversation,
                agent=agent if by == "agent" else None,
                failed=ours and self._chance.random() < 0.01,
                topics=frozenset({topic} if topic else ()),
                told=frozenset({"order"} if topic and not ours else ()),
                asks=frozenset({"order"} if ours and self._chance.random() < 0.05 else ()),
                answers=answers or None,
                edited=ours and self._chance.random() < 0.02,
                rating=float(self._chance.randint(1, 5)) if self._chance.random() < 0.02 else None,
                reach=0 if ours else self._chance.randrange(2_000),
            )
        )  # fmt: skip
        return id


def write(folder: Path, interactions: int) -> None:
    """As `socialsupport export` writes it."""
    from socialsupport_core.insight.scaled.exporting import assume, put  # noqa: PLC0415 - an extra

    assume(folder, "acme", Settings())
    put(folder, "acme", year(interactions), 0, START + 2 * YEAR * DAY)


def copy(folder: Path, source: Path, times: int) -> None:
    """The same for sizes that would take Python an hour: every customer of `source` so many times."""
    import duckdb  # noqa: PLC0415 - an extra

    shutil.copytree(source / "assumptions", folder / "assumptions")
    for file in sorted(source.glob("*/tenant=*/day=*/*.parquet")):
        name, target = file.stem, folder / file.relative_to(source)
        target.parent.mkdir(parents=True)
        own = {"id", "customer", "conversation", "answers"} if name == "touches" else {"conversation"}
        columns = ", ".join(f"{column} || '-' || n AS {column}" for column in sorted(own))
        order = '"at", id' if name == "touches" else '"at", conversation'
        duckdb.sql(
            f"COPY (SELECT * EXCLUDE (n) REPLACE ({columns}) FROM read_parquet('{file}', hive_partitioning = false),"
            f" range({times}) AS copies(n) ORDER BY {order}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


def by_duckdb(folder: Path, memory: str) -> dict[str, Any]:
    from socialsupport_core.insight.scaled.reading import report_of  # noqa: PLC0415 - an extra

    return report_of(folder, "acme", Settings(), START + YEAR * DAY, memory=memory)


def by_python(folder: Path) -> dict[str, Any]:
    from socialsupport_core.insight.scaled.reading import history_of  # noqa: PLC0415 - an extra
    from socialsupport_core.insight.scaled.report import without  # noqa: PLC0415 - an extra

    history: History = history_of(folder, "acme", START + YEAR * DAY)
    return without(in_memory(history, Settings()))


def taken(how: str, folder: Path, memory: str) -> dict[str, Any]:
    """In this process."""
    began = time.monotonic()
    told = by_python(folder) if how == "python" else by_duckdb(folder, memory)
    return {
        "seconds": time.monotonic() - began,
        "cpu": time.process_time(),
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "told": told,
    }


def apart(*arguments: str) -> Any:
    """In a process of its own. Raises Missing."""
    command = [sys.executable, "-m", "benchmarks.analytics", *arguments]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    if "No module named" in done.stderr:
        raise Missing(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise AssertionError(done.stderr[-1000:])
    return json.loads(done.stdout or "null")


def measure(sizes: list[int], memory: str = LIMIT) -> Iterator[Figure]:
    """Each size against the one before; and against pure Python, whose report must be the same."""
    known: dict[str, dict[str, Any]] = {}
    for size, before in zip(sizes, [0, *sizes], strict=False):
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
            folder = f"{scratch}/{size}"
            apart("write", f"{scratch}/{min(size, WRITTEN)}", str(min(size, WRITTEN)))
            if size > WRITTEN:
                apart("copy", folder, f"{scratch}/{WRITTEN}", str(size // WRITTEN))
            ours = apart("duckdb", folder, memory)
            told = ours.pop("told")
            print(f"{size:,}: {ours}", file=sys.stderr, flush=True)
            if size <= IN_PYTHON:
                other = apart("python", folder)
                if other.pop("told") != told:
                    raise AssertionError(f"the reports of {size:,} interactions differ")
                print(f"{size:,} in Python: {other}", file=sys.stderr, flush=True)
                yield Figure(f"report of {size:,}", ours["cpu"], "pure Python", other["cpu"], "s CPU")
                yield Figure(f"report of {size:,}, the most memory", ours["mb"], "pure Python", other["mb"], "MB")
        if was := known.get("last"):
            yield Figure(f"report of {size:,}", ours["cpu"], f"of {before:,}", was["cpu"], "s CPU")
            yield Figure(f"report of {size:,}, the most memory", ours["mb"], f"of {before:,}", was["mb"], "MB")
        known["last"] = ours


def main(verb: str, folder: str, given: str = LIMIT, times: str = "1") -> None:
    if verb == "write":
        write(Path(folder), int(given))
    elif verb == "copy":
        copy(Path(folder), Path(given), int(times))
    else:
        print(json.dumps(taken(verb, Path(folder), given)))


if __name__ == "__main__":
    main(*sys.argv[1:])
