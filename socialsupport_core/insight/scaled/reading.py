"""The report of an exported folder."""

from pathlib import Path
from typing import Any

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight.history import History
from socialsupport_core.insight.scaled.exporting import assumed, files, tenants
from socialsupport_core.insight.scaled.place import Moved, Place, embedded, unseen
from socialsupport_core.insight.scaled.report import before, report, whole
from socialsupport_core.insight.scaled.tables import SCHEMAS, Tables
from socialsupport_core.insight.settings import Settings, assuming


def load(place: Place, folder: Path, tenant: str) -> Tables:
    """All days of a tenant, wherever the expressions are to run."""
    return Tables(**{name: place.load(name, schema, files(folder, name, tenant)) for name, schema in SCHEMAS.items()})


def report_of(
    folder: Path,
    tenant: str | None,
    settings: Settings,
    until: int,
    since: int | None = None,
    *,
    memory: str = "",
    moved: Moved = unseen,
) -> dict[str, Any]:
    """What `hub.report` gives, by DuckDB and without the store: times in microseconds, targets and hours as they were
    when it was exported. `memory` is what DuckDB may take, such as `4GB`; the rest goes to temporary files."""
    owner = _owner(folder, tenant)
    with embedded(memory) as place:
        tables = load(place, folder, owner)
        return report(place, tables, assuming(settings, assumed(folder, owner)), until, since, moved)


def history_of(folder: Path, tenant: str, until: int) -> History:
    """All of it in memory: what the functions of `insight` take."""
    with embedded() as place:
        return whole(place, before(load(place, folder, tenant), until), until)


def _owner(folder: Path, tenant: str | None) -> str:
    known = tenants(folder)
    if not known:
        raise ConfigError(f"{folder} holds no export; write one with: socialsupport export {folder}")
    if tenant is None and len(known) == 1:
        return known[0]
    if tenant not in known:
        raise ConfigError(f"name one of the tenants with --tenant: {', '.join(known)}")
    return tenant
