"""JetStream, against a real server: everything once, in order, through kills; and against none."""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import FanOut, LogRecord, Registry, Unavailable
from socialsupport_nats import JetStream, NATSSettings
from socialsupport_nats import fanout as module
from socialsupport_nats.fanout import message_id, token
from socialsupport_nats.local import LocalServer

pytestmark = pytest.mark.server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with LocalServer(tmp_path / "jetstream") as running:
        yield running


def record(cursor: int, tenant: str = "acme", **more: Any) -> LogRecord:
    given = {"type": "interaction.received", "at": "2026-03-01T12:00:00Z", "data": {"text": f"number {cursor}"}}
    return LogRecord.model_validate({"cursor": cursor, "tenant": tenant} | given | more)


def jetstream(server: LocalServer, **more: Any) -> JetStream:
    return JetStream(NATSSettings(servers=(server.address,), **more))


def run(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(call())


async def with_client(server: LocalServer, call: Callable[[Client], Coroutine[Any, Any, Any]], **how: Any) -> Any:
    client = Client()
    await client.connect([server.address], allow_reconnect=False, **how)
    try:
        return await call(client)
    finally:
        await client.close()


async def stored(server: LocalServer, stream: str = "SOCIALSUPPORT", **how: Any) -> list[Any]:
    """Every message of the stream, in order."""

    async def read(client: Client) -> list[Any]:
        context = client.jetstream()
        last = (await context.stream_info(stream)).state.last_seq
        return [await context.get_msg(stream, seq=number) for number in range(1, last + 1)]

    found: list[Any] = await with_client(server, read, **how)
    return found


def cursors(messages: list[Any]) -> list[int]:
    return [json.loads(one.data)["cursor"] for one in messages]


async def published(one: JetStream, *records: LogRecord) -> None:
    try:
        await one.publish(records)
    finally:
        await one.aclose()


def test_subject_id_and_body(server: LocalServer) -> None:
    one = record(7, channel="tower", conversation="con_1")

    async def go() -> Any:
        await published(jetstream(server), one, record(8, "a.b c*", type="conversation.opened"))
        return await stored(server)

    first, second = run(go)
    assert first.subject == "socialsupport.acme.interaction.received"
    assert second.subject == "socialsupport.a%2Eb%20c%2A.conversation.opened"
    assert json.loads(first.data) == json.loads(one.to_json())
    assert first.headers["Nats-Msg-Id"] == message_id(one, first.data)
    assert first.headers["Nats-Msg-Id"].startswith("acme:7:")


def test_what_comes_twice_is_stored_once(server: LocalServer) -> None:
    async def go() -> Any:
        for _ in range(3):
            await published(jetstream(server), record(1), record(2))
        return await stored(server)

    assert cursors(run(go)) == [1, 2]


def test_a_cursor_that_a_restored_store_gives_again_is_another_message(server: LocalServer) -> None:
    async def go() -> Any:
        await published(jetstream(server), record(1))
        await published(jetstream(server), record(1, data={"text": "after the backup"}))
        await published(jetstream(server), record(1, "rival"))
        return await stored(server)

    assert len(run(go)) == 3


class Log:
    """What the hub does: batches in order, again until they are acknowledged."""

    def __init__(self, one: JetStream, end: int) -> None:
        self.one, self.end, self.cursor, self.failures = one, end, 0, 0

    async def hand_on(self, batch: int = 25) -> None:
        while self.cursor < self.end:
            records = [record(cursor) for cursor in range(self.cursor + 1, min(self.cursor + batch, self.end) + 1)]
            try:
                await self.one.publish(records)
            except Unavailable:
                self.failures += 1
                await asyncio.sleep(0.05)
            else:
                self.cursor = records[-1].cursor
        await self.one.aclose()


def test_killed_and_started_again_nothing_is_lost_and_the_order_stays(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    chance = random.Random(7)
    log = Log(jetstream(server), 1_500)

    async def havoc() -> None:
        for _ in range(4):
            await asyncio.sleep(chance.uniform(0.05, 0.3))
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(chance.uniform(0.05, 0.3))
            await asyncio.to_thread(server.start)

    async def go() -> Any:
        await asyncio.gather(log.hand_on(), havoc())
        return await stored(server)

    assert cursors(run(go)) == list(range(1, 1_501))
    assert log.failures > 0


def test_nobody_there(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    server.kill()
    with pytest.raises(Unavailable):
        run(lambda: published(jetstream(server), record(1)))


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def go() -> None:
        listening = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        try:
            await published(JetStream(NATSSettings(servers=(f"nats://127.0.0.1:{port}",))), record(1))
        finally:
            listening.close()

    with pytest.raises(Unavailable):
        run(go)


def test_it_connects_again_on_another_loop(server: LocalServer) -> None:
    one = jetstream(server)
    for cursor in (1, 2):
        run(lambda cursor=cursor: published(one, record(cursor)))
    assert cursors(run(lambda: stored(server))) == [1, 2]


def test_a_stream_that_is_there_is_never_changed(server: LocalServer) -> None:
    async def make(client: Client) -> None:
        await client.jetstream().add_stream(StreamConfig(name="MINE", subjects=["mine.>"], max_msgs=5))

    async def go() -> Any:
        await with_client(server, make)
        await published(jetstream(server, stream="MINE", subject="mine"), record(1))
        config: Any = await with_client(server, lambda client: client.jetstream().stream_info("MINE"))
        return config.config

    config = run(go)
    assert (config.max_msgs, config.subjects) == (5, ["mine.>"])


def test_a_stream_that_is_made_here(server: LocalServer) -> None:
    async def go() -> Any:
        await published(jetstream(server, duplicate_window=90), record(1))
        return await with_client(server, lambda client: client.jetstream().stream_info("SOCIALSUPPORT"))

    config = run(go).config
    assert (config.subjects, config.storage, config.duplicate_window) == (["socialsupport.>"], "file", 90.0)


def test_none_is_made_where_that_is_not_wanted(server: LocalServer) -> None:
    with pytest.raises(Unavailable, match="NotFoundError"):
        run(lambda: published(jetstream(server, create_stream=False), record(1)))


def test_subjects_of_another_stream_are_not_ours(server: LocalServer) -> None:
    """Its acknowledgement would be worth nothing."""

    async def make(client: Client) -> None:
        await client.jetstream().add_stream(StreamConfig(name="OTHER", subjects=["socialsupport.>"]))
        await client.jetstream().add_stream(StreamConfig(name="SOCIALSUPPORT", subjects=["elsewhere.>"]))

    async def go() -> None:
        await with_client(server, make)
        await published(jetstream(server), record(1))

    with pytest.raises(Unavailable):
        run(go)


def test_what_is_too_large_goes_without_its_data(server: LocalServer) -> None:
    async def go() -> Any:
        large = record(1, data={"text": "x" * 2_000_000}, conversation="con_1")
        await published(jetstream(server), large, record(2))
        return await stored(server)

    first, second = run(go)
    assert json.loads(first.data)["data"] == {}
    assert json.loads(first.data)["conversation"] == "con_1"
    assert int(first.headers["Socialsupport-Too-Large"]) > 2_000_000
    assert "Socialsupport-Too-Large" not in second.headers


@pytest.mark.parametrize(
    ("arguments", "right", "wrong"),
    [
        (("--auth", "t0ken"), {"token": "t0ken"}, {"token": "canary"}),
        (
            ("--user", "hub", "--pass", "pa55"),
            {"user": "hub", "password": "pa55"},
            {"user": "hub", "password": "canary"},
        ),
    ],
)
def test_credentials(tmp_path: Path, arguments: tuple[str, ...], right: dict[str, str], wrong: dict[str, str]) -> None:
    def given(credentials: dict[str, str]) -> dict[str, Any]:
        return {name: value if name == "user" else SecretStr(value) for name, value in credentials.items()}

    with LocalServer(tmp_path, *arguments) as server:
        run(lambda: published(jetstream(server, **given(right)), record(1)))
        assert len(run(lambda: stored(server, **right))) == 1
        with pytest.raises(Unavailable) as raised:
            run(lambda: published(jetstream(server, **given(wrong)), record(2)))
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"servers": ()},
        {"servers": ("nats://user:pass@host:4222",)},
        {"stream": "a.b"},
        {"subject": "a.>"},
        {"subject": ""},
        {"replicas": 0},
        {"window": 1},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NATSSettings.model_validate(wrong)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("acme", "acme"), ("a.b", "a%2Eb"), ("a>*", "a%3E%2A"), ("é", "%C3%A9"), ("a b\r\n", "a%20b%0D%0A"), ("", "")],
)
def test_a_token_of_a_subject(text: str, wanted: str) -> None:
    assert token(text) == wanted


def test_it_is_a_plugin() -> None:
    import socialsupport_nats

    assert issubclass(Registry.of(socialsupport_nats).fanout("nats"), FanOut)
