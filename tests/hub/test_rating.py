"""The question how it went: asked once a matter, in private, and answered without taking anything up again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from raven import Roost, message

from socialsupport_core.model import Thread

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DAY = {"zone": "UTC", "week": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}
QUESTION = "How did it go? Please answer with a number from 1 (badly) to 5 (very well)."


@pytest.fixture
def asking(roost: Roost) -> Roost:
    roost.clock.now = MONDAY
    switch_on(roost)
    return roost


def switch_on(roost: Roost, **more: Any) -> None:
    roost.hub.set_guidance("acme", {"hours": DAY, "rating": {"enabled": True, "after": 60.0} | more})


def hear(roost: Roost, number: int, text: str, who: str = "kerry", **more: Any) -> None:
    roost.clock.forward(minutes=1)
    roost.hear(message(number, text, who, at=roost.clock.now, **more))


def resolve(roost: Roost, number: int = 1, who: str = "kerry", wait: float = 2, **more: Any) -> None:
    """She asks, dana answers and resolves, and some minutes go by."""
    hear(roost, number, "my lamp is broken", who, **more)
    roost.reply("We send you another one.", who)
    roost.hub.drain()
    roost.hub.resolve("acme", roost.conversation(who), agent="dana")
    roost.clock.forward(minutes=wait)
    roost.hub.drain()


def asked(roost: Roost) -> int:
    return "".join(roost.sky.texts()).count("How did it go?")


def shown(roost: Roost, who: str = "kerry") -> tuple[str, bool]:
    one = roost.hub.conversation("acme", roost.conversation(who))
    return one["status"], "waiting_since" in one


def verdicts(roost: Roost) -> dict[str, Any]:
    found: dict[str, Any] = report(roost)["accuracy"]["verdicts"]
    return found


def report(roost: Roost) -> dict[str, Any]:
    """With everything that was said until now."""
    return roost.hub.report("acme", until=roost.clock.now + timedelta(seconds=1))


def test_it_is_asked_once_and_answered_without_reopening(asking: Roost) -> None:
    resolve(asking)
    assert asked(asking) == 1
    assert shown(asking) == ("resolved", False)
    hear(asking, 2, "5 stars, thank you!")
    assert shown(asking) == ("resolved", False)
    assert asking.hub.queue("acme") == []
    (rated,) = asking.log("conversation.rated")
    assert rated["conversation"] == asking.conversation()
    assert (rated["data"]["value"], rated["data"]["agent"]) == (5, "dana")
    turns = asking.hub.conversation("acme", asking.conversation())["turns"]
    assert [one["type"] for one in turns][-1] == "conversation.rated"
    told = report(asking)
    assert told["accuracy"]["verdicts"] == {
        "asked": 1,
        "answered": {"share": 1.0, "count": 1, "of": 1},
        "good": {"share": 1.0, "count": 1, "of": 1},
        "by_value": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 1},
        "mean": 5.0,
    }
    assert told["matters"]["contacts"] == 1, "what is said about it is no contact"
    assert (told["resolution"]["reopened"]["count"], told["resolution"]["resolved"]["count"]) == (0, 1)
    assert (told["response"]["bots"]["count"], told["deflection"]["count"]) == (0, 0), "and the question no answer"
    assert asking.hub.live("acme")["today"]["contacts"] == 1


def test_a_verdict_with_further_words_counts_and_reopens(asking: Roost) -> None:
    resolve(asking)
    hear(asking, 2, "1, still broken")
    assert shown(asking) == ("open", True)
    assert verdicts(asking)["by_value"]["1"] == 1
    asking.reply("And again.")
    asking.hub.resolve("acme", asking.conversation(), agent="dana")
    asking.clock.forward(minutes=10)
    asking.hub.drain()
    assert asked(asking) == 1, "once a matter"
    hear(asking, 3, "5")
    assert shown(asking) == ("open", True), "nobody asked for it"
    assert verdicts(asking)["answered"]["count"] == 1


def test_what_was_taken_up_since_makes_a_digit_an_ordinary_word(asking: Roost) -> None:
    resolve(asking)
    hear(asking, 2, "it is broken again")
    asking.reply("How many lamps are broken?")
    asking.hub.drain()
    hear(asking, 3, "2")
    assert shown(asking) == ("open", True)
    assert verdicts(asking)["answered"] == {"share": 0.0, "count": 0, "of": 1}
    hear(asking, 4, "Very well", choice="rating~4")
    assert verdicts(asking)["by_value"]["4"] == 1, "a button of ours says what it says"


def test_a_verdict_counts_for_a_time(asking: Roost) -> None:
    resolve(asking)
    asking.clock.forward(days=3, minutes=1)
    hear(asking, 2, "great")
    assert shown(asking) == ("open", True)
    assert asking.log("conversation.rated") == []


def test_nobody_is_asked_unless_it_is_switched_on(roost: Roost) -> None:
    roost.clock.now = MONDAY
    resolve(roost)
    switch_on(roost)
    roost.clock.forward(minutes=5)
    roost.hub.drain()
    assert asked(roost) == 0
    hear(roost, 2, "5")
    assert shown(roost) == ("open", True)


def test_nobody_is_asked_in_public_nor_after_going_on(asking: Roost) -> None:
    resolve(asking, visibility="public")
    assert asked(asking) == 0
    resolve(asking, 2, "owl", wait=0)
    hear(asking, 3, "one more thing", "owl")
    asking.clock.forward(minutes=5)
    asking.hub.drain()
    assert asked(asking) == 0


def test_nobody_is_asked_who_wants_no_messages(asking: Roost) -> None:
    hear(asking, 1, "my lamp is broken")
    asking.hub.consent("acme", "raven.ring:kerry", "tower", "out", agent="dana")
    resolve(asking, 2)
    assert asked(asking) == 0


def test_it_waits_for_the_hours_but_not_for_ever(asking: Roost) -> None:
    asking.clock.now = MONDAY.replace(hour=16, minute=58)
    resolve(asking)
    assert asked(asking) == 0
    asking.clock.now = MONDAY + timedelta(days=1)
    asking.hub.drain()
    assert asked(asking) == 1
    asking.clock.now = MONDAY.replace(hour=16, minute=58) + timedelta(days=2)
    resolve(asking, 2, "owl")
    asking.clock.now += timedelta(days=5)
    asking.hub.drain()
    assert asked(asking) == 1


def test_a_rule_may_forbid_it(asking: Roost) -> None:
    rule = {"verdict": "refuse", "reason": "no numbers", "pattern": "number from"}
    given = {"hours": DAY, "rating": {"enabled": True, "after": 0.0}, "policy": {"rules": {"no_numbers": rule}}}
    asking.hub.set_guidance("acme", given)
    resolve(asking)
    assert asked(asking) == 0


def test_only_on_the_channels_named_and_in_the_customers_language(asking: Roost) -> None:
    switch_on(asking, channels=["email"])
    resolve(asking)
    assert asked(asking) == 0
    switch_on(asking, channels=["raven"])
    asking.hub.set_templates("acme", '[fr]\nrating = "Alors ?"')
    resolve(asking, 2, "odile", language="fr")
    assert "Alors ?" in "".join(asking.sky.texts())
    hear(asking, 3, "Très bien, merci", "odile")
    assert verdicts(asking)["by_value"]["4"] == 1


def test_buttons_where_the_network_has_them(asking: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = asking.hub.channels.get("acme", "tower").connector
    wider = connector.capabilities.model_copy(update={"choices": 5})
    monkeypatch.setattr(type(connector), "capabilities", wider)
    resolve(asking)
    question = asking.timeline()[-1]["interaction"]
    assert [one["title"] for one in question["choices"]] == ["1", "2", "3", "4", "5"]
    hear(asking, 2, "four", choice="rating~4")
    assert shown(asking) == ("resolved", False)
    assert verdicts(asking)["by_value"]["4"] == 1


def test_what_a_person_has_said_is_erased(asking: Roost) -> None:
    resolve(asking)
    hear(asking, 2, "5")
    assert asking.hub.erase("acme", "raven.ring:kerry", agent="dana")["removed"]["ratings"] == 1


def test_a_matter_of_which_a_part_was_asked_about_is_not_asked_about_again(asking: Roost) -> None:
    resolve(asking)
    first = asking.conversation()
    asking.clock.forward(hours=1)
    hear(asking, 2, "my oven is cold", thread=Thread(id="dm-oven", visibility="private"))
    second = asking.conversation()
    assert second != first
    asking.hub.merge_conversation("acme", first, second, agent="dana")
    asking.hub.resolve("acme", second, agent="dana")
    asking.clock.forward(minutes=5)
    asking.hub.drain()
    assert asked(asking) == 1
