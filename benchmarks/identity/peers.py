"""What others do with the same observations, as their documentation and source say; each in order of arrival.

None of them knows tiers. To their favour they are spared what was only *claimed*, and each value has one spelling: they
see what we would join by. They follow a person who links two; a split none of them could keep.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from benchmarks.identity.world import Name, Observation, name_of
from socialsupport_core.identity.canonical import canonical_value

Found = dict[Name, object | None]
"""The customer of each identifier that was seen."""


def identifiers(one: Observation) -> list[Name]:
    """The account first, then what is asserted or verified of it."""
    if "account" not in one:
        return [spelt(name_of(end)) for end in one.get("link", ())]
    said = (claim for claim in one["claims"] if claim["tier"] != "claimed")
    return [spelt(name_of(end)) for end in (one["account"], *said)]


@lru_cache(maxsize=1 << 17)
def spelt(name: Name) -> Name:
    """In the spelling by which we compare."""
    kind, scope, value = name
    return kind, scope, canonical_value(kind, value)


class Forest:
    """Union-find."""

    def __init__(self) -> None:
        self.parent: dict[Name, Name] = {}

    def root(self, name: Name) -> Name:
        found = self.parent.setdefault(name, name)
        while self.parent[found] != found:
            self.parent[found] = self.parent[self.parent[found]]
            found = self.parent[found]
        return found

    def join(self, a: Name, b: Name) -> None:
        left, right = sorted((self.root(a), self.root(b)), key=str)
        self.parent[right] = left


def union_find(observations: Iterable[Observation]) -> Found:
    """Whoever shares an identifier is one customer."""
    forest = Forest()
    for account, *claims in filter(None, map(identifiers, observations)):
        forest.root(account)
        for claim in claims:
            forest.join(account, claim)
    return {name: forest.root(name) for name in list(forest.parent)}


# Segment Unify. https://www.twilio.com/docs/segment/unify/identity-resolution/identity-resolution-settings (2026-11):
# an event joins all profiles that have one of its identifiers, unless the result had more of a kind than its limit;
# then the event loses its identifier of the lowest priority and is tried again. Limits of one user_id and five of all
# else are the defaults; an identifier is never removed.

PRIORITY = ("crm.acme", "email", "phone")
"""Of what is first; networks come last, as anonymous ids do."""
LIMITS = {"crm.acme": 1}
LIMIT = 5


@dataclass(slots=True, eq=False)
class Unified:
    ids: set[Name] = field(default_factory=set)


def segment(observations: Iterable[Observation]) -> Found:
    holder: dict[Name, Unified] = {}
    for one in filter(None, map(identifiers, observations)):
        names = sorted(set(one), key=_rank)
        while not _fits(names, holder):
            names.pop()
        _unify(names, holder)
    return {name: id(profile) for name, profile in holder.items()}


def _rank(name: Name) -> tuple[int, str]:
    return (PRIORITY.index(name[0]) if name[0] in PRIORITY else len(PRIORITY)), str(name)


def _together(names: Sequence[Name], holder: dict[Name, Unified]) -> set[Name]:
    return set(names).union(*(holder[name].ids for name in names if name in holder))


def _fits(names: Sequence[Name], holder: dict[Name, Unified]) -> bool:
    if len(names) == 1:
        return True
    counts: dict[str, int] = {}
    for name in _together(names, holder):
        counts[name[0]] = counts.get(name[0], 0) + 1
    return all(count <= LIMITS.get(kind, LIMIT) for kind, count in counts.items())


def _unify(names: Sequence[Name], holder: dict[Name, Unified]) -> None:
    merged = Unified(_together(names, holder))
    for name in merged.ids:
        holder[name] = merged


# Chatwoot. app/builders/contact_inbox_with_contact_builder.rb and app/actions/contact_identify_action.rb of
# https://github.com/chatwoot/chatwoot (2026-11): a new source takes the contact with its identifier, else e-mail, else
# phone; what it tells later merges the contacts that have it, the identifier before the e-mail before the phone. A
# contact has one of each, so that a later one is dropped or replaces the earlier.


@dataclass(slots=True, eq=False)
class Contact:
    sources: set[Name] = field(default_factory=set)
    told: dict[str, Name] = field(default_factory=dict)


FIELDS = ("crm.acme", "email", "phone")


@dataclass(slots=True)
class Chatwoot:
    source: dict[Name, Contact] = field(default_factory=dict)
    holder: dict[Name, Contact] = field(default_factory=dict)

    def observe(self, names: Sequence[Name]) -> None:
        account = names[0]
        given = {name[0]: name for name in reversed(names) if name[0] in FIELDS}
        contact = self.source.get(account) or self._known(given) or Contact()
        contact.sources.add(account)
        self.source[account] = contact
        contact = self._merge(contact, given)
        for kind, name in given.items():
            if self.holder.get(name) in (None, contact):
                self._hold(contact, kind, name)

    def _known(self, given: dict[str, Name]) -> Contact | None:
        return next((found for kind in FIELDS if kind in given and (found := self.holder.get(given[kind]))), None)

    def _merge(self, contact: Contact, given: dict[str, Name]) -> Contact:
        for kind in FIELDS:
            other = self.holder.get(given[kind]) if kind in given else None
            if other and other is not contact and self._mergeable(other, kind, given):
                self._swallow(other, contact)
                contact = other
        return contact

    def _mergeable(self, other: Contact, kind: str, given: dict[str, Name]) -> bool:
        if "crm.acme" in given and other.told.get("crm.acme") != given["crm.acme"]:
            return False
        return not (kind == "phone" and "email" in given and other.told.get("email") != given["email"])

    def _swallow(self, base: Contact, gone: Contact) -> None:
        for source in gone.sources:
            self.source[source] = base
        base.sources |= gone.sources
        for kind, name in gone.told.items():
            self.holder.pop(name, None)
            if kind not in base.told:
                self._hold(base, kind, name)

    def _hold(self, contact: Contact, kind: str, name: Name) -> None:
        if (old := contact.told.get(kind)) and self.holder.get(old) is contact:
            del self.holder[old]
        contact.told[kind] = name
        self.holder[name] = contact


def chatwoot(observations: Iterable[Observation]) -> Found:
    found = Chatwoot()
    for names in filter(None, map(identifiers, observations)):
        found.observe(names)
    return {name: id(contact) for name, contact in (found.holder | found.source).items()}


RULES: dict[str, Callable[[Iterable[Observation]], Found]] = {
    "union-find": union_find,
    "Segment's rules": segment,
    "Chatwoot's rules": chatwoot,
}
