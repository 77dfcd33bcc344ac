"""Every statement says whose rows it is about: a tenant's, one that a number names, or, by intent, everybody's."""

import ast
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import socialsupport_core
from socialsupport_core.store import schema

ROOT = Path(socialsupport_core.__file__).parent
NUMBERED = re.compile(r"\b(?:base|digest|door|entry|leg|node) (?:=|IN)")
"""What no two tenants have in common, so that it names one row of one of them."""
OF_ALL = {
    "accounts.tenants",
    "approvals.any_before",
    "approvals.due",
    "approvals.forget",
    "attachments.claim",
    "attachments.pending",
    "credentials.set_out",
    "crm.connected",
    "erasures.count_crm_ends",
    "erasures.count_unfinished",
    "erasures.forget_crm_ends",
    "fanouts.abandon",
    "fanouts.remove",
    "handoffs.due",
    "health.all_troubles",
    "health.all_watched",
    "health.is_old",
    "health.prune",
    "health.with_missing",
    "journal.audited",
    "log.newest",
    "outbox._channels",
    "outbox.abandon",
    "outbox.abandoned",
    "outbox.any_abandoned",
    "outbox.counts",
    "outbox.in_state",
    "outbox.next_due",
    "proofs.forget_nonces",
    "proofs.overdue",
    "removing.empty_payloads",
    "removing.is_referred_to",
    "retention.count_early",
    "retention.everyone",
    "retention.expire_early",
    "retention.shared_payloads",
    "standing.due",
    "starts.never_given",
    "webhooks.abandon",
}
"""What the workers look for among all tenants, and what only an operator is shown."""
ELSEWHERE = {
    "evidence.named": "`which` begins with the tenant",
    "interactions.read_ahead": "`_among` adds the tenant",
    "tokens.revoke": "an operator names a token by the beginning of its digest",
}


class Statement(NamedTuple):
    where: str
    """Module and function."""
    sql: str


def tables() -> set[str]:
    """Those that hold rows of several tenants."""
    database = sqlite3.connect(":memory:")
    database.executescript(schema.for_sqlite(schema.SCHEMA))
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {one for one in names if "tenant" in [row[1] for row in database.execute(f"PRAGMA table_info({one})")]}
    database.close()
    return found


def written(node: ast.AST, named: dict[str, str]) -> str | None:
    """A text as it stands in the source, with the names that it is put together of."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = [one.value if isinstance(one, ast.Constant) else named.get(_name(one), "{}") for one in node.values]
    return "".join(str(one) for one in parts)


def _name(part: ast.expr) -> str:
    return ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""


def statements(path: Path) -> Iterator[Statement]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named: dict[str, str] = {}
    for one in ast.walk(tree):
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            named[one.targets[0].id] = named.get(one.targets[0].id, "") + (written(one.value, {}) or "")
    inside = {id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in one.values}
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    for node in ast.walk(tree):
        sql = None if id(node) in inside else written(node, named)
        if sql and re.match(r"\s*(SELECT|UPDATE|DELETE FROM)\b", sql):
            around = [one.name for one in functions if one.lineno <= node.lineno <= (one.end_lineno or 0)]  # type: ignore[attr-defined]
            yield Statement(f"{path.stem}.{around[-1] if around else ''}", sql)


def about_everybody(sql: str, tenanted: set[str]) -> bool:
    """Whether rows of several tenants may be meant."""
    among = set(re.findall(r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)", sql)) & tenanted
    conditions = sql.partition(" WHERE ")[2] + "".join(re.findall(r"\bUSING \([^)]*\)", sql))
    return bool(among) and not re.search(r"\btenant\b", conditions) and not NUMBERED.search(conditions)


def everywhere() -> list[Statement]:
    return [one for path in sorted(ROOT.rglob("*.py")) for one in statements(path)]


def test_every_statement_is_about_one_tenant_or_by_intent_about_all() -> None:
    tenanted = tables()
    found = everywhere()
    assert len(found) > 400
    missing = [one for one in found if about_everybody(one.sql, tenanted)]
    assert [one for one in missing if one.where not in OF_ALL | ELSEWHERE.keys()] == []
    assert (OF_ALL | ELSEWHERE.keys()) - {one.where for one in missing} == set(), "they are not needed any more"


def test_one_that_forgets_the_tenant_is_found() -> None:
    for sql in (
        "SELECT * FROM drafts WHERE draft = ?",
        "UPDATE webhooks SET url = ? WHERE webhook = ?",
        "DELETE FROM reactions WHERE seq IN (?, ?)",
        "SELECT tenant FROM log",
    ):
        assert about_everybody(sql, tables()), sql
    for sql in ("SELECT * FROM drafts WHERE tenant = ? AND draft = ?", "SELECT * FROM legs WHERE leg = ?"):
        assert not about_everybody(sql, tables()), sql
