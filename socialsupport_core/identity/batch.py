"""Identities in a batch: observations in, in any order, one customer an account out. Nothing is stored.

The rules are those of the store: the same views, folded by the same groups. Only the bookkeeping differs, for ten
million reasons must fit: numbers in arrays in place of objects.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from socialsupport_core.identity.canonical import canonical_value
from socialsupport_core.identity.groups import Slots
from socialsupport_core.identity.policy import CLAIMED, DEFAULT, HUMAN, RANK, Policy
from socialsupport_core.identity.settling import Settled
from socialsupport_core.model import Identifier
from socialsupport_core.store import micros
from socialsupport_core.store.nodes import named_id, slot

KEY = b"socialsupport resolve"
"""Of the ids that a batch gives: the same observations give the same ids everywhere."""
VALUE = 1024  # characters, as in `Identifier`
Tier = Literal["claimed", "asserted", "verified", "human", "cannot"]
RANKS = {**RANK, "cannot": -1}
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


class _Issued:
    """One kind of one issuer, and the numbers of its values."""

    __slots__ = ("forms", "kind", "numbers", "said", "scope", "slot")

    def __init__(self, kind: str, scope: str | None, slot: int, said: str) -> None:
        self.kind, self.scope, self.slot, self.said = kind, scope, slot, said
        self.numbers: dict[str, int] = {}
        """In every spelling that came."""
        self.forms: dict[str, int] = {}
        """In canonical form, where none came in it at first."""


class Batch:
    """Takes observations one by one; `customers` then tells everybody's."""

    def __init__(self, policy: Policy = DEFAULT) -> None:
        self.policy = policy
        self.slots = Slots(policy)
        self.values: list[str] = []
        """In canonical form: mostly the very text that is a key of `numbers`, so that none is kept twice."""
        self._issued: list[_Issued] = []
        """By the number of the kind."""
        self.slot = array("H")
        self.first = array("q")
        self.a, self.b = array("i"), array("i")
        self.at, self.rank = array("q"), array("b")
        self.verdicts: dict[tuple[int, int], tuple[int, bool]] = {}
        """By pair, the latest verdict of a person: when, and whether it parts them."""
        self.named: set[int] = set()
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
        a = self._seen(*account, at)
        for kind, scope, value, tier in claims:
            b = self._seen(kind, scope, value, at)
            rank = RANKS[tier]
            if rank > HUMAN:
                if a != b and rank < CLAIMED:
                    self._reason(a, b, at, rank)
            else:
                self._judge(at, a, b, apart=rank < HUMAN)

    def judge(self, at: int, one: Written, other: Written, *, apart: bool) -> None:
        """A person says that these are one customer, or that they are not."""
        self._judge(at, self._seen(*one, at), self._seen(*other, at), apart=apart)

    def _judge(self, at: int, a: int, b: int, *, apart: bool) -> None:
        if a == b:
            return
        pair = (min(a, b), max(a, b))
        said = self.verdicts.get(pair, (at, apart))
        self.verdicts[pair] = max(said, (at, apart))
        if not apart:
            self._reason(a, b, at, HUMAN)

    def _reason(self, a: int, b: int, at: int, rank: int) -> None:
        self.a.append(a)
        self.b.append(b)
        self.at.append(at)
        self.rank.append(rank)

    def _seen(self, kind: str, scope: str | None, value: str, at: int) -> int:
        found = self._issuers.get((kind, scope))
        if found is None:
            found = self._issue(kind, scope)
        number = found.numbers.get(value)
        if number is None:
            number = self._meet(found, value, at)
        elif at < self.first[number]:
            self.first[number] = at
        return number

    def _issue(self, kind: str, scope: str | None) -> _Issued:
        sample = Identifier(kind=kind, scope=scope, value="1")
        number = self.slots.number(slot(sample))
        found = self._issuers[kind, scope] = _Issued(kind, scope, number, str(sample).removesuffix("1"))
        self._issued.append(found)
        return found

    def _meet(self, issued: "_Issued", value: str, at: int) -> int:
        if not 0 < len(value) <= VALUE:
            raise ValueError(f"the value of a {issued.kind} has 1 to {VALUE:,} characters, not {len(value):,}")
        form = canonical_value(issued.kind, value, self.policy)
        if form != value or issued.forms:
            number = issued.forms.get(form) if form == value else issued.numbers.get(form, issued.forms.get(form))
            if number is not None:
                issued.numbers[value] = number
                self.first[number] = min(self.first[number], at)
                return number
        number = issued.numbers[value] = len(self.values)
        if form != value:
            issued.forms[form] = number
            value = form
        self.values.append(value)
        self.slot.append(issued.slot)
        self.first.append(at)
        if self._is_nobodys(issued.kind, number):
            self.named.add(number)
        return number

    def _is_nobodys(self, kind: str, number: int) -> bool:
        """By the look of it, or because the policy says so."""
        policy, value = self.policy, self.values[number]
        if (kind == "email" and policy.is_role_mailbox(value)) or policy.is_nobodys(kind, value):
            return True
        return bool(policy.blocked) and policy.is_blocked(self.identifier(number))

    def identifier(self, number: int) -> Identifier:
        issued = self._issued[self.slot[number]]
        return Identifier(kind=issued.kind, scope=issued.scope, value=self.values[number])

    def name(self, number: int) -> str:
        return self._issued[self.slot[number]].said + self.values[number]

    def is_contact(self, number: int) -> bool:
        return self.slots.contacts[self.slot[number]]

    def is_junior(self, one: int, other: int) -> bool:
        """Of two that were seen first at one moment."""
        mine, others = self.is_contact(one), self.is_contact(other)
        return mine > others if mine != others else self.name(one) > self.name(other)

    def rows(self) -> Iterator[tuple[dict[str, str], str | None]]:
        """Everybody as they were seen, in order of kind, scope and value, and the customer's id; None for what is
        shared."""
        settled = Settled(self)
        ids = _Ids(self, settled)
        for issued in sorted(self._issued, key=lambda one: one.said):
            shown = {"kind": issued.kind} | ({"scope": issued.scope} if issued.scope else {})
            numbers = issued.numbers
            for value in sorted(numbers):
                head = settled.head(numbers[value])
                yield shown | {"value": value}, None if head is None else ids.of(head)

    def customers(self) -> Iterator[tuple[Identifier, str | None]]:
        """The same with identifiers."""
        return ((Identifier(**shown), customer) for shown, customer in self.rows())


class _Ids:
    """Those of customers, kept as bytes: there are millions."""

    WIDTH = 28

    def __init__(self, batch: Batch, settled: Settled) -> None:
        self._batch, self._settled = batch, settled
        self._written = bytearray()
        self._end = array("i", bytes(4 * settled.vertices))
        """By vertex, where in `_written` its id ends."""

    def of(self, head: int) -> str:
        end = self._end[head]
        if not end:
            self._written += self._made(head).encode()
            end = self._end[head] = len(self._written)
        return self._written[end - self.WIDTH : end].decode()

    def _made(self, head: int) -> str:
        number, since = self._settled.place(head)
        return named_id(KEY, self._batch.name(number), since)


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
