"""`socialsupport migrate`: brings the tables of a store up to this release."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from socialsupport_core.store.migrations import Step


def add(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate(
    store: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="postgresql://owner@…/database?schema=socialsupport, a SQLite file, or the TOML file of `serve`.",
        ),
    ] = "support.sqlite",
    sql: Annotated[
        bool, typer.Option("--sql", help="Print what would be done, for PostgreSQL, and do nothing.")
    ] = False,
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="NAME", help="The role that runs the hub: it gets rows, no tables."),
    ] = None,
) -> None:
    """Bring the store's tables up to this release.

    Each step is one transaction: a migration that is killed has changed nothing and is run again. While the steps
    are run, hubs of this release and of the one before go on working; a table that is in use is waited for, for 5
    seconds.
    """
    from socialsupport_core.cli.output import line
    from socialsupport_core.store import is_server

    store = _named(store)
    if not is_server(store):
        _file(store, sql=sql, role=role)
        return
    from socialsupport_core.store import migrations, postgres

    if sql:
        name = postgres.split_url(store)[1]
        steps = migrations.missing(postgres.version_of(store))
        print(f"-- {postgres.shown(store)}: {_steps(steps)}")
        print("\n".join(migrations.postgresql_script(step, name) for step in steps), end="")
        print(migrations.grants(name, role) if role else "", end="")
        return
    done = postgres.migrate(store, role=role)
    told = f"the schema reached {', '.join(map(str, done))}" if done else "the schema was up to date"
    line(f"{postgres.shown(store)}: {told}" + (f"; {role} may use its rows" if role else ""))


def _steps(steps: "list[Step]") -> str:
    if not steps:
        return "the schema is up to date"
    return f"to schema {', '.join(str(one.version) for one in steps)}, for psql -v ON_ERROR_STOP=1 -f"


def _named(store: str) -> str:
    """The store that a TOML file of `serve` names."""
    from pathlib import Path

    from socialsupport_core.config import load, store_of

    return str(store_of(load(Path(store)), Path(store).parent)) if store.endswith(".toml") else store


def _file(store: str, *, sql: bool, role: str | None) -> None:
    from socialsupport_core.cli.output import line
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.store import open_store

    if sql or role:
        raise ConfigError("a SQLite file has no roles and migrates itself when it is opened; --sql is for PostgreSQL")
    open_store(store).close()
    line(f"{store}: up to date")
