"""What is theirs goes: a contact without what it said, a case with its files.

Deleted records lie in the recycle bin for fifteen days, so a contact is emptied before it is deleted.
https://help.salesforce.com/s/articleView?id=xcloud.home_delete.htm (2026-11)
"""

from typing import Any

from socialsupport_core.contract import Flow, Unavailable, Unreachable
from socialsupport_salesforce.api import API, COLLECTION, quoted, record_id, select
from socialsupport_salesforce.people import PHONES

NAME = "Erased"
"""A contact must have a last name."""
EMPTIED = ("FirstName", "Email", *PHONES, "Fax", "Title", "Department", "Birthdate", "Description", "AssistantName",
           "AssistantPhone",
           "MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry",
           "OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry")  # fmt: skip
"""The org's own fields are not known here."""
PAGES = 20
"""Of two hundred files each, in one go."""


def contact(api: API, name: str) -> Flow[None]:
    """Emptied first: an org refuses to delete a contact that has cases left. Done as well if it is gone already."""
    emptied: dict[str, Any] = {"LastName": NAME} | dict.fromkeys(EMPTIED)
    try:
        yield api.record("PATCH", "Contact", name, json=emptied)
    except Unreachable:
        return
    yield from deleted(api, "Contact", name)


def case(api: API, name: str) -> Flow[None]:
    """The case takes its tasks and comments along, not its files: all of it goes, or nothing."""
    of_case = f"LinkedEntityId = {quoted(record_id(name))}"
    soql = select(["ContentDocumentId"], "ContentDocumentLink", of_case, COLLECTION)
    for _ in range(PAGES):
        links = (yield api.query(soql)).json()["records"]
        files = list(dict.fromkeys(one["ContentDocumentId"] for one in links))
        if len(links) < COLLECTION:
            break
        yield api.composite([api.deleting("files", "ContentDocument", files)], all_or_none=True)
    else:
        raise Unavailable("the case still has files; it is erased further")
    parts = [api.deleting("files", "ContentDocument", files)] if files else []
    try:
        yield api.composite([*parts, api.deleting("case", "Case", [name])], all_or_none=True)
    except Unreachable:
        return


def deleted(api: API, kind: str, name: str) -> Flow[None]:
    """What is gone already is done."""
    try:
        yield api.record("DELETE", kind, name)
    except Unreachable:
        return
