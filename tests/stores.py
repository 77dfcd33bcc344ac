"""PostgreSQL schemas for tests: made once, emptied and used again, since making their tables takes half a second."""

import itertools
import time
from typing import Any, LiteralString

import psycopg

from socialsupport_core.store.postgres import migrate
from socialsupport_core.testing.postgresql import Server

EMPTY: LiteralString = """
DO $$
DECLARE
  one text;
BEGIN
  SET LOCAL session_replication_role = replica;  -- in any order, whatever refers to what
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema AND tablename <> 'meta' LOOP
    EXECUTE format('DELETE FROM %I', one);  -- much faster than TRUNCATE for a few rows
  END LOOP;
  UPDATE meta SET value = '0' WHERE name = 'configuration';
  FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema AND last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', one);
  END LOOP;
END $$
"""
SHAPE: LiteralString = """
SELECT (SELECT md5(string_agg(c.relname || a.attname || a.atttypid, ',' ORDER BY c.relname, a.attnum))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = current_schema::regnamespace)
    || (SELECT string_agg(meta::text, ',' ORDER BY meta::text) FROM meta WHERE name <> 'configuration')
"""
OTHERS: LiteralString = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class Schemas:
    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = itertools.count()
        self._free: list[str] = []
        self._shape: str | None = None
        self._connection = self._connected()

    def take(self) -> str:
        """The name of one with empty tables."""
        if self._free:
            return self._free.pop()
        name = f"test_{next(self._numbers)}"
        migrate(self.url(name))
        self._shape = self._shape or self._shaped(name)
        return name

    def url(self, name: str) -> str:
        return f"{self.server.url}?schema={name}"

    def give_back(self, names: list[str]) -> None:
        """Those whose tables were changed are not used again, nor those to which somebody may still write."""
        try:
            for name in names if self._is_alone() else ():
                if self._shaped(name) == self._shape:
                    self._connection.execute(EMPTY)
                    self._free.append(name)
        except psycopg.OperationalError:  # a test has restarted the server
            self._connection = self._connected()

    def close(self) -> None:
        self._connection.close()

    def _connected(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.server.url, autocommit=True)

    def _shaped(self, name: str) -> str:
        self._connection.execute("SELECT set_config('search_path', %s, false)", (name,))
        found = self._connection.execute(SHAPE).fetchone()
        assert found is not None
        return str(found[0])

    def _is_alone(self) -> bool:
        """Whether nobody else speaks with the server: a hub that was left open might still write."""
        until = time.monotonic() + 0.2
        while (found := self._connection.execute(OTHERS).fetchone()) and found[0]:
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True
