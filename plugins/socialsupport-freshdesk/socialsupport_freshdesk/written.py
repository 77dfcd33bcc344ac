"""What we write: whose ticket it is, and a record as HTML with its key."""

import html
from typing import Any

from socialsupport_core.contract import CaseRef, CaseSummary, body, headline, mark
from socialsupport_core.model import Interaction
from socialsupport_core.text import to_html
from socialsupport_freshdesk.native import number

TAG = "socialsupport"
"""Every ticket of ours bears it, so that automations which mail customers can leave these out."""


def requester_of(conversation: CaseSummary) -> dict[str, Any]:
    """Whom Freshdesk knows; else somebody without an e-mail address, so that Freshdesk cannot mail them."""
    if conversation.contact:
        return {"requester_id": int(number(conversation.contact))}
    party = conversation.party
    account = str(party.account) if party and party.account else f"{TAG}:{conversation.customer}"
    return {"unique_external_id": account, "name": (party.name or party.handle if party else None) or "Somebody"}


def html_of(interaction: Interaction, key: str) -> str:
    return f"<p>{html.escape(headline(interaction))}</p>{to_html(body(interaction))}{reference(key)}"


def reference(key: str) -> str:
    return f"<p>ref {mark(key)}</p>"


def path_of(case: CaseRef) -> str:
    return f"tickets/{number(case.id)}"
