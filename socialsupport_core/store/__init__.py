"""Everything that lasts. `Database` runs work in micro-batches; each module beside it holds one concept's tables."""

from pathlib import Path

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.store.database import Database, Row, StoreError, TenantBusy, Tx, micros, moment
from socialsupport_core.store.sqlite import SQLite

__all__ = ["Database", "Row", "StoreError", "TenantBusy", "Tx", "is_server", "micros", "moment", "open_store"]


def open_store(where: str | Path) -> Database:
    """`postgresql://…` opens a server's, anything else is the path of a file. Raises StoreError, ConfigError."""
    if is_server(where):
        from socialsupport_core.store.postgres import PostgreSQL  # noqa: PLC0415 - only with its extra installed

        return PostgreSQL(str(where))
    if "://" in str(where):
        raise ConfigError(f"the store {str(where).partition('://')[0]}://…: give the path of a file, or postgresql://…")
    return SQLite(where)


def is_server(where: str | Path) -> bool:
    return isinstance(where, str) and where.startswith(("postgresql://", "postgres://"))
