"""The guard: a private thing never goes out in public. The core checks it, for every connector."""

import re

from socialsupport_core.contract import Draft, Refusal
from socialsupport_core.model import Intent, OpenPrivate, SendMessage

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_PHONE = re.compile(r"(?<![\w/.-])\+?\(?\d(?:[ ().\-/]{0,2}\d){6,14}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")


def no_personal_data_in_public(draft: Draft) -> Refusal | None:
    """Refuses e-mail addresses, phone, card and account numbers in whatever is read in public."""
    if draft.intent.thread.visibility != "public" or isinstance(draft.intent, OpenPrivate):
        return None
    found = personal_data(getattr(draft.intent, "text", None) or "")
    beside = [one for text in _beside(draft.intent) for one in personal_data(text)]
    if not found and not beside:
        return None
    what = ", ".join(sorted({name for name, _, _ in (*found, *beside)}))
    return Refusal(
        rule="no_personal_data_in_public",
        reason=f"this goes out in public and contains {what}",
        remedy="take it out, or hand the conversation off to a private channel",
        spans=tuple((start, end) for _, start, end in found),
    )


def _beside(intent: Intent) -> list[str]:
    """What is read beside the text: subject, buttons, names and descriptions of files."""
    if not isinstance(intent, SendMessage):
        return []
    files = [text for one in intent.attachments for text in (one.name, one.text) if text]
    return [intent.subject or "", *(choice.title for choice in intent.choices), *files]


def personal_data(text: str) -> list[tuple[str, int, int]]:
    """What it is, and where it begins and ends."""
    found = [("an e-mail address", *match.span()) for match in _EMAIL.finditer(text)]
    found += [("a card number", *m.span()) for m in _CARD.finditer(text) if luhn(m[0])]
    found += [("an account number", *m.span()) for m in _IBAN.finditer(text) if iban(m[0])]
    taken = [(start, end) for _, start, end in found]
    for match in _PHONE.finditer(text):
        inside = any(start <= match.start() < end for start, end in taken)
        if not inside and _is_phone(match[0]):
            found.append(("a phone number", *match.span()))
    return sorted(found, key=lambda one: one[1])


def _is_phone(written: str) -> bool:
    """Seven digits or more, and neither a date nor a plain amount or order number without any separator."""
    digits = sum(c.isdigit() for c in written)
    if digits < 7 or _DATE.fullmatch(written.strip()):
        return False
    return written.startswith(("+", "0", "(")) or any(c in " -./()" for c in written)


def luhn(written: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    digits = [int(c) for c in written if c.isdigit()]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def iban(written: str) -> bool:
    """The check digits of international account numbers (ISO 13616, modulus 97)."""
    plain = written.replace(" ", "")
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
