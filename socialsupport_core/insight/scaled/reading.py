"""The report of an exported folder."""

from pathlib import Path
from typing import Any

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight.filters import Filters, Known, among
from socialsupport_core.insight.history import History
from socialsupport_core.insight.report import report as in_memory
from socialsupport_core.insight.scaled.exporting import assumed, files, tenants
from socialsupport_core.insight.scaled.place import Moved, Place, embedded, unseen
from socialsupport_core.insight.scaled.report import before, names, report, whole
from socialsupport_core.insight.scaled.tables import SCHEMAS, Tables
from socialsupport_core.insight.settings import Settings, assuming

MOST_DRAWN = 500_000
"""Interactions of which a page is drawn: about a gigabyte."""


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
    filters: Filters | None = None,
) -> dict[str, Any]:
    """What `hub.report` gives, by DuckDB and without the store: times in microseconds, targets and hours as they were
    when it was exported. `memory` is what DuckDB may take, such as `4GB`; the rest goes to temporary files."""
    owner = owner_of(folder, tenant)
    with embedded(memory) as place:
        tables, wanted = load(place, folder, owner), filters or Filters()
        if wanted.given:
            among(wanted, _known(place, tables))
        return report(place, tables, assuming(settings, assumed(folder, owner)), until, since, moved, wanted)


def drawn_of(
    folder: Path,
    tenant: str | None,
    settings: Settings,
    until: int,
    since: int | None = None,
    *,
    filters: Filters | None = None,
    most: int = MOST_DRAWN,
) -> dict[str, Any]:
    """The same with what only the page draws, for which all of it is read into memory: at most so many interactions.
    Themes are left out, for no text is exported. Raises ConfigError."""
    owner = owner_of(folder, tenant)
    with embedded() as place:
        tables, wanted = before(load(place, folder, owner), until), filters or Filters()
        ((count,),) = [row.values() for row in place.rows(tables.touches.agg(count=tables.touches.count()))]
        if count > most:
            raise ConfigError(f"a page is drawn of at most {most:,} interactions, and these are {count:,}; use --json")
        if wanted.given:
            among(wanted, _known(place, tables))
        history = whole(place, tables, until)
    told = in_memory(history, assuming(settings, assumed(folder, owner)), since, wanted)
    return {name: one for name, one in told.items() if name != "themes"}


def _known(place: Place, tables: Tables) -> dict[str, set[str]]:
    return {name: found | getattr(Known(), name) for name, found in names(place, tables).items()}


def history_of(folder: Path, tenant: str, until: int) -> History:
    """All of it in memory: what the functions of `insight` take."""
    with embedded() as place:
        return whole(place, before(load(place, folder, tenant), until), until)


def owner_of(folder: Path, tenant: str | None) -> str:
    known = tenants(folder)
    if not known:
        raise ConfigError(f"{folder} holds no export; write one with: socialsupport export {folder}")
    if tenant is None and len(known) == 1:
        return known[0]
    if tenant not in known:
        raise ConfigError(f"name one of the tenants with --tenant: {', '.join(known)}")
    return tenant
