"""Phone numbers as people and telephone systems write them, and the words for "no number"."""

import re
from functools import lru_cache

import phonenumbers

WITHHELD = frozenset({"", "anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld"})
"""What telephone systems write where the caller shows no number; compared without regard to case."""

_WRITTEN = re.compile(r"(?:tel:)?[+\d\s()./-]{1,64}")


def is_withheld(written: str) -> bool:
    return written.strip().lower() in WITHHELD


def is_region(code: str) -> bool:
    return code in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=4096)
def e164(written: str, region: str | None = None) -> str:
    """`+` and digits. Raises ValueError that says what to write instead, and not what was written.

    `region` (ISO 3166, such as `DE`) reads numbers without their country code.
    """
    number = _read(written, region)
    if number is None or not phonenumbers.is_possible_number(number):
        remedy = "" if region else " or set the channel's region"
        raise ValueError(f"not a phone number; write it as +4930123456{remedy}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _read(written: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    """The library looks for a number in any text; we want nothing around it."""
    if _WRITTEN.fullmatch(written) is None:
        return None
    try:
        return phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
