"""What is measured of identities, each as rows: worlds, tables, order. Speed has a module of its own."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.figures import Missing
from benchmarks.identity import datasets, desk, ours
from benchmarks.identity.accuracy import Accuracy, harmonic, measure
from benchmarks.identity.datasets import Table
from benchmarks.identity.linkers import LINKERS
from benchmarks.identity.peers import RULES, Found, spelt
from benchmarks.identity.world import WORLDS, Mix, Name, Observation, World, make, name_of
from socialsupport_core.identity import batch, canonical
from socialsupport_core.identity.suggestions import splinking, suggest_for
from socialsupport_core.model import Identifier

Row = dict[str, Any]
Say = Callable[[str], None]
PROOFS = (0.0, 0.25, 0.5, 1.0)
METHODS: Mapping[str, Callable[[Sequence[Observation]], Found]] = {**RULES, "socialsupport": ours.resolve}


@dataclass(frozen=True, slots=True)
class Size:
    """`persons` of a world, `worlds` whose order is changed, `ids` in the store, `senders` at one hub, `edges` in one
    batch."""

    persons: int
    proofs: tuple[float, ...]
    worlds: int
    ids: int
    senders: int
    rounds: int
    edges: int


SIZES = {
    "quick": Size(1_000, (0.25,), 10, 5_000, 2_000, 200, 20_000),
    "normal": Size(20_000, PROOFS, 120, 200_000, 20_000, 1_000, 1_000_000),
    "full": Size(20_000, PROOFS, 120, 1_000_000, 100_000, 1_000, 10_000_000),
}


# worlds


def worlds(size: Size, say: Say, wanted: Iterable[str]) -> list[Row]:
    found = []
    for name in wanted:
        for proofs in size.proofs:
            say(f"{name}, proofs {proofs:.0%}")
            world = made(name, persons=size.persons, proofs=proofs)
            found += [{"world": name, "proofs": proofs} | row for row in compared(world)]
    return found


def made(name: str, **changed: Any) -> World:
    """The world of that name, of whichever kind."""
    if name in desk.WORLDS:
        return desk.make(replace(desk.WORLDS[name], **changed))
    return make(replace(WORLDS[name], **changed))


def compared(world: World) -> Iterator[Row]:
    """Every method, and the ceiling: what union-find finds, if nothing of it were wrong."""
    truth = scored(world)
    for name, method in METHODS.items():
        began = time.process_time()
        found = method(world.observations)
        seconds = time.process_time() - began
        right = measure(truth, found)
        if name == "union-find":
            ceiling = harmonic(1.0, right.recall)
        yield {"method": name, "events": len(world.observations), "accounts": len(truth)} | accuracy(
            right, seconds, ceiling
        )


def scored(world: World) -> dict[Name, int]:
    """The accounts that wrote and belong to one person, in one spelling: a shared phone has no owner to be found."""
    wrote = {name_of(one["account"]) for one in world.observations if "account" in one}
    owners: dict[Name, set[int | None]] = {}
    for name in world.truth.keys() & wrote:
        owners.setdefault(spelt(name), set()).add(world.truth[name])
    alone = ((name, *found) for name, found in owners.items() if len(found) == 1)
    return {name: person for name, person in alone if person is not None}


def accuracy(right: Accuracy, seconds: float, ceiling: float) -> Row:
    return right.as_json() | {"ceiling": round(ceiling, 5), "seconds": round(seconds, 2)}


# what else might be one


def suggestions(size: Size, say: Say) -> list[Row]:
    """The light scorer after the rules: how many of its suggestions are right, as far as an owner is known."""
    say("held out, proofs 25%")
    world = make(replace(WORLDS["held out"], persons=size.persons, proofs=0.25))
    truth = scored(world)
    customers = batch.resolve(world.observations)
    found = suggest_for(world.observations, customers, at_least=0.9)
    owners: dict[str, set[int]] = {}
    for name, person in truth.items():
        owners.setdefault(_customer(customers, name), set()).add(person)
    rows = []
    for least in (0.9, 0.99, 0.999):
        pairs = [
            [owners.get(customers.get(one) or str(one), set()) for one in each.pair]
            for each in found
            if each.probability >= least
        ]
        known = [a & b for a, b in pairs if a and b]
        rows.append({"probability": f"at least {least}", "suggested": len(pairs), "owner known": len(known)})
        rows[-1] |= {"right": sum(map(bool, known)), "share right": round(sum(map(bool, known)) / len(known), 3)}
    return rows


def _customer(customers: Mapping[Identifier, str | None], name: Name) -> str:
    """An account of which nothing is known but itself stands for itself."""
    one = canonical(Identifier(kind=name[0], scope=name[1], value=name[2]))
    return customers[one] or str(one)


# tables of people


TABLES = ("FEBRL 1", "FEBRL 2", "FEBRL 3", "FEBRL 4", "fake_1000")


def tables(say: Say, fake: Path | None, wanted: Iterable[str] = TABLES) -> list[Row]:
    found: list[Row] = []
    for wish in wanted:
        try:
            table = _fake(fake) if wish == "fake_1000" else datasets.febrl(int(wish[-1]))
        except Missing as missing:
            found.append({"table": wish, "missing": str(missing)})
            continue
        for name, link in {**LINKERS, **OURS}.items():
            say(f"{table.name}, {name}")
            began = time.process_time()
            right = link(table)
            row = {"table": table.name, "method": name, "records": len(table.records)}
            found.append(row | right.as_json() | {"seconds": round(time.process_time() - began, 2)})
    return found


def _fake(file: Path | None) -> Table:
    if file is None:
        raise Missing("give its path as --fake-1000 FILE")
    return datasets.fake_1000(file)


def light(table: Table) -> Accuracy:
    return measure(table.truth, ours.decided(table))


def learnt(table: Table) -> Accuracy:
    return measure(table.truth, ours.decided(table, splinking.scorer(splinking.train(table.profiles()))))


OURS: Mapping[str, Callable[[Table], Accuracy]] = {
    "socialsupport, light": light,
    "socialsupport, Splink": learnt,
}


# order


def order(size: Size, say: Say) -> list[Row]:
    """Small worlds, each told in four orders: in how many does the result depend on it?"""
    made = [make(Mix(seed=500_000 + number, persons=60, proofs=0.3, office=0.3)) for number in range(size.worlds)]
    found = []
    for name, method in METHODS.items():
        say(name)
        depends = sum(_depends(world.observations, method, number) for number, world in enumerate(made))
        found.append({"method": name, "worlds": len(made), "orders": ORDERS, "depend": depends})
    return found


ORDERS = 4


def _depends(told: Sequence[Observation], method: Callable[[Sequence[Observation]], Found], seed: int) -> bool:
    chance = random.Random(seed)
    first = groups(method(told))
    for _ in range(ORDERS - 1):
        mixed = list(told)
        chance.shuffle(mixed)
        if groups(method(mixed)) != first:
            return True
    return False


def groups(found: Found) -> set[frozenset[Name]]:
    by_customer: dict[object, set[Name]] = {}
    for name, customer in found.items():
        by_customer.setdefault(name if customer is None else ("customer", customer), set()).add(name)
    return set(map(frozenset, by_customer.values()))


__all__ = ["SIZES", "Row", "Size", "groups", "order", "suggestions", "tables", "worlds"]
