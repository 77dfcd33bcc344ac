"""What was raised, in one readable line: its class, the problem, and the line of somebody else's code."""

import re
import traceback
from pathlib import Path

from pydantic import ValidationError

from socialsupport_core.mistakes import near, problems

__all__ = ["near", "one_line", "problems", "raised"]
_NOT_THEIRS = re.compile(r"socialsupport_core|site-packages|<frozen|<string>|lib[/\\]python3")


def one_line(error: BaseException) -> str:
    """The message without line breaks; what pydantic said inside it is told as `problems` does."""
    text = str(error)
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ValidationError):
            text = text.replace(str(at), f"{at.title}: {problems(at)}")
        at = at.__cause__ or at.__context__
    return " ".join(text.split())


def raised(error: BaseException) -> str:
    """Class, message and, where it came out of somebody else's code, the line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = next((f for f in reversed(frames) if not _NOT_THEIRS.search(f.filename)), None)
    place = f" ({Path(where.filename).name}, line {where.lineno})" if where else ""
    return f"{type(error).__name__}: {one_line(error)}{place}"
