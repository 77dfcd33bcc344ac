"""What words tell: sentences, amounts of money, shouting, anger, complaints. In English, German, French and Spanish."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources

from socialsupport_core.model import Intent, Interaction, OpenPrivate, SendMessage
from socialsupport_core.model.intent import EditMessage

Span = tuple[int, int]
MOST = 20_000  # characters of a text that are looked at
_END = re.compile(r"[.!?…](?=\s)|\n")
_NUMBER = r"\d{1,3}(?:[ .,'’]\d{3})+(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?"
_SIGN = r"[€$£¥]|\b(?:eur|usd|gbp|chf|euros?|dollars?|pounds?|dólares|libras|franken|francs)\b"
_MONEY = re.compile(rf"(?:{_SIGN})\s?({_NUMBER})|({_NUMBER})\s?(?:{_SIGN})", re.IGNORECASE)
_CAPITALS = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?")
_LOUD = 9  # letters at least: a row of abbreviations is no shouting


@cache
def _known(name: str) -> re.Pattern[str]:
    """Of `words.toml`, any of them."""
    lists = tomllib.loads((resources.files(__package__) / "words.toml").read_text("utf-8"))[name]
    return re.compile(rf"\b(?:{'|'.join(one for words in lists.values() for one in words)})\b", re.IGNORECASE)


def texts_of(intent: Intent) -> tuple[str, tuple[str, ...]] | None:
    """The text, and what is read beside it; None if nothing is said."""
    if not isinstance(intent, SendMessage | EditMessage | OpenPrivate):
        return None
    return (intent.text or "")[:MOST], tuple(one[:MOST] for one in beside(intent))


def beside(intent: Intent) -> list[str]:
    """What is read beside the text: subject, buttons, names and descriptions of files, what fills a template."""
    if not isinstance(intent, SendMessage):
        return []
    files = [text for one in intent.attachments for text in (one.name, one.text) if text]
    blanks = intent.template.parameters if intent.template else ()
    return [intent.subject or "", *(choice.title for choice in intent.choices), *files, *blanks]


def sentences(text: str) -> Iterator[Span]:
    start = 0
    for match in _END.finditer(text):
        yield start, match.end()
        start = match.end()
    yield start, len(text)


def amounts(text: str) -> Iterator[tuple[float, Span]]:
    """Amounts of money, however they are written: 1,250.00, 1.250,00, 1 250 €."""
    for match in _MONEY.finditer(text):
        written = match[1] or match[2]
        whole, cents = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", written).groups()  # type: ignore[union-attr]
        yield float(re.sub(r"\D", "", whole) or 0) + float(f"0.{cents or 0}"), match.span()


def shouted(text: str, least: int) -> list[Span]:
    """Rows of at least so many words in capitals with nothing but blanks between."""
    found: list[Span] = []
    row: list[re.Match[str]] = []
    for match in _CAPITALS.finditer(text):
        if row and text[row[-1].end() : match.start()].strip():
            found, row = _with(found, row, least), []
        if match[0].isupper():
            row.append(match)
        else:
            found, row = _with(found, row, least), []
    return _with(found, row, least)


def _with(found: list[Span], row: list[re.Match[str]], least: int) -> list[Span]:
    loud = len(row) >= least and sum(len(one[0]) for one in row) >= _LOUD
    return [*found, (row[0].start(), row[-1].end())] if loud and row else found


def is_angry(text: str) -> bool:
    """By words, shouting, and rows of exclamation marks. It knows no irony."""
    said = text[:MOST]
    return bool(_known("angry").search(said)) or bool(shouted(said, 3)) or "!!!" in said


def complains(text: str) -> bool:
    said = text[:MOST]
    return bool(_known("complaint").search(said)) or is_angry(said)


def reached(one: Interaction) -> int:
    """How many people may have read it, as far as the network tells."""
    return max(one.reach.followers or 0, one.reach.views or 0) if one.reach else 0
