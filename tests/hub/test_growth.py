"""What one customer costs does not grow with all the others, with what was said, or with what was answered.

SQLite's steps are counted, statement by statement, through one customer's life: first among few, then among many.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from canary import Aviary
from raven import Roost, bird, deleted, edited, message, reacted
from raven.connector import ACCOUNT
from steps import stepping

from socialsupport_core.model import Identifier, IdentityClaimed
from socialsupport_core.store.sqlite import SQLiteTx

FEW, MANY = 20, 1000
STEPS = 20  # of SQLite's machine between two looks
Cost = dict[str, int]
OF_ALL = (
    "SELECT * FROM conversations c WHERE c.tenant = ? AND (CAST(? AS TEXT) IS NULL OR c.status = ?)",  # the queue
    "SELECT DISTINCT customer FROM nodes WHERE tenant = ? AND since >= 0 AND (lower(value) LIKE ?",  # a search
    "SELECT p.node, p.other FROM (SELECT node, other FROM ties",  # what is to be reviewed
)
"""What is about everybody."""


@contextmanager
def counted(patch: pytest.MonkeyPatch) -> Iterator[Cost]:
    """The most steps that each statement took meanwhile."""
    most: Cost = defaultdict(int)

    def counting(name: str) -> None:
        ask = getattr(SQLiteTx, name)

        def asked(self: SQLiteTx, sql: str, values: Sequence[Any]) -> Any:
            with stepping(self, STEPS) as steps:
                found = ask(self, sql, values)
            most[sql] = max(most[sql], steps() // (max(1, len(values)) if name == "_many" else 1))
            return found

        patch.setattr(SQLiteTx, name, asked)

    with patch.context():
        for name in ("_all", "_run", "_many"):
            counting(name)
        yield most


def others(roost: Roost, start: int, count: int) -> None:
    """People who come, are answered, and go on."""
    names = [f"bird{number}" for number in range(start, start + count)]
    for at in range(0, count, 100):
        wave = names[at : at + 100]
        roost.hear(
            *(message(f"{name}-1", f"Where is my parcel {name}?", name, at=1) for name in wave),
            *(message(f"{name}-2", f"{name} says it in public", name, at=2, visibility="public") for name in wave),
            *(
                IdentityClaimed(
                    id=f"claim-{name}",
                    own_account=ACCOUNT,
                    subject=Identifier(kind="raven.ring", value=name),
                    claims=(Identifier(kind="email", value=f"{name}@mail.example"),),
                    tier="asserted",
                    proof="typed",
                    at=roost.clock(),
                )
                for name in wave
            ),
        )
    for number, name in enumerate(names):
        if number % 5 == 0:
            roost.reply("It is on its way.", name, leg=None)
        if number % 10 == 0:
            roost.hub.resolve("acme", roost.conversation(name), agent="dana")
    roost.hub.drain()


def life(roost: Roost, name: str) -> None:
    """One customer through all that a hub does."""
    hub, who = roost.hub, str(bird(name).account)
    first = message(f"{name}-1", f"Where is my parcel? I am at me@{name}.example", name, at=1)
    public = message(f"{name}-2", "Nobody answers", name, at=2, visibility="public")
    roost.hear(first, public)
    roost.hear(
        edited(first, f"Where is my red parcel? I am at me@{name}.example", 3),
        reacted(public, "+1", 4, name),
        deleted(public, 5),
    )
    here = roost.conversation(name)
    hub.plan("acme", here, "On its way", agent="dana")
    roost.reply("On its way", name)
    hub.drain()
    hub.assign("acme", here, "dana", agent="dana")
    hub.note("acme", here, "a regular", agent="dana")
    hub.draft("acme", here, "Perhaps so", agent="dana")
    hub.consent("acme", who, "tower", "in", agent="dana")
    hub.link("acme", who, f"raven.ring:{name}-too", agent="dana")
    verdict = hub.link("acme", who, f"email:{name}@mail.example", agent="dana")
    hub.undo("acme", verdict.id, agent="dana")
    hub.hand_off_targets("acme", here)
    made = hub.hand_off("acme", here, agent="dana", to="tower")
    hub.withdraw_hand_off("acme", made["id"], agent="dana")
    hub.hand_off("acme", here, agent="dana", to="tower")
    hub.drain()
    told = hub.conversation("acme", here)["context"][0]
    hub.change_context("acme", here, told["kind"], told["value"], agent="dana", corrected="other@mail.example")
    hub.timeline("acme", who)
    hub.customer("acme", who)
    hub.conversation("acme", here)
    hub.explain("acme", who)
    hub.drafts("acme", here)
    hub.challenges("acme", here)
    hub.consents("acme", who)
    hub.find_customers("acme", f"{name}@mail.example")
    hub.queue("acme", limit=20)
    hub.events("acme", hub.cursor("acme") - 20)
    hub.reviews("acme")
    hub.resolve("acme", here, agent="dana")
    roost.clock.forward(minutes=5)
    roost.hear(message(f"{name}-3", "Thank you", name, at=roost.clock()))
    hub.reopen("acme", roost.conversation(name), agent="dana")
    hub.drain()


def test_nobody_costs_more_because_others_came_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aviary = Aviary(tmp_path, tmp_path / "support.sqlite")
    aviary.desk.down = False
    others(aviary, 0, FEW)
    with counted(monkeypatch) as before:
        life(aviary, "kerry")
    others(aviary, FEW, MANY)
    with counted(monkeypatch) as after:
        life(aviary, "robin")
    aviary.hub.close()
    assert len(before) > 150  # statements: it was a life
    dearer = {
        sql: (before[sql], steps)
        for sql, steps in after.items()
        if sql in before and steps > 3 * before[sql] + 1000 and not sql.startswith(OF_ALL)
    }
    assert not dearer, "\n".join(f"{was} -> {steps}: {sql}" for sql, (was, steps) in sorted(dearer.items()))
