"""Who is known in Chatwoot, and how somebody new becomes so."""

import re
from typing import Any

from socialsupport_chatwoot.native import contact_of, number
from socialsupport_chatwoot.recording import Request
from socialsupport_core.contract import CaseSummary, Contact, Flow
from socialsupport_core.contract.answered import if_there
from socialsupport_core.model import Party

KINDS = frozenset({"email", "phone"})
"""What contacts are searched by."""


def find(request: Request, party: Party) -> Flow[tuple[Contact, ...]]:
    """By e-mail address and telephone number; the search itself is not exact."""
    contacts: dict[str, Contact] = {}
    for identifier in party.identifiers:
        if identifier.kind not in KINDS:
            continue
        answer = yield request("GET", "contacts/search", params={"q": identifier.value})
        for one in map(contact_of, answer.json()["payload"]):
            if str(identifier).casefold() in {str(known).casefold() for known in one.identifiers}:
                contacts[one.id] = one
    return tuple(contacts.values())


def give(request: Request, inbox: str, conversation: CaseSummary, source: str) -> Flow[None]:
    """Gives our source id to whom Chatwoot knows, else to somebody new."""
    known = conversation.contact
    if known is None and conversation.party is not None:
        listed = yield from find(request, conversation.party)
        known = listed[0].id if listed else None
    about = {"inbox_id": int(inbox), "source_id": source}
    path = "contacts/{}/contact_inboxes"
    if known is None or not (yield from if_there(request("POST", path.format(number(known)), json=about))):
        made = yield request("POST", "contacts", json=_person(conversation) | {"inbox_id": about["inbox_id"]})
        yield request("POST", path.format(made.json()["payload"]["contact"]["id"]), json=about)


def _person(conversation: CaseSummary) -> dict[str, Any]:
    """A new contact: a name, and what Chatwoot takes of an address or a number."""
    party = conversation.party
    known = {one.kind: one.value for one in reversed(party.identifiers)} if party else {}
    told = {"name": (party.name or party.handle if party else None) or "Somebody"}
    phone = re.fullmatch(r"\+[1-9][0-9]{1,14}", known.get("phone", ""))
    fields = {"email": known.get("email"), "phone_number": phone and phone[0]}
    return told | {name: value for name, value in fields.items() if value}
