"""The guard: a private thing never goes out in public. The core checks it, for every connector.

Personal data is known by its form (`personal`); what is private only because it was said in private is `secrecy`.
"""

import re
from collections.abc import Callable, Iterable

from socialsupport_core.contract import Refusal
from socialsupport_core.conversation.conduct import DEFAULT, Conduct
from socialsupport_core.conversation.personal import Found, personal_data, phones
from socialsupport_core.conversation.secrecy import NOTHING, Secrets, seen_in_private
from socialsupport_core.guidance.policy import beside
from socialsupport_core.model import Intent, OpenPrivate, SendMessage

REMEDY = "take it out, or hand the conversation off to a private channel"


def is_public(intent: Intent) -> bool:
    """Whether strangers will read it. What opens a private thread is read there."""
    return intent.thread.visibility == "public" and not isinstance(intent, OpenPrivate)


def check(intent: Intent, conduct: Conduct = DEFAULT, secrets: Secrets = NOTHING) -> tuple[Refusal, ...]:
    """What must not be read in public, whatever the intent: a message, an edit, its buttons, files and blanks.

    `secrets` are those of the customer whom it answers.
    """
    if not is_public(intent):
        return ()
    blind = _blind(intent, conduct)
    known = _refusal("no_personal_data_in_public", "contains", intent, lambda one: _personal(one, conduct))
    told = _refusal("nothing_private_in_public", "tells", intent, lambda one: _told(one, secrets, conduct))
    files = _files(intent, secrets)
    return tuple(one for one in (blind, known, told, files) if one)


def _refusal(rule: str, verb: str, intent: Intent, look: Callable[[str], list[Found]]) -> Refusal | None:
    found = look(getattr(intent, "text", None) or "")
    also = [one for text in beside(intent) for one in look(text)]
    if not found and not also:
        return None
    what = ", ".join(sorted({name for name, _, _ in (*found, *also)}))
    return Refusal(
        rule=rule,
        reason=f"this goes out in public and {verb} {what}",
        remedy=REMEDY,
        spans=tuple((start, end) for _, start, end in found),
    )


def _blind(intent: Intent, conduct: Conduct) -> Refusal | None:
    """Where a tenant's countries cannot be read, no row of digits goes out."""
    said = (getattr(intent, "text", None) or "", *beside(intent))
    if not any(phones.unreadable(text, conduct.countries) for text in said):
        return None
    reason = "this goes out in public, and whether it holds a phone number cannot be told without phonenumberslite"
    return Refusal(rule="no_personal_data_in_public", reason=reason, remedy=phones.REMEDY)


def _told(text: str, secrets: Secrets, conduct: Conduct) -> list[Found]:
    """What is not refused for its form already."""
    known = bytearray(len(text))
    for _, start, end in _personal(text, conduct):
        known[start:end] = b"\1" * (end - start)
    return [one for one in seen_in_private(text, secrets, conduct) if not any(known[one[1] : one[2]])]


def _files(intent: Intent, secrets: Secrets) -> Refusal | None:
    files = intent.attachments if isinstance(intent, SendMessage) else ()
    found = [one.name or "a file" for one in files if one.blob and one.blob in secrets.files]
    if not found:
        return None
    reason = f"this goes out in public, and {', '.join(found)} came from a private thread"
    return Refusal(rule="nothing_private_in_public", reason=reason, remedy=REMEDY)


def _personal(text: str, conduct: Conduct) -> list[Found]:
    """Personal data, and what the tenant's own patterns find, but for what the tenant allows."""
    found = personal_data(text, conduct.countries)
    for kind in conduct.kinds:
        if kind.own and not kind.public:
            found += [(f"a value of {kind.label}", start, end) for _, start, end in kind.found_in(text)]
    return sorted(_not_allowed(text, found, conduct.allowed), key=lambda one: one[1])


def _not_allowed(text: str, found: Iterable[Found], allowed: Iterable[str]) -> list[Found]:
    """A number also as it stands in a link to a chat: in digits alone."""
    written = {form for one in allowed for form in (one, re.sub(r"\D", "", one)) if form}
    places = [match.span() for one in written for match in re.finditer(re.escape(one), text, re.IGNORECASE)]
    return [one for one in found if not any(start <= one[1] and one[2] <= end for start, end in places)]
