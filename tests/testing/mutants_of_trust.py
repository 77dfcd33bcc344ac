"""Mutants that let in, answer or trust whom they should not."""

import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import httpx
from killing import killed_by
from pigeon.connector import Pigeon
from pigeon.dove import Dove
from pigeon.swift import Swift
from pydantic import SecretStr

from socialsupport_core.contract import DeliveryError, Flow, SignatureError
from socialsupport_core.model import Credentials, Payload, Reply
from socialsupport_core.testing import load_cases

GOLDEN_ENDINGS = {
    len(case.payload.payload.body): case.payload.payload.body[-8:]
    for case in load_cases(Pigeon).inbound
    if case.payload.source == "webhook" and case.is_genuine
}


# at the door


@killed_by("no_proof_can_be_missing")
class TheHeaderIsOptional(Pigeon):
    def verify(self, payload: Payload) -> None:
        if payload.header(self.signature_header) is not None:
            super().verify(payload)


@killed_by("secrets_are_compared_in_constant_time")
class TheSignatureIsComparedByHand(Pigeon):
    def matches(self, expected: str, given: str) -> bool:
        return expected == given


@killed_by("secrets_are_compared_in_constant_time")
class TheSecretIsComparedByHand(Dove):
    def matches(self, secret: str, given: str) -> bool:
        return bool(secret) and secret == given


@killed_by("the_raw_body_is_signed")
class TheBodyIsStripped(Pigeon):
    def sign(self, sent: str, body: bytes) -> str:
        return super().sign(sent, body.strip())


@killed_by("the_raw_body_is_signed")
class TheBodyIsWrittenAnew(Pigeon):
    def sign(self, sent: str, body: bytes) -> str:
        with contextlib.suppress(ValueError):
            body = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
        return super().sign(sent, body)


@killed_by("no_bit_of_the_body_can_change")
class TheEndOfTheBodyIsNotSigned(Pigeon):
    def verify(self, payload: Payload) -> None:
        mended = payload.body[:-8] + GOLDEN_ENDINGS.get(len(payload.body), payload.body[-8:])
        super().verify(payload.model_copy(update={"body": mended}))


@killed_by("no_proof_can_be_missing")
class ThePrefixIsEnough(Pigeon):
    def matches(self, expected: str, given: str) -> bool:
        return expected.startswith(given)


@killed_by("no_bit_of_the_proof_can_change")
class TheCaseIsIgnored(Pigeon):
    def matches(self, expected: str, given: str) -> bool:
        return expected.lower() == given.lower()


@killed_by("no_bit_of_the_proof_can_change")
class LettersBeyondASCIIRaiseTypeError(Pigeon):
    def matches(self, expected: str, given: str) -> bool:
        return hmac.compare_digest(expected, given)


@killed_by("no_proof_can_be_missing")
class AMissingTimestampRaisesValueError(Pigeon):
    def verify(self, payload: Payload) -> None:
        int(payload.header(self.timestamp_header) or "")
        super().verify(payload)


class _Timeless(Pigeon):
    def verify(self, payload: Payload) -> None:
        given = payload.header(self.signature_header) or ""
        if not self.matches(self.sign(self.signed_time(payload), payload.body), given):
            raise SignatureError("no")

    def signed_time(self, payload: Payload) -> str:
        return payload.header(self.timestamp_header) or ""


@killed_by("an_old_payload_is_refused")
class NoTimestampIsTooOld(_Timeless):
    pass


@killed_by("an_old_payload_is_refused")
class TheTimestampIsNotSigned(_Timeless):
    def signed_time(self, payload: Payload) -> str:
        return "1772359205"


@killed_by("nothing_unsigned_is_let_in")
class NothingIsVerified(Pigeon):
    def verify(self, payload: Payload) -> None:
        pass


@killed_by("every_claim_has_its_override")
class VerificationIsOnlyClaimed(Dove):
    verify = Dove.__mro__[1].verify  # type: ignore[assignment]


@killed_by("other_secrets_open_nothing")
class TheSecretIsInTheCode(Pigeon):
    def sign(self, sent: str, body: bytes) -> str:
        signed = sent.encode("utf-8", "surrogateescape") + b"." + body
        return "sha256=" + hmac.new(b"coo-coo-signing-secret", signed, hashlib.sha256).hexdigest()


@killed_by("a_near_miss_is_refused")
class TheSecretsCaseIsIgnored(Dove):
    def matches(self, secret: str, given: str) -> bool:
        return secret.casefold() == given.casefold()


@killed_by("a_near_miss_is_refused")
class TheSecretIsStripped(Dove):
    def matches(self, secret: str, given: str) -> bool:
        return secret == given.strip()


@killed_by("a_near_miss_is_refused")
class APartOfTheSecretIsEnough(Dove):
    def matches(self, secret: str, given: str) -> bool:
        return bool(given) and given in secret


@killed_by("other_secrets_open_nothing")
class AnEmptySecretIsASecret(Dove):
    def matches(self, secret: str, given: str) -> bool:
        return hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogateescape"))


# challenges


@killed_by("a_challenge_is_answered_to_nobody_else")
class ASignedChallengeIsNotVerified(Pigeon):
    def verify_challenge(self, payload: Payload) -> None:
        pass


@killed_by("a_challenge_is_answered_to_nobody_else")
class OnlyAChallengeWithASignatureIsVerified(Pigeon):
    def verify_challenge(self, payload: Payload) -> None:
        if payload.header(self.signature_header):
            self.verify(payload)


@killed_by("a_challenge_is_answered_to_nobody_else")
class AnOldChallengeIsAnswered(Pigeon):
    def verify_challenge(self, payload: Payload) -> None:
        with contextlib.suppress(ValueError, OverflowError, OSError):
            moment = datetime.fromtimestamp(int(payload.header(self.timestamp_header) or ""), UTC)
            payload = payload.model_copy(update={"received_at": moment})
        self.verify(payload)


@killed_by("a_challenge_is_answered_to_nobody_else")
class AForgedChallengeRaisesKeyError(Pigeon):
    def verify_challenge(self, payload: Payload) -> None:
        dict(payload.headers)[self.signature_header]
        self.verify(payload)


@killed_by("a_challenge_is_answered_to_nobody_else")
class TheChallengesSecretIsNotLookedAt(Dove):
    def handshake(self, payload: Payload) -> Reply:
        return Reply.of_text(payload.query.get("challenge", ""))


@killed_by("a_challenge_is_answered_to_nobody_else")
class TheBeginningOfTheChallengesSecretIsEnough(Dove):
    def told(self, payload: Payload) -> str:
        given = super().told(payload)
        secret = self.settings.secret.get_secret_value()
        return secret if given and secret.startswith(given) else given


@killed_by("other_secrets_answer_no_challenge")
class TheChallengesSecretIsInTheCode(Dove):
    def told(self, payload: Payload) -> str:
        own = self.settings.secret.get_secret_value()
        return own if super().told(payload) == "dove-Shared-Secret-1" else ""


@killed_by("other_secrets_answer_no_challenge")
class AnEmptySecretOpensTheChallenge(Dove):
    def handshake(self, payload: Payload) -> Reply:
        if self.told(payload) != self.settings.secret.get_secret_value():
            raise SignatureError("no")
        return Reply.of_text("4711")


# credentials


@killed_by("refreshed_credentials_are_used")
class TheFirstTokenIsUsedForEver(Swift):
    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        first = Credentials(access_token=SecretStr("swift-access-token-1"))
        return super().authorize(request, first, now, nonce)


@killed_by("a_refresh_token_is_never_lost")
class AMissingRefreshTokenIsTakenOver(Swift):
    def granted(self, answer: Any, old: Credentials) -> Credentials:
        return super().granted(answer, old.model_copy(update={"refresh_token": None}))


@killed_by("nothing_to_refresh_is_told")
class WithoutARefreshTokenItIsTriedForEver(Swift):
    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        answer = yield self.ask_for_token(credentials.refresh_token.get_secret_value())  # type: ignore[union-attr]
        return self.granted(answer.json(), credentials)


@killed_by("flows_survive_any_answer")
class ARefusedRefreshGivesTheOldToken(Swift):
    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        try:
            return (yield from super().refresh(credentials))
        except DeliveryError:
            return credentials


@killed_by("secrets_stay_out_of_addresses")
class TheRefreshTokenIsInTheAddress(Swift):
    def ask_for_token(self, token: str) -> httpx.Request:
        return httpx.Request("POST", f"https://api.swift.example/token?token={token}")
