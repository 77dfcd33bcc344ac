"""How the tables change from release to release: first expand, a release later contract.

Each step is one transaction with its version number, so a process that is killed in its midst has changed nothing.
An expanding step leaves what the previous minor release reads and writes as it was, so deploys roll; a contracting
step raises `oldest`, and any older release then refuses to start.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from socialsupport_core.store import schema
from socialsupport_core.store.database import StoreError


@dataclass(frozen=True, slots=True)
class Step:
    """From `version - 1` to `version`. The statements are in the schema's neutral words."""

    version: int
    statements: str
    oldest: int = 1
    """The oldest version whose release still runs afterwards."""


LOCK_SECONDS = 5
"""So long a step waits for a table that somebody uses; whoever comes after it waits as long, and no longer."""
STEPS: tuple[Step, ...] = (Step(1, schema.SCHEMA),)


def missing(version: int, steps: Sequence[Step] = STEPS) -> list[Step]:
    return [step for step in steps if step.version > version]


def check(where: str, version: int, oldest: int, needed: int = schema.VERSION) -> None:
    """Raises StoreError if this release cannot run on these tables."""
    if version < needed:
        raise StoreError(f"{where} has schema {version}, this release needs {needed}; run socialsupport migrate first")
    if oldest > needed:
        raise StoreError(
            f"{where} has schema {version}, which needs a release that knows schema {oldest} or later; this one knows"
            f" {needed}: install the newer release"
        )


def sqlite_script(step: Step) -> str:
    """One transaction."""
    first = schema.SQLITE_ONLY if step.version == 1 else ""
    return f"BEGIN IMMEDIATE;{first}{schema.for_sqlite(step.statements)}{_versions(step)}COMMIT;"


def postgresql_script(step: Step, name: str) -> str:
    """One transaction, in the schema `name`, safe beside others that migrate at the same time."""
    first = f'CREATE SCHEMA IF NOT EXISTS "{name}";\n' if step.version == 1 else ""
    only = schema.POSTGRESQL_ONLY if step.version == 1 else ""
    return (
        f"BEGIN;\nSELECT pg_advisory_xact_lock(hashtextextended('migrate:{name}', 0));\n{first}"
        f"SET LOCAL lock_timeout TO '{LOCK_SECONDS}s';\n"
        f'SET LOCAL search_path TO "{name}";\n{only}{schema.for_postgresql(step.statements)}{_versions(step)}COMMIT;\n'
    )


def grants(name: str, role: str) -> str:
    """What the role needs that runs the hub: rows, no tables. Also of those that a later migration makes."""
    rows, numbers = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT, UPDATE"
    later = f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{name}" GRANT'
    return (
        f'GRANT USAGE ON SCHEMA "{name}" TO "{role}";\n'
        f'GRANT {rows} ON ALL TABLES IN SCHEMA "{name}" TO "{role}";\n'
        f'GRANT {numbers} ON ALL SEQUENCES IN SCHEMA "{name}" TO "{role}";\n'
        f'{later} {rows} ON TABLES TO "{role}";\n'
        f'{later} {numbers} ON SEQUENCES TO "{role}";\n'
    )


def _versions(step: Step) -> str:
    return "".join(
        f"INSERT INTO meta (name, value) VALUES ('{name}', '{value}')"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value;\n"
        for name, value in (("version", step.version), ("oldest", step.oldest))
    )
