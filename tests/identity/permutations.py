"""Does the order of arrival change anything? Draws sets of observations and resolves each in many orders.

python tests/identity/permutations.py 10000
"""

import random
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from socialsupport_core.identity import Policy, resolve
from socialsupport_core.identity.batch import Observation

KINDS = ("x.user", "x.user", "telegram.user", "email", "email", "phone", "crm.ledger", "webchat.visitor")
TIERS = ("verified", "verified", "asserted", "asserted", "asserted", "claimed")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def written(kind: str, number: int) -> str:
    if kind == "email":
        return "info@a.example" if number == 7 else f"m{number}@a.example"
    return f"+44207946095{number}" if kind == "phone" else str(number)


def policy_of(chance: random.Random) -> Policy:
    """One that lets small examples meet every guard."""
    return Policy(
        cap=chance.choice([3, 5, 32]),
        component=chance.choice([4, 6, 512]),
        limits={"webchat.visitor": 2},
        values=chance.choice([2, 8]),
        proven={"phone": chance.choice([1, 2]), "email": chance.choice([1, 2, 8])},
        merges=chance.choice(["asserted", "asserted", "verified", "human"]),
        recycled=chance.choice([{}, {"phone": timedelta(days=30)}]),
    )


def drawn(chance: random.Random) -> list[Observation]:
    """Observations of a few accounts, many at the same moment."""
    ends = [(kind, written(kind, chance.randrange(9))) for kind in chance.choices(KINDS, k=chance.randint(3, 10))]

    def end() -> dict[str, str]:
        kind, value = chance.choice(ends)
        return {"kind": kind, "value": value}

    found = []
    for _ in range(chance.randint(3, 16)):
        one: dict[str, Any] = {"at": BEGIN + timedelta(days=chance.choice([0, 1, 1, 2, 40, 41, 100, 200, 600]))}
        what = chance.random()
        if what < 0.15:
            one[chance.choice(["link", "split"])] = [end(), end()]
        else:
            one["account"] = end()
            one["claims"] = [end() | {"tier": chance.choice(TIERS)} for _ in range(chance.randint(0, 2))]
        found.append(Observation.model_validate(one))
    return found


def outcome(observed: Iterable[Observation], policy: Policy) -> dict[str, str | None]:
    return {str(identifier): customer for identifier, customer in resolve(observed, policy).items()}


def differences(seeds: Iterable[int], *, orders: int) -> list[int]:
    """The seeds of which some order gives something else."""
    found = []
    for seed in seeds:
        chance = random.Random(seed)
        policy, observed = policy_of(chance), drawn(chance)
        expected = outcome(observed, policy)
        for _ in range(orders):
            chance.shuffle(observed)
            if outcome(observed, policy) != expected:
                found.append(seed)
                break
    return found


def main(arguments: Sequence[str]) -> int:
    wanted, orders = int(arguments[0]) if arguments else 10_000, 10
    found = differences(range(1_000_000, 1_000_000 + wanted // orders), orders=orders)
    print(f"{wanted // orders * orders:,} permutations, {len(found)} differences{': ' if found else ''}{found or ''}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
