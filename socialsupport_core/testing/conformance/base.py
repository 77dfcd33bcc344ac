"""What all properties share: the connector under test, its cases, and how a failure is told."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, NoReturn, TypeVar

import httpx
import pytest

from socialsupport_core.contract import ConfigError, Connector, DeliveryError, Flow, SignatureError, drive
from socialsupport_core.model import Intent, Payload, SendMessage
from socialsupport_core.testing.cases import Call, Case, Inbound, Outbound, Poll, Step
from socialsupport_core.testing.conformance.improvised import Improvised
from socialsupport_core.testing.loading import Cases, load_cases
from socialsupport_core.testing.scripted import NONCE, NOW

T = TypeVar("T")
AnyConnector = Connector[Any]

PARAMETERS: Mapping[str, Callable[[Cases], Iterable[Case]]] = {
    "inbound": lambda cases: (case for case in cases.inbound if not case.is_handshake),
    "handshake": lambda cases: (case for case in cases.inbound if case.is_handshake),
    "outbound": lambda cases: cases.outbound,
    "polled": lambda cases: cases.polls,
    "called": lambda cases: cases.calls,
    "flow": lambda cases: cases.flows,
}
"""Test arguments, and the cases that each runs over."""


NO_CASE = pytest.param(None, id="none", marks=pytest.mark.skip(reason="there is no such case"))


def fail(message: str) -> NoReturn:
    raise pytest.fail.Exception(message, pytrace=False) from None


@cache
def _loaded(connector: type[AnyConnector]) -> Cases | ConfigError:
    try:
        return load_cases(connector)
    except ConfigError as error:
        return error


class Base:
    """`connector` is the class under test."""

    connector: ClassVar[type[AnyConnector]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        loaded = _loaded(self.connector)
        for argument in metafunc.fixturenames:
            if argument in PARAMETERS:
                cases = [] if isinstance(loaded, ConfigError) else list(PARAMETERS[argument](loaded))
                metafunc.parametrize(argument, [pytest.param(case, id=case.name) for case in cases] or [NO_CASE])

    @pytest.fixture(autouse=True)
    def _exempt(self, request: pytest.FixtureRequest) -> None:
        """A property that this network cannot have is skipped with the reason that `exempt.json` gives."""
        loaded = _loaded(self.connector)
        name = request.function.__name__.removeprefix("test_")
        if not isinstance(loaded, ConfigError) and name in loaded.exempt:
            pytest.skip(f"exempt: {loaded.exempt[name]}")

    @property
    def cases(self) -> Cases:
        loaded = _loaded(self.connector)
        if isinstance(loaded, ConfigError):
            pytest.skip("the golden cases cannot be read")
        return loaded

    def make(self, **changes: Any) -> AnyConnector:
        """The connector under the fake settings, or some that differ in `changes`."""
        cases = self.cases
        settings = cases.settings.model_copy(update=changes)
        return self.connector(settings, cases.facts)

    @property
    def capabilities(self) -> Any:
        return self.connector.capabilities

    def overrides(self, method: str) -> bool:
        return getattr(self.connector, method) is not getattr(Connector, method)

    # inbound

    @property
    def genuine(self) -> list[Inbound]:
        """Cases of webhooks that the network has sent."""
        return [
            case
            for case in self.cases.inbound
            if case.payload.source == "webhook" and case.is_genuine and not case.is_handshake
        ]

    # outbound

    def authorized(self, connector: AnyConnector) -> Callable[[httpx.Request], httpx.Request]:
        return lambda request: connector.authorize(request, self.cases.credentials, NOW, NONCE)

    def flow_of(self, connector: AnyConnector, case: Outbound | Poll | Call) -> Flow[Any]:
        if isinstance(case, Outbound):
            return connector.send(case.intent)
        if isinstance(case, Poll):
            return connector.poll(case.poll.cursor)
        flow: Flow[Any] = getattr(connector, case.call)(**case.given())
        return flow

    @property
    def steps(self) -> list[Step]:
        return [step for case in self.cases.flows for step in case.exchange]

    def improvise(self, connector: AnyConnector, intent: Intent) -> Improvised:
        """Sends something that no case foresees; what matters is what was asked."""
        network = Improvised(self.steps)
        try:
            drive(connector.send(intent), network, connector.failure)
        except DeliveryError:
            pass  # the improvised answer did not fit
        return network

    @property
    def messages(self) -> list[Outbound]:
        """Cases that send a text and end well."""
        return [
            case
            for case in self.cases.outbound
            if isinstance(case.intent, SendMessage) and case.intent.text and case.receipt
        ]


def refuses(connector: AnyConnector, payload: Payload, forgery: str) -> bool:
    """Whether `verify` refuses it, in the one way that it may."""
    try:
        connector.verify(payload)
    except SignatureError:
        return True
    except Exception as error:  # noqa: BLE001 - whatever else it raises is the fault that we look for
        fail(
            f"verify raised {type(error).__name__} ({error}) for {forgery}; "
            "a forgery may be anything at all, and SignatureError is the only answer to it"
        )
    return False
