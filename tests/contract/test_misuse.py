"""A method that is no flow, and a flow that asks what nobody answers: who, where, and what to write."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import (
    Connector,
    DeliveryError,
    Flow,
    FlowRun,
    ReadBlob,
    Settings,
    Uncertain,
    Wait,
    drive,
    from_response,
)
from socialsupport_core.model import Capabilities, Event, Facts, Intent, Page, Payload, Receipt, SendMessage, Thread

REQUEST = httpx.Request("POST", "https://api.parrot.example/sayings", json={})
INTENT = SendMessage(key="k", own_account="acme", thread=Thread(id="1", visibility="private"), text="hi")


class Parrot(Connector[Settings]):
    """Its author has forgotten every yield."""

    name = "parrot"
    settings_model = Settings
    capabilities = Capabilities()

    def parse(self, payload: Payload) -> Iterable[Event]:
        return ()

    def send(self, intent: Intent) -> Any:
        return Receipt(native_id="1")

    def poll(self, cursor: str | None) -> Any:
        return REQUEST

    async def probe(self) -> Any:  # type: ignore[override]
        return Facts()

    def fetch(self, attachment: Any) -> Flow[Any]:
        yield REQUEST


PARROT = Parrot(Settings())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (PARROT.send(INTENT), "Parrot.send returned a Receipt, and is no generator; it needs a `yield`"),
        (REQUEST, "Parrot.poll or Parrot.send returned a Request, and is no generator; write "
                  "`response = yield httpx.Request(...)`"),
        (None, "returned None, and is no generator; it needs a `yield` of what it asks"),
        (PARROT.probe, "Parrot.probe is a coroutine; write `def` in place of `async def`"),
    ],
)  # fmt: skip
def test_what_is_no_flow_names_method_and_remedy(given: Any, told: str) -> None:
    flow = given() if callable(given) else given  # a coroutine is made where it is used, and closed there
    with pytest.raises(DeliveryError) as raised:
        FlowRun(flow, PARROT.failure)
    assert told in str(raised.value)


def sub() -> Flow[str]:
    yield REQUEST
    return "done"


async def later() -> None: ...


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (None, "yields None; yield an httpx.Request, a Wait, or an ask"),
        ("https://api.parrot.example", "yields a str; yield an httpx.Request"),
        ({"words": "hi"}, "yields a dict; yield an httpx.Request"),
        (Receipt(native_id="1"), "yields a Receipt; give the result with `return`"),
        (Page(payloads=(), cursor=None), "yields a Page; give the result with `return`"),
        (sub, "yields a generator; write `yield from`"),
        (later, "yields a coroutine; a flow awaits nothing"),
    ],
)
def test_what_no_wire_answers_names_the_flow(ask: Any, told: str) -> None:
    def send() -> Flow[None]:
        yield ask() if callable(ask) else ask

    with pytest.raises(DeliveryError, match="send yields") as raised:
        FlowRun(send(), from_response)
    assert told in str(raised.value)


def test_after_a_call_it_may_have_been_done() -> None:
    closed = []

    def send() -> Flow[None]:
        try:
            yield REQUEST
            yield None
        finally:
            closed.append(True)

    with pytest.raises(Uncertain, match="send yields None"):
        drive(send(), lambda _ask: httpx.Response(200, json={}), from_response)
    assert closed


def test_an_ask_of_ones_own_stays_an_ask() -> None:
    @dataclass(frozen=True)
    class Squawk:
        words: str

    def send() -> Flow[str]:
        heard: str = yield Squawk("hi")
        yield Wait(1)
        yield ReadBlob("d")
        return heard

    assert drive(send(), lambda one: getattr(one, "words", None), from_response) == "hi"
