"""The hand-off link as a proof: what it is worth depends on where it was shown, for whom, and on who comes."""

from collections import Counter
from itertools import product

import pytest

from socialsupport_core.identity.proofs import HandoffLink, Proven, Refused
from socialsupport_core.model import Identifier
from socialsupport_core.store.conversations import ThreadOf
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node

LINK = HandoffLink()
OWNER, BEARER = 1, 2
DAY = 86_400_000_000
KERRY = Identifier(kind="x.user", value="1")


def node(number: int, kind: str = "telegram.user") -> Node:
    return Node(number, Identifier(kind=kind, value=str(number)), b"%d" % number, number, 0, None, None)


def given(**more: object) -> Handoff:
    made: dict[str, object] = {
        "tenant": "acme",
        "id": "ho_1",
        "conversation": "con_1",
        "node": OWNER,
        "leg": 1,
        "visibility": "private",
        "channel": "x",
        "agent": "dana",
        "created_at": 0,
        "expires_at": 7 * DAY,
    }
    return Handoff(**(made | more))  # type: ignore[arg-type]


def judged(
    one: Handoff | None,
    bearer: int = BEARER,
    *,
    at: int = DAY,
    channel: str = "bot",
    visibility: str = "private",
    authentic: bool = True,
    tenant: str = "acme",
) -> str:
    """The tier, or why not."""
    where = ThreadOf(channel, "telegram", "us", "thread", visibility)
    outcome = LINK.judge(one, tenant, KERRY, node(bearer), where, source="e", at=at, is_authentic=authentic)
    if isinstance(outcome, Refused):
        return outcome.reason
    assert isinstance(outcome, Proven)
    assert outcome.claims == (KERRY,)
    return outcome.tier


def test_what_it_is_worth() -> None:
    assert judged(given()) == "asserted"
    assert judged(given(visibility="public")) == "claimed"
    assert judged(given(), authentic=False) == "claimed"
    assert judged(given(recipient=BEARER)) == "verified"
    assert judged(given(recipient=BEARER), authentic=False) == "claimed"
    assert judged(given(recipient=BEARER, visibility="public")) == "claimed"


def test_only_whoever_asked_for_it_verifies_by_it() -> None:
    """Of everything that may vary, one case alone is verified."""
    found = Counter(
        judged(given(visibility=shown, recipient=recipient), visibility="private", authentic=authentic)
        for shown, recipient, authentic in product(("public", "private"), (None, BEARER), (True, False))
    )
    assert found["verified"] == 1


def test_forwarded_to_another_than_it_was_given_for() -> None:
    assert judged(given(recipient=7)) == "the token was given for another account"


def test_brought_to_another_channel_than_it_was_given_for() -> None:
    assert judged(given(target="chat")) == "the token was given for chat"
    assert judged(given(target="bot")) == "asserted"


@pytest.mark.parametrize(("late", "is_late"), [(0, False), (1, True)])
def test_it_ends_at_its_microsecond(late: int, is_late: bool) -> None:
    assert (judged(given(), at=7 * DAY + late) == "the token has expired") is is_late


def test_used_by_somebody_else_or_by_the_same() -> None:
    assert judged(given(redeemed_at=5, redeemed_by=9)) == "the token was used already"
    assert judged(given(redeemed_at=5, redeemed_by=BEARER)) == "the token was used before"


@pytest.mark.parametrize("one", [None, given(tenant="rival")])
def test_an_unknown_one_and_another_tenants_look_the_same(one: Handoff | None) -> None:
    assert judged(one) == "the token is unknown"


def test_an_unknown_one_looks_the_same_whoever_asks() -> None:
    """No refusal tells whether a token exists for others."""
    assert judged(None, OWNER) == judged(given(tenant="rival"), OWNER) == "the token is unknown"


def test_shown_again_where_it_was_given() -> None:
    assert "shown it again" in judged(given(channel="bot"), OWNER)
    assert judged(given(channel="bot", visibility="public"), OWNER) == "verified"


def test_tokens_are_128_bits_of_the_chance_that_is_given() -> None:
    asked: list[int] = []

    def chance(count: int) -> bytes:
        asked.append(count)
        return bytes(range(count))

    assert LINK.make(chance) == "aaaqeayeaudaocajbifqydiob4"
    assert asked == [16]
