"""Two conversations that become one, and two again: their cases lead to one another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from help_desk import API, Shop
from raven import bird


@pytest.fixture
def shop(tmp_path: Path, store: str | Path) -> Iterator[Shop]:
    """Kerry has case-1, Max case-2."""
    made = Shop(tmp_path, store)
    made.say(1, "where is it?")
    made.say(2, "it is me, from another account", "max")
    yield made
    made.hub.close()


def unite(shop: Shop) -> str:
    """The conversation that it is then."""
    shop.hub.link("acme", *(str(bird(name).identifiers[0]) for name in ("kerry", "max")), agent="dana")
    shop.hub.drain()
    return shop.conversation()


def test_the_case_that_is_left_leads_on_and_is_closed(shop: Shop) -> None:
    kept = unite(shop)
    assert shop.office.told("case-2")[-1] == (
        f"internal: This goes on in case case-1 ({API}/cases/case-1): it turned out to be the same conversation."
    )
    assert shop.office.told("case-1")[-1].startswith("internal: What was said in case case-2 ")
    assert [shop.office.cases[one]["status"] for one in ("case-1", "case-2")] == ["open", "closed"]
    assert shop.hub.conversation("acme", kept)["status"] == "open"
    shop.say(3, "any news?", "max")
    assert shop.office.told("case-1")[-1] == "inbound: any news?"


def test_taken_back_each_has_its_case_again(shop: Shop) -> None:
    shop.hub.undo_move("acme", unite(shop), agent="dana")
    shop.hub.drain()
    for case, other in (("case-1", "case-2"), ("case-2", "case-1")):
        said = f"internal: This and case {other} ({API}/cases/{other}) are two conversations again."
        assert shop.office.told(case)[-1] == said
        assert shop.office.cases[case]["status"] == "open"
    shop.say(3, "any news?", "max")
    assert shop.office.told("case-2")[-1] == "inbound: any news?"


def test_told_twice_it_is_written_once(shop: Shop) -> None:
    """The process ends before it has noted how far it came."""
    unite(shop)
    before = shop.office.told("case-1"), shop.office.told("case-2")
    shop.hub._database.do(lambda tx: tx.run("UPDATE crms SET cursor = 0"))
    shop.hub.drain()
    assert (shop.office.told("case-1"), shop.office.told("case-2")) == before
    assert [shop.office.cases[one]["status"] for one in ("case-1", "case-2")] == ["open", "closed"]
