"""Golden cases come out exactly as they are written."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from socialsupport_core.contract import DeliveryError, MalformedPayload, SignatureError, drive
from socialsupport_core.model import Blob, Credentials, Event, Page, Reply
from socialsupport_core.testing.cases import (
    Call,
    ExpectedError,
    ExpectedPage,
    ExpectedReply,
    FlowCase,
    Inbound,
    Outbound,
    Poll,
    content_of,
)
from socialsupport_core.testing.conformance.base import Base, OfConnector, fail
from socialsupport_core.testing.problems import one_line, raised
from socialsupport_core.testing.scripted import ScriptedNetwork, Unexpected, difference


class GoldenFlows(Base):
    def test_inbound_cases(self, inbound: Inbound) -> None:
        """A golden payload is verified and gives exactly its events."""
        plugin, payload = self.make(), inbound.payload.payload
        try:
            if payload.source == "webhook" and self.overrides("verify"):
                plugin.verify(payload)
            events = tuple(plugin.parse(payload))
        except (SignatureError, MalformedPayload) as error:
            return self._same_error(inbound, inbound.error, error)
        except Exception as error:
            fail(f"{inbound}: it raised {raised(error)}")
        if inbound.error:
            fail(f"{inbound}: {inbound.error.type} was expected, it gave {len(events)} events")
        self._same_events(inbound, inbound.events or (), events)
        if inbound.reply:
            self._same_reply(inbound, inbound.reply, "acknowledge", plugin.acknowledge(payload))
        return None

    def test_poll_cases(self, polled: Poll) -> None:
        """A golden poll gives exactly its page."""
        ended, page = self._play(polled)
        if not ended:
            return
        assert polled.page is not None
        if (said := _page(page)) != (wanted := _expected_page(polled.page)):
            fail(f"{polled}: the page differs:\n{difference(wanted, said)}")
        if polled.events is not None:
            connector = self.make()
            events = [event for payload in page.payloads for event in connector.parse(payload)]
            self._same_events(polled, polled.events, events)

    def test_call_cases(self, called: Call) -> None:
        """A golden call asks exactly its exchange and ends in its result or error."""
        ended, result = self._play(called)
        if ended and result != (expected := called.expected(self.calls)):
            fail(f"{called}: the result differs:\n{difference(shown(expected), shown(result))}")

    def _play(self, case: FlowCase) -> tuple[bool, Any]:
        """Whether the flow came to the good end, and with what."""
        connector = self.make()
        network = ScriptedNetwork(case.exchange, self.authorized(connector))
        try:
            flow = self.flow_of(connector, case)
            result = flow if isinstance(flow, str) else drive(flow, network, connector.failure)
            network.finish()
        except DeliveryError as error:
            self._same_error(case, case.error, error)
            return False, None
        except Unexpected as error:
            fail(f"{case}: {error}")
        if case.error:
            fail(f"{case}: {case.error.type} was expected, it ended in {shown(result)}")
        return True, result

    def _same_error(self, case: Inbound | FlowCase, expected: ExpectedError | None, error: Exception) -> None:
        said: dict[str, Any] = {"type": type(error).__name__}
        wanted = expected.model_dump(exclude_unset=True) if expected else None
        said |= {name: getattr(error, name, None) for name in (wanted or {}) if name != "type"}
        if wanted != said:
            why = f", from {raised(error.__cause__)}" if error.__cause__ else ""
            fail(f"{case}: {_called(wanted)} was expected, it raised {_called(said)}: {one_line(error)}{why}")

    def _same_reply(self, case: Inbound, expected: ExpectedReply, method: str, reply: Reply | None) -> None:
        if reply is None:
            fail(f"{case}: {method} gives no reply")
        if (wanted := expected.wanted) != (said := expected.said(reply)):
            fail(f"{case}: {method} answers otherwise:\n{difference(wanted, said)}")

    def _same_events(self, case: Any, expected: Sequence[Event], events: Sequence[Event]) -> None:
        if tuple(expected) != tuple(events):
            fail(f"{case}: the events differ:\n{difference(_json(expected), _json(events))}")


class Golden(GoldenFlows, OfConnector):
    def test_handshake_cases(self, handshake: Inbound) -> None:
        """A golden GET is answered exactly."""
        try:
            reply = self.make().handshake(handshake.payload.payload)
        except SignatureError as error:
            return self._same_error(handshake, handshake.error, error)
        if handshake.error or handshake.reply is None:
            fail(f"{handshake}: SignatureError was expected, handshake gave {reply!r}")
        self._same_reply(handshake, handshake.reply, "handshake", reply)
        return None

    def test_outbound_cases(self, outbound: Outbound) -> None:
        """A golden intent asks exactly its exchange and ends in its receipt or error."""
        ended, receipt = self._play(outbound)
        if ended and receipt != outbound.receipt:
            fail(f"{outbound}: the receipt differs:\n{difference(outbound.receipt, receipt)}")


def _called(error: Mapping[str, Any] | None) -> str:
    """`RateLimited(retry_after=5.0)`."""
    if error is None:
        return "a good end"
    more = ", ".join(f"{name}={value!r}" for name, value in error.items() if name != "type")
    return f"{error['type']}({more})" if more else str(error["type"])


def _json(events: Sequence[Event]) -> list[Any]:
    return [event.model_dump(mode="json", exclude_none=True) for event in events]


def _page(page: Page) -> dict[str, Any]:
    return {"bodies": [payload.body for payload in page.payloads], "cursor": page.cursor, "more": page.more}


def _expected_page(page: ExpectedPage) -> dict[str, Any]:
    return {"bodies": [content_of(body) for body in page.bodies], "cursor": page.cursor, "more": page.more}


def shown(result: Any) -> Any:
    """A result for a difference; fake secrets are shown, or nobody would see what differs."""
    if isinstance(result, Credentials):
        return {**result.model_dump(mode="json"), "access_token": result.access_token.get_secret_value()}
    if isinstance(result, Blob):
        return {"content": repr(result.content[:200]), "media_type": result.media_type, "name": result.name}
    if isinstance(result, tuple):
        return [shown(item) for item in result]
    return result.model_dump(mode="json", exclude_none=True) if isinstance(result, BaseModel) else result
