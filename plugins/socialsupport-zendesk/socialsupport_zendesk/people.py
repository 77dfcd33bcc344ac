"""Who is known in Zendesk, and whose a ticket is."""

from typing import Any

from socialsupport_core.contract import CaseSummary, Contact, Flow
from socialsupport_core.model import Party
from socialsupport_zendesk.native import contact, is_about, number
from socialsupport_zendesk.recording import Request

SEARCHED = {"email": "email", "phone": "phone"}


def find(request: Request, party: Party) -> Flow[tuple[Contact, ...]]:
    """By e-mail address and telephone number, with what Zendesk has verified of them."""
    found: dict[str, Contact] = {}
    for identifier in party.identifiers:
        if identifier.kind not in SEARCHED:
            continue
        query = {"query": f'{SEARCHED[identifier.kind]}:"{identifier.value}"'}
        users = (yield request("GET", "users/search", params=query)).json()["users"]
        for user in users:
            if user["role"] != "end-user" or str(user["id"]) in found:
                continue
            listed = yield request("GET", f"users/{number(str(user['id']))}/identities")
            one = contact(user, listed.json()["identities"])
            if is_about(one, identifier):
                found[one.id] = one
    return tuple(found.values())


def requester_of(conversation: CaseSummary) -> dict[str, Any]:
    """Whom Zendesk knows, or who has an e-mail address to be known by; else the ticket is our own agent's."""
    if conversation.contact:
        return {"requester_id": int(number(conversation.contact))}
    party = conversation.party
    mail = next((one.value for one in party.identifiers if one.kind == "email"), None) if party else None
    if party is None or mail is None:
        return {}
    return {"requester": {"name": party.name or mail, "email": mail}}
