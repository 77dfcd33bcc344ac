"""What is kept back of a conversation within one batch: a mere touch, and a change by which it is found."""

import itertools

import pytest
from raven import Roost, message

from socialsupport_core.store import Tx, conversations, waiting

LATER = 2_000_000_000_000_000
STEPS = ("spoke", "resolved", "open", "spoke")


@pytest.mark.parametrize("first", ["spoke", "resolved"])
@pytest.mark.parametrize("order", sorted(set(itertools.permutations(STEPS))))
def test_in_one_batch_or_in_several_it_comes_to_the_same(roost: Roost, order: tuple[str, ...], first: str) -> None:
    roost.hear(*(message(number, "hello", name) for number, name in enumerate(("kerry", "robin", "wren"))))
    together, apart, other = (roost.conversation(name) for name in ("kerry", "robin", "wren"))
    database = roost.hub._database

    ours = (together, apart, other)
    legs = {one: database.read(lambda tx, one=one: conversations.legs(tx, "acme", one)[0]) for one in ours}

    def step(tx: Tx, conversation: str, does: str, at: int) -> None:
        if does == "spoke":
            waiting.customer_spoke(tx, legs[conversation], at)
        else:
            conversations.set_status(tx, "acme", conversation, does, at)

    def batch(tx: Tx) -> None:
        conversations.read_conversations(tx, "acme", ours)  # to read later would write what is kept back
        step(tx, other, first, LATER)  # which of the two statements is written first
        for at, does in enumerate(order):
            step(tx, together, does, LATER + at)

    database.do(batch)
    for at, does in enumerate(order):
        database.do(lambda tx, at=at, does=does: step(tx, apart, does, LATER + at))

    def row(tx: Tx, conversation: str) -> dict[str, object]:
        found = tx.one("SELECT * FROM conversations WHERE conversation = ?", conversation)
        assert found is not None
        return {name: found[name] for name in ("status", "updated_at", "waiting_since", "answered_at", "noise")}

    assert database.read(lambda tx: row(tx, together)) == database.read(lambda tx: row(tx, apart))
