"""A channel that turns says so once, with what to do, and says once that it is well again."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, ClassVar

import httpx
import pytest
from raven import Raven, Roost, message

from socialsupport_core.contract import AuthExpired, DeliveryError, Flow, Unsupported
from socialsupport_core.model import Page, Payload


def wait_for(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def changes(roost: Roost) -> list[dict[str, Any]]:
    found, page = list[dict[str, Any]](), roost.hub.events("acme", limit=500)
    while page:
        found += [one["data"] for one in page if one["type"] == "channel.changed"]
        page = roost.hub.events("acme", page[-1]["cursor"], limit=500)
    return found


def turns(roost: Roost) -> list[str]:
    return [one["state"] for one in changes(roost)]


def shown(roost: Roost, channel: str = "tower") -> dict[str, Any]:
    return next(one for one in roost.hub.list_channels("acme") if one["id"] == channel)


def say(roost: Roost, number: int) -> None:
    roost.hear(message(number, "hello", at=roost.clock.now))


def weeks_of_office_hours(roost: Roost, weeks: int = 3) -> None:
    """Twenty messages an hour from nine to noon on every day. Ends at noon."""
    number = 0
    for _ in range(weeks * 7):
        roost.clock.now = roost.clock.now.replace(hour=9, minute=0) + timedelta(days=1)
        for _ in range(3):
            roost.deliver(*(message(number + n, "hello", at=roost.clock.now) for n in range(20)))
            number += 20
            roost.clock.forward(hours=1)
    roost.hub.drain()


# silence


def test_a_channel_that_falls_silent_against_its_habit_says_so_once_and_when_it_is_well(roost: Roost) -> None:
    weeks_of_office_hours(roost)
    roost.clock.forward(hours=21)  # the whole night, and it is nine again
    roost.hub.examine()
    assert turns(roost) == []
    roost.clock.forward(minutes=59)
    roost.hub.examine()
    assert turns(roost) == []
    for _ in range(5):
        roost.clock.forward(minutes=30)
        roost.hub.examine()
    assert turns(roost) == ["silent"]
    reason = changes(roost)[0]["reason"]
    assert reason == shown(roost)["reason"]
    assert reason.startswith("nothing has come in since 2026-03-22 11:00:00 UTC, where about ")
    assert reason.endswith(
        "messages would have been usual since then: test the connection;"
        " look in the network's own settings whether it still calls this channel's door, and subscribe again"
    )
    found = roost.hub.health()
    assert (found["status"], found["channels"]) == ("degraded", {"active": 1, "silent": 1})
    assert found["failing"] == [f"acme/tower: {reason}"]
    say(roost, 10_000)
    roost.hub.examine()
    roost.hub.examine()
    assert turns(roost) == ["silent", "active"]
    assert roost.hub.health()["status"] == "ok"
    assert "reason" not in shown(roost)


def test_a_send_that_succeeds_does_not_end_a_silence(roost: Roost) -> None:
    weeks_of_office_hours(roost)
    roost.clock.forward(hours=23)
    roost.hub.examine()
    roost.reply("are you there?")
    roost.hub.drain()
    assert roost.states() == ["sent"]
    assert (turns(roost), shown(roost)["state"]) == (["silent"], "silent")


def test_a_quiet_shop_is_left_alone(roost: Roost) -> None:
    for number in range(12):
        say(roost, number)
        roost.clock.forward(days=3)
    roost.clock.forward(days=9)
    roost.hub.examine()
    assert turns(roost) == []


def test_what_is_imported_is_no_sign_of_life_and_no_rhythm(roost: Roost) -> None:
    for week in range(5):
        lines = json.dumps([json.loads(message(f"{week}-{n}", "x", at=roost.clock.now).to_json()) for n in range(90)])
        roost.hub.import_file("acme", "tower", lines.encode(), "old")
        roost.hub.drain()
        roost.clock.forward(weeks=1)
    roost.clock.forward(days=1)
    roost.hub.examine()
    assert (turns(roost), "last_heard_at" in shown(roost)) == ([], False)


def test_what_an_operator_expects_holds_from_the_first_day(roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=4))
    assert shown(roost)["expect_within"] == 14400
    roost.clock.forward(hours=4)
    roost.hub.examine()
    assert turns(roost) == []
    roost.clock.forward(minutes=1)
    roost.hub.examine()
    roost.hub.examine()
    assert turns(roost) == ["silent"]
    assert "something is expected every 4 hours" in shown(roost)["reason"]
    say(roost, 1)
    roost.hub.examine()
    roost.clock.forward(hours=4, minutes=1)
    roost.hub.examine()
    assert turns(roost) == ["silent", "active", "silent"]
    roost.hub.change_channel("acme", "tower", {}, expect_within=timedelta(0))
    roost.hub.examine()
    assert (turns(roost)[3:], "expect_within" in shown(roost)) == (["active"], False)


def test_a_change_of_something_else_leaves_the_expectation(roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=4))
    roost.hub.change_channel("acme", "tower", {"token": "another"})
    assert shown(roost)["expect_within"] == 14400


def test_a_paused_channel_is_not_missed_and_is_watched_anew_when_it_goes_on(roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=4))
    roost.hub.set_channel_state("acme", "tower", "paused", "closed")
    roost.clock.forward(days=3)
    roost.hub.examine()
    roost.hub.set_channel_state("acme", "tower", "active")
    roost.clock.forward(hours=3)
    roost.hub.examine()
    assert (turns(roost), shown(roost)["state"]) == (["paused", "active"], "active")


def test_a_restart_says_nothing_again(roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=4))
    roost.clock.forward(hours=5)
    roost.hub.examine()
    roost.reopen()
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=4))
    roost.hub.examine()
    assert (turns(roost), shown(roost)["state"]) == (["silent"], "silent")


def test_the_workers_look_by_themselves(roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=4))
    roost.clock.forward(hours=5)
    roost.hub.start()
    wait_for(lambda: turns(roost) == ["silent"])


# holes


class Counting(Raven):
    """Each letter carries its number."""

    capabilities: ClassVar = Raven.capabilities.model_copy(update={"sequence": timedelta(days=7)})

    def numbered(self, payload: Payload) -> Iterable[int]:
        return [int(one["id"].removeprefix("m-")) for one in json.loads(payload.body)]

    def history(self, since: Any, cursor: str | None) -> Flow[Page]:
        raise Unsupported("ravens remember nothing")


@pytest.fixture
def counting(roost: Roost) -> Roost:
    roost.reopen(Counting)
    return roost


def test_a_hole_is_told_once_it_can_not_be_a_mere_delay(counting: Roost) -> None:
    for number in (1, 2, 6, 8):
        say(counting, number)
    counting.clock.forward(minutes=9)
    counting.hub.examine()
    assert turns(counting) == []
    counting.clock.forward(minutes=2)
    counting.hub.examine()
    counting.hub.examine()
    (told,) = changes(counting)
    assert told["state"] == "gap"
    assert told["reason"] == (
        "4 of the network's own numbers never came (3 to 5, 7), so something was lost on the way: it cannot be read"
        " back here; look in the network's own application, then resume the channel"
    )
    for number in (4, 3, 7, 5):
        say(counting, number)
        counting.hub.examine()
    assert turns(counting) == ["gap", "active"]


def test_what_overtakes_each_other_leaves_no_hole(counting: Roost) -> None:
    for number in (1, 5, 3, 2, 4, 5, 1):
        say(counting, number)
    counting.deliver(message(9, "x", at=counting.clock.now))
    counting.deliver(message(8, "x", at=counting.clock.now))
    counting.deliver(*(message(n, "x", at=counting.clock.now) for n in (7, 6)))
    counting.hub.drain()
    counting.clock.forward(hours=1)
    counting.hub.examine()
    assert turns(counting) == []


def test_what_cannot_be_read_has_come_all_the_same(counting: Roost) -> None:
    say(counting, 1)
    counting.deliver({"type": "nonsense", "id": "m-2"})
    say(counting, 3)
    counting.clock.forward(hours=1)
    counting.hub.examine()
    assert (turns(counting), counting.journal()["quarantined"]) == ([], 1)


@pytest.mark.parametrize(("number", "days"), [(900, 8), (3, 8), (500_000, 0)])
def test_a_network_may_count_anew(counting: Roost, number: int, days: int) -> None:
    say(counting, 10)
    counting.clock.forward(days=days)
    say(counting, number)
    say(counting, number + 1)
    counting.clock.forward(hours=1)
    counting.hub.examine()
    assert turns(counting) == []
    say(counting, number + 3)
    counting.clock.forward(hours=1)
    counting.hub.examine()
    assert turns(counting) == ["gap"]


def test_an_operator_who_has_looked_resumes_the_channel(counting: Roost) -> None:
    say(counting, 1)
    say(counting, 3)
    counting.clock.forward(hours=1)
    counting.hub.examine()
    counting.hub.set_channel_state("acme", "tower", "active")
    counting.hub.examine()
    assert (turns(counting), shown(counting)["state"]) == (["gap", "active"], "active")


def test_a_hole_and_a_dead_token_are_two_things(counting: Roost) -> None:
    say(counting, 1)
    say(counting, 3)
    counting.clock.forward(hours=1)
    counting.hub.examine()
    counting.sky.faults.expire = 1
    counting.reply("hi")
    counting.hub.drain()
    assert (turns(counting), shown(counting)["state"]) == (["gap", "failing"], "failing")
    counting.clock.forward(hours=1)
    counting.hub.drain()
    assert counting.states() == ["sent"]
    assert (turns(counting), shown(counting)["state"]) == (["gap", "failing", "gap"], "gap")


def test_who_does_not_count_has_no_holes(roost: Roost) -> None:
    for number in (1, 5, 9):
        say(roost, number)
    roost.clock.forward(hours=1)
    roost.hub.examine()
    assert turns(roost) == []


# dead tokens and polls


def test_a_dead_token_says_what_to_do(roost: Roost) -> None:
    say(roost, 1)
    roost.sky.faults.expire = 2
    roost.reply("hi")
    roost.hub.drain()
    roost.clock.forward(hours=1)
    roost.hub.drain()
    assert turns(roost) == ["failing"]
    assert shown(roost)["reason"].endswith("; enter a new token or connect it again, then test the connection")
    roost.hub.change_channel("acme", "tower", {"token": "fresh"})
    assert turns(roost) == ["failing", "active"]


def test_a_poll_that_fails_is_said_once_on_stderr_and_is_well_again(
    roost: Roost, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socialsupport_core.pipeline.workers.POLL_TROUBLE", 0.01)
    monkeypatch.setattr("socialsupport_core.pipeline.workers.POLL_PAUSE", 0.01)
    caplog.set_level(logging.WARNING, "socialsupport")
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    roost.sky.faults.expire = 4
    roost.hub.start()
    wait_for(lambda: turns(roost) == ["failing", "active"])
    wait_for(lambda: roost.sky.faults.expire == 0)
    roost.hub.workers.stop()
    assert turns(roost) == ["failing", "active"]
    said = [one.getMessage() for one in caplog.records if "loft" in one.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("channel acme/loft is failing: ")
    assert said[0].endswith("then test the connection")


def test_polls_that_work_do_not_hide_sends_that_do_not(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialsupport_core.pipeline.workers.POLL_PAUSE", 0.01)
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="poll")
    say(roost, 1)
    roost.sky.handle = _refusing_posts(roost)  # type: ignore[method-assign]
    roost.hub.start()
    roost.reply("hi")
    wait_for(lambda: turns(roost) == ["failing"])
    polls = len(roost.sky.calls)
    wait_for(lambda: len(roost.sky.calls) > polls + 5)
    roost.hub.workers.stop()
    assert (turns(roost), shown(roost)["state"]) == (["failing"], "failing")


def _refusing_posts(roost: Roost) -> Any:
    handle = type(roost.sky).handle

    def handled(request: Any) -> Any:
        if request.method == "POST":
            return roost.sky.expired(request)
        return handle(roost.sky, request)

    return handled


def test_another_reason_is_shown_and_is_no_other_turn(roost: Roost) -> None:
    """A network that fails now so, now so is told once; whoever looks sees how it fails now."""

    class Talkative(Raven):
        def failure(self, response: httpx.Response) -> DeliveryError | None:
            return AuthExpired(response.text) if response.status_code == 401 else None

    roost.reopen(Talkative)
    say(roost, 1)
    roost.reply("hi")
    for why in ("it is stale", "it was revoked"):
        roost.sky.expired = lambda request, why=why: httpx.Response(401, text=why)  # type: ignore[method-assign]
        roost.sky.faults.expire = 1
        roost.hub.drain()
        assert shown(roost)["reason"].startswith(why)
        roost.clock.forward(hours=1)
    assert turns(roost) == ["failing"]


class Mortal(Raven):
    """Its network says when all is over."""

    def ends(self, payload: Any) -> str | None:
        if b"choke" in payload.body:
            raise ZeroDivisionError
        return "the ravens have left: feed them, then test the connection" if b"farewell" in payload.body else None


def test_a_network_that_says_that_all_is_over_is_believed(roost: Roost) -> None:
    roost.reopen(Mortal)
    roost.hear(message(1, "choke"), message(2, "hello"))
    assert {one["id"]: one["state"] for one in roost.hub.list_channels("acme")}["tower"] == "active"
    roost.hear(message(3, "farewell"))
    (channel,) = [one for one in roost.hub.list_channels("acme") if one["id"] == "tower"]
    assert channel["state"] == "failing"
    assert channel["reason"].startswith("the ravens have left")
    assert [one["data"]["state"] for one in roost.log("channel.changed")] == ["failing"]
    asyncio.run(roost.hub.test_channel("acme", "tower"))
    assert [one["data"]["state"] for one in roost.log("channel.changed")] == ["failing", "active"]


def test_what_is_long_past_ends_nothing(roost: Roost) -> None:
    roost.reopen(Mortal)
    roost.deliver(message(1, "farewell"))
    roost.clock.forward(hours=2)
    roost.hub.drain()
    assert roost.log("channel.changed") == []
