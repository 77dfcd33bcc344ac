"""What belongs to one matter: recomputed in event time, so that neither arrival nor identity's history shows."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from past import handed, past, resolved, said

from socialsupport_core.insight import History, Matter, Settings, matters, report

SETTINGS = Settings()


def groups(*events: Any, until: float = 24 * 60) -> list[list[str]]:
    found = matters(past(*events, until=until), SETTINGS)
    return [[touch.id for touch in one.touches] for one in found]


def test_one_matter_goes_on_across_channels_and_days() -> None:
    assert groups(said(1, "x", id="a"), said(30, "email", id="b"), said(90, "phone", id="c")) == [["a", "b", "c"]]


def test_after_the_window_it_is_another() -> None:
    assert groups(said(1, "x", id="a"), said(24 * 7 + 2, "x", id="b")) == [["a"], ["b"]]


def test_after_a_resolution_elsewhere_it_is_another() -> None:
    assert groups(said(1, "x", id="a"), resolved(2), said(3, "email", id="b")) == [["a"], ["b"]]


def test_the_same_thread_takes_a_resolved_matter_up_again() -> None:
    (found,) = matters(past(said(1, "x"), resolved(2), said(3, "x")), SETTINGS)
    assert (found.reopened, found.resolved_at) == (1, None)


def test_so_does_the_same_order_on_another_channel() -> None:
    order = ["order:4711"]
    assert groups(said(1, "x", id="a", topics=order), resolved(2), said(3, "email", id="b", topics=order)) == [
        ["a", "b"]
    ]


def test_another_order_is_another_matter_even_in_the_same_thread() -> None:
    events = said(1, "x", id="a", topics=["order:1"]), said(2, "x", id="b", topics=["order:2"]), said(3, "x", id="c")
    assert groups(*events) == [["a"], ["b", "c"]]


def test_an_answer_to_one_of_ours_belongs_to_it() -> None:
    events = (
        said(1, "x", id="a", topics=["order:1"]),
        said(2, "x", "agent", id="b", answers="a"),
        said(3, "email", id="c", topics=["order:2"]),
        said(4, "x", id="d", answers="b"),
    )
    assert groups(*events) == [["a", "b", "d"], ["c"]]


def test_what_only_we_began_is_no_matter() -> None:
    assert groups(said(1, "email", "agent")) == []


def test_contacts_are_what_calls_for_an_answer() -> None:
    (found,) = matters(
        past(
            said(1, "x"),
            said(1.2, "x"),  # the same contact
            said(3, "x"),  # after an hour of silence it is another
            said(3.5, "x", "agent"),
            said(3.6, "x"),  # and so it is after an answer
        ),
        SETTINGS,
    )
    assert [len(one.touches) for one in found.contacts] == [2, 1, 1]
    assert [one.answer is not None for one in found.contacts] == [True, True, False]


def test_a_public_and_a_private_word_on_one_network_are_two_legs() -> None:
    (found,) = matters(past(said(1, "x"), said(2, "x", visibility="private", thread="dm")), SETTINGS)
    assert [leg.visibility for leg in found.legs] == ["public", "private"]


# properties

EVENT = st.builds(
    said,
    st.integers(0, 400).map(lambda n: n / 2),
    st.sampled_from(["x", "facebook", "email", "phone"]),
    st.sampled_from(["customer", "customer", "agent", "bot"]),
    st.sampled_from(["cus_kerry", "cus_flo"]),
    topics=st.sampled_from([[], [], ["order:1"], ["order:2"]]),
)
DEED = st.one_of(
    st.builds(resolved, st.integers(0, 400).map(lambda n: n / 2 + 0.1), st.sampled_from(["cus_kerry", "cus_flo"])),
    st.builds(
        handed, st.integers(0, 400).map(lambda n: n / 2 + 0.2), st.just("x"), st.sampled_from(["arrived", "expired"])
    ),
)
EVENTS = st.lists(st.one_of(EVENT, EVENT, EVENT, DEED), max_size=25)


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(events: list[Any], chance: random.Random) -> None:
    mixed = chance.sample(events, len(events))
    assert report(past(*mixed), SETTINGS) == report(past(*events), SETTINGS)


@given(EVENTS)
def test_known_as_one_at_last_is_the_same_as_known_from_the_start(events: list[Any]) -> None:
    """The store tells customers by who they are now, whatever conversations were attached while they were two."""

    def as_one(history: History, conversation: str | None) -> History:
        touches = tuple(
            replace(one, customer="cus_one", conversation=conversation or one.conversation) for one in history.touches
        )
        turns = tuple(replace(one, conversation=conversation or one.conversation) for one in history.turns)
        hand_offs = tuple(replace(one, conversation=conversation or one.conversation) for one in history.handed)
        return replace(history, touches=touches, turns=turns, handed=hand_offs)

    late = matters(as_one(past(*events), None), SETTINGS)
    if not any(not hasattr(one, "by") for one in events):
        early = matters(as_one(past(*events), "con-one"), SETTINGS)
        assert _ids(late) == _ids(early)


def _ids(found: list[Matter]) -> list[list[str]]:
    return [[touch.id for touch in one.touches] for one in found]


@given(EVENTS)
def test_machines_never_count_as_people(events: list[Any]) -> None:
    people = [one for one in events if getattr(one, "by", "") != "agent"]
    told = report(past(*people), SETTINGS)
    assert told["response"]["people"]["count"] == told["response"]["first"]["count"] == 0
    assert told["agents"] == []
    attended = sum(one.attended for one in people if hasattr(one, "attended"))
    assert told["coverage"]["answered"]["count"] <= attended


@given(EVENTS)
def test_every_touch_of_a_customer_is_in_one_contact_of_one_matter(events: list[Any]) -> None:
    spoken = sorted(one.id for one in events if getattr(one, "by", "") == "customer")
    found = [
        touch.id for one in matters(past(*events), SETTINGS) for contact in one.contacts for touch in contact.touches
    ]
    assert sorted(found) == spoken


@pytest.mark.parametrize("gap", [24 * 6, 24 * 8])
def test_the_window_is_the_tenants_to_say(gap: float) -> None:
    found = matters(past(said(0, "x"), said(gap, "email")), Settings())
    assert len(found) == (1 if gap < 24 * 7 else 2)
