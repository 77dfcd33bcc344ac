"""The options of the command itself, before any verb."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    app.callback()(socialsupport)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from socialsupport_core.cli.output import line

        line(version("socialsupport"))
        raise typer.Exit


def socialsupport(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Print where an error came from, above its line.")
    ] = False,
) -> None:
    """One continuous customer conversation, whatever the channel."""
