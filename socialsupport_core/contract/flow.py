"""Flows: a connector yields what it asks and is given the answer.

A flow is deterministic: the same answers lead to the same asks. So it can be tested without a network, run
by synchronous and asynchronous hosts alike, and resumed after a crash by replaying the answers.
"""

import hashlib
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from socialsupport_core.contract import misuse
from socialsupport_core.contract.errors import (
    SAFE_METHODS,
    DeliveryError,
    SocialSupportError,
    Unavailable,
    Uncertain,
)

T = TypeVar("T")
Ask = Any
"""`httpx.Request`, `Wait`, `ReadBlob`, `ReadPayload`, or whatever a registered wire understands."""
Answer = Any
"""`httpx.Response` to a request, None to a wait, `Blob` to a read, the wire's own answer otherwise."""
Flow = Generator[Ask, Answer, T]


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on in so many seconds; the flow is parked durably."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadBlob:
    """The content of a stored attachment; the answer is a `Blob`."""

    digest: str


@dataclass(frozen=True, slots=True)
class ReadPayload:
    """The journalled payload in which an attachment came, where the network has no other copy; a `Payload`."""


_HARMLESS = (Wait, ReadBlob, ReadPayload)  # nothing of these reaches the network


class FlowRun(Generic[T]):
    """One flow under way: `ask` is what it waits for, until `done`, when `result` is what it returned.

    Every HTTP answer passes `failure` first, so a flow only sees responses that are successes. An answer that
    the flow cannot read is `Uncertain` once an unsafe request, or another wire, has answered: it may well have
    been done. What is no flow at all, or asks what nobody answers, is a DeliveryError that says what to write.
    """

    def __init__(self, flow: Flow[T], failure: Callable[[httpx.Response], DeliveryError | None]) -> None:
        self.done = False
        self.ask: Ask = None
        self._flow = flow
        self._failure = failure
        self._touched = False
        self._result: T
        if not misuse.is_flow(flow):
            raise DeliveryError(misuse.no_flow(flow, failure))
        self._step(lambda: next(flow))

    @property
    def result(self) -> T:
        assert self.done
        return self._result

    def answer(self, answer: Answer) -> None:
        if isinstance(answer, httpx.Response):
            answer.request = self.ask
            if error := self._refusal(answer):
                self.throw(error)
                return
            self._touched |= answer.request.method not in SAFE_METHODS
        else:
            self._touched |= not isinstance(self.ask, _HARMLESS)
        self._step(lambda: self._flow.send(answer))

    def _refusal(self, answer: httpx.Response) -> DeliveryError | None:
        """What the connector makes of it; an answer on which it chokes may mean anything."""
        try:
            return self._failure(answer)
        except Exception as error:
            kind = Unavailable if answer.request.method in SAFE_METHODS else Uncertain
            return kind(f"the network's answer could not be read ({type(error).__name__})")

    def throw(self, error: DeliveryError) -> None:
        """The ask failed. The flow may catch the error; if it does not, it is raised here."""
        self._step(lambda: self._flow.throw(error))

    def _step(self, advance: Callable[[], Ask]) -> None:
        try:
            self.ask = advance()
        except StopIteration as stop:
            self.done, self._result = True, stop.value
        except SocialSupportError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            kind = Uncertain if self._touched else Unavailable
            raise kind(f"the network's answer could not be read ({type(error).__name__}: {error})") from error
        if not self.done and misuse.is_no_ask(self.ask):
            told = misuse.no_ask(self.ask, self._flow)
            self._flow.close()
            raise Uncertain(told) if self._touched else DeliveryError(told)


def declares(hosts: frozenset[str], host: str) -> bool:
    """Whether `hosts` names the host itself, or all below one of its domains as `*.cdn.example`."""
    parts = host.split(".")
    return host in hosts or any(f"*.{'.'.join(parts[at:])}" in hosts for at in range(1, len(parts)))


def drive(
    flow: Flow[T],
    respond: Callable[[Ask], Answer],
    failure: Callable[[httpx.Response], DeliveryError | None],
) -> T:
    """Runs a flow to its end with answers from `respond`. Raises DeliveryError."""
    run = FlowRun(flow, failure)
    while not run.done:
        try:
            answer = respond(run.ask)
        except DeliveryError as error:
            run.throw(error)
        else:
            run.answer(answer)
    return run.result


def digest(ask: Ask) -> str:
    """Names an ask over retries and restarts: method, address and content, never multipart boundaries."""
    if not isinstance(ask, httpx.Request):
        return hashlib.sha256(repr(ask).encode()).hexdigest()
    written = json.dumps([ask.method, str(ask.url), _content(ask)], sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()


def _content(request: httpx.Request) -> Any:
    media_type = request.headers.get("content-type", "").split(";")[0]
    if media_type == "multipart/form-data":
        return media_type
    body = request.read()
    try:
        return json.loads(body) if media_type == "application/json" else body.decode("latin-1")
    except ValueError:
        return body.decode("latin-1")
