"""Polling: payloads and cursor in one commit, and a channel that changes or breaks changes and breaks alone."""

import json
import time
from collections.abc import Callable
from typing import Any

from raven import Raven, Roost, message
from raven.events import NOON

from socialsupport_core.contract import Flow, RateLimited
from socialsupport_core.model import Page


def wait_for(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def letters(roost: Roost, first: int, last: int) -> None:
    roost.sky.letters += [json.loads(message(n, f"text {n}", at=n).to_json()) for n in range(first, last)]


def texts(roost: Roost) -> list[str]:
    found = roost.hub.find_customers("acme", "kerry")
    return roost.texts() if found else []


def polled(roost: Roost) -> list[str]:
    """The cursors with which the network was asked."""
    return [call.url.params["after"] for call in roost.sky.calls if call.url.path == "/letters"]


def test_everything_that_waits_there_arrives_and_what_comes_later_too(roost: Roost) -> None:
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    letters(roost, 0, 5)
    roost.hub.start()
    wait_for(lambda: texts(roost) == [f"text {n}" for n in range(5)])
    letters(roost, 5, 7)
    wait_for(lambda: len(texts(roost)) == 7)
    roost.hub.workers.stop()
    assert polled(roost)[:4] == ["0", "2", "4", "5"]
    assert roost.journal()["unexplained"] == 0


def test_a_restart_goes_on_from_the_cursor(roost: Roost) -> None:
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    letters(roost, 0, 3)
    roost.hub.start()
    wait_for(lambda: len(texts(roost)) == 3)
    roost.reopen()
    roost.sky.calls.clear()
    roost.hub.start()
    wait_for(lambda: bool(polled(roost)))
    assert polled(roost)[0] == "3"


def test_what_is_polled_and_pushed_is_there_once(roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="poll")
    letters(roost, 0, 3)
    roost.deliver(*(message(n, f"text {n}", at=n) for n in range(3)))
    roost.hub.start()
    wait_for(lambda: roost.journal()["accepted"] == 4 and roost.journal()["waiting"] == 0)
    assert texts(roost) == ["text 0", "text 1", "text 2"]


def test_new_settings_are_used_at_once(roost: Roost) -> None:
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    roost.hub.start()
    wait_for(lambda: bool(polled(roost)))
    roost.hub.add_channel("acme", "loft", "raven", {"token": "fresh-token"}, mode="poll")
    wait_for(lambda: roost.sky.calls[-1].headers["authorization"] == "Bearer fresh-token")
    calls = len(roost.sky.calls)
    wait_for(lambda: len(roost.sky.calls) > calls)
    assert all(one.headers["authorization"] == "Bearer fresh-token" for one in roost.sky.calls[calls:])


def test_a_paused_channel_is_not_polled(roost: Roost) -> None:
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    roost.hub.start()
    wait_for(lambda: bool(polled(roost)))
    roost.hub.set_channel_state("acme", "loft", "paused")
    roost.hub.bell.ring()
    time.sleep(0.3)
    calls = len(roost.sky.calls)
    time.sleep(2.3)
    assert len(roost.sky.calls) == calls
    assert {one["id"]: one["state"] for one in roost.hub.list_channels("acme")}["loft"] == "paused"


def test_a_cursor_that_stands_still_is_not_asked_about_without_a_pause(roost: Roost) -> None:
    class Stuck(Raven):
        def poll(self, cursor: str | None) -> Flow[Page]:
            yield self.ask("GET", "/letters", params={"after": "0"})
            return Page(cursor="here", more=True)

    roost.reopen(Stuck)
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    roost.hub.start()
    wait_for(lambda: len(polled(roost)) == 2)
    time.sleep(0.5)
    assert len(polled(roost)) == 2


def test_a_poll_that_is_told_to_wait_is_no_trouble(roost: Roost) -> None:
    class Busy(Raven):
        def poll(self, cursor: str | None) -> Flow[Page]:
            yield self.ask("GET", "/letters", params={"after": "0"})
            raise RateLimited("slowly", retry_after=0.05)

    roost.reopen(Busy)
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    roost.hub.start()
    wait_for(lambda: len(polled(roost)) >= 3)
    assert (roost.hub.health()["status"], roost.hub.health()["failing"]) == ("ok", [])


def test_a_page_without_a_cursor_begins_anew(roost: Roost) -> None:
    class Forgetful(Raven):
        def poll(self, cursor: str | None) -> Flow[Page]:
            yield self.ask("GET", "/letters", params={"after": cursor or "0"})
            return Page(cursor=None if cursor else "7", more=True)

    roost.reopen(Forgetful)
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    roost.hub.start()
    wait_for(lambda: len(polled(roost)) >= 3)
    assert polled(roost)[:3] == ["0", "7", "0"]


def test_a_poll_that_fails_in_its_own_way_is_shown_and_the_rest_goes_on(roost: Roost) -> None:
    class Broken(Raven):
        def poll(self, cursor: str | None) -> Flow[Page]:
            raise ZeroDivisionError("raven-token-1")

    roost.reopen(Broken)
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    roost.hub.start()
    wait_for(lambda: roost.hub.health()["status"] == "degraded")
    roost.deliver(message(1, "hello", at=NOON))
    wait_for(lambda: roost.journal()["recorded"] == 1)
    roost.reply("hi")
    wait_for(lambda: roost.states() == ["sent"])
    shown: Any = roost.hub.health()
    assert "ZeroDivisionError" in shown["failing"][0]
    assert "raven-token-1" not in str(shown)
