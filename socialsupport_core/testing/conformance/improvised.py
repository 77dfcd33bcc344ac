"""A network that improvises: it answers whatever is asked with the golden answer to the most similar question."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import httpx

from socialsupport_core.contract import ReadBlob, Wait
from socialsupport_core.model import Blob
from socialsupport_core.testing.cases import Step
from socialsupport_core.testing.scripted import answer_of, response_of

MOST_ASKS = 50


_parsed = lru_cache(maxsize=4096)(httpx.URL)


class Endless(AssertionError):
    """The flow asks on and on."""


class Improvised:
    """The `respond` of `drive` for intents that no case foresees. Failures in the cases are not imitated."""

    def __init__(
        self, steps: Iterable[Step], authorize: Callable[[httpx.Request], httpx.Request] = lambda it: it
    ) -> None:
        self.asks: list[Any] = []
        self._authorize = authorize
        self._steps = [step for step in steps if _went_well(step)]

    def __call__(self, ask: Any) -> Any:
        self.asks.append(self._authorize(ask) if isinstance(ask, httpx.Request) else ask)
        if len(self.asks) > MOST_ASKS:
            raise Endless(f"the flow asked {MOST_ASKS} questions and did not end")
        if isinstance(ask, Wait):
            return None
        if isinstance(ask, ReadBlob):
            return Blob(content=b"content", media_type="image/png", name="picture.png")
        if isinstance(ask, httpx.Request):
            return self._respond(ask)
        named = [step for step in self._steps if step.ask and step.ask["type"] == type(ask).__name__]
        return answer_of(named[0], ask) if named else None

    def _respond(self, request: httpx.Request) -> httpx.Response:
        steps = [step for step in self._steps if step.request]
        best = max(steps, key=lambda step: _likeness(step, request), default=None)
        return response_of(best.response) if best and best.response else httpx.Response(200, json={})


def _went_well(step: Step) -> bool:
    if step.response is None:
        return step.raises is None
    return 200 <= step.response.status < 300 and not step.response.dropped


def _likeness(step: Step, request: httpx.Request) -> tuple[bool, bool, int]:
    assert step.request is not None
    url = _parsed(step.request.url)
    ours, theirs = url.path.split("/"), request.url.path.split("/")
    same = sum(one == other for one, other in zip(ours, theirs, strict=False))
    return step.request.method == request.method, url.host == request.url.host, same - abs(len(ours) - len(theirs))
