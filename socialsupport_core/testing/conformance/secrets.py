"""Secrets stay inside: in no address, no error, no log record, no repr."""

import base64
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from socialsupport_core.contract import DeliveryError, MalformedPayload, SignatureError, drive
from socialsupport_core.testing.cases import Call, Outbound, Poll
from socialsupport_core.testing.conformance.base import Base, fail
from socialsupport_core.testing.scripted import ScriptedNetwork

SHORTEST = 8
"""A shorter fake secret would be found by chance."""
B = TypeVar("B", bound=BaseModel)


class Secrets(Base):
    def test_the_fake_secrets_can_be_looked_for(self) -> None:
        """The fake secrets are long enough to be recognised, and no two are the same."""
        found = secrets_of(self.cases.settings)
        for secret in found:
            if len(secret) < SHORTEST:
                fail(f"cases/settings.json: a fake secret is shorter than {SHORTEST} characters")
        if len(set(found)) < len(found):
            fail("cases/settings.json: two fake secrets are the same; a mix-up would not be seen")

    def test_secrets_stay_out_of_addresses(self, flow: Outbound | Poll | Call) -> None:
        """No address that is asked holds a secret, unless the network insists (`secret_in_url`)."""
        if self.secret_in_url:
            pytest.skip("the network insists on a secret in the address; it is redacted everywhere")
        for ask in self._asked(flow)[0]:
            if isinstance(ask, httpx.Request):
                self._without(str(ask.url), f"{flow}: the address that is asked")

    def test_secrets_stay_out_of_errors_and_logs(self, flow: Outbound | Poll | Call) -> None:
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
                except (SignatureError, MalformedPayload) as error:
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

    def _asked(self, case: Outbound | Poll | Call) -> tuple[list[Any], list[BaseException], list[str]]:
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
        for secret in secrets_of(self.cases.settings):
            if any(form in text for form in spellings(secret)):
                fail(f"{where} holds a secret of the settings")


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


def secrets_of(settings: BaseModel) -> list[str]:
    """Every SecretStr in the settings, those in nested models and collections too."""
    return [secret for secret in _secrets(settings) if secret]


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict):
        yield from _secrets(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _secrets(item)


def with_secrets(settings: B, change: Callable[[str], str]) -> B:
    """The same settings with other secrets, validated. Raises ValidationError."""
    return type(settings).model_validate(_changed(settings, change))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, SecretStr):
        return SecretStr(change(value.get_secret_value()))
    if isinstance(value, BaseModel):
        return {name: _changed(getattr(value, name), change) for name in value.model_fields_set}
    if isinstance(value, dict):
        return {key: _changed(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_changed(item, change) for item in value)
    return value


def spellings(secret: str) -> set[str]:
    """The forms in which a secret may slip out."""
    raw = secret.encode()
    coded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {secret, quote(secret), quote(secret, safe=""), raw.hex(), *coded, *(form.rstrip("=") for form in coded)}
