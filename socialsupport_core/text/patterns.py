"""Regular expressions by Unicode property, grapheme cluster and possessive quantifier."""

from __future__ import annotations

import re
from typing import cast

import regex  # type: ignore[import-untyped]


def pattern(expression: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Compiled by `regex`, whose patterns answer to the same methods as those of `re`."""
    return cast("re.Pattern[str]", regex.compile(expression, regex.IGNORECASE if ignore_case else 0))


GRAPHEME = pattern(r"\X")
