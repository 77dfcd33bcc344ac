"""A word to who writes at night: once, on the customer's channel, with an honest time, never in a circle."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from raven import Clock, Roost, Sky, message

DAY = {"zone": "Europe/Berlin", "week": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}
NIGHT = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)  # a Monday
OPENS = "2026-03-03 09:00 (Europe/Berlin)"


@pytest.fixture
def night(roost: Roost) -> Roost:
    roost.clock.now = NIGHT
    return roost


def switch_on(roost: Roost, **more: Any) -> None:
    given = {"hours": DAY, "target": 7200.0, "acknowledge": {"enabled": True} | more}
    for tenant in ("acme", "rival"):
        roost.hub.set_guidance(tenant, given)


def hear(roost: Roost, number: int, text: str = "hello", who: str = "kerry", **more: Any) -> None:
    roost.hear(message(number, text, who, at=roost.clock.now, **more))


def test_nothing_is_said_unless_it_is_switched_on(night: Roost) -> None:
    night.hub.set_guidance("acme", {"hours": DAY})
    hear(night, 1)
    assert night.sky.texts() == []


def test_who_writes_at_night_is_told_once_when_to_expect_an_answer(night: Roost) -> None:
    switch_on(night)
    hear(night, 1)
    (said,) = ["".join(night.sky.texts())]
    assert OPENS in said
    assert "by 2026-03-03 11:00" in said
    hear(night, 2, "are you there?")
    night.clock.forward(hours=2)
    hear(night, 3, "hello?")
    assert "".join(night.sky.texts()) == said
    (waiting,) = night.hub.queue("acme", waiting=True)
    assert waiting["waiting_since"] == "2026-03-02T20:00:00Z"
    entry = next(one for one in night.timeline() if one["interaction"]["direction"] == "outbound")
    assert entry["agent"] == "auto"
    assert entry["interaction"]["author"]["is_bot"]


def test_within_the_hours_nobody_is(night: Roost) -> None:
    switch_on(night)
    night.clock.now = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
    hear(night, 1)
    night.clock.forward(minutes=5)
    night.hub.drain()
    assert night.sky.texts() == []


def test_recent_answers_tell_what_to_expect(night: Roost) -> None:
    for n in range(6):
        night.clock.now = datetime(2026, 2, 23 + n % 4, 10, n, tzinfo=UTC)
        hear(night, n + 10, who=f"bird{n}")
        night.clock.forward(minutes=30)
        night.hub.reply("acme", night.conversation(f"bird{n}"), "Yes", agent="dana")
        night.hub.drain()
    before = len(night.sky.texts())
    night.clock.now = NIGHT
    switch_on(night)
    hear(night, 1)
    assert "by 2026-03-03 09:30" in "".join(night.sky.texts()[before:])


def test_in_the_customers_language_or_the_tenants_words(night: Roost) -> None:
    switch_on(night)
    night.hub.set_templates("acme", '[fr]\naway = "Nous revenons : {opens}"')
    hear(night, 1, who="hans", language="de")
    hear(night, 2, who="odile", language="fr")
    told = "".join(night.sky.texts())
    assert "Gerade ist niemand da" in told
    assert f"Nous revenons : {OPENS}" in told


def test_in_public_only_if_wanted_and_then_without_a_time(night: Roost) -> None:
    switch_on(night)
    hear(night, 1, visibility="public")
    assert night.sky.texts() == []
    switch_on(night, public=True)
    hear(night, 2, visibility="public", who="owl")
    (said,) = night.sky.texts()
    assert said.startswith("Thank you for writing")
    assert "2026" not in said


def test_bots_are_told_nothing(night: Roost) -> None:
    switch_on(night)
    event = message(1, "I am on holiday", "kerry", at=night.clock.now)
    author = event.interaction.author.model_copy(update={"is_bot": True})
    night.hear(event.model_copy(update={"interaction": event.interaction.model_copy(update={"author": author})}))
    assert night.sky.texts() == []


def test_only_on_the_channels_named(night: Roost) -> None:
    switch_on(night, channels=["email"])
    hear(night, 1)
    assert night.sky.texts() == []
    switch_on(night, channels=["raven"])
    hear(night, 2, who="owl")
    assert len(night.sky.texts()) > 0


def test_what_is_old_news_is_not_told(night: Roost) -> None:
    hear(night, 1)
    night.clock.forward(hours=2)
    switch_on(night)
    night.hub.drain()
    assert night.sky.texts() == []


def test_a_new_matter_within_a_day_is_not_acknowledged_again(night: Roost) -> None:
    switch_on(night)
    hear(night, 1)
    said = len(night.sky.texts())
    night.hub.resolve("acme", night.conversation(), agent="dana")
    night.clock.forward(hours=3)
    hear(night, 2, "something else")
    assert len(night.sky.texts()) == said
    night.hub.reply("acme", night.conversation(), "Yes?", agent="dana")
    night.hub.drain()
    night.clock.forward(hours=24)
    hear(night, 3, "and again")
    assert len(night.sky.texts()) == 2 * said + 1


def test_it_goes_with_its_customer(night: Roost) -> None:
    switch_on(night)
    hear(night, 1)
    assert night.hub.erase("acme", "raven.ring:kerry", agent="dana")["removed"]["told_away"] == 1


def test_two_hubs_that_answer_by_themselves_do_not_talk_for_ever(tmp_path: Path) -> None:
    """Each takes what the other says for a customer's message, and neither says that it is a machine."""
    clock = Clock(NIGHT)
    houses = []
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        houses.append(Roost(folder, clock=clock, sky=Sky(clock=clock)))
        switch_on(houses[-1])
    here, there = houses
    hear(here, 1, "hello", who="there")
    seen, number = [0, 0], 100
    for _ in range(20):
        clock.forward(minutes=7)
        for speaker, listener, which in ((here, there, 0), (there, here, 1)):
            texts = speaker.sky.texts()[seen[which] :]
            seen[which] += len(texts)
            for text in texts:
                number += 1
                hear(listener, number, text, who="here" if speaker is here else "there")
    spoken = [
        len(
            {
                one["interaction"]["client_key"].split("/")[0]
                for one in house.timeline(who)
                if one.get("agent") == "auto"
            }
        )
        for house, who in ((here, "there"), (there, "here"))
    ]
    for house in houses:
        house.hub.close()
    assert spoken == [1, 1]
