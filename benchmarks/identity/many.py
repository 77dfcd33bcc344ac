"""Millions of reasons at once: what the resolver's batch costs, beside a plain union-find in dicts.

python -m benchmarks.identity.many EDGES METHOD     prints one row as JSON; a process each, for the sake of its memory
"""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from benchmarks.identity.pieces import Row, Say, Size
from socialsupport_core.identity.batch import Batch

HOUSE = Path(__file__).parents[2]
NETWORKS = ("x.user", "telegram.user", "whatsapp.user")
MESSAGES = 5  # a person
STRANGERS = 0.005
"""Of the contacts that are given, those of somebody else."""
Claim = tuple[str, str | None, str, str]
Told = tuple[int, tuple[str, str | None, str], tuple[Claim, ...]]


def observations(count: int) -> Iterator[Told]:
    """Each gives one contact: up to three accounts, a mailbox and a telephone a person."""
    draw = random.Random(1)
    persons = max(1, count // MESSAGES)
    for number in range(count):
        person = draw.randrange(persons)
        account = NETWORKS[number % 3], None, str(person)
        owner = draw.randrange(persons) if draw.random() < STRANGERS else person
        yield number * 1_000_000 + draw.randrange(10**9), account, (_contact(draw, owner),)


def _contact(draw: random.Random, owner: int) -> Claim:
    if draw.random() < 0.6:
        return "email", None, f"p{owner}@mail.example", "asserted"
    return "phone", None, f"+1555{owner:08}", "verified" if draw.random() < 0.3 else "asserted"


def ours(told: Iterable[Told]) -> Iterator[object]:
    batch = Batch()
    for one in told:
        batch.observe(*one)
    yield batch
    yield from batch.rows()


def plain(told: Iterable[Told]) -> Iterator[object]:
    """Whatever is shared joins, as it is told; nobody gets an id."""
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while (up := parent.setdefault(one, one)) != one:
            parent[one] = one = parent[up]
        return one

    for _, (kind, _, value), claims in told:
        for other, _, contact, _ in claims:
            parent[root(f"{kind}:{value}")] = root(f"{other}:{contact}")
    yield parent
    yield from map(root, parent)


METHODS: dict[str, Callable[[Iterable[Told]], Iterator[object]]] = {"union-find": plain, "socialsupport": ours}
"""Each gives what it keeps once everything is told, then everybody."""


def measured(count: int, method: str) -> Row:
    """Seconds of CPU time until all is told and kept, from there until the customers are known, all together, and until
    each has been named; without those of making the observations up. And the most memory that the process had."""
    began = time.process_time()
    for _ in observations(count):
        pass
    made = time.process_time()
    rows = METHODS[method](observations(count))
    next(rows)
    told = time.process_time()
    next(rows)
    resolved = time.process_time()
    identifiers = 1 + sum(1 for _ in rows)
    named = time.process_time()
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "method": method,
        "edges": count,
        "identifiers": identifiers,
        "told": round(told - made - (made - began), 1),
        "rebuilt": round(resolved - told, 1),
        "resolved": round(resolved - made - (made - began), 1),
        "named": round(named - made - (made - began), 1),
        "MB": round(kibibytes * 1024 / 1e6),
    }


def many(size: Size, say: Say) -> list[Row]:
    found = []
    for method in METHODS:
        say(f"{size.edges:,} edges, {method}")
        command = [sys.executable, "-m", "benchmarks.identity.many", str(size.edges), method]
        done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr[-1000:])
        found.append(json.loads(done.stdout))
    return found


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]), sys.argv[2])))
