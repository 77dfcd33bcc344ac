"""`socialsupport new`: a plugin folder that passes `check` before its author changes a line."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters and digits, such as acme.")]
Folder = Annotated[Path, typer.Option(help="Where the plugin's folder is made.")]


def add(app: typer.Typer) -> None:
    made = typer.Typer(help="Make a plugin folder that passes check as it is.", rich_markup_mode=None)
    made.command()(connector)
    made.command()(crm)
    app.add_typer(made, name="new")


def connector(name: Name, folder: Folder = Path()) -> None:
    """Make a connector for a network."""
    from socialsupport_core.testing.scaffold import new_connector

    _told(new_connector(name, folder), name, "the network's payloads")


def crm(name: Name, folder: Folder = Path()) -> None:
    """Make an adapter for a CRM or helpdesk."""
    from socialsupport_core.testing.scaffold import new_crm

    _told(new_crm(name, folder), name, "the CRM's answers")


def _told(made: Path, name: str, truth: str) -> None:
    from socialsupport_core.cli.output import line

    line(f"made {made}. Next:")
    line(f"  socialsupport check {made}")
    line(f"then put {truth} into its cases/, and change the code until check is green again.")
    line(f"To use it under its name, {name}:")
    line(f"  uv pip install -e {made}")
