"""`socialsupport migrate`: brings the tables of a store up to this release."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate(
    store: Annotated[
        str, typer.Option(metavar="URL", help="postgresql://…/database?schema=socialsupport, or a SQLite file.")
    ] = "support.sqlite",
    sql: Annotated[
        bool, typer.Option("--sql", help="Print what would be done, for PostgreSQL, and do nothing.")
    ] = False,
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="NAME", help="Grants this role what the hub needs: rows, no tables."),
    ] = None,
) -> None:
    """Bring the store's tables up to this release.

    Each step is one transaction: a migration that is killed has changed nothing and is run again. While the steps
    are run, hubs of this release and of the one before go on working.
    """
    from socialsupport_core.cli.output import line
    from socialsupport_core.store import is_server

    if not is_server(store):
        _file(store, sql=sql, role=role)
        return
    from socialsupport_core.store import migrations, postgres

    if sql:
        name = postgres.split_url(store)[1]
        steps = migrations.missing(postgres.version_of(store))
        print("\n".join(migrations.postgresql_script(step, name) for step in steps), end="")
        print(migrations.grants(name, role) if role else "", end="")
        return
    done = postgres.migrate(store, role=role)
    told = f"reached {', '.join(map(str, done))}" if done else "was up to date"
    line(f"{postgres.shown(store)}: the schema {told}")


def _file(store: str, *, sql: bool, role: str | None) -> None:
    from socialsupport_core.cli.output import line
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.store import open_store

    if sql or role:
        raise ConfigError("a SQLite file has no roles and migrates itself when it is opened; --sql is for PostgreSQL")
    open_store(store).close()
    line(f"{store}: up to date")
