"""Credentials that a network gave us: which version is current, who is renewing it, and who is on the way to get some.

The texts themselves lie in the secret store. The rows here are what processes agree on: a version that only ever grows,
so that a new token replaces exactly the one that it was got with, and a claim with a lease, so that one process asks
for it and the others wait.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr

from socialsupport_core.model import Credentials

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx
    from socialsupport_core.store.secrets import SecretStore

TABLES = """
CREATE TABLE credentials (
  holder TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, renewed_at INTEGER,
  claimed_by TEXT, claimed_until INTEGER) WITHOUT ROWID;
CREATE TABLE sign_ins (
  digest TEXT PRIMARY KEY, tenant TEXT NOT NULL, agent TEXT NOT NULL, channel TEXT NOT NULL, redirect TEXT NOT NULL,
  return_to TEXT, browser TEXT, expires_at INTEGER NOT NULL, used_at INTEGER) WITHOUT ROWID;
CREATE INDEX sign_ins_by_age ON sign_ins (expires_at);
"""

State = Literal["good", "doubtful", "refused", "gone"]
"""`doubtful`: asked to be renewed, and the answer is not known (yet). `refused`: only an operator can mend it."""
KEEP_SIGN_INS = 24 * 3600 * 1_000_000  # microseconds after which a used or expired one is no longer recognised


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a holder's credentials without reading them."""

    holder: str
    version: int
    state: State
    reason: str | None
    renewed_at: int | None
    """When this version was got by a refresh; None for what an operator has brought."""
    claimed_until: int


def standing(tx: "Tx", holder: str) -> Standing | None:
    """None if nothing is held."""
    row = tx.one("SELECT * FROM credentials WHERE holder = ? AND state <> 'gone'", holder)
    return _standing(row) if row else None


def get(tx: "Tx", secrets: "SecretStore", holder: str) -> Credentials:
    """Raises ConfigError if the secret store has not got them or cannot open them."""
    return Credentials.model_validate_json(secrets.get(tx, _ref(holder)))


def keep(tx: "Tx", secrets: "SecretStore", holder: str, credentials: Credentials) -> None:
    """Those that an operator has brought: they replace whatever is there, and end whatever is under way."""
    tx.run(
        "INSERT INTO credentials (holder, version, state) VALUES (?, 1, 'good') ON CONFLICT (holder) DO UPDATE SET"
        " version = credentials.version + 1, state = 'good', reason = NULL, renewed_at = NULL,"
        " claimed_by = NULL, claimed_until = NULL",
        holder,
    )
    secrets.put(tx, _ref(holder), _written(credentials))


def begin(tx: "Tx", secrets: "SecretStore", holder: str, credentials: Credentials) -> None:
    """Where nothing is held yet, whoever comes first."""
    if standing(tx, holder) is None:
        keep(tx, secrets, holder, credentials)


def renew(tx: "Tx", secrets: "SecretStore", holder: str, version: int, credentials: Credentials, now: int) -> bool:
    """Replaces this very version; False if another one is there by now."""
    if not tx.run(
        "UPDATE credentials SET version = version + 1, state = 'good', reason = NULL, renewed_at = ?,"
        " claimed_by = NULL, claimed_until = NULL WHERE holder = ? AND version = ? AND state <> 'gone'",
        now,
        holder,
        version,
    ):
        return False
    secrets.put(tx, _ref(holder), _written(credentials))
    return True


def claim(tx: "Tx", holder: str, version: int, claimant: str, now: int, until: int) -> State | None:
    """The right to renew this version, until then; None if somebody else has it, or if there is nothing to renew.

    From here on they are doubtful, until it is known what became of it. What comes back is what they were before.
    """
    found = standing(tx, holder)
    if found is None or found.version != version or found.state == "refused" or found.claimed_until > now:
        return None
    claimed = tx.run(
        "UPDATE credentials SET state = 'doubtful', claimed_by = ?, claimed_until = ?"
        " WHERE holder = ? AND version = ? AND state = ? AND (claimed_until IS NULL OR claimed_until <= ?)",
        claimant,
        until,
        holder,
        version,
        found.state,
        now,
    )
    return found.state if claimed else None


def settle(tx: "Tx", holder: str, version: int, claimant: str, state: State, reason: str | None = None) -> bool:
    """Gives the claim back without a new version; False if it is no longer ours."""
    return bool(
        tx.run(
            "UPDATE credentials SET state = ?, reason = ?, claimed_by = NULL, claimed_until = NULL"
            " WHERE holder = ? AND version = ? AND claimed_by = ?",
            state,
            reason,
            holder,
            version,
            claimant,
        )
    )


def revive(tx: "Tx", holder: str) -> bool:
    """The operator has changed something: what was refused may be tried again."""
    return bool(
        tx.run("UPDATE credentials SET state = 'good', reason = NULL WHERE holder = ? AND state = 'refused'", holder)
    )


def forget(tx: "Tx", secrets: "SecretStore", holder: str) -> None:
    """The row stays, so that no version is ever given twice."""
    tx.run(
        "UPDATE credentials SET version = version + 1, state = 'gone', reason = NULL,"
        " claimed_by = NULL, claimed_until = NULL WHERE holder = ?",
        holder,
    )
    secrets.forget(tx, _ref(holder))


# on the way


@dataclass(frozen=True, slots=True)
class Trip:
    """An operator who has gone to the network to grant access. `digest` is the state's."""

    digest: str
    tenant: str
    agent: str
    channel: str
    redirect: str
    return_to: str | None
    browser: str | None
    """The digest of what the browser has in its cookie, where the trip began in one."""
    expires_at: int


def set_out(tx: "Tx", secrets: "SecretStore", trip: Trip, verifier: SecretStr, now: int) -> None:
    for row in tx.all("SELECT digest FROM sign_ins WHERE expires_at < ?", now - KEEP_SIGN_INS):
        secrets.forget(tx, _verifier(row["digest"]))
    tx.run("DELETE FROM sign_ins WHERE expires_at < ?", now - KEEP_SIGN_INS)
    tx.run(
        "INSERT INTO sign_ins (digest, tenant, agent, channel, redirect, return_to, browser, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        trip.digest,
        trip.tenant,
        trip.agent,
        trip.channel,
        trip.redirect,
        trip.return_to,
        trip.browser,
        trip.expires_at,
    )
    secrets.put(tx, _verifier(trip.digest), verifier.get_secret_value())


def trip(tx: "Tx", digest: str) -> Trip | None:
    """Whoever set out with this state, back or not."""
    row = tx.one("SELECT * FROM sign_ins WHERE digest = ?", digest)
    return _trip(row) if row else None


def come_back(tx: "Tx", secrets: "SecretStore", trip: Trip, now: int) -> SecretStr | None:
    """The verifier, once; None for whoever comes a second time or too late."""
    fresh = tx.run(
        "UPDATE sign_ins SET used_at = ? WHERE digest = ? AND used_at IS NULL AND expires_at > ?", now, trip.digest, now
    )
    verifier = SecretStr(secrets.get(tx, _verifier(trip.digest))) if fresh else None
    secrets.forget(tx, _verifier(trip.digest))
    return verifier


# inside


def _ref(holder: str) -> str:
    return f"credentials/{holder}"


def _verifier(digest: str) -> str:
    return f"sign-in/{digest}"


def _written(credentials: Credentials) -> str:
    """With the secrets, which pydantic writes as stars."""
    content: dict[str, Any] = credentials.model_dump(mode="json", exclude_none=True)
    content["access_token"] = credentials.access_token.get_secret_value()
    if credentials.refresh_token is not None:
        content["refresh_token"] = credentials.refresh_token.get_secret_value()
    return json.dumps(content)


def _standing(row: "Row") -> Standing:
    return Standing(
        row["holder"], row["version"], row["state"], row["reason"], row["renewed_at"], row["claimed_until"] or 0
    )


def _trip(row: "Row") -> Trip:
    return Trip(
        row["digest"],
        row["tenant"],
        row["agent"],
        row["channel"],
        row["redirect"],
        row["return_to"],
        row["browser"],
        row["expires_at"],
    )
