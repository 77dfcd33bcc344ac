"""A text as it is read: digits, dashes and spaces of every script alike, and nothing that is not seen."""

import unicodedata


def flatten(text: str) -> tuple[str, list[int]]:
    """The text as it is read: digits, dashes and spaces of every script alike, nothing that is not seen.

    The list tells for each character where it was.
    """
    flat, places = [], []
    for place, c in enumerate(text):
        seen = c if c.isascii() else _seen(c)
        if seen:
            flat.append(seen)
            places.append(place)
    return "".join(flat), places


def _seen(c: str) -> str:
    category = unicodedata.category(c)
    if category in {"Cf", "Mn"}:
        return ""
    if category == "Zs":
        return " "
    if category == "Pd" or c == "\N{MINUS SIGN}":
        return "-"
    if category == "Nd":
        return str(unicodedata.digit(c))
    plain = unicodedata.normalize("NFKC", c)
    return plain if len(plain) == 1 else c
