"""`socialsupport code`: what was asked for, and what cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
from raven import Roost, message


@pytest.fixture
def asked(tmp_path: Path) -> tuple[str, str]:
    """The store, and kerry's conversation, in which owl was told a code."""
    roost = Roost(tmp_path)
    roost.hear(message(1, "hello", "kerry"), message(2, "it is me", "owl", at=1))
    conversation = roost.conversation()
    roost.hub.challenge("acme", conversation, "raven.ring:owl", "raven.ring:kerry", agent="dana")
    roost.hub.close()
    return str(roost.path), conversation


def test_what_was_asked_for_is_listed(run: Any, asked: tuple[str, str]) -> None:
    store, conversation = asked
    ran = run("code", conversation, "--store", store, "--tenant", "acme")
    assert ran.status == 0, ran.err
    assert [word in ran.out for word in ("raven.ring:owl", "raven.ring:kerry", "expired")] == [True] * 3
    told = json.loads(run("code", conversation, "--store", store, "--tenant", "acme", "--json").out)
    assert [one["expected"] for one in told["challenges"]] == ["raven.ring:kerry"]
    assert "code" not in told["challenges"][0]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--told", "raven.ring:owl"), "say both ends"),
        (("--told", "raven.ring:owl", "--expected", "raven.ring:nobody"), "nobody is known as 'raven.ring:nobody'"),
        (("--told", "raven.ring:owl", "--expected", "raven.ring:kerry"), "nobody has written from it yet"),
    ],
)
def test_what_cannot_be_asked_for_is_told_in_a_line(
    run: Any, asked: tuple[str, str], words: tuple[str, ...], why: str
) -> None:
    """The ravens are no plugin that is installed, so nobody can be spoken to there."""
    store, conversation = asked
    ran = run("code", conversation, "--store", store, "--tenant", "acme", *words)
    assert (ran.status, ran.out) == (1, "")
    assert why in ran.err
