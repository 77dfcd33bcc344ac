"""What is known of one customer, as attributes with one or several values: what suggestions compare."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.model import Identifier


@dataclass(frozen=True, slots=True)
class Profile:
    """`subject` stands for the customer; `values` has the normal forms of each attribute, sorted."""

    subject: Identifier
    values: Mapping[str, tuple[str, ...]]
    accounts: tuple[Identifier, ...] = ()
    """The accounts that are this customer already; of an exclusive kind each customer has one."""


Given = Mapping[str, Iterable[str]]


def profile(subject: Identifier, given: Given, accounts: Iterable[Identifier] = ()) -> Profile:
    """Brings the values of the known attributes into their normal forms; drops what is empty or unknown."""
    found: dict[str, set[str]] = {}
    for attribute, values in given.items():
        form = FORMS.get(attribute)
        kept = {form(value) for value in values} - {""} if form else set()
        if kept:
            found.setdefault(attribute, set()).update(kept)
    return _made(subject, found, accounts or [subject])


def _made(subject: Identifier, found: Mapping[str, Iterable[str]], accounts: Iterable[Identifier]) -> Profile:
    ordered = {attribute: tuple(sorted(set(found[attribute]))) for attribute in sorted(found)}
    return Profile(subject, ordered, tuple(sorted(set(accounts), key=str)))


def merged(profiles: Iterable[Profile], customer: Callable[[Identifier], str | None]) -> list[Profile]:
    """One profile a customer: all that is known of any of its accounts. Whoever has no customer stays alone.

    The first of its accounts in the order of their names stands for it.
    """
    groups: dict[str, list[Profile]] = {}
    for one in profiles:
        groups.setdefault(customer(one.subject) or f"alone {one.subject}", []).append(one)
    return sorted((_together(group) for group in groups.values()), key=lambda one: str(one.subject))


def _together(group: list[Profile]) -> Profile:
    if len(group) == 1:
        return group[0]
    found: dict[str, set[str]] = {}
    for one in group:
        for attribute, values in one.values.items():
            found.setdefault(attribute, set()).update(values)
    accounts = {account for one in group for account in one.accounts}
    return _made(min((one.subject for one in group), key=str), found, accounts)


def fold(text: str) -> str:
    """Letters and digits without accents and case, other signs as single spaces."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


def _solid(text: str) -> str:
    return fold(text).replace(" ", "")


def _email(text: str) -> str:
    return canonical(Identifier(kind="email", value=text)).value if text.strip() else ""


def _phone(text: str) -> str:
    return canonical(Identifier(kind="phone", value=text)).value if any(map(str.isdigit, text)) else ""


def name_of(*parts: str | None) -> str:
    """A name whose parts came apart. A part loses its inner spaces, which are slips of the pen as often as not."""
    return " ".join(solid for part in parts if part and (solid := _solid(part)))


FORMS: dict[str, Callable[[str], str]] = {
    "name": fold,
    "handle": _solid,
    "email": _email,
    "phone": _phone,
    "birth_date": _solid,
    "national_id": _solid,
    "street": fold,
    "street_number": _solid,
    "district": fold,
    "city": fold,
    "postcode": _solid,
    "region": fold,
}
"""The attributes that are compared, each with its normal form. A birth date is written year first: 1984-05-23."""
