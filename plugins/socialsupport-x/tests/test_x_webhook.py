"""Signatures, their rotation, and the challenge."""

import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_x import X, XSettings
from socialsupport_x.webhook import SIGNATURE, SIGNATURE_OAUTH2, signed

AT = datetime(2026, 7, 24, tzinfo=UTC)
BODY = b'{"for_user_id":"1"}'
BOTH = XSettings(
    consumer_secret="new",
    previous_consumer_secret="old",
    client_secret="new-client",
    previous_client_secret="old-client",
)


def payload(*headers, body=BODY):
    return Payload(headers=headers, body=body, received_at=AT)


def test_the_algorithm():
    """openssl says the same: printf challenge_string | openssl dgst -sha256 -hmac secret -binary | base64"""
    assert signed("secret", b"challenge_string") == "sha256=KVLX9CEwUdVdeJfmJAnltj/knkdCqwZJlA1u97xbErw="


@pytest.mark.parametrize(
    ("header", "secret"),
    [(SIGNATURE, "new"), (SIGNATURE, "old"), (SIGNATURE_OAUTH2, "new-client"), (SIGNATURE_OAUTH2, "old-client")],
)
def test_either_header_and_either_secret_proves_it(header, secret):
    X(BOTH).verify(payload((header, signed(secret, BODY))))
    X(BOTH).verify(payload((header.upper(), signed(secret, BODY))))


def test_both_headers_must_fit():
    good = {SIGNATURE: signed("new", BODY), SIGNATURE_OAUTH2: signed("new-client", BODY)}
    X(BOTH).verify(payload(*good.items()))
    for name in good:
        with pytest.raises(SignatureError, match=name):
            X(BOTH).verify(payload(*{**good, name: signed("another", BODY)}.items()))


def test_a_header_that_no_secret_stands_for_proves_nothing():
    only_consumer = X(XSettings(consumer_secret="new"))
    with pytest.raises(SignatureError, match="carries no"):
        only_consumer.verify(payload((SIGNATURE_OAUTH2, signed("new-client", BODY))))
    only_consumer.verify(payload((SIGNATURE_OAUTH2, "whatever"), (SIGNATURE, signed("new", BODY))))


@pytest.mark.parametrize("value", ["", "sha256=", "é", "\udcff", "x" * 10_000])
def test_strange_signatures_are_refused(value):
    with pytest.raises(SignatureError):
        X(BOTH).verify(payload((SIGNATURE, value)))


def challenge(query, settings=BOTH, method="GET"):
    return X(settings).handshake(Payload(method=method, url=f"https://hub.example/hooks/x{query}", received_at=AT))


def test_the_challenge_is_answered_with_the_client_secret_where_there_is_one():
    reply = challenge("?crc_token=abc")
    assert json.loads(reply.body) == {"response_token": signed("new-client", b"abc")}
    reply = challenge("?crc_token=abc", XSettings(consumer_secret="new"))
    assert json.loads(reply.body) == {"response_token": signed("new", b"abc")}
    assert reply.headers == (("content-type", "application/json"),)


@pytest.mark.parametrize(
    ("query", "method"), [("", "GET"), ("?crc_token=", "GET"), ("?a=b", "GET"), ("?crc_token=a", "POST")]
)
def test_anything_else_is_no_challenge(query, method):
    assert challenge(query, method=method) is None


@pytest.mark.parametrize("text", ['{"for_user_id":"1"}', "[]", '"a"', " {}", "a" * 513, "é"])
def test_the_door_signs_nothing_that_could_be_a_payload(text):
    """A stranger who asks the door to sign a body would otherwise hold a valid signature for it."""
    with pytest.raises(SignatureError, match="never uses"):
        challenge(f"?crc_token={quote(text)}")
