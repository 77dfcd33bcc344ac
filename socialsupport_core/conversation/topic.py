"""Whether two subjects speak of the same matter: by their words alone, and nothing is guessed."""

import re

STRONG = 2 / 3
"""Of the words of the shorter subject so many stand in the other, and two at least."""
_WORD = re.compile(r"[^\W_]+")
_PREFIX = re.compile(r"^\s*(?:(?:re|fwd?|aw|wg|tr|rv|sv|vs|antw)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_EMPTY = frozenset(
    _WORD.findall(
        "about again also and are been can could das den der die does ein eine enquiry for from got has have hello "
        "help hilfe hola how ich ihr inquiry ist les mein meine message mit more my need new not nicht of on one "
        "our please problem pour query question regarding request still support thanks that the their this to und "
        "une urgent von was were what when where will with would you your zu"
    )
)
"""Words that stand in every second subject and tell nothing."""


def words(subject: str | None) -> frozenset[str]:
    """What a subject is about: words of three letters or more, and numbers."""
    plain = _PREFIX.sub("", subject or "").casefold()
    found = (match[0] for match in _WORD.finditer(plain[:500]))
    return frozenset(one for one in found if (len(one) > 2 or one.isdigit()) and one not in _EMPTY)


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two subjects overlap strongly."""
    left, right = words(one), words(other)
    shared = len(left & right)
    return shared >= 2 and shared >= STRONG * min(len(left), len(right))
