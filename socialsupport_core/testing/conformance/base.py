"""What all properties share: the plugin under test, its cases, and how a failure is told."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, NoReturn, cast

import httpx
import pytest
from pydantic import ValidationError

from socialsupport_core.contract import (
    CRM,
    ConfigError,
    Connector,
    DeliveryError,
    Flow,
    Settings,
    SignatureError,
    drive,
)
from socialsupport_core.model import Capabilities, Credentials, Intent, Payload, SendMessage
from socialsupport_core.testing.cases import CALLS, Case, FlowCase, Inbound, Outbound, Poll, Signature, Step, Stream
from socialsupport_core.testing.conformance.improvised import Improvised
from socialsupport_core.testing.hidden import with_secrets
from socialsupport_core.testing.loading import Cases, load_cases
from socialsupport_core.testing.problems import raised
from socialsupport_core.testing.scripted import NONCE, NOW
from socialsupport_core.testing.watching import confined

Verification = Literal["signature", "shared_secret", "none"]
Authorize = Callable[[httpx.Request], httpx.Request]
NOTHING = Cases(settings=Settings())
PARAMETERS: Mapping[str, Callable[[Cases], Iterable[Case]]] = {
    "inbound": lambda cases: (case for case in cases.inbound if not case.is_handshake),
    "handshake": lambda cases: (case for case in cases.inbound if case.is_handshake),
    "outbound": lambda cases: cases.outbound,
    "polled": lambda cases: cases.polls,
    "called": lambda cases: cases.calls,
    "flow": lambda cases: cases.flows,
    "streamed": lambda cases: cases.streams,
}
"""Test arguments, and the cases that each runs over."""


NO_CASE = pytest.param(None, id="none", marks=pytest.mark.skip(reason="there is no such case"))


def fail(message: str) -> NoReturn:
    raise pytest.fail.Exception(message, pytrace=False) from None


class Base:
    """What holds for connectors and CRM adapters alike. `plugin` is the class under test."""

    is_conformance: ClassVar[bool] = True
    """For the pytest plugin, which marks these tests."""
    is_against_server: ClassVar[bool] = False
    """The other side is a server that the tests have started: they may reach it, and wait for it."""
    calls: ClassVar[Mapping[str, Signature]]

    @pytest.fixture(autouse=True)
    def _nothing_goes_out(self) -> Iterator[None]:
        """Whoever asks by himself reaches nobody, and whoever sleeps by himself holds nothing up."""
        with contextlib.nullcontext() if self.is_against_server else confined():
            yield

    @property
    def plugin(self) -> Any:
        raise NotImplementedError

    def load(self) -> Cases:
        """Raises ConfigError."""
        raise NotImplementedError

    @property
    def verification(self) -> Verification:
        raise NotImplementedError

    @property
    def takes_webhooks(self) -> bool:
        return bool(self.genuine)

    @property
    def secret_in_url(self) -> bool:
        return False

    def authorized(self, plugin: Any, credentials: Credentials | None = None) -> Authorize:
        """What the plugin adds to a request with these credentials; without any, with those of the cases."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for argument in metafunc.fixturenames:
            if argument in PARAMETERS:
                cases = list(PARAMETERS[argument](self._loaded() or NOTHING))
                metafunc.parametrize(argument, [pytest.param(case, id=case.name) for case in cases] or [NO_CASE])

    @pytest.fixture(autouse=True)
    def _exempt(self, request: pytest.FixtureRequest) -> None:
        """A property that this network cannot have is skipped with the reason that `exempt.json` gives."""
        loaded, name = self._loaded(), request.function.__name__.removeprefix("test_")
        if loaded and name in loaded.exempt:
            pytest.skip(f"exempt: {loaded.exempt[name]}")

    def test_the_cases_can_be_read(self) -> None:
        """The package ships fake settings and golden cases that can be read."""
        try:
            self.load()
        except ConfigError as error:
            fail(str(error))

    def _loaded(self) -> Cases | None:
        try:
            return self.load()
        except ConfigError:
            return None

    @property
    def cases(self) -> Cases:
        return self._loaded() or pytest.skip("the golden cases cannot be read")

    def make(self) -> Any:
        """The plugin under the fake settings."""
        return self.configured(self.cases.settings)

    def configured(self, settings: Settings) -> Any:
        return self.plugin(settings)

    def with_other_secrets(self, change: Callable[[str], str]) -> Any | None:
        """The plugin with other secrets; None if its settings refuse them, which is just as well."""
        try:
            return self.configured(with_secrets(self.cases.settings, change))
        except (ValidationError, ValueError):
            return None

    def overrides(self, method: str) -> bool:
        base = Connector if issubclass(self.plugin, Connector) else CRM
        return getattr(self.plugin, method) is not getattr(base, method)

    @property
    def genuine(self) -> list[Inbound]:
        """Cases of webhooks that the network has sent."""
        return [
            case
            for case in self.cases.inbound
            if case.payload.source == "webhook" and case.is_genuine and not case.is_handshake
        ]

    @property
    def steps(self) -> list[Step]:
        return [step for case in self.cases.flows for step in case.exchange]

    def flow_of(self, plugin: Any, case: FlowCase) -> Flow[Any]:
        if isinstance(case, Outbound):
            return cast(Flow[Any], plugin.send(case.intent))
        if isinstance(case, Poll):
            return cast(Flow[Any], plugin.poll(case.poll.cursor))
        if isinstance(case, Stream):
            return cast(Flow[Any], plugin.dial(plugin.stream_state.model_validate(case.stream.state)))
        return cast(Flow[Any], getattr(plugin, case.call)(**case.given(self.calls)))


class OfConnector(Base):
    """What holds for connectors only."""

    connector: ClassVar[type[Connector[Any]]]
    calls = CALLS

    @property
    def plugin(self) -> type[Connector[Any]]:
        return self.connector

    def load(self) -> Cases:
        return load_cases(self.connector)

    @property
    def verification(self) -> Verification:
        return self.capabilities.verification

    @property
    def capabilities(self) -> Capabilities:
        return self.connector.capabilities

    @property
    def takes_webhooks(self) -> bool:
        return "webhook" in self.capabilities.receives

    @property
    def secret_in_url(self) -> bool:
        return self.capabilities.secret_in_url

    def configured(self, settings: Settings) -> Connector[Any]:
        return self.connector(settings, self.cases.facts)

    def authorized(self, plugin: Any, credentials: Credentials | None = None) -> Authorize:
        given = credentials or self.cases.credentials
        return lambda request: plugin.authorize(request, given, NOW, NONCE)

    def improvise(self, connector: Connector[Any], intent: Intent) -> Improvised:
        """Sends something that no case foresees; what matters is what was asked."""
        network = Improvised(self.steps)
        with contextlib.suppress(DeliveryError):  # the improvised answer did not fit
            drive(connector.send(intent), network, connector.failure)
        return network

    @property
    def first_messages(self) -> list[Outbound]:
        """One in public and one in private, as far as there are cases."""
        found = {case.intent.thread.visibility: case for case in reversed(self.messages)}
        return list(found.values()) or pytest.skip("no case sends a text")

    @property
    def messages(self) -> list[Outbound]:
        """Cases that send a text and end well."""
        return [
            case
            for case in self.cases.outbound
            if isinstance(case.intent, SendMessage) and case.intent.text and case.receipt
        ]


def refuses(plugin: Any, payload: Payload, forgery: str) -> bool:
    """Whether `verify` refuses it, in the one way that it may."""
    try:
        plugin.verify(payload)
    except SignatureError:
        return True
    except Exception as error:
        fail(
            f"verify raised {raised(error)} for {forgery}; "
            "a forgery may be anything at all, and SignatureError is the only answer to it"
        )
    return False
