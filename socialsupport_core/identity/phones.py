"""Telephone numbers in one spelling: E.164, and for countries that write one line in two ways one of the two.

The form compares; it need not be what is dialled. No table of the world's numbering plans is needed for that: whoever
has one (the phone connector) gives E.164 already.
"""

import re
import unicodedata
from collections.abc import Callable

_EXTENSION = re.compile(r"(?:;ext=|[ ,]*\b(?:ext|extension|x)[. :]*)(\d{1,7})$", re.IGNORECASE)
_TRUNK = re.compile(r"\(0\)")
KEEPS_ZERO = frozenset({"39", "378", "379"})
"""Calling codes in whose numbers a leading zero stays: https://www.itu.int/oth/T020200006B/en (2026-11)."""


def phone(value: str, calling_code: str | None = None) -> str:
    """`calling_code` is that of numbers without one; without it they stay as they are."""
    if value[:1] == "+" and value.isascii() and (number := value[1:]).isdigit():
        return f"+{_one_way(number)}" if number[:2] in ALIASES else value
    ascii_digits = "".join(str(int(c)) if c.isdecimal() else c for c in unicodedata.normalize("NFKC", value))
    written, extension = _without_extension(ascii_digits.strip().removeprefix("tel:").strip())
    digits = "".join(c for c in _TRUNK.sub("", written) if c.isdigit())
    if not digits:
        return value.strip()
    if written.startswith("+"):
        number = digits
    elif written.startswith("00"):
        number = digits[2:]
    elif calling_code:
        kept = digits if calling_code in KEEPS_ZERO else digits.lstrip("0")
        number = calling_code + kept
    else:
        return digits + extension
    return f"+{_one_way(number)}{extension}"


def _without_extension(written: str) -> tuple[str, str]:
    found = _EXTENSION.search(written)
    return (written[: found.start()], f";ext={found[1]}") if found else (written, "")


def _one_way(number: str) -> str:
    code = number[:2]
    return code + ALIASES[code](number[2:]) if code in ALIASES else number


def _brazil(national: str) -> str:
    """A mobile of the time before the ninth digit: area code, then eight digits of which the first is 6 to 9."""
    old = len(national) == 10 and national[2] in "6789"
    return f"{national[:2]}9{national[2:]}" if old else national


def _argentina(national: str) -> str:
    """A mobile has a 9 before its area code from abroad, and a 15 after it at home; both are its line without."""
    if len(national) == 11 and national.startswith("9"):
        return national[1:]
    if len(national) == 12 and not national.startswith("9"):
        for length in (2,) if national.startswith("11") else (3, 4):
            if national[length : length + 2] == "15":
                return national[:length] + national[length + 2 :]
    return national


def _mexico(national: str) -> str:
    """Until 2019 mobiles had a 1 before the ten digits, and networks still write it."""
    return national[1:] if len(national) == 11 and national.startswith("1") else national


ALIASES: dict[str, Callable[[str], str]] = {"55": _brazil, "54": _argentina, "52": _mexico}
"""Brazil, Argentina, Mexico: https://docs.360dialog.com/docs/useful/number-registration-issues/number-formats and
https://support.whapi.cloud/help-desk/specifics-of-sending-messages-to-numbers-of-different-countries (2026-11)."""
