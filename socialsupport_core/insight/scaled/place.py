"""Where the expressions run: DuckDB within this process, a PostgreSQL server, a Spark session.

Ibis writes the SQL, the place runs it and keeps what came out under a name. Nothing here knows what it is about.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import ibis

from socialsupport_core.contract import ConfigError

Table = Any
"""An Ibis table."""
Row = dict[str, Any]


class Place(Protocol):
    def keep(self, name: str, what: Table) -> Table:
        """Computes it now and gives it as a table of this name, which takes the place of an earlier one."""

    def add(self, name: str, what: Table) -> None:
        """More rows for what is kept under this name."""

    def put(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[int]]) -> Table:
        """Keeps a few whole numbers."""

    def rows(self, what: Table) -> list[Row]: ...

    def drop(self, *names: str) -> None: ...


def _values(columns: Sequence[str], rows: Sequence[Sequence[int]]) -> str:
    listed = ", ".join(f"({', '.join(map(str, row))})" for row in rows)
    cast = ", ".join(f"CAST({name} AS BIGINT) AS {name}" for name in columns)
    return f"SELECT {cast} FROM (VALUES {listed}) AS given ({', '.join(columns)})"


def _whole(columns: Sequence[str]) -> ibis.Schema:
    return ibis.schema(dict.fromkeys(columns, "int64"))


class SQL:
    """A place that is spoken to in SQL and has temporary tables."""

    def __init__(self, dialect: str, run: Callable[[str], Sequence[Sequence[Any]]]) -> None:
        self._dialect = dialect
        self._run = run

    def keep(self, name: str, what: Table) -> Table:
        return self._kept(name, self.written(what), what.schema())

    def put(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[int]]) -> Table:
        return self._kept(name, _values(columns, rows), _whole(columns))

    def _kept(self, name: str, sql: str, schema: ibis.Schema) -> Table:
        self.drop(name)
        self._run(f'CREATE TEMPORARY TABLE "{name}" AS {sql}')
        if self._dialect == "postgres":
            self._run(f'ANALYZE "{name}"')
        return ibis.table(schema, name=name)

    def add(self, name: str, what: Table) -> None:
        self._run(f'INSERT INTO "{name}" {self.written(what)}')

    def rows(self, what: Table) -> list[Row]:
        found = self._run(self.written(what))
        return [dict(zip(what.columns, row, strict=True)) for row in found]

    def drop(self, *names: str) -> None:
        for name in names:
            self._run(f'DROP TABLE IF EXISTS "{name}"')

    def written(self, what: Table) -> str:
        return str(ibis.to_sql(what, dialect=self._dialect))


@contextmanager
def duckdb(memory: str = "", threads: int = 0, folder: Path | None = None) -> Iterator[SQL]:
    """Embedded. What does not fit into `memory` (`4GB`; most of the machine's if left out) goes to a file in `folder`,
    the system's place for temporary files, and is removed at the end."""
    import duckdb as engine  # noqa: PLC0415 - an extra

    with TemporaryDirectory(prefix="socialsupport-", dir=folder) as scratch:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": scratch,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,  # nothing is downloaded
            "TimeZone": "UTC",
        }
        if memory:
            config["memory_limit"] = memory
        if threads:
            config["threads"] = threads
        try:
            connection = engine.connect(str(Path(scratch) / "scratch.duckdb"), config=config)
        except engine.Error as error:
            raise ConfigError(f"DuckDB does not start: {error}") from error
        try:
            yield SQL("duckdb", lambda sql: connection.execute(sql).fetchall())
        finally:
            connection.close()


def postgresql(connection: Any) -> SQL:
    """On a psycopg connection; the tables are temporary ones of its own."""

    def run(sql: str) -> Sequence[Sequence[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            found: Sequence[Sequence[Any]] = cursor.fetchall() if cursor.description else ()
            return found

    return SQL("postgres", run)


class Spark:
    """A Spark session. What is kept is computed at once and its plan forgotten, else plans would grow with each step."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def keep(self, name: str, what: Table) -> Table:
        self._put(name, self._frame(what))
        return ibis.table(what.schema(), name=name)

    def put(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[int]]) -> Table:
        self._put(name, self._session.sql(_values(columns, rows)))
        return ibis.table(_whole(columns), name=name)

    def add(self, name: str, what: Table) -> None:
        self._put(name, self._session.table(name).unionAll(self._frame(what)))

    def rows(self, what: Table) -> list[Row]:
        return [row.asDict() for row in self._frame(what).collect()]

    def drop(self, *names: str) -> None:
        for name in names:
            self._session.catalog.dropTempView(name)

    def _frame(self, what: Table) -> Any:
        return self._session.sql(str(ibis.to_sql(what, dialect="pyspark")))

    def _put(self, name: str, frame: Any) -> None:
        frame.localCheckpoint().createOrReplaceTempView(name)

