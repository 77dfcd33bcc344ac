"""Signatures of Standard Webhooks, against the specification's own vector and the library of that project."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from socialsupport_core.contract import SignatureError
from socialsupport_core.contract.standard_webhooks import ID, SIGNATURE, TIMESTAMP, secret_key, sign, verify
from socialsupport_core.model import Payload

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = secret_key(SECRET)
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
BODY = b'{"test": 2432232314}'


def payload(at: datetime = NOW, body: bytes = BODY, **changed: str) -> Payload:
    stamp = str(int(at.timestamp()))
    headers = {ID: "msg_1", TIMESTAMP: stamp, SIGNATURE: sign([KEY], "msg_1", stamp, BODY)} | changed
    return Payload(headers=tuple(headers.items()), body=body, received_at=NOW)


def test_the_vector_of_the_specification() -> None:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (2026-11)"""
    id_ = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert sign([KEY], id_, 1614265330, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_the_projects_own_library_signs_is_believed() -> None:
    signature = Webhook(SECRET).sign("msg_1", NOW, BODY.decode())
    verify([KEY], payload(**{SIGNATURE: signature}))


def test_one_good_signature_among_others_is_enough() -> None:
    other = secret_key("whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVy")
    both = f"{sign([other], 'msg_1', int(NOW.timestamp()), BODY)} {payload().header(SIGNATURE)}"
    verify([KEY], payload(**{SIGNATURE: f"v1a,AAAA {both}"}))
    verify([other, KEY], payload())
    with pytest.raises(SignatureError, match="does not fit"):
        verify([other], payload())


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_allowed(seconds: int) -> None:
    verify([KEY], payload(NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_more_are_not(seconds: int) -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        verify([KEY], payload(NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (ID, ""),
        (TIMESTAMP, ""),
        (TIMESTAMP, "01772355600"),
        (TIMESTAMP, "1e9"),
        (TIMESTAMP, "9" * 40),
        (SIGNATURE, ""),
        (SIGNATURE, "v1,"),
        (SIGNATURE, "forged, v1,AAAA"),
        (SIGNATURE, "v1,é"),
    ],
)
def test_strange_headers_are_refused_with_what_is_needed(header: str, value: str) -> None:
    with pytest.raises(SignatureError, match="are needed"):
        verify([KEY], payload(**{header: value}))


def test_another_body_or_id_is_refused() -> None:
    for forged in (payload(body=BODY + b" "), payload(**{ID: "msg_2"})):
        with pytest.raises(SignatureError, match="does not fit"):
            verify([KEY], forged)


def test_no_key_lets_nobody_in() -> None:
    with pytest.raises(SignatureError):
        verify([], payload())


@pytest.mark.parametrize("secret", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_no base64!", "whsec_é"])
def test_what_is_no_secret_is_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and Base64") as raised:
        secret_key(secret)
    assert not secret or secret not in str(raised.value)
