"""PostgreSQL, shared by any number of processes on any number of machines.

All tables live in one schema, named in the address (`postgresql://…/support?schema=socialsupport`, that is also the
default). Nothing here creates or alters tables: `socialsupport migrate` does, with a role that may. Nothing outlives
a transaction (no session settings, no prepared statements, no session locks), so pgbouncer in transaction mode works.
"""

import random
import re
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.store import migrations, schema
from socialsupport_core.store.database import Compacted, Database, Row, StoreError, TenantBusy, Tx

try:
    import psycopg
    from psycopg.adapt import Dumper
    from psycopg.rows import dict_row
    from psycopg.types.string import StrDumper
except ModuleNotFoundError as error:  # pragma: no cover - an environment without the extra
    raise ConfigError(
        "a store on PostgreSQL needs psycopg: install it with pip install 'socialsupport[postgresql]'"
    ) from error

T = TypeVar("T")
V = TypeVar("V")
CONNECT_SECONDS = 5
IDLE = 8  # connections that are kept open for readers
ROWS = 500  # of one INSERT; a statement takes 65,535 values at most
AGAIN = ("40001", "40P01", "55P03")  # serialization failure, deadlock, lock not available: the next try may do
REFUSED = {
    "25006": "; if it is a replica, let the address name the server that takes changes",
    "42501": "; run socialsupport migrate with --role once more",
}
"""By SQLSTATE, what no try on this connection changes: a server that is only read, a right that was taken away."""
UNDO = "ROLLBACK"
PATIENCE = "10s"  # for a tenant that somebody else changes
KEY = "hashtextextended(current_schema() || %s, 0)"  # of a tenant's lock
_LOCK = (
    "WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS patience)"
    f" SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock({KEY}),"
    " set_config('lock_timeout', patience, true) FROM before"
)
"""Whoever's transaction it is, its own patience holds again afterwards."""
SLOTS = 16  # of each number that is counted along; as many can commit at once as find a free one


class _Flag(Dumper):
    """Booleans are numbers here, as they are in SQLite."""

    oid = 20

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _Text(StrDumper):
    """PostgreSQL keeps no NUL in a text."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _adapt(adapters: Any) -> None:
    adapters.register_dumper(bool, _Flag)
    adapters.register_dumper(str, _Text)


@cache
def _marks(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


_VALUES = re.compile(r"VALUES (\((?:\?, )*\?\))")


@cache
def _several(sql: str, rows: int) -> str | None:
    """The same INSERT for many rows; None if it is none."""
    found = _VALUES.search(sql)
    if found is None or not sql.startswith("INSERT"):
        return None
    return _marks(sql[: found.start(1)] + ", ".join([found[1]] * rows) + sql[found.end(1) :])


class PostgreSQLTx(Tx):
    outside = (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.ReadOnlySqlTransaction,
        psycopg.errors.InsufficientPrivilege,
    )
    claiming = " FOR UPDATE SKIP LOCKED"
    full_text = "tsvector"
    last_cursor = "SELECT last_value AS n FROM log_cursor_seq WHERE is_called"
    skip_cursors = "SELECT setval('log_cursor_seq', ?)"

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        super().__init__()
        self._cursor = connection.cursor(row_factory=dict_row)
        self.adapters = self._cursor.adapters
        self._locked: set[str] = set()
        self.changed = False

    def lock(self, *tenants: str) -> None:
        wanted = sorted(set(tenants) - self._locked)
        for tenant in wanted:
            try:
                self._cursor.execute(_LOCK, (PATIENCE, ":" + tenant))
            except psycopg.errors.LockNotAvailable as error:
                raise TenantBusy(tenant) from error
        self._locked.update(wanted)

    def try_lock(self, what: str) -> bool:
        row = self._cursor.execute(f"SELECT pg_try_advisory_xact_lock({KEY}) AS ours", (":" + what,)).fetchone()
        if row and row["ours"]:
            self._locked.add(what)
        return what in self._locked

    def conclude(self) -> None:
        """The log is written with the commit, under the tenants' locks: what a cursor has passed never comes later."""
        self.flush()
        self.lock(*{row[0] for row in self.told})
        self._many(schema.TELL, self.told)
        self.told = []
        self._many(schema.COUNT, self._counted(random.randrange(SLOTS)))  # noqa: S311 - last: it is held to the commit

    def _all(self, sql: str, values: Sequence[Any]) -> list[Row]:
        self._cursor.execute(_marks(sql), values)
        self._note(sql)
        return list(self._cursor.fetchall())

    def _run(self, sql: str, values: Sequence[Any]) -> int:
        self._cursor.execute(_marks(sql), values)
        if self._cursor.rowcount > 0:
            self._note(sql)
        return self._cursor.rowcount

    def _many(self, sql: str, rows: list[Sequence[Any]]) -> None:
        if not rows:
            return
        self.changed = True
        if _several(sql, 1) is None:
            self._cursor.executemany(_marks(sql), rows)
            return
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            statement = _several(sql, len(some))
            assert statement is not None
            self._cursor.execute(statement, [value for row in some for value in row])

    def _note(self, sql: str) -> None:
        if not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.changed = True

    def _next_numbers(self, name: str, count: int) -> list[int]:
        self._cursor.execute(f"SELECT nextval('{name}_numbers') AS n FROM generate_series(1, %s)", (count,))
        return [row["n"] for row in self._cursor.fetchall()]


class PostgreSQL(Database):
    trouble = psycopg.OperationalError
    shared = True
    lanes = 2

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url, self.schema = split_url(url)
        self.where = shown(url)
        self._idle: list[psycopg.Connection[Any]] = []
        try:
            self._check()
        except BaseException:
            self._close()
            raise
        for thread in self._threads:
            thread.start()

    def read(self, call: Callable[[Tx], T]) -> T:
        return self._with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", lambda tx: (call(tx), UNDO), "read")

    def pulse(self, tx: Tx) -> str:
        """Numbers taken so far; reading them costs next to nothing and needs no session, as LISTEN would."""
        series = ("journal_entry_seq", "log_cursor_seq", "part_numbers")
        return " ".join(str(tx.all(f"SELECT last_value AS n FROM {one}")[0]["n"]) for one in series)

    def compact(self, tables: Sequence[str] = ()) -> Compacted:
        """Frees the space of dead rows, as far as this role may. Their bytes go when an owner has tables rewritten."""
        began = time.monotonic()
        named = ", ".join(f'"{self.schema}".{table}' for table in sorted(tables))
        refused: list[str] = []
        connection = self._open()
        connection.add_notice_handler(lambda notice: refused.append(notice.message_primary or ""))
        try:
            connection.execute(f"VACUUM {named}" if named else "VACUUM")
        except psycopg.Error as error:
            raise StoreError(f"{self.where} cannot be vacuumed: {_words(error)}") from error
        finally:
            connection.close()
        role = "; this role may not vacuum them itself" if refused else ""
        left = (
            f"the tables' files, in pages and statistics, until their owner runs VACUUM (FULL, ANALYZE) {named};"
            f" CHECKPOINT; it locks each table while it runs{role}",
            "the server's write-ahead log, until its segments are recycled; archived ones stay until you remove them",
            "the files of replicas, until they have replayed this and the owner's VACUUM",
            "base backups and dumps that were made before",
        )
        return Compacted(True, time.monotonic() - began, 0, left)

    def work_off(
        self, claim: Callable[[Tx], Sequence[T]], prepare: Callable[[T], V], finish: Callable[[Tx, list[V]], None]
    ) -> int:
        """What is claimed stays locked until the commit; the lock ends with the connection, so with the process."""

        def work(tx: PostgreSQLTx) -> tuple[int, str]:
            prepared = [prepare(one) for one in claim(tx)]
            if prepared:
                finish(tx, prepared)
            tx.conclude()
            return len(prepared), "COMMIT"

        try:
            done = self._with("BEGIN", work, "written")
        except PostgreSQLTx.outside as error:
            raise StoreError(f"{self.where} cannot be written: {_words(error)}") from error
        if done:
            self.on_commit()
        return done

    def within(self, connection: Any, call: Callable[[Tx], T], tenant: str) -> T:
        if not isinstance(connection, psycopg.Connection):
            raise ConfigError("the connection must be one of psycopg 3, to the database of this store")
        if connection.autocommit and connection.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
            raise ConfigError("the connection is in no transaction: the reply would not commit with your rows")
        before = connection.execute("SELECT current_setting('search_path')").fetchone()
        tx = PostgreSQLTx(connection)
        _adapt(tx.adapters)
        try:
            with tx.savepoint():  # whatever fails, the caller's transaction is as it was
                connection.execute(f'SET LOCAL search_path TO "{self.schema}"')
                tx.lock(tenant)
                result = call(tx)
                tx.conclude()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege) as error:
            raise ConfigError(
                f"the connection cannot use the tables of {self.where}: {_words(error)}; it must lead to the same"
                f" database, and its role needs what socialsupport migrate --role grants"
            ) from error
        connection.execute("SELECT set_config('search_path', %s, true)", tuple(before or ()))
        return result

    def _transact(self, work: Callable[[Tx], T]) -> tuple[T, bool]:
        def whole(tx: PostgreSQLTx) -> tuple[tuple[T, bool], str]:
            result = work(tx)
            tx.conclude()
            return (result, tx.changed), "COMMIT"

        return self._with("BEGIN", whole, "written")

    def _with(self, begin: str, work: Callable[[PostgreSQLTx], tuple[T, str]], verb: str) -> T:
        connection = self._connected(begin)
        try:
            result, end = work(PostgreSQLTx(connection))
            connection.execute(end)
        except psycopg.Error as error:
            if connection.broken or not _undone(connection) or error.sqlstate in REFUSED:
                connection.close()
            if connection.closed and error.sqlstate not in AGAIN:
                remedy = REFUSED.get(error.sqlstate or "", "")
                raise StoreError(f"{self.where} cannot be {verb}: {_words(error)}{remedy}") from error
            self._put_back(connection)
            if verb == "read":
                raise StoreError(f"{self.where} cannot be read: {_words(error)}") from error
            raise
        except BaseException:
            _undone(connection)
            self._put_back(connection)
            raise
        self._put_back(connection)
        return result

    def _connected(self, begin: str) -> "psycopg.Connection[Any]":
        """A connection within a transaction. One that was idle may have died meanwhile: then another."""
        self._check_process()
        while True:
            with self._closing:
                if self._closed and not any(thread.is_alive() for thread in self._threads):
                    raise StoreError("the store is closed")
                known = self._idle.pop() if self._idle else None
            connection = known or self._open()
            try:
                connection.execute(f'{begin}; SET LOCAL search_path TO "{self.schema}"')
            except psycopg.Error as error:
                connection.close()
                if known is None:
                    raise StoreError(f"{self.where} does not answer: {_words(error)}") from error
            else:
                return connection

    def _open(self) -> "psycopg.Connection[Any]":
        try:
            connection = psycopg.connect(
                self._url, autocommit=True, prepare_threshold=None, connect_timeout=CONNECT_SECONDS
            )
        except psycopg.Error as error:
            raise StoreError(f"{self.where} cannot be reached: {_words(error)}") from error
        _adapt(connection.adapters)
        return connection

    def _put_back(self, connection: "psycopg.Connection[Any]") -> None:
        with self._closing:
            if not self._closed and not connection.closed and len(self._idle) < IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _check(self) -> None:
        """The schema must be there and be one that this release can run on."""
        role, refused = self.read(lambda tx: _rights(tx, self.schema))
        remedy = f"run socialsupport migrate --store URL --role {role}, with a URL whose role may create tables"
        version, oldest = (0, 1) if refused else self.read(versions)
        if version == 0 and not refused:
            raise StoreError(f"{self.where} has no tables in its schema {self.schema}; {remedy}")
        if refused:
            raise StoreError(f"{self.where}: the role {role} may not use {refused}; {remedy}")
        migrations.check(self.where, version, oldest)

    def _close(self) -> None:
        with self._closing:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _rights(tx: Tx, name: str) -> tuple[str, str | None]:
    """The role that we are, and what of ours it may not use."""
    row = tx.one(
        "SELECT current_user AS role, to_regnamespace(?) IS NULL"
        " OR has_schema_privilege(to_regnamespace(?)::oid, 'USAGE') AS usable",
        f'"{name}"',
        f'"{name}"',
    )
    assert row is not None
    if not row["usable"]:
        return row["role"], f"the schema {name}"
    tables = sorted(set(re.findall(r"CREATE TABLE (\w+)", schema.SCHEMA)))
    refused = tx.one(
        f"SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(?)::oid AND relkind = 'r'"
        f" AND relname IN ({', '.join('?' * len(tables))}) AND NOT (has_table_privilege(oid, 'SELECT')"
        " AND has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')"
        " AND has_table_privilege(oid, 'DELETE')) ORDER BY relname LIMIT 1",
        f'"{name}"',
        *tables,
    )
    return row["role"], f"the table {refused['relname']}" if refused else None


def versions(tx: Tx) -> tuple[int, int]:
    """The schema's version, 0 if there is none, and the oldest whose release can run on it."""
    there = tx.one("SELECT to_regclass('meta') IS NOT NULL AS there")
    if not there or not there["there"]:
        return 0, 1
    found = {row["name"]: int(row["value"]) for row in tx.all("SELECT name, value FROM meta")}
    return found["version"], found["oldest"]


def version_of(url: str) -> int:
    """The schema's version there, 0 if there is none. Raises StoreError."""
    address, name = split_url(url)
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
            return _version(connection, name)
    except psycopg.Error as error:
        raise StoreError(f"{shown(url)} cannot be reached: {_words(error)}") from error


def migrate(url: str, *, role: str | None = None, steps: Sequence[migrations.Step] = migrations.STEPS) -> list[int]:
    """Brings the tables up to this release; the versions that were reached. `role` is the one that runs the hub."""
    address, name = split_url(url)
    done = []
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
            if role is not None:
                connection.execute("SELECT %s::regrole", (f'"{role}"',))
            for step in steps:
                if step.version > _version(connection, name) and _apply(connection, name, step):
                    done.append(step.version)
            _check_version(connection, name, url, steps)
            if role is not None:
                _may_grant(connection, name, url)
                connection.execute(migrations.grants(name, role))
    except psycopg.Error as error:
        hint = _MIGRATION_HINTS.get(error.sqlstate or "", "").format(role=role)
        raise StoreError(f"{shown(url)} cannot be migrated: {_words(error)}{hint}") from error
    return done


def _check_version(
    connection: "psycopg.Connection[Any]", name: str, url: str, steps: Sequence[migrations.Step]
) -> None:
    """Tables of a later release are not up to date for this one, unless they still carry it."""
    row = connection.execute(f"SELECT value FROM \"{name}\".meta WHERE name = 'oldest'").fetchone()
    oldest = int(row[0]) if row else 1
    migrations.check(shown(url), _version(connection, name), oldest, steps[-1].version)


def _may_grant(connection: "psycopg.Connection[Any]", name: str, url: str) -> None:
    """To anybody else the server grants nothing and says so in a warning, and what it keeps breaks a later restore."""
    sql = "SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = %s"
    if connection.execute(sql, (name,)).fetchone() != (True,):
        wanted = "take the one that made the tables for --store, and the one that runs the hub for --role"
        raise StoreError(f"{shown(url)}: this role does not own the schema {name} and can grant nothing; {wanted}")


_MIGRATION_HINTS = {
    "42501": "; give a URL whose role owns the tables, or may create a schema in the database",
    "42704": "; make it first: CREATE ROLE {role} LOGIN",
    "55P03": "; somebody holds a table for long (a backup, a query in psql): end that, and run it again",
}
"""By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html (2026-11)"""


def _apply(connection: "psycopg.Connection[Any]", name: str, step: migrations.Step) -> bool:
    """False if another process was faster."""
    try:
        connection.execute(migrations.postgresql_script(step, name))
    except psycopg.Error:
        if connection.broken or not _undone(connection) or _version(connection, name) < step.version:
            raise
        return False
    return True


def _version(connection: "psycopg.Connection[Any]", name: str) -> int:
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f'"{name}".meta',)).fetchone()
    if not found or not found[0]:
        return 0
    row = connection.execute(f"SELECT value FROM \"{name}\".meta WHERE name = 'version'").fetchone()
    return int(row[0]) if row else 0


def split_url(url: str) -> tuple[str, str]:
    """The address for the server, and the schema in which the tables live. Raises ConfigError."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    name = query.pop("schema", "socialsupport")
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise ConfigError(f"{name!r} is no name for a schema; use small letters, digits and underscores")
    return urlunsplit(parts._replace(query=urlencode(query))), name


def shown(url: str) -> str:
    """The address without its password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _undone(connection: "psycopg.Connection[Any]") -> bool:
    try:
        connection.execute(UNDO)
    except psycopg.Error:
        connection.close()
        return False
    return True


def _words(error: Exception) -> str:
    return " ".join(str(error).split())
