"""Flows: what a connector asks, what it is given, and what happens when either goes wrong."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import (
    ContentRejected,
    DeliveryError,
    Flow,
    FlowRun,
    RateLimited,
    ReadBlob,
    Unavailable,
    Uncertain,
    Wait,
    digest,
    drive,
    from_response,
)
from socialsupport_core.model import Blob, Receipt


def ask(method: str = "POST", path: str = "/x", **content: Any) -> httpx.Request:
    return httpx.Request(method, f"https://api.raven.example{path}", **content)


def ok(content: Any = None) -> httpx.Response:
    return httpx.Response(200, json={} if content is None else content)


def test_straight_line_code_is_driven_to_its_end() -> None:
    def flow() -> Flow[str]:
        first = yield ask(path="/one")
        yield Wait(3)
        blob = yield ReadBlob("d")
        second = yield ask(path=f"/two/{first.json()['id']}")
        return f"{blob.content.decode()} {second.json()['id']}"

    asked: list[Any] = []
    answers = iter([ok({"id": 1}), None, Blob(content=b"file"), ok({"id": 2})])

    def respond(one: Any) -> Any:
        asked.append(one)
        return next(answers)

    assert drive(flow(), respond, from_response) == "file 2"
    assert [type(one) for one in asked] == [httpx.Request, Wait, ReadBlob, httpx.Request]
    assert asked[-1].url.path == "/two/1"


def test_a_flow_sees_successes_only_and_may_catch_the_rest() -> None:
    def flow() -> Flow[str]:
        try:
            yield ask(path="/first")
        except RateLimited as error:
            again = yield ask(path="/second")
            return f"after {error.retry_after}: {again.json()['id']}"
        raise AssertionError("the refusal did not arrive")

    answers = {"/first": httpx.Response(429, headers={"retry-after": "7"}), "/second": ok({"id": 5})}
    assert drive(flow(), lambda one: answers[one.url.path], from_response) == "after 7.0: 5"


def test_what_the_driver_raises_arrives_in_the_flow_too() -> None:
    def flow() -> Flow[str]:
        try:
            yield ask()
        except Unavailable:
            return "caught"
        return "not caught"

    def respond(_one: Any) -> Any:
        raise Unavailable("no line")

    assert drive(flow(), respond, from_response) == "caught"


def test_what_a_flow_does_not_catch_is_raised() -> None:
    def flow() -> Flow[None]:
        yield ask()

    with pytest.raises(ContentRejected):
        drive(flow(), lambda one: httpx.Response(400), from_response)


def unreadable(first: Any, answer: Any) -> type[DeliveryError]:
    """What becomes of it when the answer to the last ask makes no sense."""

    def flow() -> Flow[Receipt]:
        given = yield first
        return Receipt(native_id=given.json()["id"] if isinstance(given, httpx.Response) else given.id)

    with pytest.raises(DeliveryError) as raised:
        drive(flow(), lambda one: answer, from_response)
    return type(raised.value)


BROKEN = [httpx.Response(200, text="<html>"), ok({}), ok([]), ok("x"), ok({"id": 5}), ok({"id": ""}), ok({"id": None})][
    :6
]


@pytest.mark.parametrize("answer", BROKEN)
@pytest.mark.parametrize(
    ("method", "kind"), [("POST", Uncertain), ("PUT", Uncertain), ("DELETE", Uncertain), ("GET", Unavailable)]
)
def test_an_answer_that_cannot_be_read(method: str, kind: type[DeliveryError], answer: httpx.Response) -> None:
    assert unreadable(ask(method), answer) is kind


@dataclass(frozen=True)
class Release:
    """An ask of a network that is not HTTP."""

    to: str


def test_an_answer_of_another_wire_that_cannot_be_read_may_have_been_done() -> None:
    assert unreadable(Release("x"), object()) is Uncertain


@pytest.mark.parametrize("read", [Wait(1), ReadBlob("d")])
def test_waiting_and_reading_do_nothing_to_the_network(read: Any) -> None:
    assert unreadable(read, object()) is Unavailable


def test_once_something_was_done_a_later_mishap_is_uncertain() -> None:
    def flow() -> Flow[str]:
        yield ask("POST")
        later = yield ask("GET")
        return str(later.json()["id"])

    answers = iter([ok(), ok()])
    with pytest.raises(Uncertain):
        drive(flow(), lambda one: next(answers), from_response)


@pytest.mark.parametrize("error", [KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError])
def test_whatever_reading_an_answer_raises_is_a_decision(error: type[Exception]) -> None:
    def flow() -> Flow[str]:
        yield ask("POST")
        raise error

    with pytest.raises(Uncertain):
        drive(flow(), lambda one: ok(), from_response)


def test_a_connector_that_chokes_on_a_response_has_not_refused_it() -> None:
    def failure(_response: httpx.Response) -> DeliveryError | None:
        raise KeyError("error")

    def flow(method: str) -> Flow[None]:
        yield ask(method)

    for method, kind in (("POST", Uncertain), ("GET", Unavailable)):
        with pytest.raises(kind):
            drive(flow(method), lambda one: ok(), failure)


def test_a_run_can_be_held_and_goes_on() -> None:
    def flow() -> Flow[int]:
        first = yield ask(path="/a")
        second = yield ask(path="/b")
        return int(first.json()["n"] + second.json()["n"])

    run = FlowRun(flow(), from_response)
    assert (run.done, run.ask.url.path) == (False, "/a")
    run.answer(ok({"n": 1}))
    assert (run.done, run.ask.url.path) == (False, "/b")
    run.answer(ok({"n": 2}))
    assert (run.done, run.result) == (True, 3)


def test_a_digest_names_the_same_ask_and_no_other() -> None:
    one = digest(ask(json={"a": 1, "b": [1, 2]}))
    assert one == digest(ask(json={"b": [1, 2], "a": 1}))
    others = [
        ask(json={"a": 1, "b": [2, 1]}),
        ask("PUT", json={"a": 1, "b": [1, 2]}),
        ask(path="/y", json={"a": 1, "b": [1, 2]}),
        ask(path="/x?c=1", json={"a": 1, "b": [1, 2]}),
        ask(data={"a": "1"}),
        ask(content=b"\x00\xff"),
        ask(),
        Wait(1),
        Wait(2),
        ReadBlob("d"),
        Release("x"),
    ]
    assert len({one, *map(digest, others)}) == len(others) + 1


def test_a_digest_does_not_hang_on_boundaries_or_headers() -> None:
    """A boundary is chance, and a header may hold the time or a token."""
    pictures = [ask(files={"picture": ("a.png", b"x")}) for _ in range(2)]
    assert pictures[0].headers["content-type"] != pictures[1].headers["content-type"]
    assert digest(pictures[0]) == digest(pictures[1])
    assert digest(ask(json={}, headers={"date": "now"})) == digest(ask(json={}, headers={"date": "later"}))


def test_a_body_that_calls_itself_json_and_is_none_has_a_digest() -> None:
    assert digest(ask(content=b"{", headers={"content-type": "application/json"}))
    assert digest(ask(content=b"", headers={"content-type": "application/json"}))
