"""Which of several matters a message is about: the same number, or the same words in the subject."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raven import Roost, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.conversation.conduct import RULES as ORDER
from socialsupport_core.conversation.continuity import RULES, spoken
from socialsupport_core.conversation.topic import is_same, words
from socialsupport_core.model import Thread

HOUR = 3_600_000_000

ALIKE = [
    ("Broken lamp", "Re: Broken lamp"),
    ("Broken lamp delivered", "AW: the broken lamp"),
    ("Refund for invoice 4711", "Fwd: [2]: refund invoice 4711"),
    ("Re: Re: RE: lamp broken", "The lamp is broken!"),
]
UNLIKE = [
    ("Broken lamp", "Broken chair"),
    ("Lamp", "Lamp"),
    ("My order", "Your order"),
    ("Question about my account", "Question about our account"),
    ("", ""),
    (None, "Broken lamp"),
    ("Broken lamp and late delivery", "Broken chair, late answer, rude driver"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_the_same_subject(one: str, other: str) -> None:
    assert is_same(one, other)
    assert is_same(other, one)


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_another_subject(one: str | None, other: str | None) -> None:
    """One word in common is chance, and words of every second subject are none."""
    assert not is_same(one, other)


@given(st.text(max_size=100), st.text(max_size=100))
def test_it_does_not_matter_which_came_first(one: str, other: str) -> None:
    assert is_same(one, other) == is_same(other, one)
    assert words(one) == words(f"Re: {one}")


# in conversations


def thread(name: str, visibility: Any = "private") -> Thread:
    return Thread(id=name, visibility=visibility)


def say(roost: Roost, number: int, text: str, where: str, **more: Any) -> str:
    roost.clock.forward(seconds=1)
    roost.hear(message(number, text, at=roost.clock.now, thread=thread(where), **more))
    legs = roost.hub.timeline("acme", "raven.ring:kerry")[-1]
    return str(legs["conversation"])


@pytest.fixture
def two(roost: Roost) -> tuple[str, str]:
    """One about an order and one about a lamp, both open."""
    first = say(roost, 1, "where is order AB-4711?", "one", subject="Late delivery again")
    roost.clock.forward(days=8)
    second = say(roost, 2, "it is broken, order 5822", "two", subject="Broken lamp shade")
    roost.hub.note("acme", first, "a colleague looks after it", agent="dana")
    assert first != second
    return first, second


def leg(roost: Roost, conversation: str) -> tuple[str, str]:
    found = roost.hub.conversation("acme", conversation)["legs"][-1]
    return found["rule"], found["reason"]


def test_the_same_number_tells_which_of_several(roost: Roost, two: tuple[str, str]) -> None:
    assert say(roost, 3, "ab4711 please: order AB 4711, I mean order ab-4711", "three") == two[0]
    assert leg(roost, two[0]) == ("topic", "it names the same order as this conversation")


def test_the_same_words_in_the_subject_do(roost: Roost, two: tuple[str, str]) -> None:
    assert say(roost, 3, "any news?", "three", subject="RE: broken shade of the lamp") == two[1]
    assert leg(roost, two[1]) == ("topic", "its subject has the same words")


def test_a_number_that_both_have_told_tells_nothing(roost: Roost, two: tuple[str, str]) -> None:
    say(roost, 3, "that was order AB-4711 too", "two")
    new = say(roost, 4, "order AB-4711", "four")
    assert new == two[1], "the only one that was active within the window"
    assert leg(roost, new)[0] == "open_conversation"


def test_what_was_resolved_not_long_ago_goes_on(roost: Roost) -> None:
    first = say(roost, 1, "where is order 4711?", "one")
    roost.hub.resolve("acme", first, agent="dana")
    roost.clock.forward(days=2)
    assert say(roost, 2, "it is about order 4711 again", "two") == first
    assert roost.hub.conversation("acme", first)["status"] == "open"


def test_another_number_does_not(roost: Roost) -> None:
    first = say(roost, 1, "where is order 4711?", "one")
    roost.hub.resolve("acme", first, agent="dana")
    roost.clock.forward(days=2)
    assert say(roost, 2, "it is about order 5822", "two") != first


def test_a_value_that_an_agent_has_removed_leads_nowhere(roost: Roost) -> None:
    first = say(roost, 1, "where is order 4711?", "one")
    roost.hub.change_context("acme", first, "order", "4711", agent="dana")
    roost.hub.resolve("acme", first, agent="dana")
    roost.clock.forward(days=2)
    assert say(roost, 2, "order 4711", "two") != first


def test_an_account_number_is_no_topic(roost: Roost, two: tuple[str, str]) -> None:
    roost.clock.forward(days=9)
    say(roost, 3, "my customer number is 12345678", "one")
    roost.clock.forward(days=9)
    assert say(roost, 4, "my customer number is 12345678", "five") not in two


def test_nobody_elses_number_leads_anywhere(roost: Roost) -> None:
    roost.hear(message(1, "order 4711", "robin", at=roost.clock.now))
    con = say(roost, 2, "order 4711", "one")
    assert con != roost.conversation("robin")


# why a new one began


def test_why_nothing_was_continued(roost: Roost, two: tuple[str, str]) -> None:
    new = say(roost, 3, "hello", "three")
    assert new == two[1]
    roost.clock.forward(days=8)
    new = say(roost, 4, "hello", "four")
    assert leg(roost, new) == ("new", "what is open has been silent for more than seven days")
    roost.clock.forward(hours=1)
    say(roost, 5, "hello", "one")
    new = say(roost, 6, "hello", "six")
    assert leg(roost, new) == ("new", "several conversations are open, and nothing tells which of them it continues")


def test_a_thread_that_ended_long_ago_says_so(roost: Roost) -> None:
    first = say(roost, 1, "hello", "one")
    roost.hub.resolve("acme", first, agent="dana")
    roost.clock.forward(days=8)
    second = say(roost, 2, "hello", "one")
    assert second != first
    reason = "the thread's last conversation was resolved, and silent for more than seven days"
    assert leg(roost, second) == ("new", reason)


# as a tenant wants it


def test_the_window_is_the_tenants(roost: Roost) -> None:
    roost.hub.set_conduct("acme", window=timedelta(hours=36))
    first = say(roost, 1, "hello", "one")
    roost.clock.forward(hours=35)
    assert say(roost, 2, "hello", "two") == first
    assert leg(roost, first)[1] == "the customer's only open conversation, active within 36 hours"
    roost.clock.forward(hours=37)
    assert say(roost, 3, "hello", "three") != first


def test_rules_are_left_out_by_a_tenant_and_not_by_its_neighbour(roost: Roost) -> None:
    roost.hub.set_conduct("acme", rules=["native_thread"])
    first = say(roost, 1, "order 4711", "one")
    assert say(roost, 2, "order 4711", "two") != first
    assert say(roost, 3, "order 4711", "one") == first
    for number in (1, 2):
        roost.hear(message(number, "hi", at=roost.clock.now, thread=thread(f"t{number}")), tenant="rival")
    assert len(roost.hub.queue("rival")) == 1


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"rules": ["topic"]}, "needs native_thread"),
        ({"rules": ["native_thread", "native_thread"]}, "names a rule twice"),
        ({"rules": ["native_thread", "magic"]}, "continuity.rules"),
        ({"window": timedelta(0)}, "continuity.window"),
        ({"allowed": ["x"]}, "guard.allowed"),
    ],
)
def test_what_makes_no_sense_is_refused(roost: Roost, given_: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        roost.hub.set_conduct("acme", **given_)
    with pytest.raises(ConfigError, match="there is no tenant"):
        roost.hub.set_conduct("nobody")


def test_every_rule_is_in_the_table() -> None:
    assert tuple(RULES) == ORDER


@pytest.mark.parametrize(
    ("span", "said"), [(24, "one day"), (168, "seven days"), (480, "20 days"), (1, "one hour"), (36, "36 hours")]
)
def test_spans_are_spoken(span: int, said: str) -> None:
    assert spoken(span * HOUR) == said


def test_the_documented_table_is_the_one_that_is_asked() -> None:
    page = (Path(__file__).parents[2] / "docs/concepts/conversations.md").read_text("utf-8")
    documented = re.findall(r"^\| `(\w+)` \| (.+?) \|$", page.partition("## Merge")[0], re.MULTILINE)
    assert documented == [(name, sentence) for name, (_, sentence) in RULES.items()]
