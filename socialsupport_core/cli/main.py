"""Assembles the command and turns every error into one line and an exit status.

Only the standard library is imported at the top: `--help` stays quick, and a missing extra can be explained.
"""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

VERBS = (
    "translate",
    "compose",
    "plan",
    "check",
    "torture",
    "new",
    "plugins",
    "schema",
    "demo",
    "serve",
    "work",
    "mcp",
    "migrate",
    "people",
    "codes",
    "report",
    "export",
    "resolve",
    "learn",
    "erase",
    "tenant",
    "journal",
    "answers",
)
"""Modules of this package in the order of `--help`. Each has `add(app)`, and imports what it needs inside."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line; the exit status is 0, 1 for an error, 2 for a misuse, 130 after Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = assembled()(given or ["--help"], prog_name="socialsupport", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # everything ends in one line, a plugin's SystemExit too
        from socialsupport_core.cli.errors import told

        return told(error, traceback="--traceback" in given)
    return status if isinstance(status, int) else 0


def assembled() -> "typer.Typer":
    import typer

    app = typer.Typer(
        rich_markup_mode=None,  # rich's help costs half a second
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for module in ("general", *VERBS):
        import_module(f"socialsupport_core.cli.{module}").add(app)
    return app


if __name__ == "__main__":
    sys.exit(main())
