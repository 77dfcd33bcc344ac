"""Every answer is a decision: a success, or one DeliveryError that says what happens next."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, TypeVar
from zlib import crc32

import httpx
import pytest

from socialsupport_core.contract import (
    AuthExpired,
    DeliveryError,
    RateLimited,
    Unavailable,
    Uncertain,
    drive,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.testing.cases import FlowCase, Outbound
from socialsupport_core.testing.conformance.base import Base, OfConnector, fail
from socialsupport_core.testing.conformance.improvised import Endless, Improvised
from socialsupport_core.testing.problems import raised

T = TypeVar("T")
BROKEN = (b"", b"{", b"null", b"[]", b"{}", b'"text"', b"0", b"<html><h1>Oops</h1></html>", b"\xff\xfe\x00",
          b'{"error":null}', b'{"error":{"code":[]}}', b'{"error":[{}]}', b'{"errors":"x"}', b'{"ok":"maybe"}',
          b'{"code":{},"message":1}')  # fmt: skip
FAILED = (300, 301, 304, 400, 401, 403, 404, 408, 409, 413, 418, 422, 425, 429, 451, 499, 500, 501, 502, 503, 504, 599)
WENT_WELL = (200, 201, 202, 204)
MOST_ANSWERS = 1500
"""Answers tried per connector; of more, every n-th is taken, beginning elsewhere in each case."""
DOUBTFUL = (500, 502, 504)
GRANTED = ("refresh", "exchange", "exchange_with")
"""Calls by which the network grants something; a refusal grants nothing."""
RAISED = (RateLimited, Unavailable, Uncertain, AuthExpired)


class Failures(Base):
    def test_every_status_is_a_decision(self) -> None:
        """`failure` makes a DeliveryError of every status from 300, whatever the body."""
        connector = self.make()
        for request in self._requests():
            for status in range(300, 600):
                for body in BROKEN:
                    response = httpx.Response(status, content=body, request=request)
                    if not isinstance(self._decision(connector, response), DeliveryError):
                        fail(f"failure takes {status} with the body {body[:40]!r} for a success; "
                             "fall back on from_response")  # fmt: skip

    def test_any_body_of_a_success_is_bearable(self) -> None:
        """`failure` makes None or a DeliveryError of a success, whatever the body."""
        connector = self.make()
        for request in self._requests():
            for status in WENT_WELL:
                for body in BROKEN:
                    self._decision(connector, httpx.Response(status, content=body, request=request))

    def test_slow_down_is_understood(self) -> None:
        """429 becomes RateLimited, with the seconds of Retry-After."""
        connector = self.make()
        for request in self._requests():
            response = httpx.Response(429, headers={"retry-after": "77"}, request=request)
            error = self._decision(connector, response)
            if not isinstance(error, RateLimited) or error.retry_after != 77:
                fail(f"failure makes {error!r} of 429 with Retry-After: 77; make it RateLimited(retry_after=77)")

    def test_flows_survive_any_answer(self, flow: FlowCase) -> None:
        """Each question answered with any status and a broken body: the flow ends well or in a DeliveryError."""
        connector = self.make()
        asked = [index for index, step in enumerate(flow.exchange) if step.request]
        answers = list(product(asked, (*WENT_WELL, *FAILED), BROKEN))
        for position, status, body in some(answers, MOST_ANSWERS // len(self.cases.flows), flow.name):
            end = self._spoil(connector, flow, position, httpx.Response(status, content=body))
            self._is_no_success(flow, position, status, end)

    def test_flows_survive_any_error(self, flow: FlowCase) -> None:
        """Each question answered with any DeliveryError: the flow ends well or in a DeliveryError."""
        connector = self.make()
        for position in range(len(flow.exchange)):
            for error in RAISED:
                end = self._spoil(connector, flow, position, error("the network says so"))
                self._is_no_success(flow, position, 599, end)

    def _is_no_success(self, flow: FlowCase, position: int, status: int, end: Any) -> None:
        """Once something was done, what comes after it may fail; when everything fails, nothing was done."""
        what = getattr(flow, "call", "send")
        does = isinstance(flow, Outbound) or what in GRANTED
        if does and status >= 300 and position == 0 and not isinstance(end, DeliveryError):
            fail(f"{flow}: every answer is a failure ({status}), and {what} gives {end!r}; raise what failed")

    def _spoil(self, connector: Any, flow: FlowCase, position: int, answer: Any) -> Any:
        """How a golden flow ends when, from `position` on, every answer is this one."""
        network = _Spoilt(flow, position, answer)
        try:
            running = self.flow_of(connector, flow)
            return running if isinstance(running, str) else drive(running, network, connector.failure)
        except DeliveryError as error:
            return error
        except Endless as error:
            fail(f"{flow}: {error}")
        except Exception as error:
            fail(f"{flow}: {raised(error)} came out of the flow when question {position + 1} was "
                 f"answered with {_named(answer)}; raise a DeliveryError")  # fmt: skip

    def _decision(self, connector: Any, response: httpx.Response) -> DeliveryError | None:
        try:
            error: DeliveryError | None = connector.failure(response)
        except Exception as error:
            fail(f"failure raised {raised(error)} for {_named(response)}; it returns a DeliveryError")
        return error

    def _requests(self) -> list[httpx.Request]:
        """A golden request that changes something, and one that does not; none where the network is not HTTP."""
        found = {step.request.method in SAFE_METHODS: step.request for step in self.steps if step.request}
        if not found:
            pytest.skip("no case asks over HTTP")
        return [httpx.Request(request.method, request.url) for request in found.values()]


class Doubt(Failures, OfConnector):
    def test_doubt_is_never_retried_blindly(self) -> None:
        """What may have been sent is Uncertain: 500, 502, 504, unreadable successes and cut connections."""
        if self.capabilities.settles == "native_key":
            pytest.skip("the network's own idempotency key makes a second attempt harmless")
        for case in self.messages:
            connector = self.make()
            for what, answer in self._doubts(case):
                error = self._spoil(connector, case, _last_unsafe(case), answer)
                if isinstance(error, RateLimited):
                    fail(f"{case}: {what} ends in {type(error).__name__}, so it would be sent again, perhaps twice; "
                         "raise Uncertain")  # fmt: skip

    def _doubts(self, case: Outbound) -> Iterator[tuple[str, Any]]:
        yield "a cut connection", Uncertain("the connection was cut")
        if case.exchange[_last_unsafe(case)].request is None:
            return
        for status in DOUBTFUL:
            yield str(status), httpx.Response(status, content=b"")
        for body in BROKEN:
            yield f"200 with the body {body[:40]!r}", httpx.Response(200, content=body)


class _Spoilt:
    """The golden exchange up to a position; from there on always the same answer."""

    def __init__(self, flow: FlowCase, position: int, answer: Any) -> None:
        self.position, self.answer = position, answer
        self.asks = Improvised(flow.exchange)

    def __call__(self, ask: Any) -> Any:
        usual = self.asks(ask)
        if len(self.asks.asks) <= self.position:
            return usual
        if isinstance(self.answer, DeliveryError):
            raise self.answer
        if not isinstance(ask, httpx.Request):
            return usual
        return httpx.Response(self.answer.status_code, content=self.answer.content)


def some(items: Sequence[T], most: int, name: str) -> Sequence[T]:
    """At most about so many, spread evenly; which ones depends on the name only."""
    step = max(1, -(-len(items) // max(1, most)))
    return items[crc32(name.encode()) % step :: step]


def _last_unsafe(case: Outbound) -> int:
    """Where the message itself is sent: the last question that changes something."""
    unsafe = [
        index
        for index, step in enumerate(case.exchange)
        if (step.request and step.request.method not in SAFE_METHODS)
        or (step.ask and step.ask["type"] not in {"Wait", "ReadBlob"})
    ]
    return unsafe[-1] if unsafe else 0


def _named(answer: Any) -> str:
    if isinstance(answer, httpx.Response):
        return f"{answer.status_code} and the body {answer.content[:60]!r}"
    return type(answer).__name__
