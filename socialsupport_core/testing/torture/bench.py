"""Runs faults, each in a process of its own, and counts what was found."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.testing import postgresql
from socialsupport_core.testing.torture.auditor import Finding
from socialsupport_core.testing.torture.fault import Fault, Tried
from socialsupport_core.testing.torture.faults import FAULTS

WORKER = "socialsupport_core.testing.torture.worker"
OWN = "postgresql"
"""In place of an address: a server of the bench's own."""
GRACE = 120.0
"""Seconds without a word after which a worker hangs."""


@dataclass
class Row:
    """What was found of one fault, so far."""

    fault: str
    promise: str
    tries: int = 0
    hurts: int = 0
    """How often the hub was hurt: killed, cut off, given the same again."""
    findings: list[tuple[int, Finding]] = field(default_factory=list)
    """Each with the seed of its try."""
    figures: dict[str, float] = field(default_factory=dict)
    """What was measured, the worst of all tries."""
    cannot: str | None = None
    """Why it cannot be tried here."""
    broken: str | None = None
    """Why the bench itself did not come to an end."""
    done: bool = False

    def count(self, kind: str) -> int:
        return sum(1 for _, one in self.findings if one.kind == kind)

    @property
    def holds(self) -> bool:
        return not self.findings and self.broken is None

    @property
    def verdict(self) -> str:
        if self.broken is not None:
            return f"the bench broke: {self.broken}"
        if self.cannot is not None:
            return f"not here: {self.cannot}"
        if self.holds:
            return ", ".join(["holds", *(f"{name} {value:.3g}" for name, value in self.figures.items())])
        wrong = self.count("wrong")
        return "FAILS" + (f", {wrong} otherwise wrong" if wrong else "")

    @property
    def seeds(self) -> list[int]:
        """Of the tries in which something was found."""
        return list(dict.fromkeys(seed for seed, _ in self.findings))

    def add(self, tried: Tried) -> None:
        self.tries += 1
        self.hurts += tried.hurts
        self.findings += [(tried.seed, one) for one in tried.findings]
        for name, value in tried.figures.items():
            self.figures[name] = max(value, self.figures.get(name, value))

    def as_json(self) -> dict[str, Any]:
        found = [{"seed": seed, "kind": one.kind, "what": one.what} for seed, one in self.findings]
        counted = {kind: self.count(kind) for kind in ("lost", "doubled", "wrong")}
        head = {"fault": self.fault, "promise": self.promise, "tries": self.tries, "tried": self.hurts}
        head["figures"] = self.figures
        return {**head, **counted, "holds": self.holds, "verdict": self.verdict, "findings": found}


def chosen(names: Sequence[str]) -> list[tuple[str, type[Fault]]]:
    """All of them if none is named; a name may be `name:part`. Raises ConfigError."""
    for one in names:
        name, _, part = one.partition(":")
        if name not in FAULTS:
            raise ConfigError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
        if part and part not in FAULTS[name].parts:
            raise ConfigError(f"{name} has no part {part!r}; it has {', '.join(FAULTS[name].parts) or 'none'}")
    return [(name, FAULTS[name.partition(":")[0]]) for name in dict.fromkeys(names or FAULTS)]


def run(
    names: Sequence[str] = (),
    *,
    seed: int = 1,
    tries: int | None = None,
    seconds: float | None = None,
    store: str | None = None,
    setup: str | None = None,
    told: Callable[[Row], None] = lambda _row: None,
    until_found: str | None = None,
) -> list[Row]:
    """Tries each fault so often, or for its share of so many seconds, or as often as is quick.

    `store` is a `postgresql://` URL, `postgresql` for a server that is started for the purpose, or a folder for SQLite
    files. `setup` is `module:function` or `path.py:function`, called first in each process; what it returns are
    options for `Hub.open`. `told` hears of each try. With `until_found` a fault ends with the first try in which
    a finding of that kind came up. Ctrl-C ends it with what was found so far. Raises ConfigError.
    """
    faults, rows, began = chosen(names), [], time.monotonic()
    with _served(store) as address:
        for number, (name, fault) in enumerate(faults):
            order: dict[str, Any] = {"fault": name, "seed": seed, "store": address, "setup": setup}
            order["until_found"] = until_found
            if seconds is None:
                order["tries"] = fault.quick if tries is None else tries
            else:
                left = max(0.0, seconds - (time.monotonic() - began))
                order["seconds"] = left / (len(faults) - number)
            rows.append(row := Row(name, fault.promise))
            try:
                _work(order, row, told)
            except KeyboardInterrupt:
                return rows
            row.done = True
            told(row)
    return rows


@contextmanager
def _served(store: str | None) -> Iterator[str | None]:
    if store != OWN:
        yield store
    elif postgresql.programs() is None:
        raise ConfigError(f"--store {OWN} starts a server, and there is {postgresql.MISSING}; or give postgresql://…")
    else:
        with postgresql.running() as server:
            yield server.url


def _work(order: dict[str, Any], row: Row, told: Callable[[Row], None]) -> None:
    """Everything that one worker says, into the row."""
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", WORKER, json.dumps(order)]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, env=environment) as worker,  # noqa: S603
    ):
        try:
            for said in _lines(worker):
                if "cannot" in said:
                    row.cannot = said["cannot"]
                else:
                    row.add(_tried(said))
                    told(row)
        finally:
            if worker.poll() is None and sys.exc_info()[0] is not None:
                worker.kill()
        if worker.wait(GRACE):
            complaints.seek(0)
            last = complaints.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            row.broken = last[0] if last else f"its process ended with {worker.returncode}"


def _lines(worker: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    assert worker.stdout is not None
    for line in worker.stdout:
        yield json.loads(line)


def _tried(said: dict[str, Any]) -> Tried:
    return Tried(said["seed"], said["hurts"], tuple(Finding(**one) for one in said["findings"]), said["figures"])


def again(fault: str, seed: int, store: str | None = None, setup: str | None = None) -> str:
    """The command that repeats one try. A password in the store's address is left out."""
    more = f" --store {_without_password(store)}" if store else ""
    return f"socialsupport torture --fault {fault} --seed {seed}{more}" + (f" --setup {setup}" if setup else "")


def _without_password(store: str) -> str:
    parts = urlsplit(store)
    if parts.password is None:
        return store
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}@{host}").geturl()
