"""An interaction as an activity of a ticket, or as a message in our own channel of the inbox."""

import hashlib
from html import escape
from typing import Any

from socialsupport_core.contract import CaseRef
from socialsupport_core.model import Interaction, Party
from socialsupport_core.text import plain, to_html
from socialsupport_hubspot.settings import CustomChannel

LONGEST = 65_536
"""Characters of a note's body. https://developers.hubspot.com/docs/api-reference/crm-notes-v3/guide (2026-11)"""
CUT = "<p>The text goes on; all of it stands in the customer's timeline.</p>"
COMMUNICATIONS = {"whatsapp": "WHATS_APP", "twilio": "SMS", "linkedin": "LINKEDIN_MESSAGE"}
"""Networks that HubSpot has an activity of its own for; the others become notes.
https://developers.hubspot.com/docs/api-reference/crm-communications-v3/guide (2026-11)"""
ACTORS = {"email": "HS_EMAIL_ADDRESS", "phone": "HS_PHONE_NUMBER"}
"""Kinds of identifiers by which HubSpot finds the contact itself; every other is opaque to it."""


def activity(interaction: Interaction) -> tuple[str, dict[str, str]]:
    """The type of the record and its properties, all of them text."""
    channel = COMMUNICATIONS.get(interaction.network)
    common = {"hs_timestamp": interaction.sent_at.isoformat().replace("+00:00", "Z")}
    if channel is None or interaction.kind != "message" or interaction.direction == "internal":
        return "notes", {"hs_note_body": body(interaction), **common}
    return "communications", {
        "hs_communication_channel_type": channel,
        "hs_communication_logged_from": "CRM",
        "hs_communication_body": body(interaction),
        **common,
    }


def body(interaction: Interaction) -> str:
    """HTML that says who spoke where, then what; cut, and saying so, if it is too long for HubSpot."""
    told = f"<p>{escape(heading(interaction))}</p>{to_html(interaction.text or '')}{_files(interaction)}"
    if len(told) <= LONGEST:
        return told
    room = LONGEST - len(CUT) - len("<p></p>") - len(f"<p>{escape(heading(interaction))}</p>")
    text = escape(plain(interaction.text or ""))[:room].rpartition(" ")[0]  # never within an entity
    return f"<p>{escape(heading(interaction))}</p><p>{text}</p>{CUT}"


def digest(interaction: Interaction) -> str:
    """Names a content."""
    told = "\0".join([interaction.text or "", *(one.name or "" for one in interaction.attachments)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def heading(interaction: Interaction) -> str:
    where = f"{interaction.kind} on {interaction.network}, {interaction.direction}, {interaction.thread.visibility}"
    subject = f": {interaction.subject}" if interaction.subject else ""
    return f"{name_of(interaction.author)}, {where}{subject}"


def name_of(party: Party) -> str:
    account = party.account
    return party.name or party.handle or (str(account) if account else "unknown")


def _files(interaction: Interaction) -> str:
    names = [escape(one.name or one.media_type) for one in interaction.attachments]
    return f"<p>Attached: {', '.join(names)}</p>" if names else ""


def message(channel: CustomChannel, case: CaseRef, interaction: Interaction, key: str) -> dict[str, Any]:
    """In the inbox. The thread there is named after the ticket; the key makes it one message, however often told."""
    own = {"name": name_of(interaction.author) if interaction.direction == "outbound" else None,
           "deliveryIdentifier": {"type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": channel.address}}  # fmt: skip
    customer = _participant(interaction.counterpart)
    incoming = interaction.direction == "inbound"
    return {
        "channelAccountId": channel.account,
        "integrationThreadId": case.id,
        "integrationIdempotencyId": key,
        "messageDirection": "INCOMING" if incoming else "OUTGOING",
        "senders": [customer if incoming else _named(own)],
        "recipients": [_named(own) if incoming else customer],
        "text": _text(interaction),
        "richText": to_html(interaction.text or "") or None,
        "timestamp": interaction.sent_at.isoformat().replace("+00:00", "Z"),
        "attachments": [],
    }


def _participant(party: Party | None) -> dict[str, Any]:
    if party is None or not party.identifiers:
        return {"deliveryIdentifier": {"type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "unknown"}}
    type_, value = "CHANNEL_SPECIFIC_OPAQUE_ID", str(party.identifiers[0])
    for identifier in reversed(party.identifiers):
        if identifier.kind in ACTORS:
            type_, value = ACTORS[identifier.kind], identifier.value
    return {"name": name_of(party), "deliveryIdentifier": {"type": type_, "value": value}}


def _named(participant: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in participant.items() if value is not None}


def _text(interaction: Interaction) -> str:
    """HubSpot refuses a message without any."""
    names = [one.name or one.media_type for one in interaction.attachments]
    return plain(interaction.text or "") or (f"Attached: {', '.join(names)}" if names else f"({interaction.kind})")
