"""X on the hub: an account is connected by signing in, and its replies go out when the token has expired."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import socialsupport_x
from socialsupport_core.contract import Forbidden, RateLimited, Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Identifier
from socialsupport_core.testing import Network
from socialsupport_core.web import create_app
from socialsupport_x import XSettings, signing
from socialsupport_x.simulator import XSimulator

APP = {"client_id": "the-client", "client_secret": "client-secret-of-the-app", "handle": "acme"}


class Brand:
    """A hub with one channel of X that was never connected, and the X around it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = datetime(2026, 7, 24, 21, 0, tzinfo=UTC)
        given = {**APP, **settings}
        self.x = XSimulator(XSettings(**given), clock=lambda: self.now)
        self.hub = Hub.open(
            folder / "support.sqlite",
            public_url="https://hub.example",
            registry=Registry.of(socialsupport_x),
            transport=Network([self.x]).transport(),
            clock=lambda: self.now,
            random_bytes=random.Random(3).randbytes,
        )
        self.hub.add_tenant("acme", "Acme")
        self.hub.add_agent("acme", "dana", "Dana")
        self.door = self.hub.add_channel("acme", "brand", "x", given).rsplit("/", 1)[1]
        self.token = self.hub.issue_token("acme", "dana", ("read", "reply", "configure"))

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)

    def get(self, path: str, **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(self.hub, run_workers=False))
            async with httpx.AsyncClient(transport=transport, base_url="https://hub.example") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())

    def connect(self) -> httpx.Response:
        """As an operator would, in a browser."""
        found = self.get("/api/connect/x?channel=brand", authorization=f"Bearer {self.token}")
        assert found.status_code == 200, found.text
        there = httpx.Client(transport=Network([self.x]).transport())
        page = there.get(found.json()["url"])
        assert page.status_code == 200
        allowed = there.get(str(page.url.copy_merge_params({"choice": "allow"})))
        assert allowed.status_code == 302
        return self.get(allowed.headers["location"])

    def deliver(self) -> None:
        for payload in self.x.due():
            self.hub.receive(self.door, payload).result()
        self.hub.drain()

    def speak(self, text: str, place: str = "post") -> str:
        self.x.speak("kerryf", text, place)
        self.deliver()
        found: str = self.hub.queue("acme")[0]["id"]
        return found

    def reply(self, conversation: str, text: str) -> None:
        self.hub.reply("acme", conversation, text, agent="dana")
        self.hub.drain()
        self.deliver()

    def states(self) -> list[str]:
        account = f"x.user:{self.x.person('kerryf').id}"
        entries = self.hub.timeline("acme", account)
        return [one["state"] for one in entries if one["interaction"]["direction"] == "outbound"]

    def said(self) -> list[str]:
        return [one.text for one in self.x.said if one.author == "us"]


@pytest.fixture
def brand(tmp_path: Path) -> Iterator[Brand]:
    made = Brand(tmp_path)
    yield made
    made.hub.close()


def test_connect_reply_expire_reply(brand: Brand) -> None:
    answer = brand.connect()
    assert answer.status_code == 200
    assert "connected to x as acme" in answer.text
    assert brand.hub.list_channels("acme")[0]["own_account"] == brand.x.brand.id

    conversation = brand.speak("my router is dead")
    brand.reply(conversation, "Sorry to hear that")
    assert brand.states() == ["sent"]
    brand.x.signing.expire()
    brand.move(minutes=5)
    brand.reply(conversation, "We are on it")
    assert (brand.states(), brand.x.signing.refreshes) == (["sent", "sent"], 1)
    brand.move(hours=3)
    brand.reply(conversation, "Done")
    assert (brand.states(), brand.x.signing.refreshes) == (["sent"] * 3, 2)
    assert [text.removeprefix("@kerryf ") for text in brand.said()] == ["Sorry to hear that", "We are on it", "Done"]


def test_what_was_granted_is_enough_for_everything(brand: Brand) -> None:
    """Direct messages, polling, reading profiles: the simulator knows which scope each call needs."""
    brand.connect()
    private = brand.speak("hello", "dm")
    brand.reply(private, "hello yourself")
    assert brand.states() == ["sent"]
    live = brand.hub.channels.get("acme", "brand")
    keeper = brand.hub.keepers.of(live)

    async def poll() -> None:
        page = await brand.hub.wire.run(live.connector.poll(None), live.connector, keeper=keeper)
        await brand.hub.wire.run(live.connector.poll(page.cursor), live.connector, keeper=keeper)

    asyncio.run(poll())


@pytest.mark.parametrize("missing", ["tweet.write", "dm.write"])
def test_what_was_not_granted_is_refused_there(brand: Brand, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(signing, "SCOPES", tuple(one for one in signing.SCOPES if one != missing))
    brand.connect()
    conversation = brand.speak("hello", "post" if missing == "tweet.write" else "dm")
    brand.reply(conversation, "no")
    assert brand.states() == ["failed"]


def test_a_channel_that_was_never_connected_keeps_its_replies(brand: Brand) -> None:
    brand.hub.add_channel("acme", "brand", "x", {**APP, "account_id": brand.x.brand.id})
    conversation = brand.speak("my router is dead")
    brand.reply(conversation, "Sorry")
    (shown,) = brand.hub.list_channels("acme")
    assert (brand.states(), shown["state"]) == (["retrying"], "failing")
    assert "connect the channel" in shown["reason"]
    assert brand.connect().status_code == 200
    brand.hub.drain()
    assert brand.states() == ["sent"]


def test_a_withdrawn_access_is_for_the_operator(brand: Brand) -> None:
    brand.connect()
    conversation = brand.speak("my router is dead")
    brand.x.signing.revoke()
    brand.reply(conversation, "Sorry")
    (shown,) = brand.hub.list_channels("acme")
    assert (brand.states(), shown["state"]) == (["retrying"], "failing")
    assert "connect it again" in shown["reason"]
    brand.connect()
    brand.hub.drain()
    assert brand.states() == ["sent"]


def test_fifty_calls_with_an_expired_token_are_one_refresh(brand: Brand) -> None:
    """A second one would be refused: a refresh token works once."""
    brand.connect()
    brand.x.signing.expire()
    live = brand.hub.channels.get("acme", "brand")

    async def fifty() -> list[Any]:
        someone = Identifier(kind="x.user", value=brand.x.person("kerryf").id)
        flows = (
            brand.hub.wire.run(live.connector.profile(someone), live.connector, keeper=brand.hub.keepers.of(live))
            for _ in range(50)
        )
        return await asyncio.gather(*flows)

    assert {party.handle for party in asyncio.run(fifty())} == {"kerryf"}
    assert brand.x.signing.refreshes == 1


def test_signing_in_as_somebody_else_changes_nothing(brand: Brand) -> None:
    brand.connect()
    brand.x.brand = brand.x.person("private_dana")
    answer = brand.connect()
    assert answer.status_code == 400
    assert "private_dana" in answer.text


def test_a_no_is_told(brand: Brand) -> None:
    found = brand.get("/api/connect/x?channel=brand", authorization=f"Bearer {brand.token}").json()["url"]
    answer = brand.get(brand.x.signing.deny(found))
    assert answer.status_code == 403
    assert "access_denied" in answer.text


def test_without_a_client_id_it_says_what_is_missing(tmp_path: Path) -> None:
    made = Brand(tmp_path, client_id=None)
    answer = made.get("/api/connect/x?channel=brand", authorization=f"Bearer {made.token}")
    assert (answer.status_code, "client_id is missing" in answer.text) == (422, True)
    made.hub.close()


def test_no_call_exceeds_what_x_allows(brand: Brand) -> None:
    """The sixteenth direct message in a quarter of an hour waits here, and is never refused there."""
    brand.connect()
    conversation = brand.speak("hello", "dm")
    for number in range(20):
        brand.hub.reply("acme", conversation, f"message {number}", agent="dana")
    for _ in range(25):
        brand.hub.drain()
        brand.move(minutes=1)
    assert brand.states() == ["sent"] * 20
    refused = [call for call in brand.x.calls if call.url.path.endswith("/messages")]
    assert len(refused) == 20
    assert brand.hub.list_channels("acme")[0]["state"] == "active"


def test_a_limit_of_another_call_holds_nothing_up(brand: Brand) -> None:
    brand.connect()
    live = brand.hub.channels.get("acme", "brand")
    keeper = brand.hub.keepers.of(live)

    async def drain_messages() -> None:
        cursor = '{"source":"messages"}'
        for _ in range(16):
            await brand.hub.wire.run(live.connector.poll(cursor), live.connector, keeper=keeper)

    with pytest.raises(RateLimited, match="allows no more calls"):
        asyncio.run(drain_messages())
    conversation = brand.speak("hello")
    brand.reply(conversation, "hi")
    assert brand.states() == ["sent"]


def test_a_wrong_account_is_named_by_the_connection_test(tmp_path: Path) -> None:
    made = Brand(tmp_path, account_id="1")
    made.x.brand.id = "2244994945"
    answer = made.connect()
    assert answer.status_code == 502
    assert "account_id is 1" in answer.text
    with pytest.raises(Forbidden):
        asyncio.run(made.hub.test_channel("acme", "brand"))
    made.hub.close()
