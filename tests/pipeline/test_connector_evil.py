"""A connector that goes wrong, whatever of it goes wrong, keeps no other channel from anything."""

import inspect
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, edited, message

from socialsupport_core.contract import Connector, SocialSupportError
from socialsupport_core.model import Attachment

VERBS = [name for name in dir(Connector) if inspect.isfunction(getattr(Connector, name)) and not name.startswith("_")]


def evil(verb: str, how: Any) -> type[Connector[Any]]:
    def raising(*given: Any, **more: Any) -> Any:
        raise how

    def answering(*given: Any, **more: Any) -> Any:
        return how

    wrong = raising if isinstance(how, type) else answering
    return type("Evil", (Raven,), {"name": "evil", verb: property(wrong) if verb == "hosts" else wrong})


def speak(roost: Roost, door: str, *events: Any) -> None:
    for method in ("GET", "POST"):
        with suppress(SocialSupportError):  # refused, and nothing else
            roost.hub.receive(door, roost.payload(*events, method=method)).result()
    roost.hub.drain()


def live_through(roost: Roost, door: str, who: str, first: int) -> None:
    picture = Attachment(native_id=f"a-{first}", media_type="image/png")
    said = message(first, "whre is it?", who, at=roost.clock.now, attachments=[picture])
    speak(roost, door, said)
    speak(roost, door, edited(said, "where is it?", 4000))
    with suppress(SocialSupportError, LookupError):  # nothing was heard, so there is nobody
        roost.timeline(who)
        roost.reply("on its way", who)
    roost.hub.drain()


@pytest.mark.parametrize("how", [KeyError, SystemExit, 7, None], ids=["KeyError", "SystemExit", "seven", "nothing"])
@pytest.mark.parametrize("verb", [*VERBS, "hosts"])
@pytest.mark.parametrize("mode", ["webhook", "poll"])
def test_whatever_goes_wrong_the_rest_goes_on(tmp_path: Path, mode: str, verb: str, how: Any) -> None:
    roost = Roost(tmp_path, evil(verb, how), Raven)
    try:
        door = roost.hub.add_channel("acme", "a_first", "evil", {}, mode=mode).rsplit("/", 1)[1]
        live_through(roost, door, "eve", 1)
        live_through(roost, roost.doors["acme"], "robin", 50)
        both = roost.conversation("robin")
        offered = {one["channel"] for one in roost.hub.hand_off_targets("acme", both)["targets"]}
        assert "tower" in offered
        roost.hub.queue("acme")
        for _ in range(3):
            roost.clock.forward(minutes=2)
            roost.hub.drain()
        assert roost.texts("robin") == ["where is it?", "on its way"]
        assert roost.states("robin") == ["sent"]
        assert "on its way" in str(roost.sky.texts())
        assert roost.journal()["unexplained"] == 0
        assert roost.hub.health()["outbox"].get("sending", 0) == 0
    finally:
        roost.hub.close()
