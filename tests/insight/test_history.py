"""The same measures over a real store: who is who, what was told, resolved, handed off and edited comes from there."""

import json
from datetime import timedelta
from typing import Any

import pytest
from raven import ACCOUNT, Roost, bird
from raven.events import NOON, edited, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight import settings_of
from socialsupport_core.insight.history import History, read
from socialsupport_core.model import IdentityClaimed, Thread
from socialsupport_core.store import micros

KERRY, MORRIS = "raven.ring:kerry", "raven.ring:morris"


def history(roost: Roost) -> History:
    hub = roost.hub
    conduct = hub.channels.conducting
    found: History = hub._database.read(lambda tx: read(tx, "acme", conduct.of(tx, "acme"), micros(hub.clock())))
    return found


def answer(roost: Roost, text: str, name: str = "kerry", **after: float) -> None:
    roost.clock.forward(**after)
    roost.reply(text, name)
    roost.hub.drain()


@pytest.fixture
def spoken(roost: Roost) -> Roost:
    """Kerry asks, is asked again for what she told, and writes once more; it is resolved."""
    roost.clock.now = NOON + timedelta(seconds=10)
    roost.hear(message(1, "my order 4711 has not come", "kerry"))
    answer(roost, "Sorry! What is your order number?", minutes=30)
    roost.clock.forward(minutes=1)
    roost.hear(message(2, "as I said: 4711", "kerry", at=31 * 60))
    answer(roost, "It is on its way.", minutes=29)
    roost.hub.resolve("acme", roost.conversation(), agent="dana")
    roost.clock.forward(minutes=1)
    return roost


def test_what_was_said_is_read_with_what_it_tells_and_asks(spoken: Roost) -> None:
    found = history(spoken)
    assert [one.by for one in found.touches] == ["customer", "agent", "customer", "agent"]
    assert found.touches[0].told == {"order"}
    assert found.touches[0].topics == {"order:4711"}
    assert found.touches[1].asks == {"order"}
    assert (found.touches[1].agent, found.touches[1].failed) == ("dana", False)
    assert [(one.type, one.agent) for one in found.turns] == [("resolved", "dana")]
    assert not found.touches[3].asks, "it asks nothing"


def test_the_report_counts_it(spoken: Roost) -> None:
    told = spoken.hub.report("acme")
    assert told["matters"]["by_outcome"] == {"resolved": 1}
    assert told["response"]["first"]["p50"] == pytest.approx(30 * 60, abs=11)
    assert told["coverage"]["answered"] == {"share": 1.0, "count": 2, "of": 2}
    assert told["first_contact_resolution"]["share"] == 0.0
    json.dumps(told)


def test_two_that_turned_out_to_be_one_were_one_all_along(roost: Roost) -> None:
    roost.hear(message(1, "hello?", "kerry"), message(2, "is anybody there?", "morris", at=60))
    apart = roost.hub.report("acme")["matters"]
    roost.hub.link("acme", KERRY, MORRIS, agent="dana")
    together = roost.hub.report("acme")["matters"]
    roost.hub.split("acme", KERRY, [MORRIS], agent="dana")
    assert (apart["count"], together["count"]) == (2, 1)
    assert roost.hub.report("acme")["matters"] == apart


def test_what_was_resolved_before_two_became_one_stays_so(roost: Roost) -> None:
    """The turns were taken with a conversation that is superseded now."""
    roost.hear(message(1, "hello?", "kerry"), message(2, "again", "morris", at=60))
    theirs = roost.conversation("morris")
    roost.hub.resolve("acme", theirs, agent="dana")
    roost.hub.reopen("acme", theirs, agent="dana")
    roost.hub.link("acme", KERRY, MORRIS, agent="dana")
    roost.clock.forward(seconds=1)
    assert {turn.conversation for turn in history(roost).turns} == {roost.conversation("kerry")} != {theirs}


def test_what_is_edited_is_known_to_be(roost: Roost) -> None:
    first = message(1, "hello", "kerry")
    roost.hear(first, edited(first, "hello!", at=60))
    assert [one.edited for one in history(roost).touches] == [True]


def test_what_lies_behind_the_end_is_not_there_yet(spoken: Roost) -> None:
    told: dict[str, Any] = spoken.hub.report("acme", until=NOON + timedelta(minutes=10))
    assert (told["matters"]["contacts"], told["matters"]["by_outcome"]) == (1, {"waiting": 1})


def test_a_hand_off_is_read_with_where_the_customer_arrived(roost: Roost) -> None:
    roost.hear(message(1, "hello?", "kerry"))
    given = roost.hub.hand_off("acme", roost.conversation("kerry"), agent="dana")["token"]
    roost.clock.forward(seconds=1)
    assert [one.state for one in history(roost).handed] == ["offered"]
    brought = IdentityClaimed(
        id="claim",
        own_account=ACCOUNT,
        subject=bird("flo").identifiers[0],
        proof="handoff_token",
        token=given,
        thread=Thread(id="dm-flo", visibility="private"),
        at=NOON + timedelta(seconds=30),
    )
    roost.doors["barn"] = roost.hub.add_channel("acme", "barn", "raven", {}, mode="webhook").rsplit("/", 1)[1]
    roost.hear(brought, message(2, "here I am", "flo", at=40), tenant="barn")
    (handed,) = history(roost).handed
    assert (handed.state, handed.channel, handed.arrived_channel) == ("arrived", "tower", "barn")


def test_what_was_typed_in_the_networks_own_app_is_an_answer(roost: Roost) -> None:
    roost.clock.now = NOON + timedelta(hours=1)
    roost.hear(message(1, "hello?", "kerry"), message(2, "hi Kerry", "kerry", at=60, outbound=True))
    assert [(one.by, one.failed) for one in history(roost).touches] == [("customer", False), ("agent", False)]
    assert roost.hub.report("acme")["response"]["first"]["p50"] == 60.0


def test_nothing_of_another_tenant_is_counted(spoken: Roost) -> None:
    spoken.hub.add_tenant("globex", "Globex")
    assert spoken.hub.report("globex")["matters"]["count"] == 0


def test_targets_and_hours_are_the_tenants_unless_the_report_is_given_others(spoken: Roost) -> None:
    """What is said of continuity leaves them, and they leave it."""
    spoken.hub.set_guidance("acme", {"target": 30, "targets": {}, "hours": {"zone": "Europe/Berlin"}})
    spoken.hub.set_conduct("acme", window=timedelta(days=3))
    told = spoken.hub.report("acme")["assumptions"]
    assert (told["target_seconds"], told["hours"]["zone"]) == (30, "Europe/Berlin")
    told = spoken.hub.report("acme", settings=settings_of({"target": 90}))["assumptions"]
    assert (told["target_seconds"], told["hours"]["zone"]) == (90, "Europe/Berlin")
    spoken.hub.set_guidance("acme", {})
    assert spoken.hub.conduct("acme") == {"continuity": {"window": "P3D"}}


def test_guidance_that_makes_no_sense_is_refused_and_changes_nothing(spoken: Roost) -> None:
    spoken.hub.set_guidance("acme", {"target": 30})
    with pytest.raises(ConfigError, match=r"guidance\.targt: there is no such key; did you mean target\?"):
        spoken.hub.set_guidance("acme", {"targt": 30})
    assert spoken.hub.guidance("acme").target == 30


def test_a_reply_is_to_the_message_of_its_own_thread(roost: Roost) -> None:
    """The numbers of messages are often those of their chat alone."""
    other = message(1, "anybody there?", "morris", at=10)
    roost.hear(message(1, "hello?", "kerry"), other.model_copy(update={"id": "another"}))
    roost.hear(message(2, "I mean this", "kerry", at=20, in_reply_to="1"), message(3, "well", "kerry", in_reply_to="9"))
    roost.clock.forward(minutes=5)
    found = {one.id: one for one in history(roost).touches}
    replies = [one for one in found.values() if one.answers]
    assert [(one.customer, found[one.answers or ""].customer) for one in replies] == [(replies[0].customer,) * 2]
    assert len({one.customer for one in found.values()}) == 2


def test_what_is_for_sale_elsewhere_is_no_theme(roost: Roost) -> None:
    roost.hear(
        message(1, "The router shows a red light", at=1), message(2, "Use promo code SAVE10, buy now!", "flo", at=1)
    )
    found = {touch.customer: touch.terms for touch in history(roost).touches}
    assert sorted(found.values()) == [(), ("light", "red", "red light", "router", "router shows", "shows")]
