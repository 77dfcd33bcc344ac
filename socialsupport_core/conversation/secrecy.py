"""What is private only because it was said in private.

Values, numbers and addresses that this customer's private threads hold and their public ones do not, passages of our
notes on them and of what they wrote there, and files that came in private.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from socialsupport_core.conversation.conduct import DEFAULT, Conduct
from socialsupport_core.conversation.flat import flatten
from socialsupport_core.conversation.kinds import SHIPPED, same
from socialsupport_core.conversation.personal.phones import MOMENT
from socialsupport_core.identity import may_disclose
from socialsupport_core.model import Intent, SendMessage
from socialsupport_core.store import Tx, attachments, context, identity, interactions
from socialsupport_core.store.interactions import Stored
from socialsupport_core.text import plain

Found = tuple[str, int, int]
"""What it is, and where it begins and ends."""

REMEMBERED = 300  # interactions of each account that are read
PASSAGE = 6  # words that are a quotation
SHORTEST = 4  # characters of a value that is looked for
_NUMBER = re.compile(r"(?<!\w)(?<!\d[.,:])(?:[A-Za-z]{1,20}-?)?\d(?:[ /-]?\d){4,29}[A-Za-z]{0,3}(?!\w)(?![.,:]\d)")
"""Five digits or more, however they are grouped; dotted groups are versions, addresses of hosts and times."""
_CODE = re.compile(r"(?<![\w.])(?=(?:[A-Za-z-]{0,12}\d){8})(?=[\d-]{0,30}[A-Za-z])[A-Za-z0-9-]{9,40}(?!\w|\.\w)")
"""Letters and at least eight digits, in any order: of a parcel, a case. Names of products have fewer."""
_ROUND = re.compile(r"\d{1,3}(?:[ ]?000)+")
_MONEY = re.compile(r"(?:[€$£¥]|\b(?:EUR|USD|GBP|CHF))\s?$")
_PRICED = re.compile(r"\s?(?:[€$£¥%]|(?:EUR|USD|GBP|CHF|points?|people|users|km|miles)\b)")
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_ADDRESS = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not be read in public by those who do not know it yet."""

    numbers: frozenset[str] = frozenset()
    """Their digits; of those with letters within, these as well."""
    addresses: frozenset[str] = frozenset()
    values: tuple[tuple[str, str], ...] = ()
    """What it is called, and the value without its punctuation."""
    passages: frozenset[tuple[str, ...]] = frozenset()
    """Of our internal notes."""
    letters: frozenset[tuple[str, ...]] = frozenset()
    """Passages of what the customer wrote in private. What we wrote there may be our usual words."""
    files: frozenset[str] = frozenset()
    """Digests of contents."""


NOTHING = Secrets()


def read(tx: Tx, tenant: str, node: int, intent: Intent, conduct: Conduct = DEFAULT) -> Secrets:
    """Of the customer to whom this account belongs, as far as the intent's length and files make them matter."""
    customer = identity.by_numbers(tx, [node])[node].customer
    nodes = [one.number for one in identity.members(tx, tenant, customer)]
    said = [one for mine in nodes for one in interactions.newest(tx, tenant, mine, None, REMEMBERED)]
    files = [one.blob for one in intent.attachments if one.blob] if isinstance(intent, SendMessage) else []
    return gather(said, context.of_nodes(tx, tenant, nodes), conduct, attachments.private(tx, tenant, files))


def unproven(tx: Tx, tenant: str, node: int, conduct: Conduct = DEFAULT) -> Secrets:
    """What was said by or to accounts of the same customer that nothing proves to be the same person's as this one.

    What this account has said or heard itself, and those that are proven, is no secret to it.
    """
    customer = identity.by_numbers(tx, [node])[node].customer
    members = [one.number for one in identity.members(tx, tenant, customer)]
    others = [one for one in members if one != node and not may_disclose(tx, tenant, node, one)]
    if not others:
        return NOTHING
    own = [one for one in members if one not in others]
    said, heard = (
        [one for mine in part for one in interactions.newest(tx, tenant, mine, None, REMEMBERED)]
        for part in (others, own)
    )
    known = [text for one in heard for text in _texts(one)]
    theirs = [text for one in said if one.interaction.direction != "internal" for text in _texts(one)]
    told = [one._replace(visibility="private") for one in context.of_nodes(tx, tenant, others)]
    return Secrets(
        numbers=frozenset(_keys(theirs)) - frozenset(_keys(known)),
        addresses=frozenset(_addresses(theirs)) - frozenset(_addresses(known)),
        values=tuple(sorted(_values(told, conduct, same(" ".join(known))))),
    )


def gather(
    said: Sequence[Stored], told: Iterable[context.Told], conduct: Conduct = DEFAULT, files: Iterable[str] = ()
) -> Secrets:
    """From everything that was said. What was said in public as well is no secret."""
    private = [text for one in said if one.interaction.thread.visibility == "private" for text in _texts(one)]
    public = [text for one in said if one.interaction.thread.visibility == "public" for text in _texts(one)]
    notes = [text for one in said if one.interaction.direction == "internal" for text in _texts(one)]
    written = [one for one in said if one.interaction.direction == "inbound"]
    letters = [text for one in written if one.interaction.thread.visibility == "private" for text in _texts(one)]
    known, open_ = same(" ".join(public)), frozenset(_passages(public))
    return Secrets(
        numbers=frozenset(_keys(private)) - frozenset(_keys(public)),
        addresses=frozenset(_addresses(private)) - frozenset(_addresses(public)),
        values=tuple(sorted(_values(told, conduct, known))),
        passages=frozenset(_passages(notes)) - open_,
        letters=frozenset(_passages(letters)) - open_,
        files=frozenset(files),
    )


def _texts(one: Stored) -> Iterator[str]:
    """What was deleted was said all the same."""
    for text in (one.interaction.text, one.interaction.subject):
        if text:
            yield text[:10_000]


def _keys(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (key for key, _, _ in _numbers(flatten(text)[0]))


def _addresses(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (match[0].casefold() for match in _ADDRESS.finditer(text))


def _values(told: Iterable[context.Told], conduct: Conduct, known: str) -> Iterator[tuple[str, str]]:
    """Told in private; an agent who removes or corrects one does not make it public."""
    labels = {one.name: one.label for one in SHIPPED} | {name: one.label for name, one in conduct.by_name.items()}
    for one in told:
        kind = conduct.by_name.get(one.kind)
        if one.visibility != "private" or (kind and kind.public):
            continue
        street = one.value.partition(",")[0] if one.kind == "address" and "," in one.value else ""
        for value in (one.value, one.corrected or "", street):
            if len(plainly := same(value)) >= SHORTEST and plainly not in known:
                yield f"the customer's {labels.get(one.kind, one.kind).lower()}", plainly


def _passages(notes: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for note in notes:
        words = [match[0].casefold() for match in _WORD.finditer(flatten(plain(note))[0])]
        yield from (tuple(words[at : at + PASSAGE]) for at in range(len(words) - PASSAGE + 1))


def _numbers(flat: str) -> Iterator[Found]:
    """By what they are compared, and where they stand. Dates, prices and round numbers tell nothing of anybody."""
    for match in _NUMBER.finditer(flat):
        start = match.start() + next(at for at, c in enumerate(match[0]) if c.isdigit())
        written = flat[start : match.end()]
        named = start > match.start() or flat[start - 1 : start] == "#"
        if MOMENT.fullmatch(written) or (_ROUND.fullmatch(written) and not named):
            continue
        if _MONEY.search(flat[max(0, start - 5) : start]) or _PRICED.match(flat, match.end()):
            continue
        yield "".join(c for c in written if c.isdigit()), start, match.end()
    for match in _CODE.finditer(flat):
        yield same(match[0]), *match.span()


# looking


def seen_in_private(text: str, secrets: Secrets, conduct: Conduct = DEFAULT) -> list[Found]:
    """The places of a text that tell what is private; of two that overlap the first kind stays."""
    if not text or secrets == NOTHING:
        return []
    flat, places = flatten(text)
    allowed = [match.span() for one in conduct.allowed for match in re.finditer(re.escape(one), flat, re.IGNORECASE)]
    taken = bytearray(len(flat))
    kept: list[Found] = []
    for name, start, end in _candidates(flat, secrets):
        free = not any(first <= start and end <= last for first, last in allowed)
        if free and not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            kept.append((name, places[start], places[end - 1] + 1))
    return sorted(kept, key=lambda one: one[1])


def _candidates(flat: str, secrets: Secrets) -> Iterator[Found]:
    yield from _told(flat, secrets.values)
    for key, start, end in _numbers(flat):
        if key in secrets.numbers:
            yield "a number that was seen in private only", start, end
    for match in _ADDRESS.finditer(flat):
        if match[0].casefold() in secrets.addresses:
            yield "an address that was seen in private only", *match.span()
    yield from _quoted(flat, secrets.passages, "words of an internal note")
    yield from _quoted(flat, secrets.letters, "words that the customer wrote in private")


def _told(flat: str, values: Iterable[tuple[str, str]]) -> Iterator[Found]:
    """Values as whole words, however they are punctuated."""
    small, places = [], []
    for place, c in enumerate(flat):
        if c.isalnum():
            small += list(c.casefold())
            places += [place] * len(c.casefold())
    joined = "".join(small)
    for label, value in values:
        for match in re.finditer(re.escape(value), joined):
            start, end = places[match.start()], places[match.end() - 1] + 1
            if not _inside_word(flat, start, end):
                yield label, start, end


def _inside_word(flat: str, start: int, end: int) -> bool:
    before, after = flat[start - 1 : start], flat[end : end + 1]
    return (before.isalnum() and flat[start].isalnum()) or (after.isalnum() and flat[end - 1].isalnum())


def _quoted(flat: str, passages: frozenset[tuple[str, ...]], name: str) -> Iterator[Found]:
    """Neighbouring places become one."""
    words = list(_WORD.finditer(flat)) if passages else []
    small = [match[0].casefold() for match in words]
    hits = [at for at in range(len(words) - PASSAGE + 1) if tuple(small[at : at + PASSAGE]) in passages]
    for first in (at for at in hits if at - 1 not in hits):
        last = first
        while last + 1 in hits:
            last += 1
        yield name, words[first].start(), words[last + PASSAGE - 1].end()
