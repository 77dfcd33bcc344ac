"""Who people are on WhatsApp.

By their number, by the business-scoped id that every webhook brings since 2026-04, or by both. A number may be missing
once somebody has taken a username.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids (2026-05)
"""

import re
from collections.abc import Iterator

from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of
from socialsupport_core.model import Identifier, Party

USER = "whatsapp.user"
"""By number, without the plus; kept apart from `phone` because the two may differ."""
SCOPED = "whatsapp.bsuid"
"""Unique within our business portfolio, which webhooks do not name: so it has no scope here."""
BUSINESS_SCOPED = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""Two letters of a country, and with a parent portfolio `ENT`."""
CALL = "wacid."
"""So begins the id of a call, which cannot be quoted."""
NUMBER = re.compile(r"[0-9]{7,15}")
"""E.164 without the plus."""


def person(number: str | None, scoped: str | None, contact: Json | None = None) -> Party:
    profile = object_of(contact or {}, "profile")
    return Party(
        identifiers=tuple(_identifiers(number, scoped)),
        name=text_of(profile, "name"),
        handle=(text_of(profile, "username") or "").removeprefix("@") or None,
    )


def _identifiers(number: str | None, scoped: str | None) -> Iterator[Identifier]:
    """The account first. A phone number is told by WhatsApp, which has verified it."""
    if number:
        yield Identifier(kind=USER, value=number)
    if scoped:
        yield Identifier(kind=SCOPED, value=scoped)
    if number and NUMBER.fullmatch(number):
        yield Identifier(kind="phone", value=f"+{number}")


def contact_of(value: Json, number: str | None, scoped: str | None) -> Json:
    """What the webhook tells about whoever wrote a message.

    A number may be written in two ways (Brazil's ninth digit, Mexico's 1): one message and one contact belong together.
    """
    contacts = objects_of(value, "contacts")
    said = sum(len(objects_of(value, name)) for name in ("messages", "message_echoes", "calls"))
    fitting = (
        one
        for one in contacts
        if (number and text_of(one, "wa_id") == number) or (scoped and text_of(one, "user_id") == scoped)
    )
    return next(fitting, contacts[0] if len(contacts) == said == 1 else {})


def recipient(thread_id: str) -> dict[str, str]:
    """Whom a message goes to: a number as `to`, a business-scoped id as `recipient`; anything else is a group.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging (2026-06)
    """
    if BUSINESS_SCOPED.fullmatch(thread_id):
        return {"recipient_type": "individual", "recipient": thread_id}
    kind = "individual" if thread_id.isdigit() else "group"
    return {"recipient_type": kind, "to": thread_id}
