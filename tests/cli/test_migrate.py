"""Migrating: with the roles of a careful operator, by hand with psql, and what is said when it cannot be done."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from socialsupport_core.store import StoreError, migrations, open_store
from socialsupport_core.testing import postgresql

psycopg = pytest.importorskip("psycopg")

from socialsupport_core.store.postgres import split_url  # noqa: E402

Run = Callable[..., Any]


def address(server: postgresql.Server, role: str, schema: str) -> str:
    parts = urlsplit(server.url)
    return urlunsplit(parts._replace(netloc=f"{role}@127.0.0.1:{server.port}", query=f"schema={schema}"))


def execute(server: postgresql.Server, *statements: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def roles(server: postgresql.Server) -> postgresql.Server:
    """`owner` may create, `hub` may nothing."""
    for role in ("owner", "hub"):
        with psycopg.connect(server.url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                connection.execute(f"CREATE ROLE {role} LOGIN")
    execute(server, "GRANT CREATE ON DATABASE postgres TO owner")
    return server


def test_an_owner_makes_the_tables_and_another_role_runs_on_them(run: Run, roles: postgresql.Server) -> None:
    owner, hub = address(roles, "owner", "careful"), address(roles, "hub", "careful")
    first = run("migrate", "--store", owner, "--role", "hub")
    assert (first.status, "reached 1; hub may use its rows" in first.out) == (0, True)
    again = run("migrate", "--store", owner)
    assert (again.status, "was up to date" in again.out) == (0, True)
    open_store(hub).close()


def test_tables_of_a_later_migration_are_the_roles_too(run: Run, roles: postgresql.Server) -> None:
    owner, hub = address(roles, "owner", "later"), address(roles, "hub", "later")
    assert run("migrate", "--store", owner, "--role", "hub").status == 0
    url, schema = split_url(owner)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            migrations.postgresql_script(migrations.Step(2, "CREATE TABLE mottos (n SERIAL);\n"), schema)
        )
    with psycopg.connect(split_url(hub)[0], autocommit=True) as connection:
        connection.execute('INSERT INTO "later".mottos DEFAULT VALUES')


@pytest.mark.skipif(shutil.which("psql") is None, reason="no psql here")
def test_what_is_printed_and_applied_by_psql_is_a_store_that_opens(
    run: Run, roles: postgresql.Server, tmp_path: Path
) -> None:
    owner, hub = address(roles, "owner", "byhand"), address(roles, "hub", "byhand")
    printed = run("migrate", "--store", owner, "--sql", "--role", "hub")
    assert printed.status == 0
    with pytest.raises(StoreError, match="has no tables in its schema byhand"):
        open_store(hub)
    script = tmp_path / "migration.sql"
    script.write_text(printed.out, encoding="utf-8")
    psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", split_url(owner)[0], "-f", str(script)]
    subprocess.run(psql, check=True, capture_output=True)
    open_store(hub).close()
    nothing = run("migrate", "--store", owner, "--sql")
    assert [line for line in nothing.out.splitlines() if not line.startswith("--")] == []
    assert "up to date" in nothing.out


def test_tables_of_a_later_release_are_not_up_to_date(run: Run, roles: postgresql.Server) -> None:
    owner = address(roles, "owner", "newer")
    run("migrate", "--store", owner)
    execute(roles, "UPDATE newer.meta SET value = '99' WHERE name IN ('version', 'oldest')")
    ran = run("migrate", "--store", owner)
    assert (ran.status, "install the newer release" in ran.err) == (1, True)


def test_a_role_that_was_given_nothing_is_told_so_and_not_that_there_are_no_tables(
    run: Run, roles: postgresql.Server
) -> None:
    owner, hub = address(roles, "owner", "granted"), address(roles, "hub", "granted")
    run("migrate", "--store", owner)
    with pytest.raises(StoreError, match="the role hub may not use the schema granted; run socialsupport migrate"):
        open_store(hub)
    execute(roles, "GRANT USAGE ON SCHEMA granted TO hub")
    with pytest.raises(StoreError, match=r"the role hub may not use the table agents; .*--role hub"):
        open_store(hub)
    run("migrate", "--store", owner, "--role", "hub")
    execute(roles, "REVOKE DELETE ON granted.tokens FROM hub")
    with pytest.raises(StoreError, match="may not use the table tokens"):
        open_store(hub)


def test_a_role_that_may_not_create_is_told_what_is_needed(run: Run, roles: postgresql.Server) -> None:
    ran = run("migrate", "--store", address(roles, "hub", "forbidden"))
    assert ran.status == 1
    assert "give a URL whose role owns the tables, or may create a schema" in ran.err


def test_who_does_not_own_the_tables_cannot_say_that_it_granted_them(run: Run, roles: postgresql.Server) -> None:
    """It would leave default privileges behind, over which a restore of the dump stumbles."""
    owner, hub = address(roles, "owner", "given"), address(roles, "hub", "given")
    assert run("migrate", "--store", owner, "--role", "hub").status == 0
    ran = run("migrate", "--store", hub, "--role", "hub")
    assert (ran.status, "does not own the schema given" in ran.err) == (1, True)
    with psycopg.connect(split_url(owner)[0]) as connection:
        rows = connection.execute("SELECT DISTINCT defaclrole::regrole::text FROM pg_default_acl").fetchall()
    assert ("hub",) not in rows


def test_a_role_that_is_not_there_is_refused_before_anything_is_done(run: Run, roles: postgresql.Server) -> None:
    owner = address(roles, "owner", "early")
    ran = run("migrate", "--store", owner, "--role", "nobody")
    assert (ran.status, "make it first: CREATE ROLE nobody LOGIN" in ran.err) == (1, True)
    with pytest.raises(StoreError, match="has no tables"):
        open_store(owner)


def test_a_table_that_somebody_holds_is_not_waited_for_for_ever(
    run: Run, roles: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = address(roles, "owner", "held")
    assert run("migrate", "--store", owner).status == 0
    step = migrations.Step(2, "ALTER TABLE agents ADD COLUMN motto TEXT;\n")
    monkeypatch.setattr("socialsupport_core.store.migrations.LOCK_SECONDS", 1)
    monkeypatch.setattr("socialsupport_core.store.postgres.migrate.__kwdefaults__", {"role": None, "steps": (step,)})
    with psycopg.connect(roles.url) as holder:
        holder.execute("SELECT 1 FROM held.agents")
        ran = run("migrate", "--store", owner)
        assert (ran.status, "somebody holds a table for long" in ran.err) == (1, True)
    assert "reached 2" in run("migrate", "--store", owner).out


def test_the_file_of_serve_names_the_store(run: Run, write: Any, roles: postgresql.Server, tmp_path: Path) -> None:
    url = address(roles, "owner", "named")
    config = write("socialsupport.toml", f'[hub]\nstore = "{url}"\nfolder = "data"\n')
    assert "reached 1" in run("migrate", "--store", config).out
    config = write("file.toml", '[hub]\nstore = "here.sqlite"\n')
    assert (run("migrate", "--store", config).status, (tmp_path / "here.sqlite").exists()) == (0, True)


@pytest.mark.parametrize("option", [["--sql"], ["--role", "hub"]])
def test_a_file_has_no_roles_and_needs_no_script(run: Run, tmp_path: Path, option: list[str]) -> None:
    ran = run("migrate", "--store", str(tmp_path / "a.sqlite"), *option)
    assert (ran.status, "a SQLite file has no roles" in ran.err) == (1, True)
    assert not (tmp_path / "a.sqlite").exists()


def test_a_server_that_is_not_there_is_one_line_without_the_password(run: Run) -> None:
    ran = run("migrate", "--store", "postgresql://owner:hunter2@127.0.0.1:1/support")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "cannot be migrated" in ran.err
    assert "hunter2" not in ran.err
