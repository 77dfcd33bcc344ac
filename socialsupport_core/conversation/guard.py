"""The guard: a private thing never goes out in public. The core checks it, for every connector.

Personal data is known by its form, here. What is private only because it was said in private is `secrecy`.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from socialsupport_core.contract import Refusal
from socialsupport_core.conversation import phones
from socialsupport_core.conversation.conduct import DEFAULT, Conduct
from socialsupport_core.conversation.flat import flatten
from socialsupport_core.conversation.secrecy import NOTHING, Secrets, seen_in_private
from socialsupport_core.guidance.policy import beside
from socialsupport_core.model import Intent, OpenPrivate, SendMessage

Found = tuple[str, int, int]
"""What it is, and where it begins and ends."""

_WORD = r"[\w-]{1,63}"
_EMAIL = re.compile(
    rf"[\w.+'-]{{1,64}} ?@ ?{_WORD}(?:\.{_WORD})*\.[^\W\d]{{2,63}}"
    rf"|[\w.+-]{{1,64}} ?[(\[{{]at[)\]}}] ?{_WORD}(?: ?(?:\.|[(\[{{]dot[)\]}}]) ?{_WORD})+"
    rf"|[\w.+-]{{1,64}} at {_WORD}(?: dot [^\W\d]{{2,63}})+",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\w.,-])(?<!\d )[2-6]\d{3}(?:[ .-]?\d){8,15}(?!\w)(?![ .-]?\d)")
_ISSUERS = re.compile(
    r"3[47]\d{13}|3[0689]\d{12}|(?:2[2-7]|35|4\d|5\d|6\d)\d{14}|[456]\d{16,18}"
    r"|(?:5018|5020|5038|5[678]\d\d|6304|6390|67\d\d)\d{8}"
)
"""How cards begin, and how many digits they have (ISO/IEC 7812); an IMEI has a card's check digit and length, but no
issuer's beginning. The last line is Maestro's. Visa's old 13 digits are left out: so many has an EAN.
http://wikipayments.org/2014/04/25/the-meaning-behind-a-bank-cards-numbers (2026-11)"""
_IBAN = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}", re.IGNORECASE)
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "SD FK DK FI FO GL NL",
        19: "MK SI",
        20: "MN AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "OM SO AE GI IL IQ TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "HN NI AL AZ BY CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA",
        30: "YE JO KW MU",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
"""https://www.swift.com/standards/data-standards/iban-international-bank-account-number (2026-10),
https://iban.com/structure and https://developers.circle.com/cpn/references/compliance/validating-iban (2026-11)"""


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
    places = [match.span() for one in allowed for match in re.finditer(re.escape(one), text, re.IGNORECASE)]
    return [one for one in found if not any(start <= one[1] and one[2] <= end for start, end in places)]


def personal_data(text: str, countries: Iterable[str] = ()) -> list[Found]:
    """In order; of two that overlap the first kind that was looked for stays.

    `countries` are those whose telephone numbers are known without their country code.
    """
    flat, places = flatten(text)
    links = [match.span() for match in _URL.finditer(flat)]
    kept: list[Found] = [("an e-mail address", *match.span()) for match in _EMAIL.finditer(flat)]
    for name, start, end in _numbers(flat, countries):
        inside = any(start < other and end > begin for begin, other in links)
        if not inside and not any(start < other and end > begin for _, begin, other in kept):
            kept.append((name, start, end))
    return sorted(((name, places[start], places[end - 1] + 1) for name, start, end in kept), key=lambda one: one[1])


def _numbers(flat: str, countries: Iterable[str]) -> Iterator[Found]:
    for match in _IBAN.finditer(flat):
        if length := _iban_length(match[0]):
            yield "an account number", match.start(), match.start() + length
    for match in _CARD.finditer(flat):
        if luhn(match[0]) and _ISSUERS.fullmatch("".join(c for c in match[0] if c.isdigit())):
            yield "a card number", *match.span()
    for span in phones.found_in(flat, countries):
        yield "a phone number", *span


def _iban_length(written: str) -> int:
    """How much of the text is an account number; 0 if none is."""
    wanted = _IBAN_LENGTHS.get(written[:2].upper(), 0)
    seen = 0
    for place, c in enumerate(written):
        seen += c.isalnum()
        if seen == wanted and iban(written[: place + 1]):
            following = written[place + 1 : place + 2]
            return 0 if following.isalnum() else place + 1
    return 0


def luhn(written: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    digits = [int(c) for c in written if c.isdigit()]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def iban(written: str) -> bool:
    """The check digits of international account numbers (ISO 13616, modulus 97)."""
    plain = "".join(c for c in written if c.isalnum())
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
