"""The top-level domains, which tell `example.com` from `index.html`."""

from __future__ import annotations

import functools
from importlib.resources import files


@functools.cache
def top_level_domains() -> frozenset[str]:
    """Lower case, internationalised ones in Unicode; the source stands in `tlds.txt`."""
    data = files(__package__).joinpath("tlds.txt").read_text(encoding="utf-8")
    return frozenset(word for line in data.splitlines() if not line.startswith("#") for word in line.split())


@functools.cache
def longest() -> int:
    return max(map(len, top_level_domains()))


def leading_domain(label: str) -> str | None:
    """The longest top-level domain that `label` starts with and that can end there.

    `label` reaches one character beyond its end. Scripts without spaces may follow the domain at once,
    ASCII letters, digits, `@`, `+` and `-` may not.
    """
    lowered = label[: longest() + 1].lower()
    for length in range(min(longest(), len(label)), 1, -1):
        if lowered[:length] in top_level_domains() and not _goes_on(label[length : length + 1]):
            return label[:length]
    return None


def _goes_on(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "@+-") if char else False
