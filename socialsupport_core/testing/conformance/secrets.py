"""Secrets stay inside: in no address, no error, no log record, no repr."""

import logging
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import DeliveryError, drive
from socialsupport_core.testing.cases import FlowCase
from socialsupport_core.testing.conformance.base import Base, fail
from socialsupport_core.testing.hidden import secrets_of, spellings
from socialsupport_core.testing.scripted import ScriptedNetwork

SHORTEST = 8
"""A shorter fake secret would be found by chance."""


class Secrets(Base):
    def test_the_fake_secrets_can_be_looked_for(self) -> None:
        """The fake secrets are long enough to be recognised, and no two are the same."""
        found = secrets_of(self.cases.settings)
        for secret in found:
            if len(secret) < SHORTEST:
                fail(f"cases/settings.json: a fake secret is shorter than {SHORTEST} characters")
        if len(set(found)) < len(found):
            fail("cases/settings.json: two fake secrets are the same; a mix-up would not be seen")

    def test_secrets_stay_out_of_addresses(self, flow: FlowCase) -> None:
        """No address that is asked holds a secret, unless the network insists (`secret_in_url`)."""
        if self.secret_in_url:
            pytest.skip("the network insists on a secret in the address; it is redacted everywhere")
        for ask in self._asked(flow)[0]:
            if isinstance(ask, httpx.Request):
                self._without(str(ask.url), f"{flow}: the address that is asked")

    def test_secrets_stay_out_of_errors_and_logs(self, flow: FlowCase) -> None:
        """No error and no log record of a flow holds a secret."""
        _, errors, records = self._asked(flow)
        for error in errors:
            self._without(_told(error), f"{flow}: the message of {type(error).__name__}")
        for record in records:
            self._without(record, f"{flow}: a log record")

    def test_secrets_stay_out_of_failures(self) -> None:
        """What `failure` makes of any status holds no secret."""
        connector = self.make()
        for case in self.cases.flows:
            for request in (ask for ask in self._asked(case)[0] if isinstance(ask, httpx.Request)):
                for status in (301, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503):
                    response = httpx.Response(status, json={"error": "no"}, request=request)
                    if error := connector.failure(response):
                        self._without(_told(error), f"what failure says of {status}")

    def test_secrets_stay_out_of_refusals(self) -> None:
        """What `verify`, `handshake` and `parse` say when they refuse holds no secret."""
        connector = self.make()
        for case in self.cases.inbound:
            bare = case.payload.payload.model_copy(update={"headers": (), "body": b"?"})
            for method in ("verify", "handshake", "parse"):
                try:
                    _ = list(getattr(connector, method, _nothing)(bare) or ())
                except Exception as error:  # whether it may be raised at all is for other properties to say
                    self._without(_told(error), f"the message of {type(error).__name__}")

    def test_secrets_stay_out_of_representations(self) -> None:
        """`repr` and `str` of the connector, its settings and what it asks (not HTTP) hold no secret."""
        connector = self.make()
        for value in (connector, connector.settings):
            self._without(f"{value!r} {value}", f"the repr of {type(value).__name__}")
        for case in self.cases.flows:
            for ask in self._asked(case)[0]:
                if not isinstance(ask, httpx.Request):
                    self._without(f"{ask!r} {ask}", f"the repr of {type(ask).__name__}; use SecretStr in it")

    def _asked(self, case: FlowCase) -> tuple[list[Any], list[BaseException], list[str]]:
        """What a case's flow asks, raises and logs."""
        connector = self.make()
        network = ScriptedNetwork(case.exchange, self.authorized(connector))
        errors: list[BaseException] = []
        with _listening() as records:
            try:
                flow = self.flow_of(connector, case)
                if not isinstance(flow, str):
                    drive(flow, network, connector.failure)
            except (DeliveryError, AssertionError) as error:
                errors.append(error)
        return network.asks, [error for error in errors if isinstance(error, DeliveryError)], records

    def _without(self, text: str, where: str) -> None:
        for whose, secrets in (("settings", secrets_of(self.cases.settings)), ("credentials", self._granted())):
            if any(form in text for secret in secrets for form in spellings(secret)):
                fail(f"{where} holds a secret of the {whose}")

    def _granted(self) -> list[str]:
        """What `authorize` and the golden calls are given by the network's sign-in."""
        given = [case.given(self.calls) for case in self.cases.calls]
        return [secret for secret in secrets_of([self.cases.credentials, given]) if len(secret) >= SHORTEST]


def _nothing(_: Any) -> None:
    """What a CRM adapter does in place of `handshake`."""


class _listening:
    """Everything logged anywhere meanwhile, formatted."""

    def __enter__(self) -> list[str]:
        self.records: list[str] = []
        self.handler = logging.Handler(logging.DEBUG)
        self.handler.emit = lambda record: self.records.append(record.getMessage())  # type: ignore[method-assign]
        self.root = logging.getLogger()
        self.level = self.root.level
        self.root.addHandler(self.handler)
        self.root.setLevel(logging.DEBUG)
        return self.records

    def __exit__(self, *_: object) -> None:
        self.root.removeHandler(self.handler)
        self.root.setLevel(self.level)


def _told(error: BaseException) -> str:
    """Everything that an error tells, its causes included."""
    told, at = [], error
    while at is not None:
        told.append(f"{at!r} {at} {vars(at)}")
        at = at.__cause__  # type: ignore[assignment]
    return " ".join(told)
