"""Events out: at least once, in order within a conversation, from any cursor, whatever the endpoint does."""

import asyncio
import itertools
import random
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from raven import Roost, message
from receiver import Receiver, by_conversation, listening, register

from socialsupport_core.pipeline import leases
from socialsupport_core.pipeline import webhooks as couriers
from socialsupport_core.pipeline.leases import SHORT
from socialsupport_core.pipeline.webhooks import SCHEDULE, envelope, lane_of, message_id
from socialsupport_core.store import Tx, log, webhooks
from socialsupport_core.store.log import Record

Pair = tuple[Roost, Receiver]


@pytest.fixture
def pair(tmp_path: Path, store: str | Path) -> Iterator[Pair]:
    roost, receiver = listening(tmp_path, store=store)
    yield roost, receiver
    roost.hub.close()


def hear(roost: Roost, number: int, name: str = "kerry", text: str = "hello") -> None:
    roost.hear(message(number, text, name, at=roost.clock.now))


def everything(roost: Roost, after: int = 0) -> list[int]:
    return [one["cursor"] for one in roost.hub.events("acme", after, limit=5_000)]


def refusing(text: str, status: int = 500, **headers: str) -> Any:
    """Refuses the event that holds this text."""

    def refuse(envelope: dict[str, Any]) -> httpx.Response | None:
        said = envelope["data"]["data"].get("interaction", {}).get("text")
        return httpx.Response(status, headers=headers) if said == text else None

    return refuse


def test_every_event_goes_out_as_the_api_shows_it(pair: Pair) -> None:
    roost, receiver = pair
    register(roost, receiver)
    hear(roost, 1)
    roost.reply("On its way.")
    roost.hub.drain()
    assert receiver.events == roost.hub.events("acme")
    assert len(receiver.taken) == len(receiver.events) == 4
    first = receiver.taken[0]
    assert {name: value for name, value in first.items() if name != "data"} == {
        "specversion": "1.0",
        "id": f"acme:{first['data']['cursor']}",
        "source": "https://hub.example/tenants/acme",
        "type": "conversation.opened",
        "subject": roost.conversation(),
        "time": first["data"]["at"],
        "datacontenttype": "application/json",
    }
    sent = receiver.requests[0]
    assert (sent.method, str(sent.url)) == ("POST", "https://desk.example/hook?tenant=acme")
    assert sent.headers["content-type"] == "application/cloudevents+json"


def test_from_the_registration_on_or_from_a_cursor(pair: Pair) -> None:
    roost, receiver = pair
    hear(roost, 1)
    before = roost.hub.cursor("acme")
    register(roost, receiver)
    hear(roost, 2)
    assert receiver.cursors == everything(roost, before)
    register(roost, receiver, webhook="late", after=1)
    roost.hub.drain()
    assert sorted(receiver.cursors) == everything(roost, 1)


def test_another_tenants_events_go_nowhere(pair: Pair) -> None:
    roost, receiver = pair
    register(roost, receiver)
    roost.hear(message(1, "not yours"), tenant="rival")
    assert receiver.calls == []


def test_the_source_stays_whatever_address_the_hub_has_today(pair: Pair) -> None:
    """With the id it names an event, for ever."""
    roost, receiver = pair
    register(roost, receiver)
    roost.options["public_url"] = "http://localhost"
    roost.reopen()
    hear(roost, 1)
    assert {one["source"] for one in receiver.taken} == {"https://hub.example/tenants/acme"}


def test_only_the_types_that_are_wanted(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["conversation.opened"])
    hear(roost, 1)
    assert [one["type"] for one in receiver.events] == ["conversation.opened"]
    roost.hub.change_webhook("acme", id_, types=["*"])
    hear(roost, 2)
    assert receiver.events[-1]["type"] == "interaction.received"
    assert roost.hub.webhook("acme", id_)["waiting"] == 0


def test_what_is_not_taken_holds_up_its_own_conversation_only(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    receiver.refuse = refusing("poison")
    hear(roost, 1, text="poison")
    hear(roost, 2)
    hear(roost, 3, "robin")
    held = by_conversation(roost.hub.events("acme"))[roost.conversation("kerry")]
    assert set(everything(roost)) - set(receiver.cursors) == set(held[1:])
    shown = roost.hub.webhook("acme", id_)
    assert shown["waiting"] == len(held) - 1
    assert [(one["lane"], one["event"], one["attempts"]) for one in shown["held"]] == [
        (f"conversation {roost.conversation('kerry')}", held[1], 1)
    ]
    assert shown["held"][0]["reason"] == "desk.example answered 500 Internal Server Error"

    receiver.refuse = lambda envelope: None
    roost.clock.forward(seconds=6)
    roost.hub.drain()
    assert by_conversation(receiver.events) == by_conversation(roost.hub.events("acme"))
    assert len(receiver.taken) == len(receiver.events)
    assert roost.hub.webhook("acme", id_) | {"held": []} == roost.hub.webhook("acme", id_)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # much work, and nothing in it is the store's
def test_the_pauses_grow_over_three_days(pair: Pair) -> None:
    roost, receiver = pair
    register(roost, receiver, types=["conversation.opened"])
    receiver.down = True
    hear(roost, 1)
    tries(roost, receiver)
    pauses = [later - sooner for (sooner, _), (later, _) in itertools.pairwise(receiver.calls)]
    assert len(pauses) == len(SCHEDULE) == 9
    for pause, wanted in zip(pauses, SCHEDULE, strict=True):
        assert wanted <= pause.total_seconds() <= wanted * 1.12 + 1
    assert len({pause.total_seconds() / wanted for pause, wanted in zip(pauses[5:], SCHEDULE[5:], strict=True)}) > 1
    assert sum(pauses, timedelta()) > timedelta(hours=72)


def tries(roost: Roost, receiver: Receiver) -> None:
    """Lets the pauses go by: nothing is called before one is over, and then soon."""
    for pause in SCHEDULE:
        calls = len(receiver.calls)
        roost.clock.forward(seconds=pause - 1)
        roost.hub.drain()
        assert len(receiver.calls) == calls
        for _ in range(13):
            if len(receiver.calls) == calls:
                roost.clock.forward(seconds=max(1, pause * 0.01))
                roost.hub.drain()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # much work, and nothing in it is the store's
def test_after_the_last_attempt_it_is_dead_and_everybody_is_told(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    receiver.down = True
    hear(roost, 1)
    assert roost.hub.health()["status"] == "ok"
    tries(roost, receiver)
    shown = roost.hub.webhook("acme", id_)
    assert shown["state"] == "dead"
    assert shown["reason"] == "10 attempts failed, the last: desk.example: ConnectError"
    assert [one["data"] for one in roost.log("webhook.paused")] == [
        {"webhook": id_, "state": "dead", "reason": shown["reason"]}
    ]
    health = roost.hub.health()
    assert (health["status"], health["failing"]) == ("degraded", [f"acme/webhook {id_}: {shown['reason']}"])
    calls = len(receiver.calls)
    roost.clock.forward(days=9)
    hear(roost, 2)
    assert len(receiver.calls) == calls

    receiver.down = False
    roost.hub.resume_webhook("acme", id_)
    roost.hub.drain()
    assert by_conversation(receiver.events) == by_conversation(roost.hub.events("acme"))
    assert sorted(receiver.cursors) == everything(roost)
    assert roost.hub.health()["status"] == "ok"
    assert roost.log("webhook.resumed")[0]["data"] == {"webhook": id_}


def test_a_poison_event_never_stops_an_endpoint_that_is_alive(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])
    receiver.refuse = refusing("poison", 400)
    hear(roost, 1, text="poison")
    number = 2
    while roost.clock.now < receiver.calls[0][0] + timedelta(days=6):
        roost.clock.forward(hours=3)
        hear(roost, number, "robin")
        number += 1
    assert roost.hub.webhook("acme", id_)["state"] == "active"
    assert len(receiver.taken) == number - 2
    told = roost.log("webhook.failing")
    assert [one["data"]["webhook"] for one in told] == [id_]
    poison = told[0]["data"]["event"]
    attempts = sum(one == message_id("acme", poison) for _, one in receiver.calls)
    assert len(SCHEDULE) + 1 < attempts < len(SCHEDULE) + 5, "daily, once the schedule is exhausted"


def test_one_that_dies_besides_a_poison_event_is_found_dead(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])
    receiver.refuse = refusing("poison", 400)
    hear(roost, 1, text="poison")
    for number in range(2, 40):
        roost.clock.forward(hours=2)
        hear(roost, number, "robin")
    assert roost.hub.webhook("acme", id_)["state"] == "active"
    receiver.down = True
    for number in range(40, 60):
        roost.clock.forward(hours=3)
        hear(roost, number, "robin")
    assert roost.hub.webhook("acme", id_)["state"] == "dead"


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_holds_the_whole_endpoint(pair: Pair, status: int) -> None:
    roost, receiver = pair
    register(roost, receiver)
    receiver.refuse = lambda envelope: httpx.Response(status, headers={"retry-after": "3600"})
    hear(roost, 1)
    asked = len(receiver.calls)
    assert asked <= couriers.AT_ONCE
    receiver.refuse = lambda envelope: None
    roost.clock.forward(minutes=59)
    hear(roost, 2, "robin")
    assert len(receiver.calls) == asked
    roost.clock.forward(minutes=2)
    roost.hub.drain()
    assert sorted(receiver.cursors) == everything(roost)


@pytest.mark.parametrize(
    ("value", "hours"), [("999999999999", 24), ("-5", 0), ("soon", 0), ("Mon, 02 Mar 2026 13:00:00 GMT", 24)]
)
def test_a_retry_after_is_never_longer_than_a_day(pair: Pair, value: str, hours: int) -> None:
    roost, receiver = pair
    register(roost, receiver, types=["conversation.opened"])
    said = roost.clock.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    receiver.refuse = lambda envelope: httpx.Response(503, headers={"retry-after": value, "date": said})
    hear(roost, 1)
    receiver.refuse = lambda envelope: None
    roost.clock.forward(hours=hours, seconds=-1 if hours else 4)
    roost.hub.drain()
    assert receiver.taken == []
    roost.clock.forward(seconds=2)
    roost.hub.drain()
    assert len(receiver.taken) == 1


def test_gone_is_gone(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    receiver.refuse = lambda envelope: httpx.Response(410)
    hear(roost, 1)
    asked = len(receiver.calls)
    shown = roost.hub.webhook("acme", id_)
    assert (shown["state"], shown["reason"]) == ("gone", "it answered 410 Gone: it wants no more")
    assert [one["data"]["state"] for one in roost.log("webhook.paused")] == ["gone"]
    assert roost.hub.health()["status"] == "ok", "it was its own wish"
    roost.clock.forward(days=1)
    hear(roost, 2)
    assert len(receiver.calls) == asked
    receiver.refuse = lambda envelope: None
    roost.hub.resume_webhook("acme", id_)
    roost.hub.drain()
    assert sorted(receiver.cursors) == everything(roost)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 500, 502, 504, 418, 599])
def test_whatever_is_no_2xx_is_tried_again(pair: Pair, status: int) -> None:
    roost, receiver = pair
    register(roost, receiver, types=["conversation.opened"])
    receiver.refuse = lambda envelope: httpx.Response(status, headers={"location": "https://sky.example/"})
    hear(roost, 1)
    assert len(receiver.calls) == 1, "a redirect is not followed"
    receiver.refuse = lambda envelope: None
    roost.clock.forward(seconds=6)
    roost.hub.drain()
    assert len(receiver.taken) == 1


def test_every_attempt_and_replay_has_the_same_id_and_body_and_its_own_time(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])
    receiver.refuse = refusing("hello")
    hear(roost, 1)
    receiver.refuse = lambda envelope: None
    roost.clock.forward(minutes=1)
    roost.hub.drain()
    roost.hub.replay_webhook("acme", id_, 0)
    roost.clock.forward(minutes=1)
    roost.hub.drain()
    assert len(receiver.requests) == 3
    assert len({(one.headers["webhook-id"], one.content) for one in receiver.requests}) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.requests}) == 3


def test_replay_from_any_cursor_leaves_out_what_is_before_it(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    receiver.refuse = refusing("poison")
    hear(roost, 1, text="poison")
    hear(roost, 2, "robin")
    cursors = everything(roost)
    receiver.refuse = lambda envelope: None
    for after in (0, cursors[1], cursors[-1]):
        receiver.taken.clear()
        roost.hub.replay_webhook("acme", id_, after)
        resumed = roost.hub.cursor("acme")
        roost.hub.drain()
        assert sorted(receiver.cursors) == everything(roost, after)
        assert resumed in receiver.cursors
    assert roost.hub.webhook("acme", id_)["waiting"] == 0


def test_what_was_under_way_before_a_replay_settles_nothing_after_it(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])

    def replay_meanwhile(envelope: dict[str, Any]) -> httpx.Response | None:
        receiver.refuse = lambda envelope: None
        roost.hub.replay_webhook("acme", id_, 0)
        return None

    receiver.refuse = replay_meanwhile
    hear(roost, 1)
    assert len(receiver.taken) == 2
    assert roost.hub.webhook("acme", id_)["waiting"] == 0


def test_removed_while_it_is_called(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)

    def remove(envelope: dict[str, Any]) -> httpx.Response:
        if roost.hub.list_webhooks("acme"):
            roost.hub.remove_webhook("acme", id_)
        return httpx.Response(500)

    receiver.refuse = remove
    hear(roost, 1)
    roost.clock.forward(days=1)
    hear(roost, 2)
    assert len(receiver.calls) <= 2
    for table in ("webhooks", "webhook_waiting", "webhook_lanes", "secrets WHERE ref LIKE 'webhook/%'"):
        assert roost.hub._database.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}")) == []


def test_paused_and_resumed(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    roost.hub.pause_webhook("acme", id_)
    hear(roost, 1)
    assert receiver.calls == []
    assert roost.hub.health()["status"] == "ok"
    roost.hub.resume_webhook("acme", id_)
    roost.hub.drain()
    assert sorted(receiver.cursors) == everything(roost)


def test_paused_in_the_midst(pair: Pair) -> None:
    """What has been claimed and not yet sent is not sent any more."""
    roost, receiver = pair
    id_ = register(roost, receiver)

    def pause(envelope: dict[str, Any]) -> None:
        roost.hub.pause_webhook("acme", id_)

    receiver.refuse = pause
    for number in range(4):
        roost.deliver(message(number, "hello", f"bird{number}", at=roost.clock.now))
    roost.hub.drain()
    assert len(receiver.calls) == 1
    receiver.refuse = lambda envelope: None
    roost.hub.resume_webhook("acme", id_)
    roost.hub.drain()
    assert sorted(receiver.cursors) == everything(roost)
    assert len(receiver.taken) == len(receiver.events)


def test_two_secrets_are_valid_until_the_old_one_is_retired(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])
    old = receiver.secrets[0]
    new = roost.hub.rotate_webhook_secret("acme", id_)
    for number, accepted in enumerate(([old], [new]), 1):
        receiver.secrets = accepted
        hear(roost, number)
    assert len(receiver.taken) == 2
    assert len(receiver.requests[0].headers["webhook-signature"].split(" ")) == 2
    roost.hub.retire_webhook_secret("acme", id_)
    hear(roost, 3)
    assert len(receiver.requests[-1].headers["webhook-signature"].split(" ")) == 1
    assert len(receiver.taken) == 3
    receiver.secrets = [old]
    hear(roost, 4)
    assert len(receiver.taken) == 3


def test_an_answer_after_an_outage_makes_everything_due_at_once(pair: Pair) -> None:
    roost, receiver = pair
    register(roost, receiver)
    receiver.down = True
    for number in range(1, 16):
        hear(roost, number, f"bird{number}")
    for seconds in (6, 400, 2_200, 8_000, 20_000):
        roost.clock.forward(seconds=seconds)
        roost.hub.drain()
    receiver.down = False
    roost.clock.forward(minutes=5)
    hear(roost, 99, "robin")
    assert sorted(receiver.cursors) == everything(roost), "nobody waits for ten hours"


def test_one_in_trouble_is_called_once_at_a_time(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    roost, receiver = pair
    register(roost, receiver)
    seen: list[int] = []
    most = 0

    async def post(*_: Any, **__: Any) -> Any:
        nonlocal most
        seen.append(1)
        most = max(most, len(seen))
        await couriers.asyncio.sleep(0.001)
        seen.pop()
        return couriers.Answer(None, b"", "no")

    monkeypatch.setattr(roost.hub.webhooks._poster, "post", post)
    for number in range(1, 41):
        roost.deliver(message(number, "hello", f"bird{number}", at=roost.clock.now))
    roost.hub.drain()
    assert most == couriers.AT_ONCE
    most = 0
    roost.clock.forward(seconds=6)
    roost.hub.drain()
    assert most == 1


def test_a_crash_in_the_midst_delivers_again(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])
    roost.deliver(message(1, "hello", at=roost.clock.now))
    roost.hub.workers.record_waiting()
    now = webhooks_now(roost)
    database = roost.hub._database
    one = database.read(lambda tx: webhooks.get(tx, "acme", id_))
    assert one is not None
    database.do(lambda tx: webhooks.take(tx, one, 2, [("conversation x", 2)], now))
    claimed = database.do(lambda tx: webhooks.claim(tx, one, "other", now, now + SHORT, 8, frozenset()))
    assert len(claimed) == 1
    roost.reopen()
    roost.hub.drain()
    assert receiver.calls == [], "it may still be under way in another process"
    roost.clock.forward(seconds=9)
    roost.hub.drain()
    assert receiver.cursors == [2]


def test_a_slow_endpoint_keeps_its_lane_the_worker_s_who_calls_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])
    monkeypatch.setattr(leases, "RENEW", 0.01)
    seen: list[int] = []

    def claimed(tx: Tx) -> list[webhooks.Lane]:
        one, now = webhooks.get(tx, "acme", id_), webhooks_now(roost)
        assert one is not None
        return webhooks.claim(tx, one, "other", now, now + 1, 8, ())

    async def post(*_: Any, **__: Any) -> couriers.Answer:
        for _ in range(3):
            roost.clock.forward(seconds=6)  # the lease that it began with has ended after the second
            await asyncio.sleep(0.1)
            seen.append(len(roost.hub._database.do(claimed)))
        return couriers.Answer(204, b"", None)

    monkeypatch.setattr(roost.hub.webhooks._poster, "post", post)
    hear(roost, 1)
    assert seen == [0, 0, 0]
    assert roost.hub.webhook("acme", id_)["waiting"] == 0


def webhooks_now(roost: Roost) -> int:
    return int(roost.clock.now.timestamp() * 1_000_000)


def test_an_event_that_the_log_no_longer_has_is_left_out(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    receiver.down = True
    hear(roost, 1)
    first = everything(roost)[0]
    roost.hub._database.do(lambda tx: tx.run("DELETE FROM log WHERE cursor = ?", first))
    receiver.down = False
    roost.clock.forward(seconds=6)
    roost.hub.drain()
    assert receiver.cursors == everything(roost)
    shown = roost.hub.webhook("acme", id_)
    assert (shown["waiting"], shown["held"]) == (0, [])


def test_what_was_left_out_is_no_delivery(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver, types=["interaction.received"])
    receiver.down = True
    hear(roost, 1)
    roost.hub._database.do(lambda tx: tx.run("DELETE FROM log"))
    roost.clock.forward(seconds=6)
    roost.hub.drain()
    shown = roost.hub.webhook("acme", id_)
    assert (shown["waiting"], shown.get("delivered_at"), receiver.taken) == (0, None, [])


def test_no_more_waits_than_there_is_room_for_and_the_log_keeps_the_rest(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "PAGE", 2)
    monkeypatch.setattr(couriers, "WAITING", 5)
    roost, receiver = pair
    id_ = register(roost, receiver)
    receiver.down = True
    for number in range(6):
        hear(roost, number)
    assert roost.hub.webhook("acme", id_)["waiting"] == 4
    receiver.down = False
    roost.clock.forward(minutes=10)
    roost.hub.drain()
    assert sorted(receiver.cursors) == everything(roost)
    assert roost.hub.webhook("acme", id_)["waiting"] == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_72_hours_of_a_dead_endpoint_lose_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 29 of what may fail: down for days, then at least once and in order; and nothing grows meanwhile."""
    monkeypatch.setattr(couriers, "LANES", 20)
    monkeypatch.setattr(couriers, "PAGE", 10)
    roost, receiver = pair
    id_ = register(roost, receiver)
    for number in range(5):
        hear(roost, number, f"bird{number}")
    before = len(receiver.taken)
    receiver.down = True
    chance, end, number, statements = random.Random(29), roost.clock.now + timedelta(hours=72), 5, []
    while roost.clock.now < end:
        roost.deliver(message(number, f"hour {number}", f"bird{chance.randrange(60)}", at=roost.clock.now))
        if number % 7 == 0:
            roost.hub.resolve("acme", roost.conversation("bird1"), agent="dana")
        number += 1
        roost.clock.forward(minutes=chance.randrange(5, 16))
        roost.hub.drain()
        counted = roost.hub._database.read(
            lambda tx: tx.one(
                "SELECT (SELECT count(*) FROM webhook_lanes) AS lanes, (SELECT count(*) FROM webhook_waiting) AS waiting"
            )
        )
        statements.append((counted["lanes"], counted["waiting"]))
    assert roost.hub.webhook("acme", id_)["state"] == "active"
    assert len(receiver.taken) == before
    assert max(lanes for lanes, _ in statements) <= 20 + 10
    assert statements[-1][1] < len(everything(roost)), "the log keeps the rest"
    assert len(receiver.calls) - before < 30 * len(SCHEDULE)

    receiver.down = False
    roost.clock.forward(hours=24)
    roost.hub.drain()
    assert sorted(receiver.cursors) == everything(roost)
    assert by_conversation(receiver.events) == by_conversation(roost.hub.events("acme", limit=5_000))
    assert len(everything(roost)) > 400
    assert roost.hub.webhook("acme", id_)["waiting"] == 0


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_way_it_fails_everything_comes_in_order(pair: Pair, seed: int) -> None:
    chance = random.Random(seed)
    roost, receiver = pair
    id_ = register(roost, receiver)

    def whim(envelope: dict[str, Any]) -> httpx.Response | None:
        if chance.random() < 0.5:
            return None
        if chance.random() < 0.2:
            raise httpx.ReadTimeout("too slow")
        after = {"retry-after": str(chance.randrange(100))} if chance.random() < 0.3 else {}
        return httpx.Response(chance.choice([400, 404, 429, 500, 503]), headers=after)

    receiver.refuse = whim
    for number in range(30):
        roost.deliver(message(number, "hello", chance.choice(["kerry", "robin", "wren"]), at=roost.clock.now))
        if chance.random() < 0.7:
            roost.hub.drain()
        if chance.random() < 0.15:
            roost.reopen()
        roost.clock.forward(seconds=chance.choice([1, 10, 1_000]))
    receiver.refuse = lambda envelope: None
    for _ in range(3):
        roost.clock.forward(days=2)
        roost.hub.drain()
    assert roost.hub.webhook("acme", id_)["state"] == "active"
    assert sorted(receiver.cursors) == everything(roost)
    assert by_conversation(receiver.events) == by_conversation(roost.hub.events("acme", limit=500))


def steps(roost: Roost, call: Callable[[Tx], Any]) -> int:
    """How much SQLite has to do for it, in tens of instructions."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    database: Any = roost.hub._database
    connection = database._reader()
    connection.set_progress_handler(step, 10)
    database._put_back(connection)
    database.read(call)
    connection.set_progress_handler(None, 0)
    return count


def test_a_look_costs_the_same_however_much_waits(tmp_path: Path) -> None:
    """On SQLite, which counts its steps."""
    roost, receiver = listening(tmp_path)
    id_ = register(roost, receiver)
    hear(roost, 1)
    receiver.down = True
    hear(roost, 2)
    roost.clock.forward(seconds=6)
    database, now = roost.hub._database, webhooks_now(roost)

    def look(tx: Tx) -> None:
        (found,) = webhooks.busy(tx, now)
        tx.all(
            "SELECT min(cursor) FROM webhook_waiting WHERE tenant = ? AND webhook = ? AND lane = ?", "acme", id_, "x"
        )
        assert found.due
        assert log.after(tx, "acme", found.endpoint.cursor, 1) == []

    few = steps(roost, look)
    waiting = [("acme", id_, "conversation y", cursor) for cursor in range(100, 9_000)]
    database.do(lambda tx: tx.many("INSERT INTO webhook_waiting VALUES (?, ?, ?, ?)", waiting))
    lines = [("rival", "x", 0, "{}")] * 5_000
    database.do(lambda tx: tx.many("INSERT INTO log (tenant, type, at, data) VALUES (?, ?, ?, ?)", lines))
    assert steps(roost, look) <= few * 2
    roost.hub.close()


@pytest.mark.parametrize("down", [True, False])
def test_memory_stays_as_it_is_however_much_there_is_to_tell(tmp_path: Path, down: bool) -> None:
    taken = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal taken
        taken += not down
        return httpx.Response(500 if down else 200)

    roost, _ = listening(tmp_path, transport=httpx.MockTransport(handler))
    roost.hub.add_webhook("acme", "https://desk.example/", webhook="desk")

    def publish(tx: Tx) -> None:
        for number in range(50):
            log.publish(tx, "acme", "thread.updated", 0, {"text": "x" * 20_000}, conversation=f"con_{number}")

    for _ in range(30):
        roost.hub._database.do(publish)
    tracemalloc.start()
    roost.hub.drain()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    roost.hub.close()
    assert taken == (0 if down else 1_500)
    assert peak < 12_000_000, "of the 30 MB in the log"


def record(**more: Any) -> Record:
    given = {"channel": None, "thread": None, "conversation": None, "data": {}} | more
    return Record(7, "acme", "thread.updated", "2026-03-01T12:00:00Z", **given)


@pytest.mark.parametrize(
    ("given", "lane"),
    [
        ({"channel": "tower", "thread": "t", "conversation": "con_1"}, "conversation con_1"),
        ({"channel": "tower", "thread": "t"}, "thread tower t"),
        ({"channel": "tower"}, "type thread.updated tower"),
        ({}, "type thread.updated"),
    ],
)
def test_what_stays_in_order(given: dict[str, Any], lane: str) -> None:
    assert lane_of(record(**given)) == lane


@pytest.mark.parametrize(
    ("tenant", "id_"), [("acme", "acme:7"), ("a.b", "a%2Eb:7"), ("a:b", "a%3Ab:7"), ("é\r\n", "%C3%A9%0D%0A:7")]
)
def test_an_id_holds_nothing_that_would_move_the_signature(tenant: str, id_: str) -> None:
    assert message_id(tenant, 7) == id_
    assert "." not in id_


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        ({"conversation": "con_1", "data": {"customer": "cus_1"}}, "con_1"),
        ({"data": {"customer": "cus_1"}}, "cus_1"),
        ({"data": {"old": "cus_1", "new": "cus_2"}}, "cus_2"),
        ({"data": {}}, None),
    ],
)
def test_the_subject(event: dict[str, Any], subject: str | None) -> None:
    written = httpx.Response(200, content=envelope({"type": "x", "at": "t", **event}, "i", "s")).json()
    assert written.get("subject") == subject
