"""A whole tenant goes: every table that has a tenant is found in the schema itself, so that none can be forgotten."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from socialsupport_core.store import accounts, crm, journal, removing, webhooks
from socialsupport_core.store.accounts import App
from socialsupport_core.store.database import Tx
from socialsupport_core.store.schema import SCHEMA
from socialsupport_core.store.search import cleanse
from socialsupport_core.store.secrets import SecretStore

_ELSEWHERE = ("journal", "tenants")  # counted along, and referred to: they have a step of their own
TABLES = (
    *(name for name in re.findall(r"CREATE TABLE (\w+) \([^;]*?\btenant TEXT", SCHEMA) if name not in _ELSEWHERE),
    "answer_words",
)
_FILE = re.compile(r'"blob":\s*"([0-9a-f]{64})"')
_HOLDERS = ("channel", "crm", "webhook")
_LEASES = ("poll", "stream", "backfill", "crm")
_AT_SHARED_DOORS = (
    "SELECT entry FROM interactions WHERE tenant = ? AND entry IS NOT NULL UNION SELECT entry FROM subjects WHERE"
    " tenant = ? UNION SELECT entry FROM early WHERE tenant = ? AND entry IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Removed:
    rows: dict[str, int]
    """By table."""
    blobs: set[str]
    """Digests of files that go unless another tenant has the same."""
    unread: int
    """Payloads at doors of apps that serve others too, and of which nobody knows whose they are."""
    queued: int
    """Contacts and cases that CRMs were still to be asked to erase."""
    idle: tuple[str, ...]
    """Apps that serve no channel any more."""


def is_known(tx: Tx, tenant: str) -> bool:
    """Also one that was removed and of which something came in meanwhile."""
    tables = ("tenants", "journal", *TABLES)
    return any(tx.one(f"SELECT 1 AS one FROM {table} WHERE tenant = ? LIMIT 1", tenant) for table in tables)


def remove(tx: Tx, secrets: SecretStore, tenant: str) -> Removed:
    """Everything of the tenant, and nothing of others; a payload that speaks of both is emptied."""
    journal.hold(tx, tenant)
    tx.lock(tenant)
    found, gone = blobs(tx, tenant), Counter[str]()
    shared = [app for app in accounts.apps(tx) if _serves(tx, app, tenant)]
    own = [app for app in shared if not _serves_others(tx, app, tenant)]
    gone["journal"] += removing.empty_payloads(tx, _entries(tx, tenant, own), "erased")
    unread = sum(_unread(tx, app) for app in shared if app not in own)
    row = tx.one("SELECT count(*) AS n FROM crm_erasures WHERE tenant = ? AND state = 'queued'", tenant)
    gone["secrets"] += _forget_secrets(tx, secrets, tenant)
    gone += _forget_by_name(tx, tenant)
    for table in TABLES:
        gone[table] += tx.run(f"DELETE FROM {table} WHERE tenant = ?", tenant)
    gone["journal"] += journal.remove(tx, tenant)
    gone["tenants"] += tx.run("DELETE FROM tenants WHERE tenant = ?", tenant)
    cleanse(tx)
    accounts.changed(tx)
    tx.told = [row for row in tx.told if row[0] != tenant]  # what others in this batch have told of it
    idle = tuple(app.id for app in own)
    return Removed(dict(sorted((+gone).items())), found, unread, row["n"] if row else 0, idle)


def blobs(tx: Tx, tenant: str) -> set[str]:
    """The files of messages, and of replies that were never sent."""
    rows = tx.all("SELECT DISTINCT blob FROM attachments WHERE tenant = ? AND blob IS NOT NULL", tenant)
    found = {str(row["blob"]) for row in rows}
    for table in ("outbox", "approvals"):
        for row in tx.all(f"SELECT intent FROM {table} WHERE tenant = ? AND intent LIKE ?", tenant, '%"blob"%'):
            found |= set(_FILE.findall(row["intent"]))
    return found


def _serves(tx: Tx, app: App, tenant: str) -> bool:
    return tx.one("SELECT 1 AS one FROM channels WHERE app = ? AND tenant = ? LIMIT 1", app.id, tenant) is not None


def _serves_others(tx: Tx, app: App, tenant: str) -> bool:
    return tx.one("SELECT 1 AS one FROM channels WHERE app = ? AND tenant <> ? LIMIT 1", app.id, tenant) is not None


def _entries(tx: Tx, tenant: str, own: Iterable[App]) -> set[int]:
    """Payloads at doors of apps from which something was recorded for the tenant, and all at those that are its own."""
    sql = f"SELECT entry FROM journal WHERE tenant = ? AND gone IS NULL AND entry IN ({_AT_SHARED_DOORS})"
    found = {row["entry"] for row in tx.all(sql, journal.MANY, tenant, tenant, tenant)}
    for app in own:
        sql = "SELECT entry FROM journal WHERE tenant = ? AND gone IS NULL AND door = ?"
        found |= {row["entry"] for row in tx.all(sql, journal.MANY, app.door)}
    return found


def _unread(tx: Tx, app: App) -> int:
    sql = (
        "SELECT count(*) AS n FROM journal WHERE tenant = ? AND door = ? AND gone IS NULL"
        " AND state IN ('quarantined', 'ignored')"
    )
    row = tx.one(sql, journal.MANY, app.door)
    return int(row["n"]) if row else 0


def _forget_secrets(tx: Tx, secrets: SecretStore, tenant: str) -> int:
    """By name, since another secret store than ours may hold them."""
    held = [one.secret_ref for one in accounts.channels(tx, tenant)]
    held += [one.secret_ref for one in crm.connected(tx) if one.tenant == tenant]
    held += [one.secret_ref for one in webhooks.of_tenant(tx, tenant)]
    refs = [*held, *(f"credentials/{one}" for one in held)]
    refs += [f"sign-in/{row['digest']}" for row in tx.all("SELECT digest FROM sign_ins WHERE tenant = ?", tenant)]
    for ref in refs:
        secrets.forget(tx, ref)
    return len(refs)


def _forget_by_name(tx: Tx, tenant: str) -> Counter[str]:
    """Rows whose key begins with the tenant's name, or is a door or a token of it."""
    gone = Counter[str]()
    for kind in _HOLDERS:
        prefix = f"{kind}/{tenant}/"
        gone["credentials"] += tx.run("DELETE FROM credentials WHERE substr(holder, 1, ?) = ?", len(prefix), prefix)
    for kind in _LEASES:
        prefix = f"{kind} {tenant} "
        gone["leases"] += tx.run("DELETE FROM leases WHERE substr(name, 1, ?) = ?", len(prefix), prefix)
    for table in ("channels", "crms"):
        sql = f"DELETE FROM refused WHERE door IN (SELECT door FROM {table} WHERE tenant = ?)"
        gone["refused"] += tx.run(sql, tenant)
    sql = "DELETE FROM token_issues WHERE digest IN (SELECT digest FROM tokens WHERE tenant = ?)"
    gone["token_issues"] += tx.run(sql, tenant)
    return gone
