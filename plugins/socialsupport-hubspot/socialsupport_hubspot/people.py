"""Contacts: how they are looked for, and what they say of a person. Names are no evidence.

https://developers.hubspot.com/docs/api/crm/search, https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
(2026-11)
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import phonenumbers

from socialsupport_core.contract import Contact
from socialsupport_core.model import Identifier, Party
from socialsupport_hubspot.api import GROUPS, Filter

KIND = "hubspot.contact"
PROPERTIES = (
    "email", "hs_additional_emails", "phone", "mobilephone", "hs_calculated_phone_number",
    "hs_calculated_mobile_number", "firstname", "lastname", "company", "lifecyclestage", "hs_merged_object_ids",
    "lastmodifieddate",
)  # fmt: skip
EMAILS = ("email", "hs_additional_emails")
PHONES = ("hs_calculated_phone_number", "hs_calculated_mobile_number", "phone", "mobilephone")
"""HubSpot writes the calculated ones in E.164 where it understands the number."""
SHOWN = ("company", "lifecyclestage")
"""Fields that whoever answers may want to see."""
MERGED = "merged_contacts"
"""Our field for the contacts that HubSpot has merged into this one."""

_E164 = re.compile(r"\+[1-9][0-9]{4,14}")


def queries(party: Party) -> list[Sequence[Sequence[Filter]]]:
    """Filter groups, as many as fit into one search."""
    groups = [group for identifier in party.identifiers for group in _groups(identifier)]
    return [groups[at : at + GROUPS] for at in range(0, len(groups), GROUPS)]


def _groups(identifier: Identifier) -> list[list[Filter]]:
    write = _WRITTEN.get(identifier.kind)
    return [[one] for one in write(identifier.value)] if write else []


def _by_email(value: str) -> list[Filter]:
    value = value.lower()
    return [("email", "EQ", value), ("hs_additional_emails", "CONTAINS_TOKEN", value)]


def _by_phone(value: str) -> list[Filter]:
    """As people have typed it, and without the country code as HubSpot's searchable copies have it."""
    typed = [("phone", "EQ", value), ("mobilephone", "EQ", value)]
    if number := _national(value):
        typed.append(("hs_searchable_calculated_phone_number", "EQ", number))
        typed.append(("hs_searchable_calculated_mobile_number", "EQ", number))
    return typed


def _by_id(value: str) -> list[Filter]:
    return [("hs_object_id", "EQ", value)] if value.isascii() and value.isdigit() else []


_WRITTEN: Mapping[str, Callable[[str], list[Filter]]] = {"email": _by_email, "phone": _by_phone, KIND: _by_id}


def _national(value: str) -> str | None:
    try:
        return str(phonenumbers.parse(value).national_number)
    except phonenumbers.NumberParseException:
        return None


def contact(native: Mapping[str, Any]) -> Contact:
    """Raises LookupError and TypeError for what is no record of HubSpot's."""
    properties = {name: value for name, value in native["properties"].items() if isinstance(value, str)}
    return Contact(
        id=str(native["id"]),
        identifiers=identifiers(properties),
        name=" ".join(filter(None, (properties.get("firstname"), properties.get("lastname")))) or None,
        fields=_fields(properties),
    )


def identifiers(properties: Mapping[str, str]) -> tuple[Identifier, ...]:
    """None of them is proven: HubSpot keeps what people have typed."""
    emails = [one for name in EMAILS for one in _several(properties.get(name, "")) if "@" in one]
    phones = [number for name in PHONES if (number := _number(properties.get(name, "")))]
    found = [_identifier("email", one.lower()) for one in emails] + [_identifier("phone", one) for one in phones]
    return tuple(dict.fromkeys(one for one in found if one))


def shares(contact: Contact, party: Party) -> bool:
    """Search is by token and without country codes, so it finds more than was asked for."""
    known = {str(one).casefold() for one in contact.identifiers} | {f"{KIND}:{contact.id}"}
    return any(f"{one.kind}:{one.value}".casefold() in known for one in party.identifiers)


def _fields(properties: Mapping[str, str]) -> dict[str, str]:
    fields = {name: value for name in SHOWN if (value := properties.get(name))}
    if merged := _several(properties.get("hs_merged_object_ids", "")):
        fields[MERGED] = ",".join(merged)
    return fields


def _several(written: str) -> list[str]:
    """HubSpot puts semicolons between several values."""
    return [one.strip() for one in written.split(";") if one.strip()]


def _number(written: str) -> str | None:
    bare = re.sub(r"[\s().\-/]", "", written)
    return bare if _E164.fullmatch(bare) else None


def _identifier(kind: str, value: str) -> Identifier | None:
    try:
        return Identifier(kind=kind, value=value)
    except ValueError:
        return None
