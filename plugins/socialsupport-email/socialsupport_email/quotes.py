"""What somebody wrote, without what they quoted: one pass over the lines, linear in their length.

Only what ends the mail is left out: a quotation of us under the answer, and a signature. Answers written between
quoted lines keep the quotations, or they would answer nothing. In doubt the text stays as it is.
"""

import re
from collections.abc import Sequence

MAX_LINE = 400  # of a line that may be an attribution or a header
MAX_ATTRIBUTION = 4  # lines over which one may be wrapped
MAX_SIGNATURE = 12  # lines; RFC 3676 4.3 has "-- " and netiquette four lines, companies have more

_MARK = r"[*_>\\\s]*"  # HTML mails show the labels bold

# How mail programs introduce a quotation: English, German, French, Spanish, Portuguese, Italian, Dutch, Danish,
# Norwegian, Swedish, Finnish, Polish, Czech, Turkish. Written down from mails of Gmail, Apple Mail, Thunderbird,
# Outlook and their translations, 2026-11.
_OPENING = re.compile(
    r"(?:on|am|le|el|em|no dia|il(?: giorno)?|op|den|på|pe|w dniu|dnia|dne|ti|ma|ke|to|pe|la|su)\b.*\d", re.IGNORECASE
)
_CLOSING = re.compile(
    r".*\b(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto|scrisse|schreef|geschreven|skrev|kirjoitti"
    r"|napisał(?:\(?a\)?)?|napsal(?:\(?a\)?)?|yazdı|writes)\b.{0,200}:[\s*_]*$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"[^\s:][^:]{0,120}(?:<[^<>\s]+@[^<>\s]+>|\d{4}).{0,120}"
    r"\b(?:wrote|schrieb|a écrit|escribió|skrev|napisał)\b[^:]{0,40}:\s*$",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    rf"{_MARK}-{{2,}}\s*(?:original message|original-nachricht|ursprüngliche nachricht|message d['’]origine"
    r"|message original|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht"
    r"|oprindelig meddelelse|opprinnelig melding|ursprungligt meddelande|alkuperäinen viesti"
    r"|wiadomość oryginalna|původní zpráva|özgün ileti)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"[\s\\]*(?:_[\\]?){20,}\s*$")
_LABELS = {
    "from": ("from", "von", "de", "da", "van", "fra", "från", "lähettäjä", "od", "kimden"),
    "sent": ("sent", "date", "gesendet", "datum", "envoyé", "enviado", "data", "fecha", "inviato", "verzonden", "sendt",
             "dato", "skickat", "lähetetty", "wysłano", "odesláno", "gönderilen", "gönderildi"),
    "to": ("to", "an", "à", "para", "a", "per", "aan", "til", "till", "vastaanottaja", "do", "komu", "kime"),
    "subject": ("subject", "betreff", "objet", "asunto", "assunto", "oggetto", "onderwerp", "emne", "ämne", "aihe",
                "temat", "předmět", "konu"),
}  # fmt: skip
_BY_LABEL: dict[str, set[str]] = {}
for _what, _words in _LABELS.items():
    for _word in _words:
        _BY_LABEL.setdefault(_word, set()).add(_what)
_LABEL = re.compile(rf"{_MARK}([^\W\d]{{1,16}})\s?{_MARK}:{_MARK}\S")
_QUOTED = re.compile(r"\s{0,3}>")
_SIGNATURE = re.compile(r"(?:--|\\--|—) ?$")
_DEVICE = re.compile(
    r"\W*(?:sent from (?:my|mail for|yahoo|outlook|proton)\b|get outlook for\b|von meinem \S+ gesendet"
    r"|gesendet (?:von|mit)\b|envoyé de(?:puis)? mon\b|enviado desde mi\b|enviado do meu\b|inviato da(?:l mio)?\b"
    r"|verzonden vanaf mijn\b|skickat från min\b|sendt fra min\b|wysłane z\b).{0,100}$",
    re.IGNORECASE,
)
_FORWARD = re.compile(r"\s*(?:fw|fwd|wg|tr|rv|i|vb|enc|ilt|doorst|vs|vl|pd)\s*:", re.IGNORECASE)


_WHEN_OR_WHO = re.compile(r"\d{1,2}[:.]\d{2}|<[^<>\s]+@[^<>\s]+>")


def kept(lines: Sequence[str], subject: str | None = None) -> int:
    """How many of the first lines are the writer's own, quoted lines beginning with `>`.

    All of them if the mail was forwarded, or if nothing else would be left.
    """
    if subject and _FORWARD.match(subject):
        return len(lines)
    layout = _Layout(lines)
    first = next((at for at in range(len(lines)) if _begins_quotation(lines, at, layout)), len(lines))
    end = _before_signature(lines, _before_quotes(lines, first))
    while end and not lines[end - 1].strip():
        end -= 1
    return end if any(line.strip("> \t") for line in lines[:end]) else len(lines)


class _Layout:
    """Where quoted lines stand, found once so that no attribution looks through the rest again."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        quoted = [at for at, line in enumerate(lines) if _QUOTED.match(line)]
        self._last = quoted[-1] if quoted else -1
        own = [at for at in range(self._last) if lines[at].strip() and not _QUOTED.match(lines[at])]
        self._last_own_before = own[-1] if own else -1
        self._ends_there = _is_signature([line for line in lines[self._last + 1 :] if line.strip()])

    def is_quotation(self, at: int, introduction: str) -> bool:
        """Whether from `at` on nothing is the writer's own.

        A program that does not mark the quoted lines must at least have said when, or from which address.
        """
        following = next((line for line in self._lines[at : at + 4] if line.strip()), None)
        if following is None:
            return True
        if not _QUOTED.match(following):
            return self._last < at and bool(_WHEN_OR_WHO.search(introduction))
        return self._last_own_before < at and self._ends_there


def _begins_quotation(lines: Sequence[str], at: int, layout: _Layout) -> bool:
    line = lines[at]
    if not line.strip() or len(line) > MAX_LINE or _QUOTED.match(line):
        return False
    if _ORIGINAL.match(line) or _is_header_block(lines, at):
        return True
    if _RULE.match(line):
        return _is_header_block(lines, at + 1) or _is_header_block(lines, at + 2)
    length = _attribution(lines, at)
    return bool(length) and layout.is_quotation(at + length, " ".join(lines[at : at + length]))


def _is_header_block(lines: Sequence[str], at: int) -> bool:
    """From, Sent, To, Subject, as Outlook puts them above a quotation; the first of them is From."""
    seen: set[str] = set()
    for offset, line in enumerate(lines[at : at + 7]):
        match = _LABEL.match(line[:MAX_LINE])
        meant = _BY_LABEL.get(match[1].lower(), set()) if match else set()
        if offset == 0 and "from" not in meant:
            return False
        seen |= meant
    return len(seen) >= 3


def _attribution(lines: Sequence[str], at: int) -> int:
    """Over how many lines an attribution goes that begins here; 0 if none does."""
    begins = lines[at].lstrip("*_ ")
    if _NAMED.match(begins):
        return 1
    for length in range(1, MAX_ATTRIBUTION + 1):
        joined = " ".join(lines[at : at + length])
        if len(joined) > MAX_LINE or at + length > len(lines):
            return 0
        if _CLOSING.match(joined):
            return length if _OPENING.match(begins) or _OPENING.match(joined.lstrip("*_ ")) else 0
        if not lines[at + length - 1].strip():
            return 0
    return 0


def _is_signature(rest: list[str]) -> bool:
    return not rest or (len(rest) <= MAX_SIGNATURE and bool(_SIGNATURE.match(rest[0]) or _DEVICE.match(rest[0])))


def _before_quotes(lines: Sequence[str], end: int) -> int:
    """Without quoted lines at the end that nothing introduces."""
    at = end
    while at and (not lines[at - 1].strip() or _QUOTED.match(lines[at - 1])):
        at -= 1
    return at if any(_QUOTED.match(line) for line in lines[at:end]) else end


def _before_signature(lines: Sequence[str], end: int) -> int:
    filled = [at for at in range(max(0, end - 4 * MAX_SIGNATURE), end) if lines[at].strip()]
    for position, at in enumerate(filled):
        if _SIGNATURE.match(lines[at]) and len(filled) - position <= MAX_SIGNATURE + 1:
            return _before_device(lines, at)
    return _before_device(lines, end)


def _before_device(lines: Sequence[str], end: int) -> int:
    at = end
    while at and not lines[at - 1].strip():
        at -= 1
    return at - 1 if at and len(lines[at - 1]) <= MAX_LINE and _DEVICE.match(lines[at - 1]) else end
