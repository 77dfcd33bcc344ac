"""The scripted network answers what it should be asked, and tells what differs."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pigeon.dove import Release
from pydantic import SecretStr

from socialsupport_core.contract import ConfigError, ReadBlob, Unavailable, Uncertain, Wait
from socialsupport_core.model import Blob
from socialsupport_core.testing import ScriptedNetwork, Unexpected
from socialsupport_core.testing.cases import Step
from socialsupport_core.testing.scripted import error_named

URL = "https://api.example/v1/things"


def network(*steps: dict[str, Any]) -> ScriptedNetwork:
    return ScriptedNetwork([Step.model_validate(step) for step in steps])


def step(response: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    return {"request": {"method": "POST", "url": URL, **request}, "response": response or {"status": 200}}


def test_answers_are_json_text_or_bytes() -> None:
    given = [{"json": {"a": 1}}, {"text": "a"}, {"base64": "/w=="}, {"status": 503, "headers": {"Retry-After": "3"}}]
    script = ScriptedNetwork.answering(given)
    first, second, third, fourth = (script(httpx.Request("GET", URL)) for _ in given)
    assert first.json() == {"a": 1}
    assert (second.text, third.content) == ("a", b"\xff")
    assert (fourth.status_code, fourth.headers["retry-after"]) == (503, "3")
    assert len(script.asks) == 4


@pytest.mark.parametrize("answers", [{"status": 200}, [{"state": 200}], [1], "text"])
def test_answers_that_are_none_are_told(answers: Any) -> None:
    with pytest.raises(ConfigError, match=r"answers: .*write a JSON list"):
        ScriptedNetwork.answering(answers)


@pytest.mark.parametrize(
    ("expected", "asked"),
    [
        ({"json": {"a": [1, {"b": None}]}}, {"json": {"a": [1, {"b": None}]}}),
        ({"form": {"a": "1", "b": ["2", "3"]}}, {"data": {"a": "1", "b": ["2", "3"]}}),
        ({"multipart": ["note", "file"]}, {"data": {"note": "x"}, "files": {"file": ("name.png", b"\xff")}}),
        ({"text": "raw"}, {"content": b"raw"}),
        ({"json": None}, {"content": b"null"}),
        ({"headers": {"X-KEY": "k"}}, {"headers": {"x-key": "k", "more": "m"}}),
        ({"url": URL + "?b=2&a=1"}, {"params": {"a": "1", "b": "2"}}),
    ],
)
def test_what_is_asked_as_expected_is_answered(expected: dict[str, Any], asked: dict[str, Any]) -> None:
    script = network(step(**expected))
    assert script(httpx.Request("POST", URL, **asked)).status_code == 200
    script.finish()


@pytest.mark.parametrize(
    ("expected", "asked", "told"),
    [
        ({"json": {"a": 1}}, {"json": {"a": 2}}, '-  "a": 1\n+  "a": 2'),
        ({"json": {"a": 1}}, {"content": b"{"}, "the body is not json"),
        ({"form": {"a": "1"}}, {"data": {"a": "2"}}, "the form differs"),
        ({"multipart": ["file"]}, {"files": {"photo": b"x"}}, "the multipart differs"),
        ({}, {"json": {}}, "a body that the case does not mention"),
        ({"json": {}}, {}, "the body is not json"),
        ({"headers": {"X-Key": "k"}}, {"headers": {"X-Key": "l"}}, "the headers differ"),
        ({"headers": {"X-Key": "k"}}, {}, "the headers differ"),
        ({"url": URL + "?a=1"}, {}, "-POST https://api.example/v1/things?a=1\n+POST https://api.example/v1/things"),
        ({"method": "PUT"}, {}, "-PUT https"),
    ],
)
def test_what_differs_is_told(expected: dict[str, Any], asked: dict[str, Any], told: str) -> None:
    with pytest.raises(Unexpected) as caught:
        network(step(**expected))(httpx.Request("POST", URL, **asked))
    assert told in str(caught.value)
    assert "ask 1" in str(caught.value)


def test_asking_too_much_and_too_little_is_told() -> None:
    script = network(step())
    with pytest.raises(Unexpected, match="ended before it asked for"):
        script.finish()
    script(httpx.Request("POST", URL))
    with pytest.raises(Unexpected, match="ask 2 is one too many"):
        script(Wait(3))


def test_requests_are_authorized_before_they_are_compared() -> None:
    def authorize(request: httpx.Request) -> httpx.Request:
        request.headers["authorization"] = "signed"
        return request

    given = step(headers={"Authorization": "signed"})
    assert ScriptedNetwork([Step.model_validate(given)], authorize)(httpx.Request("POST", URL)).status_code == 200


@pytest.mark.parametrize(("method", "error"), [("GET", Unavailable), ("POST", Uncertain)])
def test_a_dropped_answer_is_what_a_cut_connection_is(method: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        network(step({"dropped": True}, method=method))(httpx.Request(method, URL))


def test_asks_that_are_not_http() -> None:
    script = network(
        {"ask": {"type": "ReadBlob", "digest": "d"}, "answer": {"content": {"base64": "/w=="}, "name": "n"}},
        {"ask": {"type": "Wait", "seconds": 2}},
        {"ask": {"type": "Release", "to": "ring"}, "answer": [{"type": "Released", "ring": "r"}]},
        {"ask": {"type": "Release"}, "raises": "Uncertain"},
        {"ask": {"type": "Release"}, "answer": {"plain": 1}},
    )
    release = Release("ring", "text", SecretStr("password"))
    assert script(ReadBlob("d")) == Blob(content=b"\xff", name="n")
    assert script(Wait(2)) is None
    (answer,) = script(release)
    assert answer.ring == "r"
    with pytest.raises(Uncertain):
        script(release)
    assert script(release) == {"plain": 1}


@dataclass(frozen=True)
class Throw:
    content: bytes
    to: tuple[str, ...]


def test_fields_of_an_ask_are_compared_as_json() -> None:
    script = network({"ask": {"type": "Throw", "content": "é", "to": ["a", "b"]}})
    script(Throw("é".encode(), ("a", "b")))
    with pytest.raises(Unexpected, match='"to"'):
        network({"ask": {"type": "Throw", "to": ["a"]}})(Throw(b"", ("b",)))


def test_an_ask_of_another_kind_is_told() -> None:
    with pytest.raises(Unexpected, match="an HTTP request where"):
        network({"ask": {"type": "Wait", "seconds": 1}})(httpx.Request("GET", URL))
    with pytest.raises(Unexpected, match=r"Wait\(1\) where an HTTP request was expected"):
        network(step())(Wait(1))
    with pytest.raises(Unexpected, match='"type": "ReadBlob"'):
        network({"ask": {"type": "Wait", "seconds": 1}})(ReadBlob("d"))


def test_an_error_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="'KeyError' is not a DeliveryError; there is: AuthExpired"):
        error_named("KeyError")
    assert error_named("Uncertain") is Uncertain


def test_an_answer_of_a_class_that_is_not_there_is_told() -> None:
    script = network({"ask": {"type": "Release"}, "answer": {"type": "Relaesed", "ring": "r"}})
    with pytest.raises(Unexpected, match="the class 'Relaesed'; there is none beside Release"):
        script(Release("ring", "text", SecretStr("password")))


def test_secrets_are_not_shown() -> None:
    with pytest.raises(Unexpected) as caught:
        network({"ask": {"type": "Release", "to": "x"}})(Release("ring", "text", SecretStr("password-1")))
    assert "password-1" not in str(caught.value)
