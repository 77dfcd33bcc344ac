"""Where the tokens of the HTTP API come from, so that they can be listed and taken back. Only digests are kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from socialsupport_core.store.accounts import SCOPES, Scope, _digest
from socialsupport_core.store.database import Row, Tx, moment

NAMED = 16  # hexadecimal digits of the digest that name a token


@dataclass(frozen=True, slots=True)
class Token:
    """`origin` tells who gave it: `file` (the configuration), `http`, or `code`."""

    id: str
    tenant: str
    agent: str
    scopes: tuple[Scope, ...]
    origin: str
    issued_at: datetime | None
    issued_by: str | None
    purpose: str | None


def name(token: str) -> str:
    """What it is called in lists; it opens nothing."""
    return f"tok_{_digest(token)[:NAMED]}"


def note(tx: Tx, token: str, origin: str, at: int, by: str | None = None, purpose: str | None = None) -> None:
    tx.run(
        "INSERT INTO token_issues (digest, origin, issued_at, issued_by, purpose) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (digest) DO UPDATE SET origin = excluded.origin",
        _digest(token),
        origin,
        at,
        by,
        purpose,
    )


def tokens(tx: Tx, tenant: str | None = None) -> list[Token]:
    rows = tx.all(
        "SELECT tokens.digest AS digest, tokens.tenant AS tenant, tokens.agent AS agent, tokens.scopes AS scopes,"
        " token_issues.origin AS origin, token_issues.issued_at AS issued_at, token_issues.issued_by AS issued_by,"
        " token_issues.purpose AS purpose"
        " FROM tokens LEFT JOIN token_issues ON token_issues.digest = tokens.digest"
        " WHERE (CAST(? AS TEXT) IS NULL OR tokens.tenant = ?) ORDER BY tokens.tenant, tokens.agent, tokens.digest",
        tenant,
        tenant,
    )
    return [_token(row) for row in rows]


def revoke(tx: Tx, token: str) -> bool:
    """By its name. False if there is none."""
    digest = token.removeprefix("tok_")
    if len(digest) != NAMED or not token.startswith("tok_"):
        return False
    tx.run("DELETE FROM token_issues WHERE substr(digest, 1, ?) = ?", NAMED, digest)
    return tx.run("DELETE FROM tokens WHERE substr(digest, 1, ?) = ?", NAMED, digest) > 0


def revoke_others(tx: Tx, origin: str, kept: Collection[str]) -> int:
    """All of this origin but those; how many."""
    digests = {_digest(one) for one in kept}
    rows = tx.all("SELECT digest FROM token_issues WHERE origin = ?", origin)
    gone = [(row["digest"],) for row in rows if row["digest"] not in digests]
    tx.many("DELETE FROM tokens WHERE digest = ?", gone)
    tx.many("DELETE FROM token_issues WHERE digest = ?", gone)
    return len(gone)


def _token(row: Row) -> Token:
    return Token(
        f"tok_{row['digest'][:NAMED]}",
        row["tenant"],
        row["agent"],
        tuple(scope for scope in SCOPES if scope in row["scopes"].split()),
        row["origin"] or "code",
        None if row["issued_at"] is None else moment(row["issued_at"]),
        row["issued_by"],
        row["purpose"],
    )
