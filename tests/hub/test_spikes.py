"""Many customers at once, on a hub: one event, with what they share and some of them."""

from datetime import UTC, datetime, timedelta

import pytest
from raven import Roost, message

NOW = datetime(2026, 3, 30, 10, 5, tzinfo=UTC)


@pytest.fixture
def past(roost: Roost) -> Roost:
    """Five weeks with two conversations at this hour of the week."""
    number = 1000
    for week in range(5, 0, -1):
        roost.clock.now = NOW - timedelta(weeks=week)
        for _ in range(2):
            number += 1
            roost.hear(message(number, "please help with my order", f"old{number}", at=roost.clock.now))
    roost.clock.now = NOW
    return roost


def crowd(roost: Roost, first: int, count: int, text: str = "the router shows a red light") -> None:
    events = [message(first + n, text, f"bird{first + n}", at=roost.clock.now) for n in range(count)]
    roost.hear(*events)


def test_one_event_for_many(past: Roost) -> None:
    past.hub.set_guidance("acme", {"spikes": {"enabled": True}})
    crowd(past, 1, 9)
    assert past.log("volume.spike") == []
    crowd(past, 50, 3)
    (told,) = [one["data"] for one in past.log("volume.spike")]
    assert (told["count"], told["usual"]) == (12, 2)
    assert told["reason"] == "12 new conversations this hour; at this hour of the week it is usually 2"
    assert told["causes"][0]["words"][:2] == ["light", "red"]
    known = {one["id"] for one in past.hub.queue("acme")}
    assert set(told["causes"][0]["conversations"]) <= known
    crowd(past, 60, 5)
    assert len(past.log("volume.spike")) == 1
    crowd(past, 80, 8)
    assert [one["data"]["count"] for one in past.log("volume.spike")] == [12, 25]
    (shown,) = past.hub.spikes("acme")
    assert shown["count"] == 25
    assert past.hub.spikes("rival") == []
    past.clock.forward(days=2)
    assert past.hub.spikes("acme") == []


def test_nothing_is_counted_unless_it_is_switched_on(past: Roost) -> None:
    crowd(past, 1, 30)
    assert past.log("volume.spike") == []


def test_a_new_tenant_has_nothing_to_compare_with(roost: Roost) -> None:
    roost.hub.set_guidance("acme", {"spikes": {"enabled": True}})
    crowd(roost, 1, 30)
    assert roost.log("volume.spike") == []


def test_what_began_is_forgotten_with_its_customer(past: Roost) -> None:
    past.hub.set_guidance("acme", {"spikes": {"enabled": True}})
    crowd(past, 1, 1)
    assert past.hub.erase("acme", "raven.ring:bird1", agent="dana")["removed"]["openings"] == 1
