"""A challenge (GET) that must prove who asks is answered to nobody else.

The door does not call `verify` for a GET: a connector whose network signs its challenge, or sends a token along,
checks that in `handshake`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_core.testing.cases import Inbound
from socialsupport_core.testing.conformance.base import OfConnector, fail, refuses
from socialsupport_core.testing.conformance.verification import A_DAY, flips, misshapen, near_misses, with_header
from socialsupport_core.testing.hidden import secrets_of
from socialsupport_core.testing.problems import raised

Accepts = Callable[[Payload], bool]


@dataclass(frozen=True)
class Piece:
    """One header or query parameter of a challenge."""

    name: str
    value: str
    put: Callable[[Payload, str, str | None], Payload]

    def altered(self) -> str:
        """The value with the character in its middle changed."""
        middle = len(self.value) // 2
        other = "0" if self.value[middle : middle + 1] != "0" else "1"
        return f"{self.value[:middle]}{other}{self.value[middle + 1 :]}"

    def forgeries(self, secrets: list[str]) -> Iterator[tuple[str, str | None]]:
        """What else could stand there: a proof that is no secret itself is a signature."""
        yield "missing", None
        held = [secret for secret in secrets if secret in self.value]
        for secret in held:
            yield from ((change, self.value.replace(secret, given)) for change, given in near_misses(secret))
        if not held:
            raw = self.value.encode("latin-1", "replace")
            yield from ((f"bit {at} flipped", one.decode("latin-1")) for at, one in flips(raw, every_bit=True))
            yield from misshapen(self.value)


class Challenged(OfConnector):
    def test_a_challenge_is_answered_to_nobody_else(self) -> None:
        """A golden GET that carries a proof (a signature, a token) gets no reply with the proof missing or forged."""
        for case, connector, proofs in self._proven():
            payload = case.payload.payload
            for piece in proofs:
                for change, given in piece.forgeries(secrets_of(self.cases.settings)):
                    if given != piece.value:
                        self._closed(connector, case, piece.put(payload, piece.name, given), f"{piece.name}: {change}")
            late = payload.model_copy(update={"received_at": payload.received_at + A_DAY})
            if not _by_verify(connector, payload)(late):
                self._closed(connector, case, late, "a day old at payload.received_at")

    def test_other_secrets_answer_no_challenge(self) -> None:
        """With other secrets in the settings, a golden GET that carries a proof gets no reply."""
        for case, _, proofs in self._proven():
            payload = case.payload.payload
            if other := self.with_other_secrets(lambda secret: "x" + secret.swapcase()):
                self._closed(other, case, payload, "with other secrets in the settings")
            empty = self.with_other_secrets(lambda _: "")
            for piece in proofs if empty else ():
                for given in (None, ""):
                    self._closed(empty, case, piece.put(payload, piece.name, given), f"no {piece.name}, secrets empty")

    def _proven(self) -> Iterator[tuple[Inbound, Any, list[Piece]]]:
        """The golden challenges that are answered and carry a proof."""
        if not self.overrides("handshake"):
            pytest.skip("it answers no GET: handshake is not overridden")
        connector = self.make()
        answered = [case for case in self.cases.inbound if case.is_handshake and case.reply]
        found = [(case, connector, self._proofs_of(connector, case.payload.payload)) for case in answered]
        if not any(proofs for *_, proofs in found):
            pytest.skip("no golden challenge carries a proof: whoever asks is answered")
        yield from (one for one in found if one[2])

    def _proofs_of(self, connector: Any, payload: Payload) -> list[Piece]:
        """What `verify` or `handshake` looks at, and what holds one of our secrets."""
        accepts, secrets = _by_verify(connector, payload), secrets_of(self.cases.settings)

        def decides(piece: Piece) -> bool:
            changed = piece.put(payload, piece.name, piece.altered())
            holds = any(secret in piece.value for secret in secrets)
            return holds or not accepts(changed) or _reply(connector, changed) is SignatureError

        return [piece for piece in _pieces(payload) if decides(piece)]

    def _closed(self, connector: Any, case: Inbound, forged: Payload, change: str) -> None:
        reply = _reply(connector, forged)
        if isinstance(reply, Exception):
            fail(f"{case}: handshake raised {raised(reply)} for a forgery ({change}); "
                 "a forgery may be anything at all, and SignatureError is the only answer to it")  # fmt: skip
        if reply not in (None, SignatureError):
            fail(f"{case}: handshake answers a forged challenge ({change}); the door calls no `verify` for a GET: "
                 "call it first in `handshake`, or compare the whole proof there")  # fmt: skip


def _by_verify(connector: Any, payload: Payload) -> Accepts:
    """What `verify` says, where it applies: it accepts the golden challenge itself. Otherwise it accepts all."""
    if refuses(connector, payload, "the golden challenge"):
        return lambda _: True
    return lambda changed: not refuses(connector, changed, "a changed challenge")


def _reply(connector: Any, payload: Payload) -> Any:
    """The reply, None, SignatureError, or the error that should not have been raised."""
    try:
        return connector.handshake(payload)
    except SignatureError:
        return SignatureError
    except Exception as error:
        return error


def _pieces(payload: Payload) -> Iterator[Piece]:
    yield from (Piece(name, value, with_header) for name, value in payload.headers)
    yield from (Piece(name, value, _with_parameter) for name, value in payload.query.items())


def _with_parameter(payload: Payload, name: str, value: str | None) -> Payload:
    """With another value of a query parameter, or without it."""
    parts = urlsplit(payload.url)
    others = [item for item in parse_qsl(parts.query, keep_blank_values=True) if item[0] != name]
    query = urlencode(others if value is None else [*others, (name, value)])
    return payload.model_copy(update={"url": urlunsplit(parts._replace(query=query))})
