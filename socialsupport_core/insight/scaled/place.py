"""Where the expressions run: DuckDB within this process, a PostgreSQL server, a Spark session.

Ibis writes the SQL, the place runs it and keeps what came out under a name. Nothing here knows what it is about.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from socialsupport_core.contract import ConfigError

Table = Any
"""An Ibis table."""
Row = dict[str, Any]
Moved = Callable[[int, int | None], None]
"""Called with how many of how many are done."""
BATCH = 10_000
_TYPES = {
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE PRECISION",
    pa.bool_(): "BOOLEAN",
    pa.string(): 'TEXT COLLATE "C"',  # compared by bytes, as everywhere else
    pa.list_(pa.string()): 'TEXT[] COLLATE "C"',
}


def unseen(_done: int, _total: int | None) -> None:
    """Nobody watches."""


class Place(ABC):
    """Each name is one table; what is kept takes the place of an earlier one."""

    dialect: str

    @abstractmethod
    def load(self, name: str, schema: pa.Schema, files: Sequence[Path]) -> Table:
        """The rows of Parquet files."""

    @abstractmethod
    def keep(self, name: str, what: Table) -> Table:
        """Computes it now."""

    @abstractmethod
    def put(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[int]]) -> Table:
        """A few whole numbers."""

    @abstractmethod
    def add(self, name: str, what: Table) -> None:
        """More rows for what is kept under this name."""

    @abstractmethod
    def rows(self, what: Table) -> list[Row]: ...

    @abstractmethod
    def drop(self, *names: str) -> None: ...

    def written(self, what: Table) -> str:
        return _sql(what.op(), self.dialect)

    def _nothing(self, name: str, schema: pa.Schema) -> Table:
        columns = {column: ibis.null(kind) for column, kind in ibis.Schema.from_pyarrow(schema).items()}
        one = ibis.literal(1, "int64").name("one").as_table()
        return self.keep(name, one.select(**columns, one="one").filter(ibis._.one == 0).drop("one"))


class SQL(Place):
    """Spoken to in SQL, with temporary tables."""

    def keep(self, name: str, what: Table) -> Table:
        return self._kept(name, self.written(what), what.schema())

    def put(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[int]]) -> Table:
        return self._kept(name, _values(columns, rows), _whole(columns))

    def add(self, name: str, what: Table) -> None:
        self.run(f'INSERT INTO "{name}" {self.written(what)}')

    def rows(self, what: Table) -> list[Row]:
        found = self.run(self.written(what))
        return [dict(zip(what.columns, row, strict=True)) for row in found]

    def drop(self, *names: str) -> None:
        for name in names:
            self.run(f'DROP TABLE IF EXISTS "{name}"')

    @abstractmethod
    def run(self, sql: str) -> Sequence[Sequence[Any]]: ...

    def _kept(self, name: str, sql: str, schema: ibis.Schema) -> Table:
        self.drop(name)
        self.run(f'CREATE TEMPORARY TABLE "{name}" AS {sql}')
        self._settle(name)
        return ibis.table(schema, name=name)

    def _settle(self, name: str) -> None:
        """Whatever is to be done before it is asked."""


class DuckDB(SQL):
    dialect = "duckdb"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, sql: str) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = self._connection.execute(sql).fetchall()
        return found

    def load(self, name: str, schema: pa.Schema, files: Sequence[Path]) -> Table:
        """Nothing is read before it is asked for."""
        if not files:
            return self._nothing(name, schema)
        listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        self.drop(name)
        columns = ", ".join(f'"{column}"' for column in schema.names)
        read = f"read_parquet([{listed}], hive_partitioning = false)"
        self.run(f'CREATE OR REPLACE TEMPORARY VIEW "{name}" AS SELECT {columns} FROM {read}')
        return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)

    def drop(self, *names: str) -> None:
        for name in names:
            ((kind,),) = self.run(f"SELECT count(*) FROM duckdb_views() WHERE view_name = '{name}' AND NOT internal")
            self.run(f'DROP {"VIEW" if kind else "TABLE"} IF EXISTS "{name}"')


class PostgreSQL(SQL):
    """On a psycopg connection; whatever is kept ends with it."""

    dialect = "postgres"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, sql: str) -> Sequence[Sequence[Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            found: Sequence[Sequence[Any]] = cursor.fetchall() if cursor.description else ()
            return found

    def load(self, name: str, schema: pa.Schema, files: Sequence[Path]) -> Table:
        self.drop(name)
        columns = ", ".join(f'"{field.name}" {_TYPES[field.type]}' for field in schema)
        self.run(f'CREATE TEMPORARY TABLE "{name}" ({columns})')
        with self._connection.cursor() as cursor, cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
            for file in files:
                for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=schema.names):
                    for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                        copy.write_row(row)
        self._settle(name)
        return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)

    def _settle(self, name: str) -> None:
        self.run(f'ANALYZE "{name}"')


class Spark(Place):
    """A session. What is kept is computed at once and its plan forgotten, else plans would grow with each step."""

    dialect = "pyspark"

    def __init__(self, session: Any) -> None:
        ibis.pyspark  # noqa: B018 - its options are known only once it was asked for
        self._session = session

    def load(self, name: str, schema: pa.Schema, files: Sequence[Path]) -> Table:
        if not files:
            return self._nothing(name, schema)
        self._session.read.parquet(*map(str, files)).select(*schema.names).createOrReplaceTempView(name)
        return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)

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
        return self._session.sql(self.written(what))

    def _put(self, name: str, frame: Any) -> None:
        frame.localCheckpoint().createOrReplaceTempView(name)


@contextmanager
def embedded(memory: str = "", threads: int = 0, folder: Path | None = None) -> Iterator[DuckDB]:
    """DuckDB in this process. What does not fit into `memory` (`4GB`; most of the machine's if left out) goes to files
    in `folder` (the system's place for temporary files), which are gone at the end. Raises ConfigError."""
    import duckdb  # noqa: PLC0415 - an extra

    with TemporaryDirectory(prefix="socialsupport-", dir=folder) as scratch:
        config: dict[str, Any] = {
            "temp_directory": scratch,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,  # nothing is downloaded
        }
        config |= {"memory_limit": memory} if memory else {}
        config |= {"threads": threads} if threads else {}
        try:
            connection = duckdb.connect(config=config)
        except duckdb.Error as error:
            raise ConfigError(f"DuckDB does not start: {error}") from error
        try:
            yield DuckDB(connection)
        finally:
            connection.close()


@lru_cache(256)
def _sql(operation: Any, dialect: str) -> str:
    """Writing a query takes Ibis longer than a small history takes to answer it."""
    return str(ibis.to_sql(operation.to_expr(), dialect=dialect))


def _values(columns: Sequence[str], rows: Sequence[Sequence[int]]) -> str:
    listed = ", ".join(f"({', '.join(map(str, row))})" for row in rows)
    cast = ", ".join(f"CAST({name} AS BIGINT) AS {name}" for name in columns)
    return f"SELECT {cast} FROM (VALUES {listed}) AS given ({', '.join(columns)})"


def _whole(columns: Sequence[str]) -> ibis.Schema:
    return ibis.schema(dict.fromkeys(columns, "int64"))
