"""Reading back: page by page, once, and on from where a process died."""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx
import pytest
from raven import Raven, Roost, message
from raven.events import NOON

from socialsupport_core.contract import ConfigError, Flow, Unsupported
from socialsupport_core.hub import NoSuchChannel
from socialsupport_core.model import Page, Payload


class Counting(Raven):
    """Each letter carries its number, and all of them can be had again."""

    capabilities: ClassVar = Raven.capabilities.model_copy(update={"sequence": timedelta(days=7)})

    def numbered(self, payload: Payload) -> Iterable[int]:
        return [int(one["id"].removeprefix("m-")) for one in json.loads(payload.body)]


def letters(roost: Roost, first: int, last: int) -> None:
    roost.sky.letters += [json.loads(message(n, f"text {n}", at=n).to_json()) for n in range(first, last)]


def asked(roost: Roost) -> list[str]:
    return [call.url.params["after"] for call in roost.sky.calls if call.url.path == "/letters"]


def step(roost: Roost) -> None:
    """One page."""

    async def once() -> None:
        await roost.hub.workers.backfilling.round()
        await roost.hub.wire.aclose()

    asyncio.run(once())


def standing(roost: Roost, channel: str = "tower") -> dict[str, Any]:
    found = roost.hub.backfilled("acme", channel)
    assert found is not None
    return found


def test_everything_is_read_and_what_is_there_is_there_once(roost: Roost) -> None:
    letters(roost, 0, 7)
    roost.hear(*(message(n, f"text {n}", at=n) for n in (1, 4)))
    begun = roost.hub.backfill("acme", "tower", since=NOON)
    assert (begun["state"], begun["pages"], begun["cause"], begun["since"]) == (
        "running",
        0,
        "asked",
        "2026-03-01T12:00:00Z",
    )
    roost.hub.drain()
    assert asked(roost) == ["0", "2", "4", "6"]
    assert roost.texts() == [f"text {n}" for n in range(7)]
    assert (standing(roost)["state"], standing(roost)["pages"], standing(roost)["payloads"]) == ("done", 4, 7)
    (shown,) = [one for one in roost.hub.list_channels("acme") if one["id"] == "tower"]
    assert shown["backfill"] == standing(roost)
    assert roost.journal()["unexplained"] == 0


def test_it_has_a_cursor_of_its_own(roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="poll")
    letters(roost, 0, 3)
    asyncio.run(roost.hub.workers.poll("acme", "tower"))
    asyncio.run(roost.hub.wire.aclose())
    roost.hub.backfill("acme", "tower", since=NOON)
    roost.hub.drain()
    letters(roost, 3, 4)
    roost.sky.calls.clear()
    asyncio.run(roost.hub.workers.poll("acme", "tower"))
    assert asked(roost) == ["3"]
    roost.hub.drain()
    assert roost.texts() == [f"text {n}" for n in range(4)]


def test_a_process_that_dies_loses_no_page_and_repeats_none(roost: Roost) -> None:
    letters(roost, 0, 7)
    roost.hub.backfill("acme", "tower", since=NOON)
    step(roost)
    step(roost)
    assert roost.journal()["waiting"] == 4
    roost.reopen()
    roost.clock.forward(minutes=1)  # the lease of the dead ends
    roost.hub.drain()
    assert asked(roost) == ["0", "2", "4", "6"]
    assert standing(roost)["payloads"] == 7
    assert roost.texts() == [f"text {n}" for n in range(7)]


def test_page_and_cursor_are_one_commit(roost: Roost) -> None:
    letters(roost, 0, 3)
    roost.hub.backfill("acme", "tower", since=NOON)
    do = roost.hub._database.write

    def full(call: Any, tenant: str | None = None) -> Any:
        def fail(tx: Any) -> None:
            call(tx)
            raise roost.trouble("disk full")

        return do(fail if "keep" in call.__qualname__ else call, tenant)

    roost.hub._database.write = full  # type: ignore[method-assign]
    with pytest.raises(Exception, match="disk full"):
        step(roost)
    roost.hub._database.write = do  # type: ignore[method-assign]
    assert (roost.journal()["accepted"], standing(roost)["pages"]) == (0, 0)
    roost.hub.drain()
    assert roost.texts() == [f"text {n}" for n in range(3)]


def test_somebody_else_who_holds_it_is_left_to_it(roost: Roost) -> None:
    letters(roost, 0, 3)
    roost.hub.backfill("acme", "tower", since=NOON)
    other = roost.open(Raven)
    try:
        assert asyncio.run(other.leases.mine("backfill acme tower"))
        step(roost)
        assert asked(roost) == []
        roost.clock.forward(minutes=1)
        step(roost)
        assert asked(roost) == ["0"]
    finally:
        other.close()


def test_trouble_is_waited_out_with_growing_pauses_and_given_up_in_the_end(roost: Roost) -> None:
    letters(roost, 0, 3)
    roost.hub.backfill("acme", "tower", since=NOON)
    roost.sky.faults.expire = 1
    step(roost)
    assert (standing(roost)["state"], "reason" in standing(roost)) == ("running", True)
    roost.clock.forward(seconds=9)
    step(roost)
    assert len(asked(roost)) == 1
    roost.clock.forward(seconds=2)
    roost.hub.drain()
    assert (standing(roost)["state"], "reason" in standing(roost)) == ("done", False)

    roost.hub.backfill("acme", "tower", since=NOON)
    roost.sky.faults.expire = 10_000
    for _ in range(40):
        step(roost)
        roost.clock.forward(hours=1)
    assert standing(roost)["state"] == "failed"
    assert "connect it again" in standing(roost)["reason"]
    assert 10_000 - roost.sky.faults.expire == 12


@pytest.mark.parametrize("status", [403, 404, 405])
def test_what_is_no_use_is_not_tried_again(roost: Roost, status: int) -> None:
    roost.hub.backfill("acme", "tower", since=NOON)
    roost.sky.page = lambda after: httpx.Response(status)  # type: ignore[method-assign]
    roost.hub.drain()
    assert (standing(roost)["state"], len(asked(roost))) == ("failed", 1)
    assert str(status) in standing(roost)["reason"]


def test_a_network_that_goes_in_circles_is_left(roost: Roost) -> None:
    roost.hub.backfill("acme", "tower", since=NOON)
    again = {"letters": [], "next": "5", "more": True, "at": NOON.isoformat()}
    roost.sky.page = lambda after: httpx.Response(200, json=again)  # type: ignore[method-assign]
    roost.hub.drain()
    assert (standing(roost)["state"], len(asked(roost))) == ("failed", 2)
    assert standing(roost)["reason"] == "the network gives the same page again and again"


def test_a_connector_that_breaks_breaks_alone(roost: Roost) -> None:
    class Broken(Raven):
        def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
            yield self.ask("GET", "/letters", params={"after": "0"})
            raise ZeroDivisionError("raven-token-1")

    roost.reopen(Broken)
    roost.hub.backfill("acme", "tower", since=NOON)
    roost.hear(message(1, "hello"))
    assert standing(roost)["reason"] == "its connector failed: ZeroDivisionError"
    assert roost.texts() == ["hello"]


def test_it_waits_for_the_recording(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialsupport_core.pipeline.backfilling.MAX_WAITING", 2)
    letters(roost, 0, 5)
    roost.hub.backfill("acme", "tower", since=NOON)
    step(roost)
    step(roost)
    assert asked(roost) == ["0"]
    while roost.hub.workers.record_waiting():
        pass
    roost.clock.forward(seconds=3)
    step(roost)
    assert asked(roost) == ["0", "2"]


def test_begun_again_it_goes_on_and_further_back_it_begins_anew(roost: Roost) -> None:
    letters(roost, 0, 5)
    roost.hub.backfill("acme", "tower", since=NOON)
    step(roost)
    assert roost.hub.backfill("acme", "tower", since=NOON + timedelta(minutes=1))["pages"] == 1
    assert roost.hub.backfill("acme", "tower", since=NOON - timedelta(days=1))["pages"] == 0
    roost.hub.drain()
    assert asked(roost) == ["0", "0", "2", "4"]
    assert roost.texts() == [f"text {n}" for n in range(5)]


def test_since_reaches_the_connector(roost: Roost) -> None:
    seen = []

    class Dated(Raven):
        def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
            seen.append((since, cursor))
            return self.poll(cursor)

    roost.reopen(Dated)
    letters(roost, 0, 3)
    roost.hub.backfill("acme", "tower", since=NOON)
    seen.clear()
    roost.hub.drain()
    assert seen == [(NOON, None), (NOON, "2")]


def test_what_cannot_be_is_said(roost: Roost) -> None:
    class Forgetting(Raven):
        def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
            raise Unsupported("ravens remember nothing")

    with pytest.raises(ConfigError, match="still to come"):
        roost.hub.backfill("acme", "tower", since=roost.clock.now + timedelta(days=1))
    with pytest.raises(NoSuchChannel):
        roost.hub.backfill("acme", "nest", since=NOON)
    roost.reopen(Forgetting)
    with pytest.raises(ConfigError, match="raven keeps no history that could be read back; import a file instead"):
        roost.hub.backfill("acme", "tower", since=NOON)
    assert roost.hub.backfilled("acme", "tower") is None


def test_a_hole_is_read_back_by_itself_and_closes(roost: Roost) -> None:
    roost.reopen(Counting)
    letters(roost, 0, 9)
    for number in (3, 4, 8):
        roost.hear(message(number, f"text {number}", at=number))
    roost.clock.forward(minutes=11)
    roost.hub.examine()
    (turned,) = roost.log("channel.changed")
    assert turned["data"]["state"] == "gap"
    assert turned["data"]["reason"].endswith("(5 to 7), so something was lost on the way: it is being read back")
    assert (standing(roost)["cause"], standing(roost)["since"]) == ("gap", "2026-02-28T13:00:00Z")
    roost.hub.drain()
    roost.hub.examine()
    assert [one["data"]["state"] for one in roost.log("channel.changed")] == ["gap", "active"]
    assert roost.texts() == [f"text {n}" for n in range(9)]


def test_a_hole_that_the_network_cannot_fill_is_read_back_once_and_says_so(roost: Roost) -> None:
    roost.reopen(Counting)
    for number in (1, 3):
        roost.hear(message(number, "x", at=number))
    for _ in range(5):
        roost.clock.forward(minutes=11)
        roost.hub.examine()
        roost.hub.drain()
    roost.hub.examine()
    assert len(asked(roost)) == 1
    assert [one["data"]["state"] for one in roost.log("channel.changed")] == ["gap"]
    (reason,) = roost.hub.health()["failing"]
    assert reason.endswith("the network has no more; look in its own application, then resume the channel")


def test_what_is_read_back_does_not_end_a_silence(roost: Roost) -> None:
    letters(roost, 0, 3)
    roost.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", expect_within=timedelta(hours=1))
    roost.clock.forward(hours=2)
    roost.hub.examine()
    roost.hub.backfill("acme", "tower", since=NOON)
    roost.hub.drain()
    roost.hub.examine()
    assert roost.texts() == ["text 0", "text 1", "text 2"]
    assert [one["data"]["state"] for one in roost.log("channel.changed")] == ["silent"]
