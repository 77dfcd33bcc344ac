"""What is typed and told as an address, a number, an id: looked at before it is used."""

import re

from socialsupport_core.contract.errors import ContentRejected
from socialsupport_core.model import Identifier

EMAIL = re.compile(r"[^@\s\x00<>,;:]{1,64}@[^@\s\x00<>,;:]{1,255}")
PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{3,30}")


def is_email(written: str) -> bool:
    return EMAIL.fullmatch(written.strip()) is not None


def is_phone(written: str) -> bool:
    return PHONE.fullmatch(written.strip()) is not None


def contacts(email: str | None, phone: str | None) -> tuple[Identifier, ...]:
    """What is no address and no number is left out: it would be no evidence for anything."""
    found = [Identifier(kind="email", value=email.strip())] if email and is_email(email) else []
    return (*found, *([Identifier(kind="phone", value=phone.strip())] if phone and is_phone(phone) else []))


def digits(written: str, whose: str) -> str:
    """An id that goes into an address there: digits and nothing else. Raises ContentRejected."""
    if not (written.isascii() and written.isdigit()):
        raise ContentRejected(f"{written!r} is not a number of {whose}")
    return written
