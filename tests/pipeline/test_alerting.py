"""Warnings and breaches: once each for a contact that waits, after a restart too, and by several workers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from raven import Roost, message
from raven.events import NOON

from socialsupport_core.pipeline.alerting import Alerting
from socialsupport_core.web.happenings import EVENTS

HOURLY = {"target": 3600, "targets": {}, "urgencies": {}}


@pytest.fixture
def asked(roost: Roost) -> Roost:
    """Kerry has asked something; it is to be answered within an hour."""
    roost.hub.set_guidance("acme", HOURLY)
    roost.hear(message(1, "what time do you open?", at=roost.clock.now))
    return roost


def pass_time(roost: Roost, **span: float) -> None:
    roost.clock.forward(**span)
    roost.hub.drain()


def told(roost: Roost) -> list[str]:
    return [one["type"].removeprefix("service.") for one in roost.log("service.warning", "service.breached")]


def test_a_warning_comes_at_three_quarters_and_a_breach_when_it_is_over(asked: Roost) -> None:
    pass_time(asked, minutes=44)
    assert told(asked) == []
    pass_time(asked, minutes=2)
    assert told(asked) == ["warning"]
    pass_time(asked, minutes=13)
    assert told(asked) == ["warning"]
    pass_time(asked, minutes=2)
    assert told(asked) == ["warning", "breached"]
    for _ in range(3):
        pass_time(asked, days=1)
    assert told(asked) == ["warning", "breached"]
    warning = asked.log("service.warning")[0]
    assert warning["conversation"] == asked.conversation()
    assert (warning["channel"], warning["data"]) == (
        "tower",
        {
            "waiting_since": "2026-03-01T13:00:00Z",
            "due_at": "2026-03-01T14:00:00Z",
            "target": 3600,
            "urgency": "normal",
            "kind": "question",
        },
    )


def test_nobody_is_told_of_what_was_answered_or_resolved(asked: Roost) -> None:
    asked.reply("At nine.")
    pass_time(asked, hours=5)
    asked.hear(message(2, "and on Sunday?", at=asked.clock.now))
    asked.hub.resolve("acme", asked.conversation(), agent="dana")
    pass_time(asked, hours=5)
    assert told(asked) == []


def test_a_new_contact_is_warned_of_anew(asked: Roost) -> None:
    pass_time(asked, hours=2)
    asked.reply("At nine.")
    pass_time(asked, minutes=1)
    asked.hear(message(2, "and on Sunday?", at=asked.clock.now))
    pass_time(asked, minutes=50)
    pass_time(asked, minutes=50)
    assert told(asked) == ["breached", "warning", "breached"]


def test_an_answer_that_does_not_arrive_makes_no_new_contact(asked: Roost) -> None:
    pass_time(asked, hours=2)
    assert told(asked) == ["breached"]
    asked.sky.blocked.add("dm-kerry")
    asked.reply("At nine.")
    pass_time(asked, minutes=1)
    assert asked.states() == ["failed"]
    assert "waiting_since" in asked.hub.queue("acme")[0]
    pass_time(asked, hours=2)
    assert told(asked) == ["breached"]


def test_what_comes_late_makes_no_new_contact_either(asked: Roost) -> None:
    pass_time(asked, minutes=46)
    asked.hear(message("0", "hello", at=NOON + timedelta(minutes=55)))
    pass_time(asked, minutes=1)
    assert told(asked) == ["warning"]
    pass_time(asked, hours=2)
    asked.hear(message("00", "hello", at=NOON + timedelta(minutes=50)))
    pass_time(asked, hours=2)
    assert told(asked) == ["warning", "breached"]


def test_more_words_do_not_put_it_off_and_urgent_ones_hurry(asked: Roost) -> None:
    asked.hub.set_guidance("acme", HOURLY | {"urgencies": {"high": 0.5}})
    pass_time(asked, minutes=20)
    asked.hear(message(2, "my card was stolen", at=asked.clock.now))
    assert asked.hub.queue("acme")[0]["triage"]["due_at"] == "2026-03-01T13:30:00Z"
    pass_time(asked, minutes=11)
    assert told(asked)[-1] == "breached"


def test_history_that_is_read_back_warns_nobody(roost: Roost) -> None:
    roost.hub.set_guidance("acme", HOURLY)
    roost.hear(message(1, "hello", at=roost.clock.now - timedelta(days=30)))
    pass_time(roost, hours=5)
    assert told(roost) == []


def test_neither_a_restart_nor_other_targets_warn_of_it(roost: Roost) -> None:
    roost.hub.set_guidance("acme", HOURLY)
    roost.hear(message(1, "hello", at=roost.clock.now - timedelta(days=30)))
    for target in (3600, 1800):
        roost.reopen()
        roost.hub.set_guidance("acme", HOURLY | {"target": target})
        pass_time(roost, hours=1)
    assert told(roost) == []


def test_a_mistake_of_ours_holds_up_nothing_else(
    asked: Roost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> None:
        raise ArithmeticError

    with monkeypatch.context() as patch:
        patch.setattr("socialsupport_core.pipeline.alerting._look_at", fails)
        pass_time(asked, hours=2)
    assert "the targets of acme could not be looked at" in caplog.text
    assert told(asked) == []
    pass_time(asked, minutes=1)
    assert told(asked) == ["breached"]


def test_marketing_waits_for_nobody(roost: Roost) -> None:
    roost.hub.set_guidance("acme", HOURLY)
    roost.hear(message(1, "any promo codes?", at=roost.clock.now))
    pass_time(roost, hours=5)
    assert told(roost) == []
    roost.hub.triage("acme", roost.conversation(), "question", agent="dana")
    pass_time(roost, hours=1)
    assert told(roost) == ["breached"]


def test_other_targets_hold_for_who_waits_already(asked: Roost) -> None:
    asked.hub.set_guidance("acme", HOURLY | {"target": 7200})
    pass_time(asked, minutes=80)
    assert told(asked) == []
    asked.hub.set_guidance("acme", HOURLY | {"target": 6000})
    pass_time(asked, minutes=1)
    assert told(asked) == ["warning"]
    asked.hub.set_guidance("acme", HOURLY)
    pass_time(asked, minutes=1)
    assert told(asked) == ["warning", "breached"]


def test_by_the_hours_a_night_is_no_waiting(roost: Roost) -> None:
    week = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    roost.hub.set_guidance("acme", HOURLY | {"hours": {"week": week}})
    roost.hear(message(1, "hello", at=roost.clock.now))  # a Sunday
    pass_time(roost, hours=20)  # Monday, 9:00
    assert told(roost) == []
    pass_time(roost, minutes=46)
    assert told(roost) == ["warning"]
    pass_time(roost, minutes=15)
    assert told(roost) == ["warning", "breached"]


def test_after_a_restart_it_goes_on(asked: Roost) -> None:
    pass_time(asked, minutes=46)
    asked.reopen()
    pass_time(asked, minutes=1)
    asked.reopen()
    pass_time(asked, hours=1)
    assert told(asked) == ["warning", "breached"]


def test_several_workers_tell_once(asked: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen the same before either has written."""
    hub = asked.hub
    asked.clock.forward(hours=2)
    two = [
        Alerting(hub._database, lambda tx, one: hub.channels.conducting.of(tx, one).guidance, hub.clock)
        for _ in range(2)
    ]
    looks: list[Any] = []
    for one in two:
        monkeypatch.setattr(one, "_look", lambda *given, one=one: looks.append((one, given)))
        asyncio.run(one.turn(at_once=True))
    for one, given in looks:
        Alerting._look(one, *given)
    assert len(looks) == 2
    assert told(asked) == ["breached"]


def test_an_answer_between_look_and_word_cancels_it(asked: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = asked.hub
    asked.clock.forward(hours=2)
    one = Alerting(hub._database, lambda tx, name: hub.channels.conducting.of(tx, name).guidance, hub.clock)
    looks: list[Any] = []
    monkeypatch.setattr(one, "_look", lambda *given: looks.append(given))
    asyncio.run(one.turn(at_once=True))
    hub.resolve("acme", asked.conversation(), agent="dana")
    Alerting._look(one, *looks[0])
    assert told(asked) == []


def test_what_is_told_has_the_shape_that_is_promised(asked: Roost) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    pass_time(asked, minutes=46)
    pass_time(asked, hours=2)
    asked.hear(message(2, "any promo codes?", "flo", at=asked.clock.now))
    types = ("service.warning", "service.breached", "conversation.triaged")
    found = {one["type"]: one["data"] for one in asked.log(*types)}
    assert set(found) == set(types)
    for name, data in found.items():
        jsonschema.validate(data, EVENTS[name][1])


def test_a_merge_between_look_and_word_holds_nobody_up(asked: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = asked.hub
    asked.hear(message(2, "and when do you close?", "morris", at=asked.clock.now))
    asked.clock.forward(hours=2)
    one = Alerting(hub._database, lambda tx, name: hub.channels.conducting.of(tx, name).guidance, hub.clock)
    looks: list[Any] = []
    monkeypatch.setattr(one, "_look", lambda *given: looks.append(given))
    asyncio.run(one.turn(at_once=True))
    hub.link("acme", "raven.ring:kerry", "raven.ring:morris", agent="dana")
    Alerting._look(one, *looks[0])
    assert told(asked) == ["breached"]
