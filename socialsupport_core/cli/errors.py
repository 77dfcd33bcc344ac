"""From an exception to one line on stderr, which says what is wrong and what to do, and an exit status."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import errno
import os
import sys
from importlib.metadata import PackageNotFoundError, metadata
from traceback import print_exception
from typing import Any

from socialsupport_core.cli.output import complain

FAILED, MISUSED, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141
"""The last two are 128 and the number of the signal, as shells report them."""


def told(error: BaseException, *, traceback: bool = False) -> int:
    """Writes the line for `error`, if it deserves one; the exit status."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if _is_broken_pipe(error):
        _silence()
        return BROKEN_PIPE
    if isinstance(error, SystemExit) and not error.code:
        return 0
    if traceback:
        print_exception(error)
    line, status = explained(error)
    complain(line)
    return status


def explained(error: BaseException) -> tuple[str, int]:
    """What to say about `error`, and the exit status."""
    if misuse := _misuse(error):
        return misuse, MISUSED
    if isinstance(error, ModuleNotFoundError):
        return _missing(error), FAILED
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the system'}: {error.strerror}", FAILED
    if _is_ours(error):
        return str(error) or type(error).__name__, FAILED
    if isinstance(error, RuntimeError) and type(error).__name__ == "Abort":
        return "given up at your word; nothing more was done", FAILED
    return (
        f"{type(error).__name__}: {error}; that is a mistake in the program, not in what you typed "
        "(put --traceback in front of the verb to see where)",
        FAILED,
    )


def _is_ours(error: BaseException) -> bool:
    from socialsupport_core.contract.errors import SocialSupportError

    return isinstance(error, SocialSupportError)


def _misuse(error: BaseException) -> str:
    """The line for a command line that cannot be read, "" for other errors.

    Told by its shape: typer has carried the class under different names over its releases.
    """
    form: Any = getattr(error, "format_message", None)
    if form is None:
        return ""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "socialsupport"
    return f"{form().replace('Value error, ', '').rstrip('.')}; see {command} --help"


def _missing(error: ModuleNotFoundError) -> str:
    module = (error.name or "").partition(".")[0]
    if module == "socialsupport_core":
        return f"this release has no {error.name}; install a newer one"
    extra = _extra_with(module)
    remedy = f"install it with: pip install 'socialsupport[{extra}]'" if extra else "install it and try again"
    return f"this needs the module {module}, which is missing; {remedy}"


def _extra_with(module: str) -> str:
    """The extra of ours that brings a module of the same name as its distribution; of several, the commonest."""
    try:
        requirements = metadata("socialsupport").get_all("Requires-Dist") or []
    except PackageNotFoundError:
        return ""
    bringing = [one for one in requirements if one.startswith(module) and "extra ==" in one]
    extras = {str(one).rpartition("extra ==")[2].strip(" '\"") for one in bringing} - {"all"}
    return "server" if "server" in extras else min(extras, default="")


def _is_broken_pipe(error: BaseException) -> bool:
    """Typer and rich both turn it into an exit of their own."""
    source = error.__context__ if isinstance(error, SystemExit) else error
    return isinstance(source, OSError) and source.errno == errno.EPIPE


def _silence() -> None:
    """The reader has gone; what is still buffered must not complain at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
