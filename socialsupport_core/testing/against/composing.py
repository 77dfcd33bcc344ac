"""All requests that a plugin composes where the kit asks it to: in its golden cases, and with what no case foresees."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import CRM, Connector, DeliveryError, drive
from socialsupport_core.model import SendMessage
from socialsupport_core.testing.cases import FlowCase, GivenResponse
from socialsupport_core.testing.conformance import ConnectorConformance
from socialsupport_core.testing.conformance.sending import CORE_LIMIT, reply_to, samples
from socialsupport_core.testing.crm import CRMConformance, CRMEvidence, CRMNews, CRMOnce
from socialsupport_core.testing.scripted import ScriptedNetwork, Unexpected
from socialsupport_core.text import Unit, count, split

_LIVELY = tuple(name for part in (CRMEvidence, CRMOnce, CRMNews) for name in vars(part) if name.startswith("test_"))
"""Properties of an adapter for which somebody must remember: they ask what no golden case does."""


@dataclass(frozen=True)
class Asked:
    """A request, and the golden answer to it where a case has one."""

    case: str
    """The name of the golden case, or how it came to be asked."""
    request: httpx.Request
    response: GivenResponse | None = None


def asked_by(kind: Any, simulator: type[Any] | None = None) -> Iterator[Asked]:
    """Raises ConfigError when the cases cannot be read."""
    if issubclass(kind, Connector):
        yield from _of_connector(kind)
    else:
        yield from _of_crm(kind, simulator)


def _of_connector(kind: type[Connector[Any]]) -> Iterator[Asked]:
    tests: Any = type("Asking", (ConnectorConformance,), {"connector": kind})()
    tests.load()
    yield from _golden(tests)
    if "send.message" in kind.capabilities.intents:
        yield from _replies(tests)
        yield from _long_texts(tests)


def _golden(tests: Any) -> Iterator[Asked]:
    for case in tests.load().flows:
        plugin = tests.make()
        network = ScriptedNetwork(case.exchange, tests.authorized(plugin))
        with contextlib.suppress(DeliveryError, Unexpected):  # the kit tells what is wrong with a case
            _run(tests, plugin, case, network)
        for ask, step in zip(network.asks, case.exchange, strict=False):
            if isinstance(ask, httpx.Request):
                yield Asked(case.name, ask, step.response)


def _run(tests: Any, plugin: Any, case: FlowCase, network: ScriptedNetwork) -> None:
    flow = tests.flow_of(plugin, case)
    if not isinstance(flow, str):
        drive(flow, network, plugin.failure)


def _replies(tests: Any) -> Iterator[Asked]:
    """An answer to everything that anybody says in a golden case."""
    plugin = tests.make()
    for interaction in tests._answerable(plugin):
        yield from _improvised(tests, plugin, f"a reply to {interaction.native_id!r}", reply_to(interaction))


def _long_texts(tests: Any) -> Iterator[Asked]:
    """Golden messages with texts that are as long as they may be."""
    plugin, limit = tests.make(), tests._limit
    unit: Unit = plugin.capabilities.text.unit if plugin.capabilities.text else "characters"
    measure: Callable[[str], int] = lambda part: count(plugin.measured(part), unit)  # noqa: E731
    for case in {one.intent.thread.visibility: one for one in reversed(tests.messages)}.values():
        assert isinstance(case.intent, SendMessage)
        for kind, text in samples(min(limit, CORE_LIMIT)).items():
            intent = case.intent.model_copy(update={"text": split(text, limit, measure)[0], "attachments": ()})
            yield from _improvised(tests, plugin, f"{case.name} (a long text: {kind})", intent)


def _improvised(tests: Any, plugin: Any, name: str, intent: SendMessage) -> Iterator[Asked]:
    authorize = tests.authorized(plugin)
    for ask in tests.improvise(plugin, intent).asks:
        if isinstance(ask, httpx.Request):
            yield Asked(name, authorize(ask))


def _of_crm(kind: type[CRM[Any]], simulator: type[Any] | None) -> Iterator[Asked]:
    heard: list[httpx.Request] = []

    class Recorded(CRMConformance):
        crm = kind

        def answering(self, crm: CRM[Any], network: Callable[[Any], Any]) -> Callable[[Any], Any]:
            usual, authorized = super().answering(crm, network), self.authorized(crm)

            def answer(ask: Any) -> Any:
                if isinstance(ask, httpx.Request):
                    heard.append(authorized(ask))
                return usual(ask)

            return answer

    Recorded.simulator = simulator
    tests = Recorded()
    tests.load()
    yield from _golden(tests)
    for name in _LIVELY if simulator else ():
        yield from _of_property(tests, name, heard)


def _of_property(tests: Any, name: str, heard: list[httpx.Request]) -> Iterator[Asked]:
    """What the adapter asks while one property of the kit is shown, whatever comes of it."""
    heard.clear()
    with contextlib.suppress(pytest.skip.Exception, pytest.fail.Exception, DeliveryError):
        getattr(tests, name)()
    yield from (Asked(f"the kit's {name.removeprefix('test_')}", request) for request in heard)
