"""Ours, on the same observations and the same tables."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.identity.datasets import Table
from benchmarks.identity.peers import Found, spelt
from benchmarks.identity.world import Name, Observation, names_in
from socialsupport_core.identity import batch
from socialsupport_core.identity.suggestions import Scorer, light, merged, suggest
from socialsupport_core.model import Identifier

DECIDED = 0.99
"""A suggestion that is so probable counts as confirmed by a person; chosen beforehand and for all tables."""
ROUNDS = 10
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def resolve(observations: Iterable[Observation]) -> Found:
    """What `socialsupport resolve` prints, under the names as they were written, and as they are compared."""
    told = list(observations)
    found = batch.resolve(told)
    written = {name for one in told for name in names_in(one)}
    return {form: found[_identifier(name)] for name in written for form in (name, spelt(name))}


def decided(table: Table, scorer: Scorer = light.suggest) -> dict[str, object | None]:
    """No rule joins records; suggestions do, confirmed from 0.99 on, until there are no more."""
    profiles = table.profiles()
    accounts = {str(one.subject): record for one, record in zip(profiles, table.records, strict=True)}
    lines: list[Observation] = [_seen(one.subject) for one in profiles]
    found = resolve(lines)
    for turn in range(ROUNDS):
        asked = suggest(merged(profiles, _customer(found)), at_least=DECIDED, scorer=scorer)
        if not asked:
            break
        lines += [_linked(one.pair, turn, rank) for rank, one in enumerate(asked)]
        found = resolve(lines)
    return {record: found[_name(Identifier.parse(account))] for account, record in accounts.items()}


def _customer(found: Found) -> Callable[[Identifier], str | None]:
    def customer(account: Identifier) -> str | None:
        known = found[_name(account)]
        return None if known is None else str(known)

    return customer


def _name(one: Identifier) -> Name:
    return one.kind, one.scope, one.value


def _identifier(name: Name) -> Identifier:
    return Identifier(kind=name[0], scope=name[1], value=name[2])


def _seen(account: Identifier) -> Observation:
    return {"at": MONDAY.isoformat(), "account": account.model_dump(exclude_none=True), "claims": [], "source": "table"}


def _linked(pair: Sequence[Identifier], turn: int, rank: int) -> Observation:
    """The likeliest was confirmed first."""
    at = MONDAY + timedelta(days=1 + turn, seconds=rank)
    return {"at": at.isoformat(), "link": [one.model_dump(exclude_none=True) for one in pair]}
