"""Credentials that run out are exchanged for new ones, which are then used; nothing is lost on the way."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import ConfigError, DeliveryError, Flow, RateLimited, drive
from socialsupport_core.model import Credentials
from socialsupport_core.testing.cases import Call, Step
from socialsupport_core.testing.conformance.base import Base, fail
from socialsupport_core.testing.conformance.improvised import Improvised
from socialsupport_core.testing.hidden import secrets_of


class Renewed(Base):
    def test_refreshed_credentials_are_used(self) -> None:
        """What `refresh` gives changes what `authorize` adds to a golden request."""
        for case, given, fresh in self._refreshed():
            if not any(
                self._authorized_with(step, given) != self._authorized_with(step, fresh)
                for step in self.steps
                if step.request
            ):
                fail(f"{case}: no golden request is authorized otherwise with the new credentials; "
                     "`authorize` must use the `credentials` that it is given")  # fmt: skip

    def test_a_refresh_token_is_never_lost(self) -> None:
        """Where the network gives no new refresh token, `refresh` hands the old one on (RFC 6749, 6)."""
        for case, given, fresh in self._refreshed():
            if given.refresh_token is None:
                continue
            without = [_without(step, secrets_of(fresh.refresh_token)) for step in case.exchange]
            for exchange, when in ((case.exchange, ""), (without, " where the network's answer has none")):
                result = self._refresh(given, exchange)
                if isinstance(result, Credentials) and result.refresh_token is None:
                    fail(f"{case}: refresh gives credentials without a refresh token{when}, so it could never be "
                         "called again; hand the old one on")  # fmt: skip

    def test_nothing_to_refresh_is_told(self) -> None:
        """Without a refresh token, `refresh` works all the same or ends for good: again later would be for ever."""
        for case, given, _ in self._refreshed():
            result = self._refresh(given.model_copy(update={"refresh_token": None}), case.exchange)
            if isinstance(result, RateLimited):
                fail(f"{case}: without a refresh token refresh ends in {type(result).__name__} ({result}), which is "
                     "tried again and again; raise AuthExpired and say what the operator must do")  # fmt: skip

    def _refreshed(self) -> Iterator[tuple[Call, Credentials, Credentials]]:
        """The golden refreshes: the case, the old credentials and the new ones."""
        if not self.overrides("refresh"):
            pytest.skip("its credentials do not run out: refresh is not overridden")
        for case in self.cases.calls:
            if case.call == "refresh" and case.error is None:
                yield case, case.given(self.calls)["credentials"], case.expected(self.calls)

    def _refresh(self, credentials: Credentials, exchange: Any) -> Credentials | DeliveryError | ConfigError:
        plugin = self.make()
        flow: Flow[Credentials] = plugin.refresh(credentials)
        try:
            return drive(flow, Improvised(exchange), plugin.failure)
        except (DeliveryError, ConfigError) as error:
            return error

    def _authorized_with(self, step: Step, credentials: Credentials) -> tuple[str, dict[str, str]]:
        """Address and headers of a golden request, authorized with these credentials."""
        assert step.request is not None
        request = httpx.Request(step.request.method, step.request.url)
        signed = self.authorized(self.make(), credentials)(request)
        return str(signed.url), dict(signed.headers)


def _without(step: Step, values: list[str]) -> Step:
    """The step with an answer that lacks the fields with these values."""
    if step.response is None or not isinstance(step.response.json_, dict):
        return step
    left = {name: value for name, value in step.response.json_.items() if value not in values}
    return step.model_copy(update={"response": step.response.model_copy(update={"json_": left})})
