"""Who is at the other end."""

import re

from socialsupport_core.model import Identifier, Party, Thread

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
SENDER = re.compile(r"[0-9A-Za-z &._+-]{1,15}")
"""Short codes, and the names that companies send under."""
# https://www.twilio.com/changelog/upcoming-changes-to-withheld-caller-ids-behavior-for-dial-calls (2022-11)
WITHHELD = frozenset(
    {"", "anonymous", "blocked", "private", "restricted", "unavailable", "unknown"}
    | {"266696687", "2562533", "7748283", "7378742833", "86282452253", "8656696"}
)
"""What stands for a number that is not shown: the words, and the words as dialled on a keypad, as Twilio wrote them
until 2022."""


def is_withheld(written: str) -> bool:
    return written.strip().removeprefix("+").lower() in WITHHELD


def party(written: str) -> Party:
    """By number; by name or short code, where that is all they have. Raises ValueError."""
    if E164.fullmatch(written):
        return Party(identifiers=(Identifier(kind="phone", value=written),))
    if SENDER.fullmatch(written) and written.strip():
        return Party(identifiers=(Identifier(kind="twilio.sender", value=written),))
    raise ValueError("neither a telephone number nor a sender's name; other channels of Twilio are not read here")


def caller(written: str, own: str, call: str) -> Party:
    """Each withheld caller is an account of its own: nothing says that two of them are one person."""
    if is_withheld(written):
        return Party(identifiers=(Identifier(kind="phone.anonymous", scope=own, value=call),))
    return party(written)


def thread(them: Party) -> Thread:
    assert them.account
    return Thread(id=them.account.value, visibility="private")
