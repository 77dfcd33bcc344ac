"""Endpoints: registered, changed, shown without their secrets, told in the background."""

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from raven import Roost, message
from raven.connector import Raven, plugin
from receiver import URL, Receiver, by_conversation, listening, register

from socialsupport_core.config import apply, load, open_hub
from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.hub import NoSuchWebhook
from socialsupport_core.hub import telling as telling_module
from socialsupport_core.pipeline import webhooks as couriers
from socialsupport_core.pipeline.webhooks import TYPES
from socialsupport_core.web.happenings import EVENTS

Pair = tuple[Roost, Receiver]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUFB" * 10


@pytest.fixture
def pair(tmp_path: Path, store: str | Path) -> Iterator[Pair]:
    roost, receiver = listening(tmp_path, store=store)
    yield roost, receiver
    roost.hub.close()


def test_it_is_listed_without_its_secret(pair: Pair) -> None:
    roost, receiver = pair
    made = roost.hub.add_webhook("acme", URL, webhook="desk", types=["interaction.received"], description="our desk")
    (shown,) = roost.hub.list_webhooks("acme")
    assert shown == {
        "id": "desk",
        "url": URL,
        "types": ["interaction.received"],
        "description": "our desk",
        "state": "active",
        "created_at": "2026-03-01T13:00:00Z",
        "cursor": 0,
        "waiting": 0,
        "secrets": 1,
    }
    receiver.secrets.append(made["secret"])
    roost.hear(message(1, "hello", at=roost.clock.now))
    assert roost.hub.webhook("acme", "desk") == shown | {
        "cursor": 2,
        "delivered_at": "2026-03-01T13:00:00Z",
        "held": [],
    }
    assert roost.hub.list_webhooks("rival") == []


def test_an_id_is_made_where_none_is_given(pair: Pair) -> None:
    roost, _ = pair
    first, second = (roost.hub.add_webhook("acme", URL) for _ in range(2))
    assert first["id"].startswith("wh_")
    assert first["id"] != second["id"]
    assert first["secret"] != second["secret"]


def test_an_id_is_there_once_in_a_tenant(pair: Pair) -> None:
    roost, _ = pair
    roost.hub.add_webhook("acme", URL, webhook="desk")
    with pytest.raises(ConfigError, match="already"):
        roost.hub.add_webhook("acme", URL, webhook="desk")
    roost.hub.add_webhook("rival", URL, webhook="desk")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": "http://desk.example/"}, "by https"),
    ({"url": "https://127.0.0.1/"}, "is not public"),
    ({"types": []}, "name 1 to 50"),
    ({"types": ["interaction.recieved"]}, "did you mean interaction.received?"),
    ({"types": ["x"]}, "such as interaction.received"),
    ({"description": "x" * 501}, "at most 500"),
    ({"secret": "hunter2"}, "whsec_"),
    ({"after": 99}, "the log ends at the cursor 0"),
    ({"after": -1}, "the log ends at the cursor 0"),
    ({"tenant": "nobody"}, "there is no tenant 'nobody'"),
]


@pytest.mark.parametrize(("given", "problem"), WRONG)
def test_what_cannot_be_is_refused_and_leaves_nothing(pair: Pair, given: dict[str, Any], problem: str) -> None:
    roost, _ = pair
    with pytest.raises(ConfigError, match=problem) as raised:
        roost.hub.add_webhook(**{"tenant": "acme", "url": URL} | given)
    assert "hunter2" not in str(raised.value)
    assert roost.hub.list_webhooks("acme") == []


def test_there_is_an_end_to_them(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    roost, _ = pair
    monkeypatch.setattr(telling_module, "MOST", 2)
    for _ in range(2):
        roost.hub.add_webhook("acme", URL)
    with pytest.raises(ConfigError, match="2 webhooks, which is the most"):
        roost.hub.add_webhook("acme", URL)
    roost.hub.add_webhook("rival", URL)


VERBS: list[Callable[[Any, str, str], Any]] = [
    lambda hub, tenant, one: hub.webhook(tenant, one),
    lambda hub, tenant, one: hub.change_webhook(tenant, one, url=URL),
    lambda hub, tenant, one: hub.remove_webhook(tenant, one),
    lambda hub, tenant, one: hub.pause_webhook(tenant, one),
    lambda hub, tenant, one: hub.resume_webhook(tenant, one),
    lambda hub, tenant, one: hub.replay_webhook(tenant, one, 0),
    lambda hub, tenant, one: hub.rotate_webhook_secret(tenant, one),
    lambda hub, tenant, one: hub.retire_webhook_secret(tenant, one),
    lambda hub, tenant, one: asyncio.run(hub.test_webhook(tenant, one)),
]


@pytest.mark.parametrize("verb", VERBS)
def test_another_tenants_webhook_is_none(pair: Pair, verb: Callable[[Any, str, str], Any]) -> None:
    roost, receiver = pair
    register(roost, receiver, webhook="desk")
    before = roost.hub.webhook("acme", "desk")
    with pytest.raises(NoSuchWebhook, match="there is no webhook 'desk'"):
        verb(roost.hub, "rival", "desk")
    assert roost.hub.webhook("acme", "desk") == before
    assert receiver.calls == []
    assert roost.hub.events("rival") == []


def test_what_is_not_changed_stays(pair: Pair) -> None:
    roost, _ = pair
    roost.hub.add_webhook("acme", URL, webhook="desk", types=["intent.uncertain"], description="old")
    changed = roost.hub.change_webhook("acme", "desk", description="new")
    assert (changed["url"], changed["types"], changed["description"]) == (URL, ["intent.uncertain"], "new")
    assert roost.hub.change_webhook("acme", "desk", types=["*"]).get("types") is None
    with pytest.raises(ConfigError):
        roost.hub.change_webhook("acme", "desk", url="http://desk.example")
    assert roost.hub.webhook("acme", "desk")["url"] == URL


def test_what_the_operator_opened_is_closed_with_another_address(pair: Pair) -> None:
    roost, _ = pair
    roost.hub.add_webhook("acme", "http://10.0.0.1/a", webhook="desk", open_network=True)
    assert roost.hub.webhook("acme", "desk")["open_network"] is True
    assert roost.hub.change_webhook("acme", "desk", description="x")["open_network"] is True
    with pytest.raises(ConfigError, match="by https"):
        roost.hub.change_webhook("acme", "desk", url="http://10.0.0.2/b")
    assert "open_network" not in roost.hub.change_webhook("acme", "desk", url="https://desk.example/")
    again = roost.hub.change_webhook("acme", "desk", url="http://10.0.0.2/b", open_network=True)
    assert again["open_network"] is True


def test_a_third_secret_waits_until_the_first_is_retired(pair: Pair) -> None:
    roost, _ = pair
    roost.hub.add_webhook("acme", URL, webhook="desk")
    second = roost.hub.rotate_webhook_secret("acme", "desk")
    assert second.startswith("whsec_")
    assert roost.hub.webhook("acme", "desk")["secrets"] == 2
    with pytest.raises(ConfigError, match="retire the old one first"):
        roost.hub.rotate_webhook_secret("acme", "desk")
    roost.hub.retire_webhook_secret("acme", "desk")
    roost.hub.retire_webhook_secret("acme", "desk")
    assert roost.hub.rotate_webhook_secret("acme", "desk", OTHER) == OTHER


def test_replay_needs_a_cursor_of_the_log(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    with pytest.raises(ConfigError, match="the log ends at the cursor 0; 5 is not in it"):
        roost.hub.replay_webhook("acme", id_, 5)


def test_a_test_tells_what_came_back(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    roost.hub.pause_webhook("acme", id_)
    told = asyncio.run(roost.hub.test_webhook("acme", id_))
    assert told == {"delivered": True, "status": 204, "seconds": 0.0}
    (ping,) = receiver.taken
    assert (ping["type"], ping["data"]["data"]) == ("webhook.ping", {"webhook": id_})
    assert ping["id"].startswith("acme:ping-")
    assert roost.hub.webhook("acme", id_)["state"] == "paused"
    assert roost.hub.events("acme") == []
    receiver.refuse = lambda envelope: httpx.Response(500, text="no room" + "x" * 100_000)
    told = asyncio.run(roost.hub.test_webhook("acme", id_))
    assert (told["delivered"], told["status"]) == (False, 500)
    assert told["reason"] == "desk.example answered 500 Internal Server Error"
    assert told["body"].startswith("no room")
    assert len(told["body"]) == 2_000
    receiver.down = True
    told = asyncio.run(roost.hub.test_webhook("acme", id_))
    assert told == {"delivered": False, "reason": "desk.example: ConnectError", "seconds": 0.0}


def test_a_secret_is_shown_once_and_stands_nowhere(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    roost, receiver = pair
    id_ = register(roost, receiver, "https://desk.example/hook/canary")
    secrets = [receiver.secrets[0], roost.hub.rotate_webhook_secret("acme", id_)]
    receiver.refuse = lambda envelope: httpx.Response(500, text=f"{receiver.secrets} canary")
    roost.hear(message(1, "hello", at=roost.clock.now))
    for _ in range(12):
        roost.clock.forward(days=2)
        roost.hub.drain()
    shown = json.dumps([roost.hub.list_webhooks("acme"), roost.hub.webhook("acme", id_)])
    told = json.dumps([roost.hub.events("acme"), roost.hub.health()])
    assert roost.hub.webhook("acme", id_)["state"] == "dead"
    for secret in (one.removeprefix("whsec_") for one in secrets):
        assert secret not in shown + told + caplog.text
        assert all(secret.encode() not in path.read_bytes() for path in roost.path.parent.iterdir() if path.is_file())
    assert "canary" not in told + caplog.text + json.dumps(roost.hub.webhook("acme", id_)["held"])


def test_a_secret_that_cannot_be_opened_is_a_failed_attempt(pair: Pair) -> None:
    roost, receiver = pair
    id_ = register(roost, receiver)
    roost.hub._database.do(lambda tx: tx.run("UPDATE secrets SET value = ? WHERE ref LIKE 'webhook/%'", b"x"))
    roost.hear(message(1, "hello", at=roost.clock.now))
    assert receiver.calls == []
    left = roost.hub._database.read(lambda tx: tx.all("SELECT reason FROM webhook_lanes"))
    assert {row["reason"] for row in left} == {
        f"the secret webhook/acme/{id_} was sealed with another key; give the old key as the second one"
    }


def test_one_can_choose_whatever_the_log_may_hold() -> None:
    assert set(EVENTS) <= TYPES


# in the background


class Slow(httpx.AsyncBaseTransport):
    """`slow.example` never answers, `quick.example` does at once."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str]] = []
        self.hanging = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "slow.example":
            self.hanging += 1
            try:
                await asyncio.sleep(60)
            finally:
                self.hanging -= 1
        self.taken.append((time.monotonic(), request.headers["webhook-id"]))
        return httpx.Response(200)


def until(done: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_slow_endpoint_holds_up_no_other(tmp_path: Path, store: str | Path) -> None:
    network = Slow()
    roost, _ = listening(tmp_path, transport=network, store=store)
    for number in range(3):
        roost.hub.add_webhook("acme", "https://slow.example/", webhook=f"slow{number}")
    roost.hub.add_webhook("acme", "https://quick.example/", webhook="quick")
    roost.hub.start()
    began = time.monotonic()
    for number in range(40):
        roost.deliver(message(number, "hello", f"bird{number}", at=roost.clock.now))
    until(lambda: len(network.taken) == 80 and network.hanging == 3 * 8)
    assert network.taken[-1][0] - began < 10
    stopping = time.monotonic()
    roost.hub.close()
    assert time.monotonic() - stopping < 10
    assert network.hanging == 0


def test_what_was_under_way_at_the_end_is_taken_up_at_the_next_start(tmp_path: Path, store: str | Path) -> None:
    network = Slow()
    roost, _ = listening(tmp_path, transport=network, store=store)
    roost.hub.add_webhook("acme", "https://slow.example/", webhook="desk")
    roost.hub.start()
    roost.deliver(message(1, "hello", at=roost.clock.now))
    until(lambda: network.hanging == 1)
    hub = roost.reopen()
    hub.change_webhook("acme", "desk", url="https://quick.example/")
    hub.start()
    until(lambda: len(network.taken) == 2)
    assert [id_ for _, id_ in network.taken] == ["acme:1", "acme:2"]
    hub.close()


class Jittery(httpx.AsyncBaseTransport):
    """Takes some milliseconds for each, and now and then refuses."""

    def __init__(self) -> None:
        self.chance = random.Random(5)
        self.taken: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.chance.uniform(0, 0.01))
        if self.chance.random() < 0.1:
            return httpx.Response(500)
        self.taken.append(json.loads(request.content))
        return httpx.Response(200)


def test_two_processes_on_one_server_share_the_work_and_keep_the_order(
    tmp_path: Path, new_store: Callable[[str, Path], str | Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "SCHEDULE", (0.05,) * 9)
    network = Jittery()
    clock: Any = lambda: datetime.now(UTC)  # noqa: E731
    roost, _ = listening(tmp_path, transport=network, store=new_store("postgresql", tmp_path))
    roost.hub.close()
    roost.options["clock"] = clock
    hubs = []
    for seed in (1, 2):
        roost.options["random_bytes"] = random.Random(seed).randbytes
        hubs.append(roost.open(Raven))
    roost.hub = hubs[0]
    hubs[0].add_webhook("acme", "https://desk.example/", webhook="desk")
    for hub in hubs:
        hub.start()
    for number in range(120):
        roost.deliver(message(number, "hello", f"bird{number % 7}", at=number))
    wanted: list[dict[str, Any]] = []

    def all_taken() -> bool:
        wanted[:] = hubs[0].events("acme", limit=1_000)
        return len(wanted) >= 127 and len({one["id"] for one in network.taken}) == len(wanted)

    until(all_taken, 60)
    for hub in hubs:
        hub.close()
    assert by_conversation(one["data"] for one in network.taken) == by_conversation(wanted), "in order, and each once"


# the configuration file

CONFIG = """
[hub]
public_url = "https://support.example"

[tenants.acme]
name = "Acme"

[tenants.acme.webhooks.desk]
url = "http://127.0.0.1:9/hook"
secret = "SECRET"
types = ["interaction.received", "conversation.opened"]
description = "the helpdesk"
open_network = true
"""


def write(folder: Path, content: str) -> Path:
    path = folder / "socialsupport.toml"
    path.write_text(content)
    return path


def test_as_the_configuration_says(tmp_path: Path) -> None:
    registry = Registry.of(plugin(Raven))
    first = load(write(tmp_path, CONFIG.replace("SECRET", SECRET)))
    hub = open_hub(first, tmp_path, registry=registry)
    shown = hub.webhook("acme", "desk")
    assert (shown["description"], shown["open_network"], shown["secrets"]) == ("the helpdesk", True, 1)
    hub._database.do(lambda tx: tx.run("UPDATE webhooks SET cursor = 0, waiting = 3"))
    changed = CONFIG.replace("SECRET", f'{OTHER}"\nprevious_secret = "{SECRET}').replace(
        'types = ["interaction.received", "conversation.opened"]\n', ""
    )
    apply(load(write(tmp_path, changed)), hub)
    apply(load(write(tmp_path, changed)), hub)
    shown = hub.webhook("acme", "desk")
    assert (shown.get("types"), shown["secrets"], shown["waiting"]) == (None, 2, 3)
    valid = hub._database.read(lambda tx: json.loads(hub._secrets.get(tx, "webhook/acme/desk")))
    assert valid == [OTHER, SECRET]
    hub.close()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("http://127.0.0.1:9/hook", "gopher://x", "tenants.acme.webhooks.desk: 'gopher://x' is not an address"),
        ("SECRET", "hunter2", "tenants.acme.webhooks.desk: a webhook's secret is whsec_"),
        ("conversation.opened", "conversation.open", "did you mean conversation.opened"),
        ("open_network = true", "", "tenants.acme.webhooks.desk: a webhook is sent by https"),
        ("open_network", "open_netwrk", "did you mean open_network?"),
    ],
)
def test_what_is_wrong_there_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    content = CONFIG.replace(old, new).replace("SECRET", SECRET)
    with pytest.raises(ConfigError) as raised:
        open_hub(load(write(tmp_path, content)), tmp_path, registry=Registry.of(plugin(Raven)))
    assert problem in str(raised.value)
    assert "hunter2" not in str(raised.value)
