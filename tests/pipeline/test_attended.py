"""A call that was taken and a visit need no answer: in the queue, by the clock of the service and in the live figures."""

from datetime import timedelta
from typing import Any

import pytest
from raven import Roost, message

from socialsupport_core.model import InteractionReceived

HOURLY = {"target": 3600, "targets": {}, "urgencies": {}}
CALL: dict[str, Any] = {"kind": "call", "duration": 95}


def touch(roost: Roost, number: int, text: str = "it is broken", ago: float = 0, **more: Any) -> InteractionReceived:
    return message(number, text, at=roost.clock.now - timedelta(minutes=ago), **more)


def told(roost: Roost) -> list[str]:
    roost.hub.drain()
    return [one["type"].removeprefix("service.") for one in roost.log("service.warning", "service.breached")]


@pytest.mark.parametrize(
    ("how", "waits"),
    [
        (CALL, False),
        ({"kind": "visit"}, False),
        ({"kind": "visit", "duration": 600}, False),
        ({"kind": "call", "duration": 0}, True),
        ({"kind": "call"}, True),
        ({"kind": "voicemail", "duration": 20}, True),
        ({"kind": "form"}, True),
    ],
    ids=str,
)
def test_what_a_person_attended_waits_for_nothing(roost: Roost, how: dict[str, Any], waits: bool) -> None:
    roost.hub.set_guidance("acme", HOURLY)
    roost.hear(touch(roost, 1, **how))
    assert [("waiting_since" in one) for one in roost.hub.queue("acme")] == [waits]
    assert len(roost.hub.queue("acme", waiting=True)) == waits
    assert roost.hub.live("acme")["waiting"] == waits
    roost.clock.forward(hours=2)
    assert told(roost) == (["breached"] if waits else [])


def test_who_wrote_before_the_call_goes_on_waiting_as_before(roost: Roost) -> None:
    """The call is a contact of its own, as in the report: it is no answer to what was written."""
    roost.hub.set_guidance("acme", HOURLY)
    roost.hear(touch(roost, 1, "what time do you open?", ago=30))
    before = roost.hub.queue("acme")[0]
    roost.hear(touch(roost, 2, "my card was stolen!", **CALL))
    after = roost.hub.queue("acme")[0]
    assert (after["waiting_since"], after["triage"]) == (before["waiting_since"], before["triage"])
    roost.clock.forward(minutes=31)
    assert told(roost) == ["breached"]


def test_a_call_after_the_answer_leaves_nobody_waiting(roost: Roost) -> None:
    """The answer that was typed elsewhere comes late, when the call is there already."""
    roost.hear(touch(roost, 1, ago=30), touch(roost, 2, ago=10, **CALL))
    roost.hear(touch(roost, 3, "we look into it", ago=20, outbound=True))
    assert "waiting_since" not in roost.hub.queue("acme")[0]
    roost.hear(touch(roost, 4, "still broken", ago=5))
    assert roost.hub.queue("acme")[0]["waiting_since"] == "2026-03-01T12:55:00Z"


def test_an_answer_that_did_not_arrive_makes_no_taken_call_wait(roost: Roost) -> None:
    roost.hear(touch(roost, 1, "is it open?", ago=30))
    roost.sky.blocked.add("dm-kerry")
    roost.reply("At nine.")
    roost.hear(touch(roost, 2, **CALL))
    roost.hub.drain()
    assert roost.states() == ["failed"]
    assert roost.hub.queue("acme")[0]["waiting_since"] == "2026-03-01T12:30:00Z"


def test_a_resolved_matter_is_taken_up_by_the_call_and_waits_for_nothing(roost: Roost) -> None:
    roost.hear(touch(roost, 1, ago=30))
    roost.reply("Sorted.")
    roost.hub.resolve("acme", roost.conversation(), agent="dana")
    roost.clock.forward(minutes=1)
    roost.hear(touch(roost, 2, **CALL))
    one = roost.hub.queue("acme")[0]
    assert (one["status"], "waiting_since" in one) == ("open", False)
    roost.clock.forward(minutes=1)
    roost.hear(touch(roost, 3, "Any promo codes? Use code SAVE10 for 10 % off, buy now!"))
    assert roost.hub.queue("acme")[0]["waiting_since"], "a matter of support stays one"
