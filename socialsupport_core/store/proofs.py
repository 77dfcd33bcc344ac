"""Proofs under way: one-time codes, nonces that were used, issuers whose word counts, and who has shown control."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE challenges (
  tenant TEXT NOT NULL, challenge TEXT NOT NULL, digest TEXT NOT NULL, proof TEXT NOT NULL,
  conversation TEXT NOT NULL, told INTEGER NOT NULL, node INTEGER NOT NULL, agent TEXT NOT NULL, handoff TEXT,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, tries INTEGER NOT NULL, state TEXT NOT NULL,
  ended_at INTEGER, PRIMARY KEY (tenant, challenge)) WITHOUT ROWID;
CREATE INDEX challenges_open ON challenges (tenant, node) WHERE state = 'open';
CREATE INDEX challenges_of_handoff ON challenges (tenant, handoff) WHERE handoff IS NOT NULL;
CREATE INDEX challenges_of_told ON challenges (tenant, told, created_at);
CREATE INDEX challenges_of_node ON challenges (tenant, node, created_at);
CREATE TABLE controls (
  tenant TEXT NOT NULL, node INTEGER NOT NULL, proof TEXT NOT NULL, entry INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (tenant, node, proof)) WITHOUT ROWID;
CREATE TABLE nonces (
  tenant TEXT NOT NULL, digest TEXT NOT NULL, expires_at INTEGER NOT NULL, node INTEGER, used_at INTEGER,
  PRIMARY KEY (tenant, digest)) WITHOUT ROWID;
CREATE TABLE issuers (
  tenant TEXT NOT NULL REFERENCES tenants, issuer TEXT NOT NULL, audience TEXT NOT NULL, algorithms TEXT NOT NULL,
  keys TEXT NOT NULL, fetched_at INTEGER, PRIMARY KEY (tenant, issuer)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code that was told to one account and is to be said by another."""

    tenant: str
    id: str
    digest: str
    proof: str
    conversation: str
    told: int
    """The account to which the code was shown."""
    node: int
    """The account that must say it."""
    agent: str
    handoff: str | None
    created_at: int
    expires_at: int
    tries: int = 0
    state: str = "open"
    """`open`, `proven`, `spent` (too many tries), `expired`, or `replaced` by a newer one."""
    ended_at: int | None = None


_COLUMNS = (
    "tenant", "challenge", "digest", "proof", "conversation", "told", "node", "agent", "handoff",
    "created_at", "expires_at", "tries", "state", "ended_at",
)  # fmt: skip


def put(tx: "Tx", one: Challenge) -> None:
    tx.run(
        f"INSERT INTO challenges ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
        one.tenant,
        one.id,
        one.digest,
        one.proof,
        one.conversation,
        one.told,
        one.node,
        one.agent,
        one.handoff,
        one.created_at,
        one.expires_at,
        one.tries,
        one.state,
        one.ended_at,
    )


def get(tx: "Tx", tenant: str, challenge: str) -> Challenge | None:
    row = tx.one("SELECT * FROM challenges WHERE tenant = ? AND challenge = ?", tenant, challenge)
    return _challenge(row) if row else None


def any_open(tx: "Tx", tenant: str) -> bool:
    """Looked up once a batch, so that a message costs nothing while nobody is asked for a code."""
    known = tx.memo("any_challenge")
    if tenant not in known:
        row = tx.one("SELECT 1 AS one FROM challenges WHERE tenant = ? AND state = 'open' LIMIT 1", tenant)
        known[tenant] = row is not None
    found: bool = known[tenant]
    return found


def open_of(tx: "Tx", tenant: str, node: int) -> list[Challenge]:
    """Those that this account is to answer, the newest first."""
    sql = (
        "SELECT * FROM challenges WHERE tenant = ? AND node = ? AND state = 'open' ORDER BY created_at DESC, challenge"
    )
    return [_challenge(row) for row in tx.all(sql, tenant, node)]


def all_open(tx: "Tx", tenant: str, limit: int) -> list[Challenge]:
    sql = "SELECT * FROM challenges WHERE tenant = ? AND state = 'open' ORDER BY created_at DESC, challenge LIMIT ?"
    return [_challenge(row) for row in tx.all(sql, tenant, limit)]


def of_conversation(tx: "Tx", tenant: str, conversation: str, limit: int = 20) -> list[Challenge]:
    sql = "SELECT * FROM challenges WHERE tenant = ? AND conversation = ? ORDER BY created_at DESC, challenge LIMIT ?"
    return [_challenge(row) for row in tx.all(sql, tenant, conversation, limit)]


def of_handoff(tx: "Tx", tenant: str, handoff: str) -> list[Challenge]:
    """The codes with which somebody was to prove that it was given to them."""
    return [
        _challenge(row) for row in tx.all("SELECT * FROM challenges WHERE tenant = ? AND handoff = ?", tenant, handoff)
    ]


def asked_since(tx: "Tx", tenant: str, node: int, since: int) -> int:
    """How many codes this account was to answer."""
    sql = "SELECT count(*) AS n FROM challenges WHERE tenant = ? AND node = ? AND created_at >= ?"
    row = tx.one(sql, tenant, node, since)
    return int(row["n"]) if row else 0


def told_since(tx: "Tx", tenant: str, node: int, since: int) -> int:
    """How many codes this account was told."""
    sql = "SELECT count(*) AS n FROM challenges WHERE tenant = ? AND told = ? AND created_at >= ?"
    row = tx.one(sql, tenant, node, since)
    return int(row["n"]) if row else 0


def tried(tx: "Tx", one: Challenge, most: int) -> int | None:
    """Counts a try in the store, so that all processes count together; which one it was, None if none was left."""
    rows = tx.change(
        "UPDATE challenges SET tries = tries + 1 WHERE tenant = ? AND challenge = ? AND state = 'open' AND tries < ?"
        " RETURNING tries",
        one.tenant,
        one.id,
        most,
    )
    return int(rows[0]["tries"]) if rows else None


def end(tx: "Tx", one: Challenge, state: str, at: int) -> bool:
    """False if it had ended already."""
    sql = "UPDATE challenges SET state = ?, ended_at = ? WHERE tenant = ? AND challenge = ? AND state = 'open'"
    return bool(tx.run(sql, state, at, one.tenant, one.id))


def overdue(tx: "Tx", now: int, limit: int = 50) -> list[Challenge]:
    sql = "SELECT * FROM challenges WHERE state = 'open' AND expires_at < ? ORDER BY expires_at LIMIT ?"
    return [_challenge(row) for row in tx.all(sql, now, limit)]


# control


def note_control(tx: "Tx", tenant: str, node: int, proof: str, entry: int, at: int) -> None:
    """What came in this payload was certainly written by whoever holds the account."""
    tx.memo("controlled")[tenant, node, entry] = True
    tx.run(
        "INSERT INTO controls (tenant, node, proof, entry, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, node, proof) DO UPDATE SET entry = excluded.entry, at = excluded.at",
        tenant,
        node,
        proof,
        entry,
        at,
    )


def controlled_in(tx: "Tx", tenant: str, node: int, entry: int) -> bool:
    if tx.memo("controlled").get((tenant, node, entry)):
        return True
    sql = "SELECT 1 AS one FROM controls WHERE tenant = ? AND node = ? AND entry = ? LIMIT 1"
    return _any_control(tx, tenant) and tx.one(sql, tenant, node, entry) is not None


def _any_control(tx: "Tx", tenant: str) -> bool:
    """Looked up once a batch, so that a mail costs nothing where no server vouches for any."""
    known = tx.memo("any_control")
    if tenant not in known:
        known[tenant] = tx.one("SELECT 1 AS one FROM controls WHERE tenant = ? LIMIT 1", tenant) is not None
    found: bool = known[tenant]
    return found


def has_control(tx: "Tx", tenant: str, node: int) -> bool:
    """Whether what its mail server says lets its mails count."""
    return tx.one("SELECT 1 AS one FROM controls WHERE tenant = ? AND node = ? LIMIT 1", tenant, node) is not None


# nonces


def put_nonce(tx: "Tx", tenant: str, digest: str, node: int, expires_at: int) -> None:
    """For one account; it works once."""
    sql = "INSERT INTO nonces (tenant, digest, node, expires_at) VALUES (?, ?, ?, ?)"
    tx.run(sql, tenant, digest, node, expires_at)


def use_nonce(tx: "Tx", tenant: str, digest: str, at: int) -> "Row | None":
    """Its row, once; None if it was never given, or used already."""
    rows = tx.change(
        "UPDATE nonces SET used_at = ? WHERE tenant = ? AND digest = ? AND used_at IS NULL RETURNING node, expires_at",
        at,
        tenant,
        digest,
    )
    return rows[0] if rows else None


def forget_nonces(tx: "Tx", before: int) -> int:
    return tx.run("DELETE FROM nonces WHERE expires_at < ?", before)


# issuers


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose ID tokens count. `keys` is a JSON Web Key Set (RFC 7517) of public keys, as JSON."""

    tenant: str
    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    keys: str
    fetched_at: int | None = None
    """When its keys were last asked for; None if they were given by hand."""


def put_issuer(tx: "Tx", one: Issuer) -> None:
    tx.run(
        "INSERT INTO issuers (tenant, issuer, audience, algorithms, keys, fetched_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, issuer) DO UPDATE SET audience = excluded.audience,"
        " algorithms = excluded.algorithms, keys = excluded.keys, fetched_at = excluded.fetched_at",
        one.tenant,
        one.issuer,
        one.audience,
        " ".join(one.algorithms),
        one.keys,
        one.fetched_at,
    )


def claim_keys(tx: "Tx", one: Issuer, at: int) -> bool:
    """Whoever gets it asks for the keys, and nobody else in the meantime."""
    sql = "UPDATE issuers SET fetched_at = ? WHERE tenant = ? AND issuer = ? AND fetched_at = ?"
    return tx.run(sql, at, one.tenant, one.issuer, one.fetched_at) > 0


def put_keys(tx: "Tx", tenant: str, name: str, keys: str) -> None:
    sql = "UPDATE issuers SET keys = ? WHERE tenant = ? AND issuer = ? AND fetched_at IS NOT NULL"
    tx.run(sql, keys, tenant, name)


def issuer(tx: "Tx", tenant: str, name: str) -> Issuer | None:
    row = tx.one("SELECT * FROM issuers WHERE tenant = ? AND issuer = ?", tenant, name)
    return _issuer(row) if row else None


def issuers(tx: "Tx", tenant: str) -> list[Issuer]:
    return [_issuer(row) for row in tx.all("SELECT * FROM issuers WHERE tenant = ? ORDER BY issuer", tenant)]


def remove_issuer(tx: "Tx", tenant: str, name: str) -> bool:
    return tx.run("DELETE FROM issuers WHERE tenant = ? AND issuer = ?", tenant, name) > 0


def _issuer(row: "Row") -> Issuer:
    algorithms = tuple(row["algorithms"].split())
    return Issuer(row["tenant"], row["issuer"], row["audience"], algorithms, row["keys"], row["fetched_at"])


def _challenge(row: "Row") -> Challenge:
    return Challenge(*(row[name] for name in _COLUMNS))
