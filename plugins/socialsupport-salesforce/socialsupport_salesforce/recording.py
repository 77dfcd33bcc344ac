"""An interaction as an activity of a case: a task that is done, which agents see in the case's timeline.

https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-task.html (2026-11)
"""

from typing import Any

from socialsupport_core.contract import CaseRef, CaseSummary
from socialsupport_core.model import Interaction, Party
from socialsupport_core.text import plain

SUBJECT = 255
DESCRIPTION = 32_000
"""Characters."""
CUT = "\n[The text goes on; all of it stands in the customer's timeline.]"


def task(case: CaseRef, interaction: Interaction) -> dict[str, Any]:
    return {
        "WhatId": case.id,
        "Subject": _short(heading(interaction), SUBJECT),
        "Description": described(interaction),
        "Status": "Completed",
        "ActivityDate": interaction.sent_at.date().isoformat(),
    }


def heading(interaction: Interaction) -> str:
    where = f"{interaction.kind} on {interaction.network}, {interaction.direction}, {interaction.thread.visibility}"
    subject = f": {interaction.subject}" if interaction.subject else ""
    return f"{name_of(interaction.author)}, {where}{subject}"


def described(interaction: Interaction) -> str:
    """Plain text, for the field knows no other; cut, and saying so, if it is too long."""
    files = [one.name or one.media_type for one in interaction.attachments]
    attached = f"\nAttached: {', '.join(files)}" if files else ""
    told = f"{interaction.sent_at.isoformat()}\n{plain(interaction.text or '')}{attached}"
    return told if _length(told) <= DESCRIPTION else _short(told, DESCRIPTION - len(CUT)) + CUT


def case_fields(conversation: CaseSummary) -> dict[str, Any]:
    """Of a new case. Without a contact it says who came, as cases from the web do."""
    party = conversation.party or Party()
    known = {one.kind: one.value for one in reversed(party.identifiers)}
    supplied = {
        "SuppliedName": _short(party.name, 80) if party.name else None,
        "SuppliedEmail": known.get("email"),
        "SuppliedPhone": _short(known["phone"], 40) if "phone" in known else None,
    }
    who = {"ContactId": conversation.contact} if conversation.contact else supplied
    return {"Subject": _short(conversation.subject, SUBJECT)} | {name: value for name, value in who.items() if value}


def name_of(party: Party) -> str:
    return party.name or party.handle or (str(party.account) if party.account else "unknown")


def _length(text: str) -> int:
    """Salesforce counts as Java does: a sign beyond the basic plane is two."""
    return len(text.encode("utf-16-le")) // 2


def _short(text: str, most: int) -> str:
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")
