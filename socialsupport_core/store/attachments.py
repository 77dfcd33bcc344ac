"""What became of attachments: fetched or refused, and until then waiting."""

from collections.abc import Iterable
from dataclasses import dataclass

from socialsupport_core.model import Interaction
from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.interactions import among


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one attachment."""

    seq: int
    position: int
    state: str
    """`pending`, `stored`, `expired`, `refused`."""
    blob: str | None
    media_type: str | None
    name: str | None
    size: int | None
    reason: str | None
    attempts: int
    due_at: int
    """When it is fetched again, while it is pending."""


def expect(tx: Tx, tenant: str, seq: int, interaction: Interaction) -> None:
    for position, a in enumerate(interaction.attachments):
        tx.defer(
            "INSERT INTO attachments (tenant, seq, position, state, blob, media_type, name, size)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (tenant, seq, position, "stored" if a.blob else "pending", a.blob, a.media_type, a.name, a.size),
        )


def of(tx: Tx, tenant: str, seqs: Iterable[int]) -> dict[int, list[Kept]]:
    found: dict[int, list[Kept]] = {}
    for row in among(tx, "SELECT * FROM attachments WHERE tenant = ? AND seq IN", tenant, seqs):
        found.setdefault(row["seq"], []).append(_kept(row))
    return found


def one(tx: Tx, tenant: str, seq: int, position: int) -> Kept | None:
    row = tx.one("SELECT * FROM attachments WHERE tenant = ? AND seq = ? AND position = ?", tenant, seq, position)
    return _kept(row) if row else None


def pending(tx: Tx, now: int, limit: int) -> list[tuple[str, Kept]]:
    rows = tx.all(
        "SELECT * FROM attachments WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT ?", now, limit
    )
    return [(row["tenant"], _kept(row)) for row in rows]


def claim(tx: Tx, now: int, until: int, limit: int) -> list[tuple[str, Kept]]:
    """What is to be fetched; nobody else tries before `until`."""
    sql = "SELECT * FROM attachments WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT ?"
    rows = tx.all(f"{sql}{tx.claiming}", now, limit)
    for row in rows:
        tx.run(
            "UPDATE attachments SET due_at = ? WHERE tenant = ? AND seq = ? AND position = ?",
            until,
            row["tenant"],
            row["seq"],
            row["position"],
        )
    return [(row["tenant"], _kept(row)) for row in rows]


def held_up(tx: Tx, tries: int) -> list[tuple[str, str, int]]:
    """The tenant, why, and how many: what could not be kept after so many tries and still waits."""
    rows = tx.all(
        "SELECT tenant, reason, count(*) AS n FROM attachments WHERE state = 'pending' AND due_at > 0"
        " AND attempts >= ? AND reason IS NOT NULL GROUP BY tenant, reason ORDER BY tenant, n DESC, reason",
        tries,
    )
    return [(row["tenant"], row["reason"], row["n"]) for row in rows]


def settle(tx: Tx, tenant: str, kept: Kept) -> bool:
    """False if its message has been erased, or another was quicker: what is settled stays as it is."""
    touched = tx.run(
        "UPDATE attachments SET state = ?, blob = ?, media_type = ?, name = ?, size = ?, reason = ?, attempts = ?,"
        " due_at = ? WHERE tenant = ? AND seq = ? AND position = ? AND state = 'pending'",
        kept.state,
        kept.blob,
        kept.media_type,
        kept.name,
        kept.size,
        kept.reason,
        kept.attempts,
        kept.due_at,
        tenant,
        kept.seq,
        kept.position,
    )
    return bool(touched)


def _kept(row: Row) -> Kept:
    return Kept(*(row[name] for name in Kept.__slots__))


def private(tx: Tx, tenant: str, blobs: Iterable[str]) -> set[str]:
    """Those of these files that somebody has sent us in a private thread."""
    wanted = sorted(set(blobs))
    if not wanted:
        return set()
    rows = tx.all(
        "SELECT DISTINCT a.blob FROM attachments a JOIN interaction_keys k ON k.seq = a.seq JOIN interactions i"
        " ON i.tenant = k.tenant AND i.node = k.node AND i.at = k.at AND i.seq = k.seq JOIN legs l ON l.leg = i.leg"
        " WHERE a.tenant = ? AND i.direction = 'inbound' AND l.visibility = 'private'"
        f" AND a.blob IN ({', '.join('?' * len(wanted))})",
        tenant,
        *wanted,
    )
    return {row["blob"] for row in rows}
