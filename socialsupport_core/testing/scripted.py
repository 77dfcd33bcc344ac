"""A network that follows a script: it answers a flow from an exchange and checks every ask on the way."""

import dataclasses
import difflib
import json
import re
import sys
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from socialsupport_core.contract import (
    ConfigError,
    DeliveryError,
    ReadBlob,
    ReadPayload,
    Unavailable,
    Uncertain,
    Wait,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.testing.cases import (
    DELIVERY_ERRORS,
    ExpectedRequest,
    GivenBlob,
    GivenPayload,
    GivenResponse,
    Step,
)
from socialsupport_core.testing.problems import near, problems

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NONCE = "0123456789abcdef" * 2
"""The moment and the nonce with which golden requests are authorized."""

_FIELD_NAME = re.compile(rb'\bform-data;[^\r\n]*?\bname="([^"]*)"')
_GIVEN = TypeAdapter(list[GivenResponse])


class Unexpected(AssertionError):
    """The flow does not follow the script; the message is a readable difference."""


class ScriptedNetwork:
    """The `respond` of `drive`: call it with an ask, and it gives the scripted answer or raises Unexpected.

    Without expectations (`answering`) it gives the answers in order to whatever is asked.
    """

    def __init__(
        self, exchange: Iterable[Step], authorize: Callable[[httpx.Request], httpx.Request] = lambda it: it
    ) -> None:
        self.exchange = list(exchange)
        self.asks: list[Any] = []
        """Everything asked so far, authorized."""
        self._authorize = authorize

    @classmethod
    def answering(
        cls, answers: Any, authorize: Callable[[httpx.Request], httpx.Request] = lambda it: it
    ) -> "ScriptedNetwork":
        """From a JSON list of `{status, headers, json or text}`. Raises ConfigError."""
        try:
            given = _GIVEN.validate_python(answers)
        except ValidationError as error:
            told = problems(error, GivenResponse, "answers")
            raise ConfigError(f'{told}; write a JSON list of {{"status": 200, "headers": {{}}, "json": …}}') from error
        return cls([Step.model_construct(request=None, response=answer) for answer in given], authorize)

    def __call__(self, ask: Any) -> Any:
        authorized = self._authorize(ask) if isinstance(ask, httpx.Request) else ask
        self.asks.append(authorized)
        position = len(self.asks)
        if position > len(self.exchange):
            raise Unexpected(f"ask {position} is one too many, the exchange is at its end: {described(authorized)}")
        step = self.exchange[position - 1]
        if fault := mismatch(step, authorized):
            raise Unexpected(f"ask {position} is not what the case expects: {fault}")
        return answer_of(step, authorized)

    def finish(self) -> None:
        """Raises Unexpected when something scripted was never asked."""
        if left := self.exchange[len(self.asks) :]:
            wanted = left[0].request or left[0].ask or left[0].response
            raise Unexpected(f"the flow ended before it asked for {pretty(wanted)}")


def answer_of(step: Step, ask: Any) -> Any:
    """Raises DeliveryError where the step says so."""
    if step.raises:
        raise error_named(step.raises)(f"the script raises {step.raises}")
    if step.response is None:
        return answer_to(ask, step.answer)
    if step.response.dropped:
        kind = Unavailable if ask.method in SAFE_METHODS else Uncertain
        raise kind("the connection was cut before the answer")
    return response_of(step.response)


def error_named(name: str) -> type[DeliveryError]:
    """Raises ConfigError."""
    if name not in DELIVERY_ERRORS:
        raise ConfigError(f"{name!r} is not a DeliveryError; {near(name, DELIVERY_ERRORS)}")
    return DELIVERY_ERRORS[name]


def response_of(given: GivenResponse) -> httpx.Response:
    if given.base64 is not None:
        return httpx.Response(given.status, headers=given.headers, content=b64decode(given.base64))
    if "json_" in given.model_fields_set:
        return httpx.Response(given.status, headers=given.headers, json=given.json_)
    return httpx.Response(given.status, headers=given.headers, text=given.text or "")


def answer_to(ask: Any, given: Any) -> Any:
    """A wire's answer from JSON: an object with a `type` becomes the class of that name beside the ask's.

    Raises Unexpected when there is no such class.
    """
    if isinstance(ask, ReadBlob):
        return GivenBlob.model_validate(given).blob()
    if isinstance(ask, ReadPayload):
        return GivenPayload.model_validate_json(json.dumps(given)).payload
    if isinstance(given, list):
        return [answer_to(ask, item) for item in given]
    if isinstance(given, dict) and "type" in given:
        kind = getattr(sys.modules[type(ask).__module__], str(given["type"]), None)
        if not isinstance(kind, type):
            raise Unexpected(f"the answer names the class {given['type']!r}; there is none beside {type(ask).__name__}")
        fields = {name: value for name, value in given.items() if name != "type"}
        return TypeAdapter(kind).validate_json(json.dumps(fields))
    return given


def mismatch(step: Step, ask: Any) -> str | None:
    """What distinguishes the ask from the step's expectation; None if nothing does."""
    if step.request is None and step.ask is None:
        return None
    if isinstance(ask, httpx.Request):
        if step.request is None:
            return f"an HTTP request where {pretty(step.ask)} was expected:\n{described(ask)}"
        return _request_mismatch(step.request, ask)
    if step.ask is None:
        return f"{described(ask)} where an HTTP request was expected"
    return _ask_mismatch(step.ask, ask)


def _ask_mismatch(expected: Mapping[str, Any], ask: Any) -> str | None:
    said = {"type": type(ask).__name__, **fields_of(ask)}
    compared = {name: value for name, value in said.items() if name in expected}
    return None if compared == dict(expected) else "\n" + difference(dict(expected), compared)


def _request_mismatch(expected: ExpectedRequest, request: httpx.Request) -> str | None:
    line, wanted_line = _line(request.method, str(request.url)), _line(expected.method, expected.url)
    if line != wanted_line:
        return "\n" + difference(" ".join(wanted_line), " ".join(line))
    wanted_headers = {name.lower(): value for name, value in expected.headers.items()}
    headers = {name: request.headers.get(name) for name in wanted_headers}
    if headers != wanted_headers:
        return "the headers differ:\n" + difference(wanted_headers, headers)
    return _content_mismatch(expected, request)


def _line(method: str, url: str) -> tuple[str, str]:
    """The order of query parameters says nothing."""
    parts = urlsplit(str(httpx.URL(url)))
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return method, urlunsplit(parts._replace(query=query))


def _content_mismatch(expected: ExpectedRequest, request: httpx.Request) -> str | None:
    kind = next((name for name in ("json_", "form", "multipart", "text") if name in expected.model_fields_set), None)
    body = request.read()
    if kind is None:
        return f"the request has a body that the case does not mention:\n{body[:500]!r}" if body else None
    wanted = getattr(expected, kind)
    try:
        said = _READ[kind](body)
    except ValueError:
        return f"the body is not {kind.rstrip('_')}:\n{body[:500]!r}"
    return None if said == wanted else f"the {kind.rstrip('_')} differs:\n" + difference(wanted, said)


def _form(body: bytes) -> dict[str, str | list[str]]:
    form: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        form[name] = [*_many(form[name]), value] if name in form else value
    return form


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


_READ: Mapping[str, Callable[[bytes], Any]] = {
    "json_": json.loads,
    "form": _form,
    "multipart": lambda body: [name.decode() for name in _FIELD_NAME.findall(body)],
    "text": bytes.decode,
}


def fields_of(ask: Any) -> dict[str, Any]:
    """The fields of an ask that is not HTTP, as JSON; bytes as UTF-8."""
    if isinstance(ask, BaseModel):
        fields = {name: getattr(ask, name) for name in type(ask).model_fields}
    elif dataclasses.is_dataclass(ask):
        fields = {field.name: getattr(ask, field.name) for field in dataclasses.fields(ask)}
    else:
        fields = {"value": ask}
    return {name: jsonable(value) for name, value in fields.items()}


def jsonable(value: Any) -> Any:
    return to_jsonable_python(value, fallback=str, bytes_mode="utf8" if _is_text(value) else "base64")


def _is_text(value: Any) -> bool:
    try:
        to_jsonable_python(value, fallback=str, bytes_mode="utf8")
    except ValueError:
        return False
    return True


def described(ask: Any) -> str:
    """An ask for people. Never shown: what SecretStr hides."""
    if isinstance(ask, Wait):
        return f"Wait({ask.seconds})"
    if not isinstance(ask, httpx.Request):
        return f"{type(ask).__name__} {pretty(fields_of(ask))}"
    return f"{ask.method} {ask.url}\n{ask.read()[:2000].decode('utf-8', 'replace')}".rstrip()


def difference(expected: Any, said: Any) -> str:
    """A line by line difference: `-` is what the case expects, `+` what came out."""
    lines = difflib.unified_diff(
        pretty(expected).splitlines(), pretty(said).splitlines(), "expected", "came out", lineterm="", n=3
    )
    return "\n".join(line for line in lines if not line.startswith("@@"))


def pretty(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, SecretStr):
        return str(value)
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json.dumps(jsonable(value), indent=2, ensure_ascii=False, sort_keys=True)
