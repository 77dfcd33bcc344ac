"""Every claim has a case. What no golden case proves does not exist."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from socialsupport_core.contract import DeliveryError, Settings, Unsupported, drive
from socialsupport_core.model import (
    INTENT,
    Attachment,
    Capabilities,
    Identifier,
    IntentType,
    OpenPrivate,
    RateLimit,
    SendMessage,
    TextLimit,
    Thread,
)
from socialsupport_core.testing.cases import SIGNING_IN
from socialsupport_core.testing.conformance.base import OfConnector, fail
from socialsupport_core.testing.conformance.improvised import Improvised
from socialsupport_core.text import plain

CALLABLE = ("probe", "subscribe", "profile", "fetch", "lookup", *SIGNING_IN)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CREDENTIAL = re.compile(r"(?<!public_)(token|secret|password|private_key|api_key)$")


class Claims(OfConnector):
    def test_every_claimed_event_has_a_case(self) -> None:
        """Each event type in `capabilities.events` comes out of a golden payload, and no other does."""
        shown = {event.type for event in self._events()}
        self._both_ways("event", self.capabilities.events, shown - ({"unrecognised"} - self.capabilities.events))

    def test_every_claimed_intent_has_a_case(self) -> None:
        """Each intent type in `capabilities.intents` is carried out by a golden exchange, and no other is."""
        done = {case.intent.type for case in self.cases.outbound if case.receipt}
        self._both_ways("intent", self.capabilities.intents, done)

    def test_every_claimed_way_in_has_a_case(self) -> None:
        """Each of `capabilities.receives` has a golden payload, `poll` also a golden page."""
        cases = self.cases
        sources = {case.payload.source for case in cases.inbound if case.events} | {
            "poll" for case in cases.polls if case.page and case.page.bodies
        }
        sources |= {"stream" for case in cases.streams for step in case.steps if step.keep}
        for way in sorted(self.capabilities.receives - sources):
            fail(f'`receives` claims {way!r}, and no case has a payload with "source": "{way}" and events')
        if "poll" in self.capabilities.receives and not cases.polls:
            fail("`receives` claims 'poll', and there is no poll case")

    def test_every_override_has_a_case(self) -> None:
        """Each method that the connector writes itself is run by a case."""
        called = {case.call for case in self.cases.calls if case.error is None}
        for method in CALLABLE:
            if self.overrides(method) and method not in called:
                fail(f'{method} is overridden, and no case has "call": "{method}" with a result')
        if self.overrides("handshake") and not any(case.is_handshake and case.reply for case in self.cases.inbound):
            fail('handshake is overridden, and no inbound case has "method": "GET" and a reply')
        if self.overrides("acknowledge") and not any(case.reply for case in self.genuine):
            fail("acknowledge is overridden, and no inbound case says its reply")
        if self.overrides("authorize") and not any(step.request and step.request.headers for step in self.steps):
            fail("authorize is overridden, and no exchange expects a header that it adds")

    def test_every_claim_has_its_override(self) -> None:
        """Whoever claims to verify, poll, send or look up has written the method that does it."""
        claims = self.capabilities
        demanded = {
            "parse": bool(claims.events),
            "verify": claims.verification != "none",
            "poll": "poll" in claims.receives,
            "send": bool(claims.intents),
            "lookup": claims.settles == "lookup",
            "numbered": claims.sequence is not None,
        }
        for method, is_claimed in demanded.items():
            if is_claimed and not self.overrides(method):
                fail(f"the capabilities claim what {method} does, and {method} is not overridden")

    def test_sending_claims_have_cases(self) -> None:
        """Visibility, subject, attachments, buttons and markup that are claimed are shown in golden intents."""
        claims = self.capabilities
        sent = [case.intent for case in self.cases.outbound if case.receipt]
        messages = [intent for intent in sent if isinstance(intent, SendMessage)]
        speaking = [intent for intent in sent if isinstance(intent, SendMessage | OpenPrivate)]
        shown = {_private(intent): None for intent in speaking}
        self._both_ways("visibility", claims.sends, shown.keys())
        parts: dict[str, tuple[Any, bool]] = {
            "subject": (claims.subject, any(one.subject for one in messages)),
            "media": (claims.media, any(one.attachments for one in messages)),
            "choices": (claims.choices, any(one.choices for one in messages)),
            "templates": (claims.templates, any(one.template for one in messages)),
            "markup": (claims.markup, any(one.text and plain(one.text) != one.text for one in speaking)),
        }
        for name, (is_claimed, is_shown) in parts.items():
            if bool(is_claimed) != is_shown and (is_claimed or name != "markup"):
                told = "claimed, and no golden message shows it" if is_claimed else "used in a case, and not claimed"
                fail(f"`{name}` is {told}")

    def test_whoever_is_written_to_first_is_shown(self) -> None:
        """Each kind in `begins` is that of a golden message's recipient, or of the thread that `thread_with` names."""
        sent = [case.intent for case in self.cases.outbound if case.receipt and isinstance(case.intent, SendMessage)]
        threads = {intent.thread.id for intent in sent}
        known = {one.kind for intent in sent if intent.recipient for one in intent.recipient.identifiers}
        for kind in sorted(self.capabilities.begins - known):
            if not any(self.make().thread_with(Identifier(kind=kind, value=thread)) == thread for thread in threads):
                fail(f"`begins` claims {kind}, and no golden message goes to an account of that kind")

    def test_reporting_claims_have_cases(self) -> None:
        """Delivery states and echoes that are claimed come out of golden payloads."""
        events = self._events()
        states = {event.state for event in events if event.type == "delivery.updated"}
        for state in sorted(self.capabilities.receipts - states):
            fail(f"`receipts` claims {state!r}, and no golden payload gives delivery.updated with that state")
        echoes = [event for event in events if event.type == "interaction.received" and _is_echo(event)]
        if self.capabilities.settles == "echo" and not echoes:
            fail('`settles` is "echo", and no golden payload gives an interaction with "direction": "outbound"')

    def test_supported_and_unsupported_are_disjoint(self) -> None:
        """Nothing is claimed and called impossible at once."""
        claims = self.capabilities
        for both in sorted((claims.events | claims.intents) & claims.unsupported):
            fail(f"{both} is claimed and listed in `unsupported`; take it out of one of them")

    def test_unclaimed_intents_are_refused(self) -> None:
        """An intent that is not claimed ends in Unsupported before anything is asked."""
        connector = self.make()
        for kind in sorted(set(get_args(IntentType)) - self.capabilities.intents):
            network = Improvised(self.steps)
            try:
                drive(connector.send(self._some(kind)), network, connector.failure)
            except Unsupported:
                continue
            except DeliveryError as error:
                fail(f"send answers the unclaimed {kind} with {type(error).__name__}; raise Unsupported")
            fail(f"send carries out {kind}, which is not in `capabilities.intents`; claim it or raise Unsupported")

    def test_the_declaration_is_sane(self) -> None:
        """Name, settings and rate limits are what a host expects."""
        cls = self.connector
        if not _NAME.fullmatch(cls.name):
            fail(f"the name {cls.name!r} is not a lower-case identifier")
        if not issubclass(cls.settings_model, Settings):
            fail(f"{cls.settings_model.__name__} extends {Settings.__name__}, so that it is frozen and exact")
        config = cls.settings_model.model_config
        if not config.get("frozen") or config.get("extra") != "forbid":
            fail('the settings are frozen and have extra="forbid"; do not override model_config')
        if not all(isinstance(limit, RateLimit) for limit in cls.rate_limits):
            fail("`rate_limits` holds RateLimit values")
        for name in plain_credentials(cls.settings_model):
            fail(f"the setting {name} is a credential by its name; make it a SecretStr")

    def test_capabilities_only_narrow(self) -> None:
        """`capabilities_in` takes away and never adds, for every thread in the cases."""
        connector = self.make()
        for thread in self._threads():
            for field in widened(self.capabilities, connector.capabilities_in(thread)):
                fail(f"capabilities_in({thread.id!r}) claims more `{field}` than `capabilities`")

    def test_attachments_fit_the_declared_media(self) -> None:
        """Golden messages carry only attachments that the capabilities allow."""
        for case in self.cases.outbound:
            attachments = case.intent.attachments if isinstance(case.intent, SendMessage) and case.receipt else ()
            for attachment in attachments:
                if not _fits(attachment, self.capabilities):
                    fail(f"{case}: `media` does not allow {attachment.media_type}, {attachment.size} bytes")
            if len(attachments) > self.capabilities.attachments:
                fail(f"{case}: `attachments` allows {self.capabilities.attachments} in a message")

    def _both_ways(self, what: str, claimed: Iterable[str], shown: Iterable[str]) -> None:
        for name in sorted(set(claimed) - set(shown)):
            fail(f"the {what} {name} is claimed, and no golden case shows it; add the case or drop the claim")
        for name in sorted(set(shown) - set(claimed)):
            fail(f"golden cases show the {what} {name}, which is not claimed; claim it in `capabilities`")

    def _events(self) -> list[Any]:
        """Of the inbound, the poll and the stream cases."""
        given = [*(case.events for case in self.cases.inbound), *(case.events for case in self.cases.polls)]
        given += [step.events for case in self.cases.streams for step in case.steps]
        return [event for events in given for event in events or ()]

    def _some(self, kind: str) -> Any:
        raw: dict[str, Any] = {"type": kind, "key": "conformance", "own_account": "1"}
        raw["thread"] = {"id": "1", "visibility": "private"}
        if kind in {"edit.message", "open.private"}:
            raw["text"] = "text"
        if kind == "react":
            raw["reaction"] = "👍"
        return INTENT.validate_python(raw)

    def _threads(self) -> list[Thread]:
        heard = [event.interaction.thread for event in self._events() if hasattr(event, "interaction")]
        return [*heard, *(case.intent.thread for case in self.cases.outbound)]


def _private(intent: SendMessage | OpenPrivate) -> str:
    return "private" if isinstance(intent, OpenPrivate) else intent.thread.visibility


def _is_echo(event: Any) -> bool:
    return bool(event.interaction.direction == "outbound")


def _fits(attachment: Attachment, claims: Capabilities) -> bool:
    for limit in claims.media:
        family = limit.media_type.removesuffix("*")
        alike = attachment.media_type.startswith(family) if family.endswith("/") else False
        if (alike or limit.media_type in {attachment.media_type, "*/*"}) and (
            (attachment.size or 0) <= limit.max_bytes
        ):
            return True
    return False


def plain_credentials(model: type[BaseModel]) -> list[str]:
    """Settings that are credentials by their name and plain text by their type."""
    return [name for name, field in model.model_fields.items() if _CREDENTIAL.search(name) and field.annotation is str]


def widened(wide: Capabilities, narrow: Capabilities) -> list[str]:
    """The fields in which `narrow` claims more than `wide`."""
    return [name for name in type(wide).model_fields if _is_wider(name, getattr(narrow, name), getattr(wide, name))]


def _is_wider(name: str, narrow: Any, wide: Any) -> bool:
    if narrow == wide or name == "unsupported":
        return False
    if isinstance(wide, frozenset | bool | int):
        return not narrow <= wide
    if isinstance(wide, tuple):
        return any(not _covered(limit, wide) for limit in narrow)
    return _NARROWER.get(name, _less)(narrow, wide) is False


def _shorter(narrow: TextLimit | None, wide: TextLimit | None) -> bool:
    """None is no limit at all."""
    return wide is None or (narrow is not None and narrow.unit == wide.unit and narrow.limit <= wide.limit)


def _less(narrow: Any, wide: Any) -> bool:
    """None is nothing."""
    return narrow is None or (wide is not None and narrow < wide)


_NARROWER: Mapping[str, Callable[[Any, Any], bool]] = {
    "text": _shorter,
    "reply_window": lambda narrow, wide: wide is None or (narrow is not None and narrow < wide),
    "settles": lambda narrow, _: narrow == "none",
    "verification": lambda *_: False,
}


def _covered(limit: Any, wide: Iterable[Any]) -> bool:
    return any(limit.media_type == other.media_type and limit.max_bytes <= other.max_bytes for other in wide)
