"""What servers and programs report about mails of ours: bounces (RFC 3464), read receipts (RFC 8098), complaints."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from socialsupport_core.model.event import DeliveryState
from socialsupport_email import addresses, mime
from socialsupport_email.automatic import is_automatic
from socialsupport_email.context import ids
from socialsupport_email.mime import Mail, Part
from socialsupport_email.words import shown

MAX_REASON = 500  # characters
COMPLAINT = "complaint"
"""Our code for a mail that its reader has called spam."""

STATES: dict[str, DeliveryState] = {
    "failed": "failed",
    "failure": "failed",  # NTMail
    "error": "failed",  # OpenSMTPD
    "delayed": "sent",  # the server goes on trying
    "delivered": "delivered",
    "relayed": "sent",  # to a server that reports nothing
    "expanded": "delivered",  # to the members of a list
}
"""By action, RFC 3464 2.3.3."""
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")  # RFC 3463
_ORIGINAL = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}
)


@dataclass(frozen=True, slots=True)
class Report:
    state: DeliveryState
    message_id: str
    code: str | None = None
    reason: str | None = None

    @property
    def gone(self) -> bool:
        """Whether the mailbox is there no more."""
        return self.code in GONE


GONE = frozenset({"5.1.1", "5.1.6", "5.1.10"})
"""Bad mailbox, moved without a new address (RFC 3463 3.2), null MX (RFC 7505 4.2)."""


def reports(mail: Mail) -> list[Report]:
    """Empty if the mail is no report or does not say about which mail. Each state once: ours have one recipient.

    A filter on the way may have wrapped a report, or called it by another name: then a robot must have written it.
    """
    leaves = list(mail.body.leaves())
    details = next((leaf for leaf in leaves if leaf.fields), None)
    if details is None or not _by_robot(mail):
        return []
    read = next(reader for ending, reader in READERS.items() if details.media_type.endswith(ending))
    answered = ids([value for name in ("references", "in-reply-to") for value in mail.all(name)])
    found = list(read(details.fields, _about(leaves) or (answered[-1] if answered else None)))
    return list({report.state: report for report in reversed(found)}.values())


def _by_robot(mail: Mail) -> bool:
    authors = [one.address for value in mail.all("from") for one in addresses.read(value)]
    return is_automatic(mail, authors[0] if authors else None)


def _about(leaves: list[Part]) -> str | None:
    """The Message-ID of the mail that comes back, whole or only its headers."""
    for leaf in leaves:
        if leaf.media_type in _ORIGINAL:
            headers, _body = mime.split(leaf.content.lstrip(b"\r\n"))
            found = ids([value for name, value in headers if name == "message-id"])
            if found:
                return found[0]
    return None


def _deliveries(groups: list[dict[str, str]], about: str | None) -> Iterator[Report]:
    """A group is about the report itself, each further one about a recipient."""
    recipients = [group for group in groups if "action" in group]
    for group in recipients:
        state = STATES.get(group.get("action", "").partition(";")[0].strip().lower())
        if about and state:
            code = _STATUS.search(group.get("status", ""))
            reason = group.get("diagnostic-code", "").partition(";")
            yield Report(state, about, code[0] if code else None, shown(reason[2] or reason[0])[:MAX_REASON] or None)


def _dispositions(groups: list[dict[str, str]], about: str | None) -> Iterator[Report]:
    """Displayed is read; deleted unseen, processed and the like tell nothing that we have a word for."""
    for group in groups[:1]:
        named = ids([group.get("original-message-id", "")]) or ((about,) if about else ())
        disposition = group.get("disposition", "").rpartition(";")[2].partition("/")[0].strip().lower()
        if named and disposition == "displayed":
            yield Report("read", named[0])


def _complaints(groups: list[dict[str, str]], about: str | None) -> Iterator[Report]:
    """Their provider says that they have called our mail spam (RFC 5965)."""
    for group in groups[:1]:
        if about and group.get("feedback-type", "").strip().lower() == "abuse":
            yield Report("failed", about, COMPLAINT)


READERS: dict[str, Callable[[list[dict[str, str]], str | None], Iterator[Report]]] = {
    "delivery-status": _deliveries,
    "disposition-notification": _dispositions,
    "feedback-report": _complaints,
}
