"""Identities in a batch: observations in, in any order, one customer an account out. Nothing is stored.

The rules are those of the store: the same views, folded by the same groups. Only the bookkeeping differs, for ten
million reasons must fit: numbers in arrays in place of objects.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from socialsupport_core.identity.canonical import canonical_value
from socialsupport_core.identity.folding import Fold
from socialsupport_core.identity.groups import Slots
from socialsupport_core.identity.policy import DEFAULT, RANK, Policy
from socialsupport_core.model import Identifier
from socialsupport_core.store import micros
from socialsupport_core.store.nodes import node_id, slot

KEY = b"socialsupport resolve"
"""Of the ids that a batch gives: the same observations give the same ids everywhere."""
VALUE = 1024  # characters, as in `Identifier`
Tier = Literal["claimed", "asserted", "verified", "human", "cannot"]
Written = tuple[str, str | None, str]
"""Kind, scope and value."""


class Claim(Identifier):
    """What an account is said to have, and how well that is known."""

    tier: Tier


class Observation(BaseModel):
    """An account that was seen and what was said of it, or what a person decided of two."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    account: Identifier | None = None
    claims: tuple[Claim, ...] = ()
    link: tuple[Identifier, Identifier] | None = None
    split: tuple[Identifier, Identifier] | None = None
    source: str = Field(default="", max_length=4096)


class _Issued(NamedTuple):
    """One kind of one issuer, and the numbers of its values."""

    kind: str
    slot: int
    said: str
    numbers: dict[str, int]
    """In every spelling that came."""
    forms: dict[str, int]
    """In canonical form, where none came in it at first."""


class Batch:
    """Takes observations one by one; `customers` then tells everybody's."""

    def __init__(self, policy: Policy = DEFAULT) -> None:
        self.policy = policy
        self.slots = Slots(policy)
        self.values: list[str] = []
        """In canonical form: mostly the very text that is a key of `numbers`, so that none is kept twice."""
        self._said: dict[int, str] = {}
        """What stands before a value, by the number of its kind."""
        self.slot = array("H")
        self.first = array("q")
        self.a, self.b = array("i"), array("i")
        self.at, self.rank = array("q"), array("b")
        self.verdicts: dict[tuple[int, int], tuple[int, bool]] = {}
        """By pair, the latest verdict of a person: when, and whether it parts them."""
        self.named: dict[int, Identifier] = {}
        """Those of which a rule may want to know more than their kind."""
        self._issuers: dict[tuple[str, str | None], _Issued] = {}

    def add(self, one: Observation) -> None:
        at = micros(one.at)
        if one.account is not None:
            claims = [(claim.kind, claim.scope, claim.value, claim.tier) for claim in one.claims]
            self.observe(at, (one.account.kind, one.account.scope, one.account.value), claims)
        for pair, apart in ((one.link, False), (one.split, True)):
            if pair is not None:
                first, second = ((end.kind, end.scope, end.value) for end in pair)
                self.judge(at, first, second, apart=apart)

    def observe(self, at: int, account: Written, claims: Iterable[tuple[str, str | None, str, str]] = ()) -> None:
        """The same in plain values; `at` is in microseconds since 1970."""
        a = self._seen(account, at)
        for kind, scope, value, tier in claims:
            if tier in ("human", "cannot"):
                self.judge(at, account, (kind, scope, value), apart=tier == "cannot")
                continue
            b = self._seen((kind, scope, value), at)
            if a != b and tier != "claimed":
                self._reason(a, b, at, RANK[tier])

    def judge(self, at: int, one: Written, other: Written, *, apart: bool) -> None:
        """A person says that these are one customer, or that they are not."""
        a, b = self._seen(one, at), self._seen(other, at)
        if a == b:
            return
        pair = (min(a, b), max(a, b))
        said = self.verdicts.get(pair, (at, apart))
        self.verdicts[pair] = max(said, (at, apart))
        if not apart:
            self._reason(a, b, at, 0)

    def _reason(self, a: int, b: int, at: int, rank: int) -> None:
        self.a.append(a)
        self.b.append(b)
        self.at.append(at)
        self.rank.append(rank)

    def _seen(self, written: Written, at: int) -> int:
        kind, scope, value = written
        found = self._issuers.get((kind, scope))
        if found is None:
            found = self._issued(kind, scope)
        number = found.numbers.get(value)
        if number is None:
            number = self._meet(found, value, at)
        elif at < self.first[number]:
            self.first[number] = at
        return number

    def _issued(self, kind: str, scope: str | None) -> "_Issued":
        sample = Identifier(kind=kind, scope=scope, value="1")
        number = self.slots.number(slot(sample))
        said = str(sample).removesuffix("1")
        self._said[number] = said
        found = self._issuers[kind, scope] = _Issued(kind, number, said, {}, {})
        return found

    def _meet(self, issued: "_Issued", value: str, at: int) -> int:
        if not 0 < len(value) <= VALUE:
            raise ValueError(f"the value of a {issued.kind} has 1 to {VALUE:,} characters, not {len(value):,}")
        form = canonical_value(issued.kind, value, self.policy)
        number = issued.forms.get(form) if form == value else issued.numbers.get(form, issued.forms.get(form))
        if number is not None:
            issued.numbers[value] = number
            self.first[number] = min(self.first[number], at)
            return number
        number = issued.numbers[value] = len(self.values)
        if form != value:
            issued.forms[form] = number
        self.values.append(value if form == value else form)
        self.slot.append(issued.slot)
        self.first.append(at)
        if issued.kind == "email" or self.policy.blocked:
            one = Identifier.parse(issued.said + form)
            if self.policy.is_role(one) or self.policy.is_blocked(one):
                self.named[number] = one
        return number

    def identifier(self, number: int) -> Identifier:
        return self.named.get(number) or Identifier.parse(self.name(number))

    def name(self, number: int) -> str:
        return self._said[self.slot[number]] + self.values[number]

    def rows(self) -> Iterator[tuple[dict[str, str], str | None]]:
        """Everybody as they were seen, in order of kind, scope and value, and the customer's id; None for what is
        shared."""
        fold = Fold(self)
        ids: dict[int, str] = {}
        for (kind, scope), issued in sorted(self._issuers.items(), key=lambda one: one[1].said):
            shown = {"kind": kind} | ({"scope": scope} if scope else {})
            for value in sorted(issued.numbers):
                head = fold.head(issued.numbers[value])
                if head is not None and head not in ids:
                    base, since = fold.place(head)
                    ids[head] = node_id(KEY, self.identifier(base), since=since)
                yield shown | {"value": value}, None if head is None else ids[head]

    def customers(self) -> Iterator[tuple[Identifier, str | None]]:
        """The same with identifiers."""
        return ((Identifier(**shown), customer) for shown, customer in self.rows())


def resolve(
    observations: Iterable[Observation | Mapping[str, object]], policy: Policy = DEFAULT
) -> dict[Identifier, str | None]:
    """Every account and claimed identifier with its customer's id; None for what is shared. Any order gives the same.

    Raises pydantic's ValidationError for what is no observation.
    """
    batch = Batch(policy)
    for one in observations:
        batch.add(one if isinstance(one, Observation) else Observation.model_validate(one))
    return dict(batch.customers())


def moment_of(written: str) -> int:
    """Microseconds of an ISO time. Raises ValueError."""
    read = datetime.fromisoformat(written)
    if read.tzinfo is None:
        raise ValueError(f"{written!r} says no time zone; add Z or +01:00")
    return micros(read)
