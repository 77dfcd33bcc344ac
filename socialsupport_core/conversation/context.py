"""Context: what the customer has told already, so that nobody asks twice. Found in texts by patterns, never guessed.

It is shown to agents and is never sent by itself.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from socialsupport_core.conversation.conduct import DEFAULT, Conduct
from socialsupport_core.conversation.kinds import LONGEST, LOOKED_AT, same
from socialsupport_core.conversation.personal import personal_data
from socialsupport_core.model import Interaction
from socialsupport_core.store import Tx, identity
from socialsupport_core.store import context as table
from socialsupport_core.store.context import Told

MOST = 20  # values of one interaction
_TELLING = re.compile(r"[\d@]")
_AT = re.compile(r"\bat\b", re.IGNORECASE)
_SEVEN_DIGITS = re.compile(r"\d(?:[^\d\n]{0,3}\d){6}")
_FOUND = {"an e-mail address": "email", "a phone number": "phone"}
"""How the guard calls them."""


class Fact(NamedTuple):
    """One value in a text, and where it stands."""

    kind: str
    value: str
    start: int
    end: int


def extract(interaction: Interaction, conduct: Conduct = DEFAULT) -> tuple[Fact, ...]:
    """What an inbound text tells, each value once. Bots and we ourselves tell nothing."""
    if interaction.direction != "inbound" or interaction.author.is_bot:
        return ()
    text = (interaction.text or "")[:LOOKED_AT]
    found = [*_pressed(interaction), *facts_in(text, conduct)]
    if not interaction.subject and len(found) < 2:
        return tuple(found)
    subject = facts_in((interaction.subject or "")[:1000], conduct) if interaction.subject else ()
    once = {(one.kind, same(one.value)): one for one in (*subject, *found)[::-1]}
    return tuple(list(once.values())[::-1][:MOST])


def _pressed(interaction: Interaction) -> Iterator[Fact]:
    if interaction.choice:
        yield Fact("choice", interaction.choice[:LONGEST], 0, 0)


def facts_in(text: str, conduct: Conduct = DEFAULT) -> tuple[Fact, ...]:
    """In the order of the kinds; of two that overlap the first stays."""
    if not text:
        return ()
    found = _candidates(text, conduct)
    if len(found) < 2:
        return tuple(found)
    taken, kept = bytearray(len(text)), list[Fact]()
    for fact in found:
        if 1 not in taken[fact.start : fact.end]:
            taken[fact.start : fact.end] = b"\1" * (fact.end - fact.start)
            kept.append(fact)
    return tuple(kept)


def _candidates(text: str, conduct: Conduct) -> list[Fact]:
    """Whatever is shipped needs a digit or an @, so that most texts cost one look."""
    telling = _TELLING.search(text) is not None
    named, small = False, text.casefold() if telling else ""
    found: list[Fact] = []
    for kind in conduct.kinds:
        if not telling and not kind.own:
            continue
        if kind.hints and not _any_in(small, kind.hints):
            continue
        if kind.patterns:
            found += [Fact(kind.name, *one) for one in kind.found_in(text)]
        elif not named and kind.name in {"email", "phone"}:
            named = True
            if _is_reachable(text, small):
                found += _personal(text, conduct)
    return found


def _is_reachable(text: str, small: str) -> bool:
    """Else there is no address and no number in it to reach anybody."""
    return "@" in text or ("at" in small and _AT.search(text) is not None) or _SEVEN_DIGITS.search(text) is not None


def _any_in(text: str, hints: Iterable[str]) -> bool:
    for hint in hints:  # noqa: SIM110 - `any` costs three times as much, for each text that comes in
        if hint in text:
            return True
    return False


def _personal(text: str, conduct: Conduct) -> Iterator[Fact]:
    for name, start, end in personal_data(text, conduct.countries):
        kind = _FOUND.get(name)
        if kind is not None and kind in conduct.by_name:
            yield Fact(kind, text[start:end].strip(), start, end)


def keep(tx: Tx, tenant: str, node: int, at: int, seq: int, visibility: str, facts: Iterable[Fact]) -> None:
    """With the batch; nothing is read."""
    for fact in facts:
        table.keep(tx, tenant, Told(node, at, seq, fact.kind, fact.value, visibility))


def change(
    tx: Tx, tenant: str, place: tuple[int, int, int], before: Interaction, after: Interaction, conduct: Conduct
) -> None:
    """The text was edited: what it does not tell any more goes. `place` is node, time and number."""
    was, now = extract(before, conduct), extract(after, conduct)
    gone = {(one.kind, one.value) for one in was} - {(one.kind, one.value) for one in now}
    seq = place[2]
    table.forget_values(tx, tenant, seq, sorted(gone))
    known = {(one.kind, one.value) for one in was}
    keep(tx, tenant, *place, after.thread.visibility, [one for one in now if (one.kind, one.value) not in known])


def of_customer(tx: Tx, tenant: str, customer: int) -> list[Told]:
    """Everything told, the oldest first, what an agent has removed too."""
    return table.of_nodes(tx, tenant, [node.number for node in identity.members(tx, tenant, customer)])


def forget(tx: Tx, tenant: str, seq: int) -> None:
    """The interaction was taken back."""
    table.forget(tx, tenant, seq)
