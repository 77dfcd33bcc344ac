"""Where an answer goes that names no place: never from private into public, and nowhere where that is unclear."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, bird, message

from socialsupport_core.hub import ReplyRefused
from socialsupport_core.model import Identifier, Party


class Brief(Raven):
    """Ravens that wait a day for an answer in private."""

    capabilities = Raven.capabilities.model_copy(update={"reply_window": timedelta(days=1)})


@pytest.fixture
def roost(tmp_path: Path) -> Iterator[Roost]:
    made = Roost(tmp_path, Brief)
    made.doors["bridge"] = made.hub.add_channel("acme", "bridge", "raven", {}, mode="webhook").rsplit("/", 1)[1]
    yield made
    made.hub.close()


def hears(roost: Roost, native: int, text: str, who: str = "kerry", door: str = "acme", **more: Any) -> None:
    roost.clock.forward(minutes=1)
    party = more.pop("party", None) or bird(who)
    told = message(native, text, who, at=roost.clock.now, **more)
    known = told.model_copy(update={"interaction": told.interaction.model_copy(update={"author": party})})
    roost.hear(known, tenant=door)


def goes_to(roost: Roost, conversation: str | None = None, **how: Any) -> tuple[str, str]:
    """The channel and the visibility of what is really sent; the page and the plan are told the same."""
    found = roost.hub.conversation("acme", conversation or roost.conversation())
    legs = {leg["id"]: leg for leg in found["legs"]}
    planned = roost.hub.plan("acme", found["id"], "We look into it", agent="dana", **how)
    sent = roost.hub.reply("acme", found["id"], "We look into it", agent="dana", **how)["leg"]
    assert planned["leg"] == sent
    assert how or found["reply_leg"] == sent
    roost.hub.drain()
    return legs[sent]["channel"], legs[sent]["visibility"]


def test_what_was_said_in_public_only_is_answered_there(roost: Roost) -> None:
    hears(roost, 1, "help!", visibility="public")
    assert goes_to(roost) == ("tower", "public")


def test_once_it_is_private_it_stays_private(roost: Roost) -> None:
    hears(roost, 1, "help!", visibility="public")
    hears(roost, 2, "in confidence")
    hears(roost, 3, "still nothing!", visibility="public")
    assert goes_to(roost) == ("tower", "private")
    legs = roost.hub.conversation("acme", roost.conversation())["legs"]
    (public,) = [one["id"] for one in legs if one["visibility"] == "public"]
    assert goes_to(roost, leg=public) == ("tower", "public")  # who says so means it


def test_a_thread_that_takes_no_answers_any_more_gives_way_to_one_that_does_and_never_to_the_public(
    roost: Roost,
) -> None:
    hears(roost, 1, "on the bridge", door="bridge")
    roost.clock.forward(hours=22)
    hears(roost, 2, "in the tower")
    hears(roost, 3, "help!", visibility="public")
    assert goes_to(roost) == ("tower", "private")
    roost.hub.set_channel_state("acme", "tower", "paused")
    assert goes_to(roost) == ("bridge", "private")
    roost.clock.forward(days=3)
    with pytest.raises(ReplyRefused, match="takes answers for 24 h"):
        goes_to(roost)


def test_nobody_is_told_in_private_what_somebody_else_has_asked_in_public(roost: Roost) -> None:
    """A number that somebody has written down makes them one customer for us, and proves nothing."""
    phone = Identifier(kind="phone", value="+15550147")
    mallory = Party(identifiers=(Identifier(kind="jay.nest", value="mallory"), phone), name="Mallory")
    hears(roost, 1, "it is me", "mallory", door="bridge", party=mallory)
    hears(roost, 2, "help!", visibility="public", party=bird("kerry", phone))
    conversation = roost.conversation()
    assert len(roost.hub.queue("acme")) == 1
    assert "reply_leg" not in roost.hub.conversation("acme", conversation)
    for say in (roost.hub.reply, roost.hub.plan, roost.hub.draft):
        with pytest.raises(
            ReplyRefused, match=r"name the leg that is meant \(\d: bridge, private, \d: tower, public\)"
        ):
            say("acme", conversation, "Your refund is under way", agent="dana")
    assert roost.hub.answers("acme", conversation, agent="dana") == []
    hears(roost, 3, "hello?", "mallory", door="bridge", party=mallory)
    assert goes_to(roost, conversation) == ("bridge", "private")  # whoever spoke last is answered
    roost.hub.drain()
    assert roost.sky.texts() == ["We look into it"]


def test_a_private_thread_is_opened_for_who_has_spoken_in_public(roost: Roost) -> None:
    hears(roost, 1, "in confidence")
    hears(roost, 2, "help!", visibility="public")
    sent = roost.hub.reply("acme", roost.conversation(), "Let us talk", agent="dana", private=True)
    legs = {leg["id"]: leg["visibility"] for leg in roost.hub.conversation("acme", roost.conversation())["legs"]}
    assert legs[sent["leg"]] == "public"
    roost.hub.drain()
    assert {one["thread"] for one in roost.sky.messages} == {"dm-kerry"}


def test_a_note_and_a_hand_off_know_where_the_customer_is(roost: Roost) -> None:
    hears(roost, 1, "in confidence")
    hears(roost, 2, "help!", visibility="public")
    assert roost.hub.hand_off_targets("acme", roost.conversation())["visibility"] == "public"
    roost.hub.note("acme", roost.conversation(), "Looks like the lamp", agent="dana")
    assert roost.sky.texts() == []
