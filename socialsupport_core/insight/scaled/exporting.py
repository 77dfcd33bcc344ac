"""What was said, the turns and the hand-offs as Parquet: a file for each table, tenant and day.

    FOLDER/touches/tenant=acme/day=2026-11-02/touches.parquet
    FOLDER/turns/…  FOLDER/handed/…
    FOLDER/assumptions/acme.json

No text, no name, no address is in it. Threads and orders, whose ids may be telephone numbers and the like, are replaced
by digests under the tenant's own key, which does not leave the store.

The store keeps interactions by account, the files hold days: everything is read once, page by page, put down by days
in a folder beside, and each day then sorted and written. What is in memory is a page, some thousands of rows that wait,
and at last one day.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.guidance.service import Service
from socialsupport_core.insight import history
from socialsupport_core.insight.history import Handed, Touch, Turn
from socialsupport_core.insight.scaled.place import Moved, unseen
from socialsupport_core.insight.scaled.tables import SCHEMAS, arrow
from socialsupport_core.store import Tx
from socialsupport_core.store import history as table
from socialsupport_core.store.accounts import tenant_key

WAITING = 50_000
"""Rows that wait in memory for their days."""
GROUP = 65_536
"""Rows of one group within a file."""
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROS = 86_400_000_000
SORTED = {"touches": ("at", "id"), "turns": ("at", "conversation", "type", "agent"), "handed": ("at", "conversation")}

Read = Callable[[Callable[[Tx], Any]], Any]
"""Runs a piece of work in a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Written:
    """What an export has done."""

    rows: int = 0
    days: int = 0
    changed: int = 0
    """Files that were written anew; all others were as they are already."""
    removed: int = 0
    """Files of days on which nothing is left."""


def export(read: Read, tenant: str, conduct: Conduct, folder: Path, since: int, until: int, moved: Moved) -> Written:
    """Whole days, from the one in which `since` lies to the one before `until`. A day's file is replaced at once: one
    that is there is whole, also after the export was stopped; and the same rows make the same file."""
    assume(folder, tenant, conduct.guidance)
    first, last = since // MICROS * MICROS, -(-until // MICROS) * MICROS
    return put(folder, tenant, _pages(read, tenant, conduct, first, last), first, last, moved)


def put(
    folder: Path,
    tenant: str,
    pages: Iterable[tuple[str, Sequence[Touch | Turn | Handed]]],
    first: int,
    last: int,
    moved: Moved = unseen,
) -> Written:
    """Rows in any order, by the name of their table, as files by day; `first` and `last` are the days' borders."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".export-", dir=folder) as spool:
        days = _Days(Path(spool))
        rows = 0
        for name, page in pages:
            days.take(name, page)
            rows += len(page)
            moved(rows, None)
        days.flush()
        return replace(_settle(days, folder, tenant, first, last), rows=rows)


def files(folder: Path, name: str, tenant: str) -> list[Path]:
    """Those of one table, day by day."""
    return sorted((folder / name / f"tenant={_written(tenant)}").glob(f"day=*/{name}.parquet"))


def tenants(folder: Path) -> list[str]:
    return sorted(unquote(file.stem) for file in (folder / "assumptions").glob("*.json"))


def assume(folder: Path, tenant: str, guidance: Service) -> None:
    """Keeps the tenant's targets and hours beside the tables: the report goes by them."""
    file = folder / "assumptions" / f"{_written(tenant)}.json"
    kept = {name: value for name, value in guidance.model_dump(mode="json").items() if name in Service.model_fields}
    _replace(file, (json.dumps(kept, indent=1) + "\n").encode())


def assumed(folder: Path, tenant: str) -> Service:
    return Service.model_validate_json((folder / "assumptions" / f"{_written(tenant)}.json").read_bytes())


def _pages(
    read: Read, tenant: str, conduct: Conduct, since: int, until: int
) -> Iterator[tuple[str, Sequence[Touch | Turn | Handed]]]:
    key = read(lambda tx: tenant_key(tx, tenant))
    after: history.Place | None = table.START
    while after is not None:
        here = after
        page, after = read(lambda tx: history.touches(tx, tenant, conduct, since, until, here))  # noqa: B023 - at once
        yield "touches", [_opaque(touch, key) for touch in page]
    living = read(lambda tx: table.living(tx, tenant))
    cursor: int | None = 0
    while cursor is not None:
        at = cursor
        turns, cursor = read(lambda tx: history.turns(tx, tenant, since, until, at, living))  # noqa: B023
        yield "turns", turns
    yield "handed", read(lambda tx: history.hand_offs(tx, tenant, since, until, living))


def _opaque(touch: Touch, key: bytes) -> Touch:
    topics = frozenset(f"{kind}:{_digest(key, kind, value)}" for kind, _, value in map(_parted, touch.topics))
    return replace(touch, thread=_digest(key, touch.channel, touch.thread), topics=topics)


def _parted(topic: str) -> tuple[str, str, str]:
    return topic.partition(":")


def _digest(key: bytes, *parts: str) -> str:
    return blake2b("\0".join(parts).encode(), key=key[:64], digest_size=12).hexdigest()


class _Days:
    """Rows by table and day, in parts: what does not wait in memory is on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[tuple[str, int], list[Any]] = defaultdict(list)
        self._count = 0
        self._parts: dict[tuple[str, int], list[Path]] = defaultdict(list)

    def take(self, name: str, rows: Sequence[Touch | Turn | Handed]) -> None:
        for row in rows:
            self._waiting[name, row.at // MICROS].append(row)
        self._count += len(rows)
        if self._count >= WAITING:
            self.flush()

    def flush(self) -> None:
        for (name, day), rows in self._waiting.items():
            parts = self._parts[name, day]
            file = self._folder / f"{name}-{day}-{len(parts)}"
            pq.write_table(arrow(name, rows), file, compression="none")
            parts.append(file)
        self._waiting.clear()
        self._count = 0

    @property
    def keys(self) -> list[tuple[str, int]]:
        return sorted(self._parts)

    def sorted(self, name: str, day: int) -> pa.Table:
        whole = pa.concat_tables([pq.read_table(part) for part in self._parts[name, day]])
        return whole.sort_by([(column, "ascending") for column in SORTED[name]])


def _settle(days: _Days, folder: Path, tenant: str, first: int, last: int) -> Written:
    """Puts the days in their places, and takes away what is no more."""
    changed, kept = 0, set()
    for name, day in days.keys:
        file = _place(folder, name, tenant, day)
        kept.add(file)
        changed += _write(file, days.sorted(name, day))
    removed = 0
    for name in SCHEMAS:
        for file in files(folder, name, tenant):
            if file not in kept and first <= _day_of(file) < last:
                file.unlink()
                file.parent.rmdir()
                removed += 1
    return Written(days=len({day for _, day in days.keys}), changed=changed, removed=removed)


def _written(tenant: str) -> str:
    return quote(tenant, safe="")


def _place(folder: Path, name: str, tenant: str, day: int) -> Path:
    date = (EPOCH + day * DAY).date().isoformat()
    return folder / name / f"tenant={_written(tenant)}" / f"day={date}" / f"{name}.parquet"


def _day_of(file: Path) -> int:
    """Microseconds since 1970."""
    began = datetime.fromisoformat(file.parent.name.removeprefix("day=")).replace(tzinfo=UTC)
    return (began - EPOCH) // DAY * MICROS


def _write(file: Path, rows: pa.Table) -> bool:
    """Whether it is another file than before."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd", row_group_size=GROUP)
    return _replace(file, sink.getvalue().to_pybytes())


def _replace(file: Path, content: bytes) -> bool:
    if file.exists() and file.read_bytes() == content:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}")
    fresh.write_bytes(content)
    fresh.replace(file)
    return True
