"""Personal data in a text, known by its form: addresses, cards, bank accounts, telephones."""

import re
from collections.abc import Iterable, Iterator

from socialsupport_core.conversation.flat import flatten
from socialsupport_core.conversation.personal import banking, mail, phones

Found = tuple[str, int, int]
"""What it is, and where it begins and ends."""
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MARK = re.compile(r"[^\w\s()+./,:;#№%€$£&=@-]|_")
"""Signs that people set around digits, or between groups of them, to make them stand out."""
_BREAK = re.compile(r"\s")


def personal_data(text: str, countries: Iterable[str] = ()) -> list[Found]:
    """In order; of two that overlap the first kind that was looked for stays.

    `countries` are those whose telephone numbers are known without their country code.
    """
    flat, places = flatten(text)
    kept: list[Found] = []
    taken = bytearray(len(flat))
    for name, start, end in _candidates(flat, countries):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            kept.append((name, places[start], places[end - 1] + 1))
    return sorted(kept, key=lambda one: one[1])


def _candidates(flat: str, countries: Iterable[str]) -> Iterator[Found]:
    on_a_line = _BREAK.sub(" ", flat)
    yield from (("an e-mail address", *span) for span in mail.found_in(on_a_line))
    if sum(map(str.isdigit, flat)) < phones.FEWEST:
        return
    yield from (("a phone number", *span) for span in phones.linked_in(on_a_line))
    links = [match.span() for match in _URL.finditer(flat)]
    bare = _MARK.sub(" ", on_a_line)
    numbers = [("an account number", *span) for span in banking.ibans_in(bare)]
    numbers += [("a card number", *span) for span in banking.cards_in(bare)]
    numbers += [("a phone number", *span) for span in phones.found_in(_MARK.sub(" ", flat), countries)]
    for name, start, end in numbers:
        if not any(start < last and end > first for first, last in links):
            yield name, start, end
