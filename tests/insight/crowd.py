"""Histories from a seed, of any size, in which everything happens that the measures tell apart."""

import random
from collections.abc import Iterator

from past import handed, resolved, said

from socialsupport_core.insight import Handed, Touch, Turn

CHANNELS = ("x", "facebook", "email", "phone", "webchat")


def crowd(customers: int, each: int = 16, seed: int = 1) -> list[Touch | Turn | Handed]:
    chance = random.Random(seed)
    return [event for number in range(customers) for event in _customer(chance, f"cus_{number:05}", each)]


def _customer(chance: random.Random, customer: str, each: int) -> Iterator[Touch | Turn | Handed]:
    hours, channel, last = chance.uniform(0, 24 * 60), chance.choice(CHANNELS), None
    for _ in range(chance.randint(1, 2 * each - 1)):
        hours += chance.choice((0, 0.2, 0.5, 2, 8, 30, 30, 24 * 8))
        if chance.random() < 0.3:
            channel = chance.choice(CHANNELS)
        by = chance.choices(("customer", "agent", "bot"), (6, 4, 1))[0]
        told = ["order"] if by == "customer" and chance.random() < 0.3 else []
        made = said(
            hours,
            channel,
            by,
            customer,
            topics=[f"order:{chance.randint(1, 3)}"] if told else [],
            told=told,
            asks=["order"] if by != "customer" and chance.random() < 0.2 else [],
            answers=last.id if last and chance.random() < 0.3 else None,
            failed=by != "customer" and chance.random() < 0.1,
            edited=by == "agent" and chance.random() < 0.1,
            agent=chance.choice(("dana", "sam", "", None)) if by == "agent" else None,
            rating=chance.choice((1, 3.5, 5)) if chance.random() < 0.05 else None,
            kind="rating" if by != "agent" and chance.random() < 0.1 else "message",
            contact=chance.choice(("praise", "question")) if by == "customer" else None,
            verdict=chance.randint(1, 5) if by == "customer" and chance.random() < 0.1 else None,
            reach=chance.randint(0, 5_000),
            thread=f"{channel}-{customer}-{chance.choice((1, 1, 1, 2))}",
            conversation=f"con-{customer}" if chance.random() < 0.9 else f"con-{customer}-2",
        )
        yield made
        last = made if last is None or chance.random() < 0.5 else last
        if chance.random() < 0.15:
            yield resolved(
                hours + chance.choice((0, 0.1, 5)), customer, chance.choice(("resolved", "resolved", "reopened"))
            )
        if chance.random() < 0.08:
            state = chance.choice(("arrived", "expired", "offered"))
            yield handed(hours, channel, state, chance.choice(CHANNELS), customer)
