"""The tables, in words that both stores understand. The tenant comes first in every key; times are microseconds.

`SERIAL` is a number that the store gives, `NUMBERED` one that `Tx.number` gives, from the series of the same name.
"""

import re

from socialsupport_core.store.answers import TABLES as ANSWERS
from socialsupport_core.store.approvals import TABLES as APPROVALS
from socialsupport_core.store.backfills import TABLES as BACKFILLS
from socialsupport_core.store.breakers import TABLES as BREAKERS
from socialsupport_core.store.capacity import TABLES as CAPACITY
from socialsupport_core.store.conduct import TABLES as CONDUCT
from socialsupport_core.store.context import TABLES as CONTEXT
from socialsupport_core.store.credentials import TABLES as CREDENTIALS
from socialsupport_core.store.crm_tables import TABLES as CRMS
from socialsupport_core.store.drafts import TABLES as DRAFTS
from socialsupport_core.store.erasures import TABLES as ERASURES
from socialsupport_core.store.evidence import TABLES as EVIDENCE
from socialsupport_core.store.fanouts import TABLES as FANOUTS
from socialsupport_core.store.handoffs import TABLES as HANDOFFS
from socialsupport_core.store.health import TABLES as HEALTH
from socialsupport_core.store.leases import TABLES as LEASES
from socialsupport_core.store.log import TURNS
from socialsupport_core.store.moves import TABLES as MOVES
from socialsupport_core.store.nodes import TABLES as NODES
from socialsupport_core.store.pace import TABLES as PACE
from socialsupport_core.store.policies import TABLES as POLICIES
from socialsupport_core.store.proofs import TABLES as PROOFS
from socialsupport_core.store.ratings import TABLES as RATINGS
from socialsupport_core.store.retention import TABLES as RETENTION
from socialsupport_core.store.reviews import TABLES as REVIEWS
from socialsupport_core.store.routing import TABLES as ROUTING
from socialsupport_core.store.search import FTS5, TSVECTOR
from socialsupport_core.store.standing import COLUMNS as STANDING
from socialsupport_core.store.standing import INDEXES as STANDINGS
from socialsupport_core.store.standing import TABLES as CORRECTIONS
from socialsupport_core.store.starts import TABLES as STARTS
from socialsupport_core.store.streams import TABLES as STREAMS
from socialsupport_core.store.tallies import TABLES as TALLIES
from socialsupport_core.store.traces import TABLES as TRACES
from socialsupport_core.store.webhooks import TABLES as WEBHOOKS

VERSION = 1

SCHEMA = """
CREATE TABLE tenants (tenant TEXT PRIMARY KEY, name TEXT NOT NULL, key BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE agents (
  tenant TEXT NOT NULL REFERENCES tenants, agent TEXT NOT NULL, name TEXT NOT NULL, is_bot INTEGER NOT NULL,
  PRIMARY KEY (tenant, agent)) WITHOUT ROWID;
CREATE TABLE tokens (
  digest TEXT PRIMARY KEY, tenant TEXT NOT NULL, agent TEXT NOT NULL, scopes TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE apps (
  app TEXT PRIMARY KEY, connector TEXT NOT NULL, door TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE channels (
  tenant TEXT NOT NULL REFERENCES tenants, channel TEXT NOT NULL, connector TEXT NOT NULL, app TEXT,
  door TEXT NOT NULL UNIQUE, own_account TEXT, facts TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
  cursor TEXT, open_network INTEGER NOT NULL, mode TEXT NOT NULL,
  PRIMARY KEY (tenant, channel)) WITHOUT ROWID;
CREATE INDEX channels_by_app ON channels (app, own_account);
CREATE TABLE secrets (ref TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE journal (
  entry SERIAL, tenant TEXT NOT NULL, door TEXT NOT NULL,
  source TEXT NOT NULL, method TEXT NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
  received_at INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, events INTEGER NOT NULL DEFAULT 0, gone TEXT);
CREATE INDEX journal_waiting ON journal (tenant, entry, door) WHERE state = 'waiting';
CREATE INDEX journal_by_state ON journal (state, entry) WHERE state <> 'waiting';
CREATE TABLE refused (door TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events_seen (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, event TEXT NOT NULL,
  PRIMARY KEY (tenant, channel, event)) WITHOUT ROWID;

CREATE TABLE conversations (
  tenant TEXT NOT NULL, conversation TEXT NOT NULL, node INTEGER NOT NULL, subject TEXT, status TEXT NOT NULL,
  assignee TEXT, opened_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, waiting_since INTEGER,
  answered_at INTEGER, superseded_by TEXT,
  {standing}
  PRIMARY KEY (tenant, conversation)) WITHOUT ROWID;
CREATE INDEX conversations_by_status ON conversations (tenant, status, waiting_since);
CREATE INDEX conversations_by_node ON conversations (tenant, node);
CREATE TABLE legs (
  leg NUMBERED, tenant TEXT NOT NULL, conversation TEXT NOT NULL, channel TEXT NOT NULL,
  network TEXT NOT NULL, own_account TEXT NOT NULL, thread TEXT NOT NULL, visibility TEXT NOT NULL,
  node INTEGER NOT NULL, opened_at INTEGER NOT NULL, last_inbound INTEGER, rule TEXT NOT NULL, reason TEXT NOT NULL,
  moved_from TEXT, moved_rule TEXT, moved_reason TEXT);
CREATE INDEX legs_by_thread ON legs (tenant, channel, thread, node);
CREATE INDEX legs_by_time ON legs (tenant, channel, thread, leg);
CREATE INDEX legs_by_node ON legs (tenant, node);
CREATE INDEX legs_by_conversation ON legs (tenant, conversation);

CREATE TABLE interaction_keys (
  seq NUMBERED, tenant TEXT NOT NULL, channel TEXT NOT NULL, thread TEXT NOT NULL,
  native_id TEXT NOT NULL, node INTEGER NOT NULL, at INTEGER NOT NULL,
  UNIQUE (tenant, channel, thread, native_id));
CREATE INDEX interaction_keys_by_native ON interaction_keys (tenant, channel, native_id);
CREATE TABLE interactions (
  tenant TEXT NOT NULL, node INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
  leg INTEGER NOT NULL, entry INTEGER, direction TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
  received_at INTEGER NOT NULL, edited_at INTEGER, edit TEXT, deleted_at INTEGER, agent TEXT, part TEXT, state TEXT,
  triage TEXT, settled INTEGER NOT NULL DEFAULT 0, tie INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, node, at, seq)) WITHOUT ROWID;
CREATE TABLE early (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, native_id TEXT NOT NULL, event TEXT NOT NULL, data TEXT NOT NULL,
  at INTEGER NOT NULL DEFAULT 0, entry INTEGER,
  PRIMARY KEY (tenant, channel, native_id, event)) WITHOUT ROWID;
CREATE TABLE reactions (
  tenant TEXT NOT NULL, seq INTEGER NOT NULL, author TEXT NOT NULL, reaction TEXT NOT NULL, at INTEGER NOT NULL,
  present INTEGER NOT NULL, PRIMARY KEY (tenant, seq, author, reaction)) WITHOUT ROWID;
CREATE INDEX reactions_by_author ON reactions (tenant, author);
CREATE TABLE attachments (
  tenant TEXT NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, state TEXT NOT NULL, blob TEXT,
  media_type TEXT, name TEXT, size INTEGER, reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, seq, position)) WITHOUT ROWID;
CREATE INDEX attachments_pending ON attachments (due_at, seq) WHERE state = 'pending';
CREATE INDEX attachments_by_blob ON attachments (blob) WHERE blob IS NOT NULL;

CREATE TABLE outbox (
  tenant TEXT NOT NULL, part TEXT NOT NULL, number INTEGER NOT NULL, channel TEXT NOT NULL, thread TEXT NOT NULL,
  conversation TEXT NOT NULL, seq INTEGER, intent TEXT NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, due_at INTEGER NOT NULL, error TEXT, code TEXT, created_at INTEGER NOT NULL,
  worker TEXT, lease_until INTEGER, ready INTEGER NOT NULL,
  PRIMARY KEY (tenant, part)) WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (due_at) WHERE ready + 0 = 1;
CREATE INDEX outbox_ready ON outbox (tenant, channel, due_at, number) WHERE ready = 1;
CREATE INDEX outbox_unsettled ON outbox (tenant, channel, thread, number)
  WHERE state IN ('queued', 'sending', 'retrying');
CREATE INDEX outbox_by_state ON outbox (state, lease_until);
CREATE INDEX outbox_order ON outbox (tenant, channel, thread, number);
CREATE TABLE asks (
  tenant TEXT NOT NULL, part TEXT NOT NULL, position INTEGER NOT NULL, digest TEXT NOT NULL, answer TEXT,
  PRIMARY KEY (tenant, part, position)) WITHOUT ROWID;

CREATE TABLE log (
  cursor SERIAL, tenant TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL,
  channel TEXT, thread TEXT, conversation TEXT, data TEXT NOT NULL);
CREATE INDEX log_by_tenant ON log (tenant, cursor);
CREATE INDEX log_by_thread ON log (tenant, channel, thread, cursor) WHERE thread IS NOT NULL;
CREATE INDEX log_of_turns ON log (tenant, conversation, cursor) WHERE {turns};
CREATE TABLE audit (
  number SERIAL, tenant TEXT NOT NULL, agent TEXT NOT NULL, at INTEGER NOT NULL,
  verb TEXT NOT NULL, object TEXT NOT NULL);
"""

SCHEMA = SCHEMA.replace("{standing}", STANDING).replace("{turns}", TURNS) + STANDINGS + CORRECTIONS

SCHEMA += LEASES + WEBHOOKS

SCHEMA += FANOUTS

SCHEMA += """
CREATE TABLE token_issues (
  digest TEXT PRIMARY KEY, origin TEXT NOT NULL, issued_at INTEGER NOT NULL, issued_by TEXT, purpose TEXT)
  WITHOUT ROWID;
"""

SCHEMA += CREDENTIALS

SCHEMA += HEALTH + BACKFILLS + STREAMS + TRACES

SCHEMA += ERASURES + RETENTION

SCHEMA += TALLIES

SCHEMA += PACE + BREAKERS

SCHEMA += HANDOFFS + PROOFS + CRMS

SCHEMA += NODES + EVIDENCE + POLICIES

SCHEMA += APPROVALS + ANSWERS + RATINGS

SCHEMA += CONTEXT + MOVES + CONDUCT + REVIEWS

SCHEMA += DRAFTS + ROUTING + CAPACITY + STARTS

NUMBERED = ("node", "leg", "seq", "part", "move", "answer")

TELL = "INSERT INTO log (tenant, type, at, channel, thread, conversation, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
"""How the log is written, with each commit."""

COUNT = (
    "INSERT INTO tallies (name, slot, count) VALUES (?, ?, ?)"
    " ON CONFLICT (name, slot) DO UPDATE SET count = tallies.count + excluded.count"
)
"""How numbers grow, with each commit."""


_META = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);\n"
    "INSERT INTO meta (name, value) VALUES ('configuration', '0');\n"
)
SQLITE_ONLY = f"{_META}CREATE TABLE numbers (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;\n" + "".join(
    f"INSERT INTO numbers VALUES ('{name}', 1);\n" for name in NUMBERED
)
SQLITE_ONLY += FTS5
POSTGRESQL_ONLY = _META + "".join(f"CREATE SEQUENCE {name}_numbers;\n" for name in NUMBERED)
POSTGRESQL_ONLY += TSVECTOR


def for_sqlite(statements: str) -> str:
    return _named(statements, {"SERIAL": "INTEGER PRIMARY KEY AUTOINCREMENT", "NUMBERED": "INTEGER PRIMARY KEY"})


def for_postgresql(statements: str) -> str:
    serial = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
    names = {"SERIAL": serial, "NUMBERED": "BIGINT PRIMARY KEY", "INTEGER": "BIGINT", "BLOB": "BYTEA"}
    names["TEXT"] = 'TEXT COLLATE "C"'  # the same order everywhere, and the same as SQLite's
    return _named(statements.replace(" WITHOUT ROWID", ""), names)


def _named(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\b(" + "|".join(names) + r")\b", lambda found: names[found[0]], text)
