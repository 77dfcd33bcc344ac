"""Contacts: how they are looked for, and what they say of a person. Names are no evidence.

https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-contact.html
(2026-11)
"""

from collections.abc import Iterable, Mapping
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from socialsupport_core.contract import Contact
from socialsupport_core.model import Identifier, Party
from socialsupport_salesforce.api import among, select

KIND = "salesforce.contact"
PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
FIELDS = ("Id", "Name", "Email", *PHONES, "Title", "Account.Name")
MOST = 200
"""Contacts read for one party; who matches more is nobody in particular."""


def query(party: Party) -> str | None:
    """SOQL for everyone who may be this party; None if nothing is known that Salesforce keeps."""
    emails = [one.value.lower() for one in party.identifiers if one.kind == "email"]
    numbers = [typed for one in party.identifiers if one.kind == "phone" for typed in written(one.value)]
    ids = [one.value for one in party.identifiers if one.kind == KIND and one.value.isalnum()]
    conditions = [f"Email IN {among(emails)}"] if emails else []
    conditions += [f"{field} IN {among(numbers)}" for field in PHONES if numbers]
    conditions += [f"Id IN {among(ids)}"] if ids else []
    return select(FIELDS, "Contact", " OR ".join(conditions), MOST) if conditions else None


def written(value: str) -> list[str]:
    """A number in the ways in which people type it."""
    number = _number(value, None)
    if number is None:
        return [value]
    formats = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
    typed = [phonenumbers.format_number(number, one) for one in formats]
    national = str(number.national_number)
    bare = [national, f"{number.country_code}{national}", typed[2].replace(" ", ""), typed[1].partition(" ")[2]]
    return list(dict.fromkeys([*typed, *bare, typed[1].replace(" ", "-"), typed[2].replace(" ", "-")]))


def contact(native: Mapping[str, Any], region: str | None) -> Contact:
    """Raises LookupError for what is no record."""
    account = native.get("Account")
    known = {"account": account.get("Name") if isinstance(account, dict) else None, "title": native.get("Title")}
    name = native.get("Name")
    return Contact(
        id=str(native["Id"]),
        identifiers=tuple(dict.fromkeys(_identifiers(native, region))),
        name=name if isinstance(name, str) else None,
        fields={key: value for key, value in known.items() if isinstance(value, str) and value},
    )


def _identifiers(native: Mapping[str, Any], region: str | None) -> Iterable[Identifier]:
    """None of them is proven: Salesforce keeps what people have typed."""
    email = native.get("Email")
    if isinstance(email, str) and "@" in email and len(email) <= 1024:
        yield Identifier(kind="email", value=email.lower())
    for field in PHONES:
        value = native.get(field)
        if isinstance(value, str) and (number := _number(value, region)):
            yield Identifier(kind="phone", value=phonenumbers.format_number(number, PhoneNumberFormat.E164))


def shares(contact: Contact, party: Party) -> bool:
    """What is typed without a country code may be somebody else's number."""
    known = {f"{one.kind}:{one.value}" for one in contact.identifiers} | {f"{KIND}:{contact.id}"}
    return any(
        f"{one.kind}:{one.value.lower() if one.kind == 'email' else one.value}" in known for one in party.identifiers
    )


def _number(value: str, region: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(value[:64], region)
    except NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
