"""`socialsupport explain --review`: the queue in the terminal, and decisions from there."""

import json
from pathlib import Path
from typing import Any

import pytest
from raven import ACCOUNT, Roost, bird, message
from raven.events import NOON

from socialsupport_core.model import IdentityClaimed


@pytest.fixture
def store(tmp_path: Path) -> str:
    roost = Roost(tmp_path)
    kerry, sam = bird("kerry").identifiers[0], bird("sam").identifiers[0]
    claim = IdentityClaimed(id="c", own_account=ACCOUNT, subject=sam, claims=(kerry,), proof="typed", at=NOON)
    roost.hear(message(1, "hello", "kerry"), message(2, "I am kerry", "sam", at=1), claim)
    roost.hub.close()
    return str(roost.path)


def said(run: Any, store: str, *words: str) -> str:
    ran = run("explain", "--store", store, "--tenant", "acme", *words)
    assert ran.status == 0, ran.err
    return str(ran.out)


def test_the_queue_is_listed_with_its_reasons(run: Any, store: str) -> None:
    out = said(run, store, "--review")
    assert "rev_1-2  somebody says so, and nothing proves it" in out
    assert "raven.ring:kerry (Kerry)" in out
    assert "because typed (claimed): claimed evidence suggests, it never joins" in out
    (one,) = (json.loads(row) for row in said(run, store, "--review", "--json").splitlines())
    assert one["kind"] == "suggestion"


@pytest.mark.parametrize(
    ("decision", "told"), [("link", "they are one customer now: cus_"), ("apart", "kept apart"), ("later", "put off")]
)
def test_an_item_is_decided_and_taken_back(run: Any, store: str, decision: str, told: str) -> None:
    assert told in said(run, store, "rev_1-2", "--review", "--decide", decision)
    assert said(run, store, "--review") == "nothing waits for a person\n"
    assert "taken back" in said(run, store, "rev_1-2", "--review", "--decide", "undo")
    assert "rev_1-2" in said(run, store, "--review")


def test_what_would_change_the_answer_is_told(run: Any, store: str) -> None:
    out = said(run, store, "raven.ring:kerry")
    assert "not joined: raven.ring:kerry – raven.ring:sam" in out
    assert "would change it:" in out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "say whom to explain"),
        (("--review", "--decide", "link"), "say what is decided"),
        (("rev_1-2", "--review", "--decide", "marry"), "there is link, apart, later, undo"),
        (("rev_9", "--review", "--decide", "later"), "nothing to decide under"),
        (("rev_1-2", "--review", "--decide", "link", "--agent", "ghost"), "name who has decided it with --agent: dana"),
    ],
)
def test_what_makes_no_sense_is_one_line(run: Any, store: str, words: tuple[str, ...], why: str) -> None:
    ran = run("explain", "--store", store, "--tenant", "acme", *words)
    assert ran.status != 0
    assert why in ran.err
    assert len(ran.err.strip().splitlines()) == 1
