"""Telephone numbers in a text: by their form, behind a word that says what follows, and as a country writes them."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

Span = tuple[int, int]

REMEDY = "pip install phonenumberslite"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"[0-3]?\d"
MOMENT = re.compile(
    rf"{_YEAR}(?P<y>[-./ ]){_DAY}(?P=y){_DAY}|{_DAY}(?P<d>[-./ ]){_DAY}(?P=d){_YEAR}|{_DAY}(?P<s>[-./]){_DAY}(?P=s)\d\d"
    rf"|{_YEAR}(?:0\d|1[0-2])[0-3]\d|{_DAY}[-/]{_DAY}[-/ ]{_DAY}[-/]{_DAY}|{_YEAR}[-/ ](?:19|20)?\d\d"
)
"""Dates and spans of years: what is written so is no number of anybody's."""
_OTHERWISE = re.compile(
    rf"(?:{MOMENT.pattern})(?: [0-2]?\d)?|{_YEAR} [0-2]?\d\.[0-5]\d|0x\w+"  # with the hour
    r"|[0-2]?\d[.h]?[0-5]\d ?- ?[0-2]?\d[.h]?[0-5]\d"  # opening hours
    r"|(?!\d\d(?:\.\d\d){3}$)[012]?\d{1,2}(?:\.[012]?\d{1,2}){3}|\d+\.\d\d|\d{1,3}\.\d{4,}"  # hosts, amounts, degrees
    r"|\d{1,2}(?:\.\d{3})+|\d+(?:\.\d+)*\.\d(?:\.\d+)*"  # thousands, versions
    r"|\d{3}-\d{7}-\d{7}|(?:19|20)\d\d-\d{6}"  # numbers of orders
)
"""What looks like a telephone number and is none."""
_EXTENSION = r"(?: ?(?:x|ext\.?) ?\d{1,6}(?!\w))?"
_END = rf"(?:{_EXTENSION})(?!\w)"
_INTERNATIONAL = re.compile(rf"(?<![\w+])\+\(?\d(?:[ ().\-/]{{0,3}}\d){{7,14}}(?!\d){_EXTENSION}")
"""Plus, then 8 to 15 digits (E.164)."""
_NATIONAL = (
    # international behind 00
    re.compile(rf"(?<![\w.,/+-])(?<!\d )00[1-9](?:[ ().\-/]{{0,3}}\d){{8,14}}(?![ .-]?\d){_END}"),
    # national with its leading zero: 9 to 13 digits, not in dotted groups, which versions and dates are as well
    re.compile(rf"(?<![\w.,/+-])(?<!\d )\(?0[1-9](?:[ ()/-]{{0,3}}\d){{7,11}}{_END}(?![./-]\w)"),
    re.compile(r"(?<![\w.,/+-])0[1-9]\d{0,3} ?/ ?\d{2,4}(?:[. -]\d{2,4}){1,3}(?!\w)"),
    re.compile(r"(?<![\w.])0[1-9](?:\.\d\d){4}(?!\w)(?!\.\d)"),
    # North American: 555-010-9999, (555) 010-9999
    re.compile(
        r"(?<![\w.+/-])(?<!\d )(?:1[ .-])?(?:\(\d{3}\) ?\d{3}[ .-]|\d{3}([ .-])\d{3}\1)\d{4}"
        rf"{_END}(?![./-]\d)"
    ),
)

_WHOSE = r"my|your|his|her|their|mein\w?|ihre?|deine?|mi|su|tu|mon|votre|son|meu|seu|sua|mio|suo|mijn|uw|je"
_THINGS = (
    r"(?:tele|mobile? |cell ?)?phones?|tel(?:efon|efono|éfono|efone|éphone|efoon|efonu)?(?:nummer|nr)?"
    r"|mob(?:ile|iel|iele|il)?|cell|cellulare|celular|telem[oó]vel|tlfn?o?|tfno|kom|m[oó]vil|handy(?:nummer)?|portable|portatile|gsm|sms|fax|whatsapp|hotline"
)
_CUES = (
    rf"{_THINGS}|call(?:ed|ing)?|ring|rang|dial|text(?:ed)?|reach(?:ed)?|(?:an)?rufen|angerufen|erreich\w{{0,3}}"
    r"|ll[aá]m\w{1,6}|appel\w{0,4}|joign\w{0,6}|joindre|lig(?:ue|ar|amos|ou)|chiam\w{1,5}|bel(?:len)?|gebeld|zadzwo\w{1,4}"
    rf"|(?:{_WHOSE}|der) (?:nummer|numbers?|número|numéro|numero)"
)
"""Words of the larger European languages behind which a number is a telephone's."""
_REFERENCES = (
    r"order|ticket|case|reference|ref|code|invoice|tracking|parcel|serial|model|contract|version|firmware|build"
    r"|(?:be)?stellung|auftrag|rechnung|vertrag|vorgang|pedido|factura|commande|facture|ordine|item|article|artikel"
    r"|ean|upc|gtin|isbn|sku|batch|lot|rma|po|pnr|awb|utr|zip|claim|confirmation|part|company|vat|ein|firmware"
    r"|referencia|serie|(?:n[uú]mero|nº) de cliente|devoluci[oó]n|expediente|nif|cif|albar[aá]n"
    r"|(?:artikel|serien?|kunden?|vorgangs|auftrags|vertrags|rechnungs|sendungs|ust-?id)-?(?:nr|nummer|id)|ustid|charge"
    r"|s[ée]rie|suivi|colissimo|r[ée]f|produit|siret|siren|tva|contrat|dossier|bon"
    r"|codice|cod|articolo|pratica|fattura|preventivo|p\.?iva|ordine|serie|versione"
    r"|protocolo|cep|erro|contrato|anatel|cnpj|encomenda|autorizada|nota"
    r"|zam[oó]wieni[ea]|nip|regon|krs|umowy|sprawy|faktur[ay]|wersja"
    r"|bestelnummer|zaaknummer|klantnummer|serienr|artikelnr|factuur|polisnr|versie|pakket"
    r"|takip|sipari[şs]|talep|vergi|seri|dosya\w*|[uü]r[uü]n|s[uü]r[uü]m|ऑर्डर|शिकायत|注文|修理|番号|伝票"
)
"""Words that say that it is a number of something else."""
_CUED = re.compile(
    rf"\b(?:{_CUES})\b[.:]?(?: (?!(?:{_REFERENCES}|quot|with\\b))[^\W\d]{{1,9}}[.:]?){{0,5}}[ :=#(]{{1,6}}"
    r"(?P<number>\(?\d(?:[ ().\-/]{0,3}\d){5,14})(?![\w%€$£])(?![.,:/-]\d)",
    re.IGNORECASE,
)
_CUED_AFTER = re.compile(
    r"(?<![\w.,/+-])(?P<number>\(?\d(?:[ ().\-/]{0,3}\d){6,14})[ !?),]{1,3}"
    rf"(?:[^\W\d]{{1,9}} ){{0,3}}(?:{_WHOSE}) (?:{_THINGS})\b",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?:(?<![^\W\d_])(?:{_REFERENCES})(?:s|en|nummer|number|nr|番号|問題)?[.:#]?"
    r"(?: (?:nummer|number|numéro|número|numer|num|nr|no|n|nº|n°|id|is|lautet|kodu|intracom|lo|da|de|empresa"
    r"|नंबर|संख्या|:|#)[.:#º°]?){0,3}"
    r"(?: ?[A-Z]{2,3}\b)?) ?$",
    re.IGNORECASE,
)
_LETTER = r"[^\W\u3040-\u30ff\u4e00-\u9fff]"  # Japanese sets no spaces
_JOINED = re.compile(rf"{_LETTER}|[.,/+-]"), re.compile(rf"{_LETTER}|[./-]\w")
"""Before or behind a number: it is a part of something longer."""
_CHAT = re.compile(
    r"(?:\bwa\.me/|\bwhatsapp\.com/send/?\?(?:[^\s?]{1,200}&)?phone=|\b(?:t|telegram)\.me/(?=\+|%2B)"
    r"|\btg:(?://)?resolve\?phone=|\bviber:(?://)?(?:chat|add)\?number=|\b(?:sms|callto):)"
    r"(?:\+|%2B)?(?P<number>\d{8,15})(?![\w-])",
    re.IGNORECASE,
)
"""Links that open a talk with whoever has the number, https://core.telegram.org/api/links#phone-number-links and
https://faq.whatsapp.com/5913398998672934 (2026-11)."""
FEWEST = 6  # digits
_SEVEN = re.compile(r"\d(?:\D{0,3}\d){6}")


def found_in(flat: str, countries: Iterable[str] = ()) -> Iterator[Span]:
    """Where numbers stand, as often as they are recognised. `countries`: whose national numbers are known as well."""
    yield from (match.span() for match in _INTERNATIONAL.finditer(flat))
    for match in _CUED.finditer(flat):
        if not _OTHERWISE.fullmatch(match["number"]):
            yield match.span("number")
    found = [match.span("number") for match in _CUED_AFTER.finditer(flat)]
    found += [match.span() for pattern in _NATIONAL for match in pattern.finditer(flat)]
    if countries:
        found += _written_in(countries, flat)
    for start, end in found:
        if not _OTHERWISE.fullmatch(flat[start:end]) and not _is_named(flat, start, end):
            yield start, end


def linked_in(flat: str) -> Iterator[Span]:
    """Numbers in links to a chat with whoever has them."""
    return (match.span("number") for match in _CHAT.finditer(flat))


def _is_named(flat: str, start: int, end: int) -> bool:
    before = flat[max(0, start - 40) : start]
    return _NAMED.search(before) is not None or (flat[start:end].isdigit() and before.endswith(("#", "№", "# ")))


def unreadable(text: str, countries: Iterable[str]) -> bool:
    """Whether the text may hold a number of these countries, and nothing here knows how they write them."""
    return bool(countries) and _library() is None and _SEVEN.search(text) is not None


def is_country(code: str) -> bool:
    """Two capitals (ISO 3166), of a country whose numbers the library knows, where it is installed."""
    library = _library()
    return bool(re.fullmatch("[A-Z]{2}", code)) and (library is None or code in library.SUPPORTED_REGIONS)


def _written_in(countries: Iterable[str], flat: str) -> Iterator[Span]:
    library = _library()
    for country in countries if library else ():
        for match in library.PhoneNumberMatcher(flat, country, library.Leniency.POSSIBLE):
            before, after = flat[max(0, match.start - 1) : match.start], flat[match.end : match.end + 2]
            alone = not _JOINED[0].match(before) and not _JOINED[1].match(after)
            if alone and _SEVEN.search(match.raw_string) and library.is_valid_number(match.number):
                yield match.start, match.end


@cache
def _library() -> Any:
    """libphonenumber's metadata and rules: how each country writes its numbers. None where it is not installed."""
    try:
        return import_module("phonenumbers")
    except ImportError:
        return None
