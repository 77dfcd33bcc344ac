"""Credentials in use: the current ones for every request, one refresh for all, and nothing lost in between."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from raven import Castle, Court, Courtier, Forgetful, Raven, message
from raven.court import TOWER
from raven.outpost import outpost

from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    Flow,
    Forbidden,
    Unavailable,
    Unsupported,
)
from socialsupport_core.model import Credentials, Facts, Receipt, SendMessage
from socialsupport_core.pipeline import credentials as module
from socialsupport_core.store import StoreError
from socialsupport_core.store import credentials as table

CLERK = Path(__file__).with_name("clerk.py")


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def castle(tmp_path: Path, store: str | Path) -> Iterator[Castle]:
    made = Castle(tmp_path, store)
    yield made
    made.hub.close()


@pytest.fixture
def dated(tmp_path: Path, store: str | Path) -> Iterator[Castle]:
    """Its network says when a token expires."""
    made = Castle(tmp_path, store, Courtier)
    yield made
    made.hub.close()


# the current ones


def test_requests_carry_what_was_connected_and_not_the_settings(castle: Castle) -> None:
    castle.reply("hi")
    castle.hub.drain()
    assert castle.states() == ["sent"]
    assert [call.headers["authorization"] for call in castle.sky.calls] == [f"Bearer {castle.held()}"]


def test_each_request_of_a_flow_carries_the_newest(castle: Castle) -> None:
    """The flow begins with one token and ends with the next, without being told."""

    def flow() -> Flow[None]:
        yield httpx.Request("GET", "https://api.raven.example/me")
        castle.connect()
        yield httpx.Request("GET", "https://api.raven.example/me")

    live, before = castle.hub.channels.get("acme", "tower"), castle.held()
    asyncio.run(castle.hub.wire.run(flow(), live.connector, keeper=castle.hub.keepers.of(live)))
    assert [call.headers["authorization"] for call in castle.sky.calls] == [
        f"Bearer {before}",
        f"Bearer {castle.held()}",
    ]
    assert before != castle.held()


@pytest.mark.parametrize("url", ["https://evil.example/me", "http://api.raven.example/me"])
def test_no_undeclared_host_is_told_a_token(castle: Castle, url: str) -> None:
    signed: list[str] = []

    class Watched(Forgetful):
        def authorize(self, request: httpx.Request, *more: Any) -> httpx.Request:
            signed.append(str(request.url))
            return super().authorize(request, *more)

    def flow() -> Flow[None]:
        yield httpx.Request("GET", url)

    connector = Watched(castle.hub.channels.get("acme", "tower").connector.settings)
    with pytest.raises(Forbidden):
        asyncio.run(castle.hub.wire.run(flow(), connector, keeper=castle.hub.keepers.of_crm(TOWER, connector)))
    assert (signed, castle.sky.calls) == ([], [])


def test_what_a_flow_asked_stays_as_it_was(castle: Castle) -> None:
    """The token is added to a copy, so that nothing which keeps the request keeps the token."""
    asked = httpx.Request("POST", "https://api.raven.example/messages", json={"thread": "t", "text": "x", "key": "k"})

    def flow() -> Flow[None]:
        yield asked

    live = castle.hub.channels.get("acme", "tower")
    castle.sky.pages.expire()
    asyncio.run(castle.hub.wire.run(flow(), live.connector, keeper=castle.hub.keepers.of(live)))
    assert "authorization" not in asked.headers
    assert castle.sky.texts() == ["x"]


# one refresh


def test_a_token_expires_and_the_reply_goes_out_with_the_next(castle: Castle) -> None:
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.sky.texts(), castle.sky.pages.refreshes) == (["sent"], ["hi"], 1)
    assert [(call.method, call.url.path) for call in castle.sky.calls] == [
        ("POST", "/messages"),
        ("POST", "/token"),
        ("POST", "/messages"),
    ]
    assert castle.standing().version == 2
    assert castle.log("channel.changed") == []


class Slow(httpx.AsyncBaseTransport):
    """Every answer takes a moment, so that what is asked at once is under way at once."""

    def __init__(self, sky: Court) -> None:
        self.sky, self.under_way, self.most = sky, 0, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.02)
        self.under_way -= 1
        return self.sky.handle(request)


def test_fifty_401s_at_once_are_one_refresh_committed_before_it_is_used(castle: Castle) -> None:
    used_early: list[str] = []

    def look(request: httpx.Request) -> None:
        if request.headers["authorization"] != f"Bearer {castle.held()}":
            used_early.append(request.headers["authorization"])

    slow = Slow(castle.sky)
    castle.options["transport"] = slow
    castle.restart()
    castle.sky.pages.expire()
    castle.sky.before = look
    live = castle.hub.channels.get("acme", "tower")

    async def fifty() -> list[Facts]:
        keepers = [castle.hub.keepers.of(live) for _ in range(50)]
        flows = (castle.hub.wire.run(live.connector.probe(), live.connector, keeper=one) for one in keepers)
        return await asyncio.gather(*flows)

    found = asyncio.run(fifty())
    assert [one.own_account for one in found] == ["tower"] * 50
    assert slow.most >= 50
    assert castle.sky.refused == 50
    assert (castle.sky.token_calls, castle.sky.pages.refreshes) == (1, 1)
    assert (used_early, castle.standing().version) == ([], 2)


def test_eight_threads_with_loops_of_their_own_are_one_refresh(castle: Castle) -> None:
    castle.options["transport"] = Slow(castle.sky)
    castle.restart()
    live = castle.hub.channels.get("acme", "tower")
    for round_ in range(1, 4):
        castle.sky.pages.expire()
        castle.clock.forward(minutes=2)
        start, found = threading.Barrier(8), list[Facts]()

        def ask(start: threading.Barrier, found: list[Facts]) -> None:
            async def several() -> None:
                flows = [
                    castle.hub.wire.run(live.connector.probe(), live.connector, keeper=castle.hub.keepers.of(live))
                    for _ in range(4)
                ]
                found.extend(await asyncio.gather(*flows))

            start.wait(10)
            asyncio.run(several())

        threads = [threading.Thread(target=ask, args=(start, found)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(found) == 32
        assert castle.sky.pages.refreshes == round_


@pytest.fixture
def clerks(castle: Castle) -> Iterator[Callable[[str, str], "subprocess.Popen[str]"]]:
    """Starts other processes on the same store and the same network."""
    started: list[subprocess.Popen[str]] = []
    with outpost(castle.sky) as port:

        def start(verb: str, argument: str) -> "subprocess.Popen[str]":
            command = [sys.executable, str(CLERK), str(castle.store), str(port), verb, argument]
            clerk = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=castle.path.parent
            )
            started.append(clerk)
            return clerk

        yield start
        for clerk in started:
            clerk.kill()
            clerk.communicate()


def test_three_processes_are_one_refresh(castle: Castle, clerks: Callable[[str, str], "subprocess.Popen[str]"]) -> None:
    castle.hub.close()
    castle.sky.pages.expire()
    castle.sky.before_token = lambda: time.sleep(0.5)  # long enough for everybody else to find the claim
    running = [clerks("ask", "7") for _ in range(3)]
    for clerk in running:
        assert clerk.stdout is not None
        assert clerk.stdout.readline() == "ready\n"
    for clerk in running:
        assert clerk.stdin is not None
        clerk.stdin.write("go\n")
        clerk.stdin.flush()
    told = [clerk.communicate(timeout=60)[0].split("\n")[:-1] for clerk in running]
    assert told == [["tower"] * 7] * 3
    assert (castle.sky.token_calls, castle.sky.pages.refreshes) == (1, 1)
    castle.restart()
    assert castle.standing().version == 2
    assert castle.probe().own_account == "tower"


# killed in between


def shoot(clerk: "subprocess.Popen[str]") -> None:
    """Kills it, and then nothing is answered any more."""
    os.kill(clerk.pid, signal.SIGKILL)
    raise httpx.ReadError("nobody listens")


@pytest.mark.parametrize("when", ["asked", "answered", "committing"])
@pytest.mark.parametrize("single_use", [True, False])
def test_a_kill_between_refresh_and_commit_loses_no_reply(
    castle: Castle, clerks: Callable[[str, str], "subprocess.Popen[str]"], when: str, single_use: bool
) -> None:
    """The process dies when it has asked for new tokens, when they were given, or when it has them.

    The 401 has proved that the reply was not sent: it is sent afterwards, once, and never in doubt.
    """
    castle.sky.pages.single_use = single_use
    castle.reply("hi")
    castle.hub.close()
    castle.sky.pages.expire()
    clerk = clerks("work", when)
    if when != "committing":
        setattr(castle.sky, "before_token" if when == "asked" else "after_token", lambda: shoot(clerk))
    assert clerk.wait(30) == -signal.SIGKILL
    castle.sky.before_token = castle.sky.after_token = lambda: None

    castle.restart()
    assert (castle.standing().version, castle.standing().state) == (1, "doubtful")
    assert (castle.sky.texts(), castle.sky.pages.refreshes) == ([], int(when != "asked"))
    castle.clock.forward(minutes=4)  # the leases of the dead one run out
    castle.hub.start()
    if single_use and when != "asked":
        wait_for(lambda: castle.channel()["state"] == "failing")
        assert "connect it again" in castle.channel()["reason"]
        assert castle.states() == ["retrying"]
        castle.connect()
    wait_for(lambda: castle.states() == ["sent"] and castle.channel()["state"] == "active")
    castle.hub.workers.stop()
    assert (castle.sky.texts(), castle.standing().state) == (["hi"], "good")


def test_who_finds_a_claim_waits_and_comes_again(castle: Castle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    now = int(castle.clock().timestamp() * 1_000_000)
    castle.hub._database.do(lambda tx: table.claim(tx, TOWER, 1, "another process", now, now + module.LEASE))
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.sky.token_calls) == (["retrying"], 0)
    assert "another process" in castle.log("delivery.updated")[-1]["data"]["reason"]
    assert castle.channel()["state"] == "active"
    castle.clock.forward(seconds=module.LEASE / 1_000_000)
    castle.hub.drain()
    assert (castle.states(), castle.sky.token_calls) == (["sent"], 1)


def test_who_finds_a_claim_takes_what_it_brings(castle: Castle) -> None:
    """The other process commits while we wait: no second call, and its token is used."""
    now = int(castle.clock().timestamp() * 1_000_000)
    castle.hub._database.do(lambda tx: table.claim(tx, TOWER, 1, "another process", now, now + module.LEASE))
    castle.sky.pages.expire()
    fresh = castle.granted()

    def commit() -> None:
        time.sleep(0.3)
        castle.hub._database.do(lambda tx: table.renew(tx, castle.hub._secrets, TOWER, 1, fresh, now))

    thread = threading.Thread(target=commit)
    thread.start()
    assert castle.probe().own_account == "tower"
    thread.join()
    assert castle.sky.token_calls == 0
    assert castle.sky.calls[-1].headers["authorization"] == f"Bearer {fresh.access_token.get_secret_value()}"


def test_new_credentials_wait_for_a_store_that_does_not_answer(castle: Castle, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are known nowhere else."""
    renew, tries = table.renew, [0]

    def full(*arguments: Any) -> bool:
        tries[0] += 1
        if tries[0] < 3:
            raise StoreError("the disk is full")
        return renew(*arguments)

    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(module.table, "renew", full)
    castle.hub.keepers.sleep = at_once
    castle.sky.pages.expire()
    assert castle.probe().own_account == "tower"
    assert (tries, castle.sky.token_calls, castle.standing().version) == ([3], 1, 2)


class Twice(Forgetful):
    """Says everything in two calls, and a third time when it is told so."""

    def fly(self, intent: SendMessage) -> Flow[Receipt]:
        for number in (1, 2, 3):
            content = {"thread": intent.thread.id, "text": f"{intent.text} {number}", "key": f"{intent.key}-{number}"}
            response = yield self.ask("POST", "/messages", json=content)
        return Receipt(native_id=response.json()["id"])


@pytest.mark.parametrize("mended", ["at once", "later"])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_token_that_expires_in_mid_flow_doubles_no_step(
    tmp_path: Path, store: str | Path, step: int, mended: str
) -> None:
    castle = Castle(tmp_path, store, Twice)
    give, respond = castle.sky.give, castle.sky.respond

    def expiring(request: httpx.Request) -> httpx.Response:
        if len(castle.sky.messages) == step and castle.sky.refused == 0:
            castle.sky.pages.expire()
        return respond(request)

    castle.sky.respond = expiring  # type: ignore[method-assign]
    if mended == "later":
        castle.sky.give = lambda request: httpx.Response(503)  # type: ignore[method-assign]
    castle.reply("hi")
    castle.hub.drain()
    if mended == "later":
        assert (castle.states(), len(castle.sky.messages)) == (["retrying"], step)
        castle.sky.give = give  # type: ignore[method-assign]
        castle.restart()
        castle.clock.forward(minutes=5)
        castle.hub.drain()
    assert (castle.states(), castle.sky.texts()) == (["sent"], ["hi 1", "hi 2", "hi 3"])
    assert castle.sky.pages.refreshes == 1
    castle.hub.close()


STUMBLES: tuple[tuple[int, ...], ...] = ((), (401,), (503,), (401, 503))


@pytest.mark.parametrize("first", STUMBLES)
def test_a_flow_that_stumbles_anywhere_doubles_no_step(tmp_path: Path, first: tuple[int, ...]) -> None:
    """Each step is refused for its token, or not taken, or both, before it is taken: what is done is remembered."""
    for number, others in enumerate(itertools.product(STUMBLES, repeat=2)):
        (tmp_path / str(number)).mkdir()
        castle = Castle(tmp_path / str(number), tmp_path / str(number) / "support.sqlite", Twice)
        faults = {f"k-{step}": list(found) for step, found in enumerate((first, *others), 1)}
        respond = castle.sky.respond

        def stumbling(
            request: httpx.Request, castle: Castle = castle, faults: Any = faults, respond: Any = respond
        ) -> httpx.Response:
            key = json.loads(request.read())["key"] if request.url.path == "/messages" else ""
            fault = faults[key].pop(0) if faults.get(key) else 200
            if fault == 401:
                castle.sky.pages.expire()
            answer: httpx.Response = httpx.Response(503) if fault == 503 else respond(request)
            return answer

        castle.sky.respond = stumbling  # type: ignore[method-assign]
        castle.reply("hi", key="k")
        for _ in range(6):
            castle.hub.drain()
            castle.clock.forward(minutes=5)
        assert (castle.states(), castle.sky.texts()) == (["sent"], ["hi 1", "hi 2", "hi 3"]), (first, others)
        castle.hub.close()


# before it expires


def test_what_expires_within_a_minute_is_renewed_before_it_is_used(dated: Castle) -> None:
    dated.connect(expires_at=dated.clock() + timedelta(seconds=59))
    assert dated.probe().own_account == "tower"
    assert (dated.sky.refused, dated.sky.pages.refreshes) == (0, 1)
    dated.clock.forward(minutes=100)
    assert dated.probe().own_account == "tower"
    assert dated.sky.pages.refreshes == 1
    dated.clock.forward(minutes=19, seconds=1)
    assert dated.probe().own_account == "tower"
    assert (dated.sky.refused, dated.sky.pages.refreshes) == (0, 2)


def test_what_is_still_good_is_used_while_the_sign_in_is_down(dated: Castle) -> None:
    dated.connect(expires_at=dated.clock() + timedelta(seconds=50))
    dated.sky.give = lambda request: httpx.Response(503)  # type: ignore[method-assign]
    assert dated.probe().own_account == "tower"
    dated.clock.forward(seconds=51)
    dated.sky.pages.expire()
    with pytest.raises(Unavailable):
        dated.probe()
    assert (dated.standing().state, dated.sky.refused) == ("good", 0)


# a refresh that goes wrong


def test_a_busy_sign_in_is_asked_again_later_and_nothing_is_in_doubt(castle: Castle) -> None:
    give = castle.sky.give
    castle.sky.give = lambda request: httpx.Response(503)  # type: ignore[method-assign]
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.standing().state) == (["retrying"], "good")
    castle.sky.give = give  # type: ignore[method-assign]
    castle.clock.forward(minutes=1)
    castle.hub.drain()
    assert (castle.states(), castle.sky.pages.refreshes) == (["sent"], 1)


def drop_tokens(castle: Castle, times: int) -> None:
    """The next answers of the token endpoint are lost, after what was asked has been done."""
    left = [times]

    def cut() -> None:
        if left[0] > 0:
            left[0] -= 1
            raise httpx.ReadError("cut")

    castle.sky.after_token = cut


def test_a_lost_answer_is_asked_for_once_more(castle: Castle) -> None:
    castle.sky.pages.single_use = False
    drop_tokens(castle, 1)
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.sky.token_calls, castle.standing().state) == (["sent"], 2, "good")


def test_a_lost_answer_to_a_token_that_works_once_is_for_the_operator(castle: Castle) -> None:
    drop_tokens(castle, 1)
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert castle.sky.token_calls == 2
    assert castle.standing().state == "refused"
    assert (castle.states(), castle.channel()["state"]) == (["retrying"], "failing")
    assert "the answer to a refresh was lost" in castle.channel()["reason"]
    assert "connect it again" in castle.channel()["reason"]


def test_two_lost_answers_stay_in_doubt_and_are_tried_again_later(castle: Castle) -> None:
    castle.sky.pages.single_use = False
    drop_tokens(castle, 2)
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.sky.token_calls, castle.standing().state, castle.states()) == (2, "doubtful", ["retrying"])
    castle.clock.forward(minutes=1)
    castle.hub.drain()
    assert (castle.sky.token_calls, castle.standing().state, castle.states()) == (3, "good", ["sent"])


def test_what_was_in_doubt_is_told_as_lost_when_it_is_refused_later(castle: Castle) -> None:
    """The token worked once, both answers of the first claim were lost, and the next process is refused."""
    drop_tokens(castle, 2)
    castle.sky.pages.single_use = False
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert castle.standing().state == "doubtful"
    castle.sky.pages.revoke()
    castle.clock.forward(minutes=1)
    castle.hub.drain()
    assert castle.standing().state == "refused"
    assert "the answer to a refresh was lost" in castle.channel()["reason"]


def test_a_refresh_that_is_cut_off_stays_in_doubt_and_nobody_waits_for_its_claim(castle: Castle) -> None:
    castle.sky.pages.expire()
    live, asked = castle.hub.channels.get("acme", "tower"), asyncio.Event()

    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/token":
                asked.set()
                await asyncio.sleep(60)
            return castle.sky.handle(request)

    castle.options["transport"] = Hanging()
    castle.restart()
    live = castle.hub.channels.get("acme", "tower")

    async def cut_off() -> None:
        keepers = castle.hub.keepers
        probing = asyncio.create_task(
            castle.hub.wire.run(live.connector.probe(), live.connector, keeper=keepers.of(live))
        )
        await asyncio.wait_for(asked.wait(), 10)
        for task in keepers._tasks:
            task.cancel()
        with pytest.raises(Unavailable, match="cut off"):
            await probing

    asyncio.run(cut_off())
    castle.settle()
    assert (castle.standing().state, castle.standing().claimed_until) == ("doubtful", 0)


def test_who_is_refused_after_another_has_taken_over_refuses_nothing(castle: Castle) -> None:
    """Its claim had run out while the network was silent, and whoever came next is still asking."""
    castle.sky.pages.revoke()

    def taken_over() -> None:
        castle.clock.forward(seconds=module.LEASE / 1_000_000 + 1)
        now = int(castle.clock().timestamp() * 1_000_000)
        claimed = castle.hub._database.do(
            lambda tx: table.claim(tx, TOWER, 1, "another process", now, now + module.LEASE)
        )
        assert claimed == "doubtful"

    castle.sky.before_token = taken_over
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.channel()["state"]) == (["retrying"], "active")
    assert (castle.standing().state, castle.standing().reason) == ("doubtful", None)


def test_refused_credentials_fail_the_channel_and_no_reply_until_they_are_mended(castle: Castle) -> None:
    castle.sky.pages.revoke()
    for text in ("one", "two"):
        castle.reply(text)
    for _ in range(40):  # as long as the reply window is open
        castle.hub.drain()
        castle.clock.forward(hours=1)
    assert castle.states() == ["retrying", "queued"]
    assert castle.sky.token_calls == 1
    assert len(castle.sky.calls) == 2  # what is known to be refused is not asked for days
    assert [one["data"]["state"] for one in castle.log("channel.changed")] == ["failing"]
    told = "raven refuses to renew its credentials (the network answered 400 Bad Request): connect it again"
    assert castle.channel()["reason"].startswith(told)
    assert castle.hub.health()["status"] == "degraded"

    castle.connect()
    castle.hub.drain()
    assert (castle.states(), castle.sky.texts()) == (["sent", "sent"], ["one", "two"])
    assert [one["data"]["state"] for one in castle.log("channel.changed")] == ["failing", "active"]


def test_a_network_that_refuses_new_tokens_too_is_not_asked_for_ever(castle: Castle) -> None:
    castle.sky.pages.accepts = lambda request: False  # type: ignore[method-assign]
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.channel()["state"]) == (["retrying"], "failing")
    assert "although the token was renewed just now" in castle.channel()["reason"]
    for _ in range(5):
        with pytest.raises(AuthExpired, match="renewed just now"):
            castle.probe()
    assert castle.sky.token_calls == 1


def test_a_network_without_refresh_says_what_to_do(tmp_path: Path) -> None:
    class Bare(Forgetful):
        def refresh(self, credentials: Credentials) -> Flow[Credentials]:
            raise Unsupported("a raven's ring is given once")

    castle = Castle(tmp_path, tmp_path / "support.sqlite", Bare)
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.channel()["state"]) == (["retrying"], "failing")
    assert "connect it again" in castle.channel()["reason"]
    castle.hub.close()


@pytest.mark.parametrize("error", [ValueError("access-secret"), SystemExit(3), KeyError("access-secret")])
def test_a_connector_that_fails_to_refresh_harms_nobody(tmp_path: Path, error: BaseException) -> None:
    class Evil(Forgetful):
        def refresh(self, credentials: Credentials) -> Flow[Credentials]:
            raise error

    castle = Castle(tmp_path, tmp_path / "support.sqlite", Evil)
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert (castle.states(), castle.standing().state) == (["retrying"], "doubtful")
    assert "access-secret" not in str(castle.log("delivery.updated", "channel.changed"))
    castle.hub.close()


def test_what_the_network_leaves_out_stays_as_it_was(castle: Castle) -> None:
    castle.connect(scopes=frozenset({"fly"}))
    old = castle.hub._database.read(lambda tx: table.get(tx, castle.hub._secrets, TOWER))
    token = castle.sky.pages.token

    def terse(request: httpx.Request) -> httpx.Response:
        answer = json.loads(token(request).content)
        return httpx.Response(200, json={"access_token": answer["access_token"], "expires_in": 7200})

    class Terse(Forgetful):
        def ask_for_token(self, **form: str) -> Flow[Credentials]:
            response = yield httpx.Request(
                "POST", "https://api.raven.example/token", data={**form, "client_id": "raven-client"}
            )
            return Credentials(access_token=response.json()["access_token"])

    castle.sky.pages.token = terse  # type: ignore[method-assign]
    castle.sky.pages.expire()
    castle.reopen(Terse)
    castle.probe()
    new = castle.hub._database.read(lambda tx: table.get(tx, castle.hub._secrets, TOWER))
    assert new.access_token != old.access_token
    assert (new.refresh_token, new.scopes) == (old.refresh_token, frozenset({"fly"}))


# mended by the operator


def test_new_settings_are_a_reason_to_try_again(castle: Castle) -> None:
    """The client secret was wrong; the refresh token never was."""
    give = castle.sky.give
    castle.sky.give = lambda request: httpx.Response(401)  # type: ignore[method-assign]
    castle.sky.pages.expire()
    with pytest.raises(AuthExpired):
        castle.probe()
    castle.sky.give = give  # type: ignore[method-assign]
    with pytest.raises(AuthExpired):
        castle.probe()
    castle.hub.add_channel("acme", "tower", "raven", {"client_secret": "the-right-one"}, mode="webhook")
    assert castle.probe().own_account == "tower"


def test_so_is_the_connection_test_and_what_waited_goes_out(castle: Castle) -> None:
    give = castle.sky.give
    castle.sky.give = lambda request: httpx.Response(401)  # type: ignore[method-assign]
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert castle.channel()["state"] == "failing"
    castle.sky.give = give  # type: ignore[method-assign]
    assert asyncio.run(castle.hub.test_channel("acme", "tower")).own_account == "tower"
    assert castle.channel()["state"] == "active"
    castle.hub.drain()
    assert castle.states() == ["sent"]
    assert [one["data"]["state"] for one in castle.log("channel.changed")] == ["failing", "active"]


def test_a_paused_channel_stays_paused_when_it_is_tested(castle: Castle) -> None:
    castle.hub.set_channel_state("acme", "tower", "paused", "holiday")
    asyncio.run(castle.hub.test_channel("acme", "tower"))
    assert (castle.channel()["state"], castle.channel()["reason"]) == ("paused", "holiday")


# whose they are


def test_an_app_s_credentials_serve_all_its_channels_with_one_refresh(castle: Castle) -> None:
    castle.hub.add_app("birds", "raven", {})
    for tenant in ("acme", "rival"):
        castle.hub.add_channel(tenant, "keep", "raven", {}, app="birds", own_account=tenant, mode="webhook")
    castle.hub.keep_app_credentials("birds", castle.granted())
    castle.sky.pages.expire()

    async def ask() -> list[str | None]:
        lives = [castle.hub.channels.get(tenant, "keep") for tenant in ("acme", "rival") for _ in range(5)]
        flows = (
            castle.hub.wire.run(live.connector.probe(), live.connector, keeper=castle.hub.keepers.of(live))
            for live in lives
        )
        return [facts.own_account for facts in await asyncio.gather(*flows)]

    assert asyncio.run(ask()) == ["tower"] * 10
    assert castle.sky.pages.refreshes == 1
    assert (castle.standing("app/birds").version, castle.standing().version) == (2, 1)


def test_a_channel_s_own_go_before_its_app_s(castle: Castle) -> None:
    castle.hub.add_app("birds", "raven", {})
    castle.hub.add_channel("rival", "tower", "raven", {}, app="birds", mode="webhook")
    castle.hub.keep_app_credentials("birds", castle.granted())
    castle.probe("rival")
    castle.hub.keep_credentials("rival", "tower", castle.granted())
    castle.probe("rival")
    first, second = (call.headers["authorization"] for call in castle.sky.calls)
    assert first != second


def test_other_hosts_get_no_old_credentials(tmp_path: Path) -> None:
    """Whoever may change the settings must not lead a token to a host of theirs."""

    class Movable(Forgetful):
        @property
        def hosts(self) -> frozenset[str]:
            return frozenset({f"{self.settings.secret.get_secret_value()}.raven.example"})

    castle = Castle(tmp_path, tmp_path / "support.sqlite", Movable)
    castle.hub.add_channel("acme", "tower", "raven", {}, mode="webhook", own_account="tower")
    assert castle.standing().version == 1
    castle.hub.add_channel("acme", "tower", "raven", {"secret": "evil"}, mode="webhook")
    assert castle.hub._database.read(lambda tx: table.standing(tx, TOWER)) is None
    castle.hub.close()


def test_another_network_gets_no_old_credentials(tmp_path: Path) -> None:
    class Crow(Raven):
        name = "crow"

    castle = Castle(tmp_path, tmp_path / "support.sqlite")
    castle.reopen(Forgetful, Crow)
    with pytest.raises(ConfigError, match="remove it first"):
        castle.hub.add_channel("acme", "tower", "crow", {}, mode="webhook")
    castle.hub.remove_channel("acme", "tower")
    castle.hub.add_channel("acme", "tower", "crow", {}, mode="webhook")
    assert castle.hub._database.read(lambda tx: table.standing(tx, TOWER)) is None
    castle.hub.close()


def test_a_channel_that_is_removed_leaves_no_credentials(castle: Castle) -> None:
    castle.hub.remove_channel("acme", "tower")
    assert castle.hub._database.read(lambda tx: table.standing(tx, TOWER)) is None
    rows = castle.hub._database.read(lambda tx: [row["ref"] for row in tx.all("SELECT ref FROM secrets")])
    assert not [ref for ref in rows if "acme/tower" in ref]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda hub, given: hub.keep_credentials("acme", "none", given), "no channel 'none'"),
        (lambda hub, given: hub.keep_credentials("nobody", "tower", given), "no tenant"),
        (lambda hub, given: hub.keep_app_credentials("none", given), "no app 'none'"),
        (lambda hub, given: hub.keep_crm_credentials("acme", "none", given), "no CRM 'none'"),
    ],
)
def test_credentials_for_nobody_are_refused(castle: Castle, call: Callable[..., None], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        call(castle.hub, castle.granted())


def test_rates_and_breakers_are_counted_by_credential(castle: Castle) -> None:
    """Channels with the same token in their settings are one to the network."""
    for name, settings in (("a", {"token": "same"}), ("b", {"token": "same"}), ("c", {"token": "other"}), ("d", {})):
        castle.hub.add_channel("rival", name, "raven", settings, mode="webhook")
    names = [castle.hub.keepers.of(castle.hub.channels.get("rival", one)).name for one in "abcd"]
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert not [one for one in names if "same" in one or "other" in one]


# what else asks


def test_a_poll_that_is_refused_is_shown_and_goes_on_when_it_is_mended(castle: Castle) -> None:
    castle.hub.add_channel("acme", "tower", "raven", {}, mode="poll")
    castle.sky.letters = [json.loads(message(n, f"text {n}", at=castle.clock.now).to_json()) for n in range(10, 14)]
    castle.sky.pages.revoke()

    def poll() -> int:
        async def once() -> int:
            try:
                return await castle.hub.workers.poll("acme", "tower")
            finally:
                await castle.hub.wire.aclose()

        return asyncio.run(once())

    assert poll() == 0
    assert "connect it again" in castle.channel()["reason"]
    castle.connect()
    assert poll() == 4
    castle.sky.pages.expire()
    castle.sky.letters.append(json.loads(message(14, "text 14", at=castle.clock.now).to_json()))
    assert poll() == 1
    assert (castle.channel()["state"], castle.sky.pages.refreshes) == ("active", 1)


def test_an_attachment_waits_for_credentials_as_long_as_it_takes(castle: Castle) -> None:
    castle.sky.files["f1"] = b"a picture"
    castle.sky.pages.revoke()
    attachment = {"media_type": "image/png", "native_id": "f1", "name": "a.png"}
    castle.hear(message(2, "look", at=castle.clock.now, attachments=(attachment,)))
    for _ in range(40):
        castle.clock.forward(hours=2)
        castle.hub.drain()
    assert castle.log("attachment.refused") == []
    castle.connect()
    castle.clock.forward(hours=2)
    castle.hub.drain()
    assert len(castle.log("attachment.stored")) == 1


def test_no_token_is_in_the_store_or_in_what_is_told(castle: Castle) -> None:
    access, refresh = castle.granted().access_token, castle.granted().refresh_token
    assert refresh is not None
    secret = {castle.held(), access.get_secret_value(), refresh.get_secret_value()}
    castle.hub.keep_credentials("acme", "tower", Credentials(access_token=access, refresh_token=refresh))

    def chatty(request: httpx.Request) -> httpx.Response:
        form = request.read().decode()
        return httpx.Response(400, json={}, headers={"reason": form}, extensions={"reason_phrase": form.encode()})

    castle.sky.give = chatty  # type: ignore[method-assign]
    castle.sky.pages.expire()
    castle.reply("hi")
    castle.hub.drain()
    assert castle.channel()["state"] == "failing"
    castle.settle()
    told = (
        castle.dump() + str(castle.log("delivery.updated", "channel.changed")) + str(castle.hub.list_channels("acme"))
    )
    assert not [one for one in secret if one in told]


def test_credentials_show_no_secret() -> None:
    given = Credentials(access_token=SecretStr("access-secret"), refresh_token=SecretStr("refresh-secret"))
    assert "-secret" not in f"{given!r} {given} {given.to_json()}"
    with pytest.raises(ValueError) as raised:
        Credentials.model_validate({"access_token": ["access-secret"], "refresh_token": {"a": "refresh-secret"}})
    assert "-secret" not in str(raised.value)
