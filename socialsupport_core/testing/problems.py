"""What was raised, in one readable line: its class, the problem, and the line of somebody else's code."""

import re
import traceback
from pathlib import Path

from pydantic import ValidationError

from socialsupport_core import model
from socialsupport_core.mistakes import near, problems

__all__ = ["crashed", "near", "one_line", "problems", "raised"]
_NOT_THEIRS = re.compile(r"socialsupport_core|site-packages|<frozen|<string>|lib[/\\]python3")


def one_line(error: BaseException) -> str:
    """The message without line breaks; what pydantic said inside it is told as `problems` does."""
    text = str(error)
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ValidationError):
            text = text.replace(str(at), f"{at.title}: {problems(at, getattr(model, at.title, None))}")
        at = at.__cause__ or at.__context__
    return " ".join(text.split())


def raised(error: BaseException, package: str = "") -> str:
    """Class, message and, where it came out of somebody else's code, the line. `package` is theirs, if installed."""
    where = _theirs(error, package)
    place = f" ({Path(where.filename).name}, line {where.lineno})" if where else ""
    return f"{type(error).__name__}: {one_line(error)}{place}"


def crashed(error: BaseException, package: str = "") -> str | None:
    """The same, named after the method that it came out of; None if nobody else's code was running."""
    where = _theirs(error, package)
    if where is None:
        return None
    told = raised(error, package)
    return f"`{where.name}` raised {told}; the kit asked it with what a host may give, and it must answer"


def _theirs(error: BaseException, package: str) -> traceback.FrameSummary | None:
    """The innermost line of somebody else's code."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next((f for f in frames if _is_of(f.filename, package) or not _NOT_THEIRS.search(f.filename)), None)


def _is_of(file: str, package: str) -> bool:
    return bool(package) and package in Path(file).parts
