"""Numbers of cards and bank accounts in a text, known by their check digits."""

import re
from collections.abc import Iterator

Span = tuple[int, int]

_SEPARATED = r"[ .,/:-]{0,5}"
_EXPIRY = r"[ .,/-]{1,3}\d\d ?/ ?\d\d(?:\d\d)?(?!\d)"
_CARD = re.compile(
    rf"(?<![\dA-Z_])(?<!\d[ .,/-])(?!\d{{3}}-\d{{7}}-\d{{7}}(?!\d))"  # as orders of a large shop are grouped
    rf"[2-6](?:{_SEPARATED}\d){{11,18}}(?![\dA-Z_])(?:(?={_EXPIRY})|(?![ ./-]?\d))"
)
_ISSUERS = re.compile(
    r"3[47]\d{13}|3[0689]\d{12}|(?:2[2-7]|35|4\d|5\d|6\d)\d{14}|9792\d{12}|[456]\d{16,18}"
    r"|(?:5018|5020|5038|5[678]\d\d|6304|6390|67\d\d)\d{8}"
)
"""How cards begin, and how many digits they have (ISO/IEC 7812); an IMEI has a card's check digit and length, but no
issuer's beginning. The last line is Maestro's. Visa's old 13 digits are left out: so many has an EAN.
http://wikipayments.org/2014/04/25/the-meaning-behind-a-bank-cards-numbers (2026-11)"""
_IBAN = re.compile(rf"(?<!\w)(?:iban)?(?=([a-z]{{2}} ?\d ?\d(?:{_SEPARATED}[a-z0-9]){{11,30}}))", re.IGNORECASE)
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


def cards_in(flat: str) -> Iterator[Span]:
    for match in _CARD.finditer(flat):
        is_amount = "." in match[0] and "," in match[0]  # or degrees
        if not is_amount and luhn(match[0]) and _ISSUERS.fullmatch(_digits(match[0])):
            yield match.span()


def ibans_in(flat: str) -> Iterator[Span]:
    for match in _IBAN.finditer(flat):
        if length := _iban_length(match[1]):
            yield match.start(1), match.start(1) + length


def _iban_length(written: str) -> int:
    """How much of the text is an account number; 0 if none is."""
    wanted = _IBAN_LENGTHS.get(written[:2].upper(), 0)
    seen = 0
    for place, c in enumerate(written):
        seen += c.isalnum()
        if seen == wanted:
            found = written[: place + 1]
            is_whole = not written[place + 1 : place + 2].isalnum()
            is_prose = found[2] == " " and not found.isupper()  # at 12 o'clock, de 20 minutos
            return place + 1 if is_whole and not is_prose and iban(found) else 0
    return 0


def _digits(written: str) -> str:
    return "".join(c for c in written if c.isdigit())


def luhn(written: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    digits = [int(c) for c in _digits(written)]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def iban(written: str) -> bool:
    """The check digits of international account numbers (ISO 13616, modulus 97)."""
    plain = "".join(c for c in written if c.isalnum())
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
