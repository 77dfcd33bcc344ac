"""Mailboxes that bear one name: `kerry.fisher@work.example` and `kerryfisher` are whoever is called so.

A name joins nobody. It only keeps two mailboxes from telling two apart who have a telephone in common anyway.
"""

import re
from collections.abc import Hashable
from functools import lru_cache

from socialsupport_core.model import Identifier

_WORDS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=65536)
def name_in(address: str) -> str:
    """The name in a mailbox: its words if there are two or more, else all of it; the same for namesakes.

    One word with a number is no name: `fisher17` and `fisher18` may be two of a family.
    """
    local = address.partition("@")[0].partition("+")[0]
    words = _WORDS.findall(local)
    if len(words) > 1 and all(len(word) > 1 for word in words):
        return "".join(words)
    return "".join(c for c in local if c.isalnum())


def value_of(identifier: Identifier, key: tuple[int, int]) -> Hashable:
    """As what one of the values of somebody counts, in one of its times: namesakes are one."""
    return (name_in(identifier.value), key[1]) if identifier.kind == "email" else key
