"""Nothing that the network has not sent gets past `verify`."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from types import FrameType
from typing import Any

import pytest

from socialsupport_core.model import Payload
from socialsupport_core.testing.cases import Inbound
from socialsupport_core.testing.conformance.base import Base, fail, refuses
from socialsupport_core.testing.hidden import secrets_of

ALL_BITS = 2048
"""Bytes of the smallest golden body up to which each of its bits is flipped; of the others, one bit a byte."""
SAMPLES = 256
"""Bytes sampled from a longer body."""
A_DAY = timedelta(days=1)

_TIMESTAMP = re.compile(r"timestamp", re.IGNORECASE)
_SECONDS = re.compile(r"(?:^|\bt=)1\d{9}(?:\d{3})?\b")
_STRANGE = ("", " ", "=", ",", "v1", "v1,", "sha256", "sha256=", "t=,v1=", "NaN", "-1", "1e999", "9" * 400, "\x00",
            "none", "null", "\xff", "💥", "a" * 10_000)  # fmt: skip


class Verified(Base):
    def test_nothing_unsigned_is_let_in(self) -> None:
        """What is claimed to be verified has a golden payload that proves who sent it."""
        if self.verification == "none":
            pytest.skip("verification is `none`: whoever knows the door's address can write to it")
        if not self.takes_webhooks:
            pytest.skip("nothing comes in by webhook")
        if not self.genuine:
            fail("`verification` is claimed, and no inbound case has a genuine webhook")
        for case in self.genuine:
            if not any(refuses(self.make(), forged, name) for name, forged in _bare(case.payload.payload)):
                fail(f"{case}: verify accepts it without headers, query and body as well; it looks at nothing")

    def test_no_bit_of_the_proof_can_change(self) -> None:
        """`signature`, `shared_secret`: each header that proves it is refused with any one bit flipped."""
        for case, connector, name, value in self._proofs():
            for position, forged in flips(value.encode("latin-1", "replace"), every_bit=True):
                self._refused(connector, case, _with(case, name, forged.decode("latin-1")), name, f"bit {position}")

    def test_no_bit_of_the_body_can_change(self) -> None:
        """`signature`: the body is refused with any one bit flipped."""
        cases = sorted(self._signed(), key=lambda case: len(case.payload.payload.body))
        for number, case in enumerate(cases):
            connector, payload = self.make(), case.payload.payload
            every_bit = number == 0 and len(payload.body) < ALL_BITS
            for position, body in flips(payload.body, every_bit):
                forged = payload.model_copy(update={"body": body})
                self._refused(connector, case, forged, "the body", f"bit {position} flipped")

    def test_the_raw_body_is_signed(self) -> None:
        """`signature`: truncated, extended, stripped or written anew, the body is refused."""
        for case in self._signed():
            connector, payload = self.make(), case.payload.payload
            for change, body in _rewritten(payload.body):
                forged = payload.model_copy(update={"body": body})
                self._refused(connector, case, forged, "the body", change)

    def test_no_proof_can_be_missing(self) -> None:
        """Each header that proves it is refused when missing, empty, cut short, doubled or strange."""
        for case, connector, name, value in self._proofs():
            self._refused(connector, case, _with(case, name, None), name, "missing")
            for change, given in misshapen(value):
                if given != value:  # the prefix of what ends in "=" is all of it
                    self._refused(connector, case, _with(case, name, given), name, change)
            payload = case.payload.payload
            doubled = payload.model_copy(update={"headers": ((name, "forged"), *payload.headers)})
            self._refused(connector, case, doubled, name, "given twice, the forged one first")

    def test_an_old_payload_is_refused(self) -> None:
        """`signature`: where a timestamp is signed, the same payload is refused a day later."""
        signed = [(case, name, value) for case, _, name, value in self._proofs() if _is_timestamp(name, value)]
        ignored = [
            (case, name)
            for case in self._signed()
            for name, _ in case.payload.payload.headers
            if _TIMESTAMP.search(name) and name not in decisive(self.make(), case.payload.payload)
        ]
        for case, name in ignored:
            fail(f"{case}: verify does not look at {name}; an old payload can be sent again with a new time")
        if not signed:
            pytest.skip("no timestamp is signed: an old payload stays genuine, and only its id makes it harmless")
        for case, name, _ in signed:
            payload = case.payload.payload
            late = payload.model_copy(update={"received_at": payload.received_at + A_DAY})
            self._told_apart(self.make(), case, late, name, "a day old at payload.received_at")

    def test_a_near_miss_is_refused(self) -> None:
        """`shared_secret`: nothing but the exact secret opens the door."""
        if self.verification != "shared_secret":
            pytest.skip("there is no shared secret")
        for case in self.genuine:
            connector, payload = self.make(), case.payload.payload
            places = [secret for secret in secrets_of(self.cases.settings) if _holds(payload, secret)]
            if not places:
                continue
            for secret in places:
                for change, given in near_misses(secret):
                    self._refused(connector, case, _replaced(payload, secret, given), "the secret", change)

    def test_other_secrets_open_nothing(self) -> None:
        """With other secrets in the settings, no golden payload is accepted; empty ones open nothing either."""
        if self.verification == "none" or not secrets_of(self.cases.settings):
            pytest.skip("there is no secret that verifies")
        for case in self.genuine:
            other = self.with_other_secrets(lambda secret: "x" + secret.swapcase())
            if other:
                self._told_apart(other, case, case.payload.payload, "the settings", "with other secrets")
            empty = self.with_other_secrets(lambda _: "")
            for name in decisive(self.make(), case.payload.payload) if empty else ():
                for change, given in (("missing", None), ("empty", "")):
                    assert empty is not None
                    forged = _with(case, name, given)
                    self._told_apart(empty, case, forged, name, f"{change}, the secrets empty")

    def test_secrets_are_compared_in_constant_time(self) -> None:
        """A secret, or what is signed with one, is compared by `hmac.compare_digest`."""
        if self.verification == "none":
            pytest.skip("verification is `none`")
        called = {case.name: _called(self.make(), case.payload.payload) for case in self.genuine}
        everywhere = set[str]().union(*called.values())
        for case in self.genuine:
            here = everywhere if self.verification == "shared_secret" else called[case.name]
            if "compare_digest" not in here and (self.verification == "shared_secret" or here & _MACS):
                fail(f"{case}: verify compares without hmac.compare_digest; how long it takes tells how much of a "
                     "guess is right")  # fmt: skip

    def _signed(self) -> list[Inbound]:
        if self.verification != "signature":
            pytest.skip(f"nothing is signed: verification is `{self.verification}`")
        return [case for case in self.genuine if case.payload.payload.body]

    def _proofs(self) -> Iterator[tuple[Inbound, Any, str, str]]:
        """Every genuine case with each header that decides about it."""
        if self.verification == "none":
            pytest.skip("nothing is verified: verification is `none`")
        connector = self.make()
        for case in self.genuine:
            for name in decisive(connector, case.payload.payload):
                value = case.payload.payload.header(name)
                assert value is not None
                yield case, connector, name, value

    def _refused(self, connector: Any, case: Inbound, forged: Payload, what: str, change: str) -> None:
        if forged != case.payload.payload:
            self._told_apart(connector, case, forged, what, change)

    def _told_apart(self, connector: Any, case: Inbound, forged: Payload, what: str, change: str) -> None:
        if not refuses(connector, forged, f"{what}: {change}"):
            fail(f"{case}: verify accepts a forgery ({what}: {change}); compare the whole value, on the raw body")


_MACS = frozenset({"hmac_digest", "hmac_new", "digest", "new"})


def _called(connector: Any, payload: Payload) -> set[str]:
    """Names of the functions that `verify` calls, those written in C too; of Python's own, those of `hmac`."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            name = getattr(argument, "__name__", "")
            found.update({name} & {"compare_digest", "hmac_digest", "hmac_new"})
        elif event == "call" and frame.f_globals.get("__name__") == "hmac":
            found.update({frame.f_code.co_name} & {"digest", "new"})

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        refuses(connector, payload, "as it is")
    finally:
        sys.setprofile(before)
    return found


def decisive(connector: Any, payload: Payload) -> list[str]:
    """The headers that `verify` looks at: changed or missing, they make it refuse."""
    return [name for name, value in payload.headers if _decides(connector, payload, name, value)]


def _decides(connector: Any, payload: Payload, name: str, value: str) -> bool:
    middle = len(value) // 2
    other = "0" if value[middle : middle + 1] != "0" else "1"
    changed = (None, f"{value[:middle]}{other}{value[middle + 1 :]}")
    return any(refuses(connector, with_header(payload, name, given), f"{name} changed") for given in changed)


def with_header(payload: Payload, name: str, value: str | None) -> Payload:
    """With another value of a header, or without it."""
    others = tuple(item for item in payload.headers if item[0] != name)
    return payload.model_copy(update={"headers": others if value is None else (*others, (name, value))})


def _with(case: Inbound, name: str, value: str | None) -> Payload:
    return with_header(case.payload.payload, name, value)


def _bare(payload: Payload) -> Iterator[tuple[str, Payload]]:
    yield "no headers", payload.model_copy(update={"headers": ()})
    yield "another address", payload.model_copy(update={"url": "https://hub.example/hooks/other"})
    yield "no body", payload.model_copy(update={"body": b"{}"})


def flips(content: bytes, every_bit: bool) -> Iterator[tuple[int, bytes]]:
    """The content with one bit flipped: each bit, or one in each of some bytes."""
    step = 1 if every_bit else max(1, len(content) // SAMPLES)
    for index in range(0, len(content), step):
        for bit in range(8) if every_bit else (index % 8,):
            flipped = bytes([content[index] ^ (1 << bit)])
            yield index * 8 + bit, content[:index] + flipped + content[index + 1 :]


def _rewritten(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "its last byte cut off", body[:-1]
    yield "its first byte cut off", body[1:]
    yield "cut in the middle", body[: len(body) // 2]
    yield "empty", b""
    for extra in (b" ", b"\n", b"\r\n", b"\0", b"x"):
        yield f"{extra!r} appended", body + extra
        yield f"{extra!r} before it", extra + body
    yield "stripped", body.strip()
    try:
        content = json.loads(body)
    except ValueError:
        return
    yield "the same JSON with other spaces", json.dumps(content, indent=1).encode()
    yield "the same JSON without spaces", json.dumps(content, separators=(",", ":")).encode()
    yield "the same JSON with sorted keys", json.dumps(content, sort_keys=True).encode()


def misshapen(value: str) -> Iterator[tuple[str, str]]:
    prefix = re.split(r"(?<=[=,])", value)[0] if re.search(r"[=,]", value) else ""
    if prefix != value:  # the `=` at the end of base64 is no end of a prefix
        yield "only its prefix", prefix
    for length in range(len(value)):
        yield f"cut to {length} characters", value[:length]
    yield "extended", value + "0"
    yield "a forged one after it", f"{value}, forged"
    yield "a forged one before it", f"forged, {value}"
    for strange in _STRANGE:
        yield f"strange: {strange[:20]!r}", strange


def _is_timestamp(name: str, value: str) -> bool:
    return bool(_TIMESTAMP.search(name) or _SECONDS.search(value))


def _holds(payload: Payload, secret: str) -> bool:
    return secret in payload.url or any(secret in value for _, value in payload.headers)


def _replaced(payload: Payload, secret: str, given: str) -> Payload:
    headers = tuple((name, value.replace(secret, given)) for name, value in payload.headers)
    return payload.model_copy(update={"headers": headers, "url": payload.url.replace(secret, given)})


def near_misses(secret: str) -> Iterator[tuple[str, str]]:
    yield "empty", ""
    yield "wrong", "wrong"
    for length in range(1, len(secret)):
        yield f"its first {length} characters", secret[:length]
        yield f"its last {length} characters", secret[-length:]
    yield "something appended", secret + "x"
    yield "something before it", "x" + secret
    yield "twice", secret + secret
    for change in (str.upper, str.lower, str.swapcase):
        yield change.__name__, change(secret)
    for space in (" ", "\t", "\u00a0"):
        yield f"{space!r} appended", secret + space
        yield f"{space!r} before it", space + secret
    for index, letter in enumerate(secret):
        yield f"character {index} changed", f"{secret[:index]}{'b' if letter == 'a' else 'a'}{secret[index + 1 :]}"
    yield "not ASCII", secret[:-1] + "é"
