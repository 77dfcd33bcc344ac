"""Who sent a webhook."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_twilio import Twilio, TwilioSettings, signing

VECTORS = json.loads(Path(__file__).with_name("twilio_signatures.json").read_text())
TOKEN, URL = "a-token-of-the-tests", "https://hub.example/hooks/sms"
TWILIO = Twilio(TwilioSettings(account_sid="AC" + "0" * 32, auth_token=SecretStr(TOKEN), number="+15550001111"))
FIELDS = {"MessageSid": "SM1", "Body": "Grüße & more=1", "From": "+15550002222", "To": "+15550001111", "FromCity": ""}


def payload(body: bytes, proof: str, url: str = URL) -> Payload:
    now = datetime(2026, 11, 3, tzinfo=UTC)
    return Payload(url=url, headers=(("X-Twilio-Signature", proof),), body=body, received_at=now)


def accepts(given: Payload) -> bool:
    try:
        TWILIO.verify(given)
    except SignatureError:
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_published_signatures_come_out(vector: dict[str, Any]) -> None:
    parameters = [(name, value) for name, value in vector["parameters"]]
    assert signing.signature(VECTORS["token"], vector["url"], parameters) == vector["signature"]
    assert signing.signature("12346", vector["url"], parameters) != vector["signature"]


def test_a_form_is_let_in_and_a_changed_one_is_not() -> None:
    proof = signing.signature(TOKEN, URL, FIELDS.items())
    assert accepts(payload(urlencode(FIELDS).encode(), proof))
    assert not accepts(payload(urlencode(FIELDS | {"Body": "other"}).encode(), proof))
    assert not accepts(payload(urlencode(FIELDS).encode(), proof, url=f"{URL}/other"))
    assert not accepts(payload(b"", proof))


def test_every_flipped_bit_that_reads_otherwise_is_refused() -> None:
    body = urlencode(FIELDS).encode()
    proof, alike = signing.signature(TOKEN, URL, FIELDS.items()), 0
    for index in range(len(body) * 8):
        flipped = bytearray(body)
        flipped[index // 8] ^= 1 << index % 8
        if accepts(payload(bytes(flipped), proof)):
            assert dict(signing.form(bytes(flipped))) == FIELDS
            alike += 1
    assert 0 < alike < 20, "only the case of percent encoding may change"


@pytest.mark.parametrize(("signed", "called"), [("https://hub.example:443/a?b=c", "https://hub.example/a?b=c")])
def test_the_standard_port_may_be_there_or_not(signed: str, called: str) -> None:
    for one, other in ((signed, called), (called, signed)):
        proof = signing.signature(TOKEN, one, FIELDS.items())
        assert accepts(payload(urlencode(FIELDS).encode(), proof, url=other))
    elsewhere = signed.replace("443", "8443")
    proof = signing.signature(TOKEN, elsewhere, FIELDS.items())
    assert not accepts(payload(urlencode(FIELDS).encode(), proof, url=called))


def test_an_address_with_no_port_that_is_one_is_refused_quietly() -> None:
    assert list(signing.addresses("https://hub.example:x/")) == ["https://hub.example:x/"]
    assert not accepts(payload(b"a=b", "x", url="https://hub.example:x/"))


def test_a_parameter_twice_with_one_value_counts_once() -> None:
    assert signing.signature(TOKEN, URL, [("a", "1"), ("a", "1")]) == signing.signature(TOKEN, URL, [("a", "1")])
    assert signing.signature(TOKEN, URL, [("a", "2"), ("a", "1")]) == signing.signature(
        TOKEN, URL, [("a", "1"), ("a", "2")]
    )


def test_another_body_is_signed_by_its_digest_in_the_address() -> None:
    body = b'{"a": 1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    proof = signing.signature(TOKEN, url)
    assert accepts(payload(body, proof, url=url))
    assert not accepts(payload(b'{"a": 2}', proof, url=url))
    assert not accepts(payload(body, signing.signature(TOKEN, URL), url=URL))
    other = f"{URL}?bodySHA256={hashlib.sha256(b'other').hexdigest()}"
    assert not accepts(payload(body, signing.signature(TOKEN, other), url=other))


@pytest.mark.parametrize("proof", ["", "é", "💥", "x" * 10_000])
def test_no_strange_signature_is_let_in(proof: str) -> None:
    assert not accepts(payload(b"a=b", proof))


def test_the_previous_token_opens_the_door_while_it_is_set() -> None:
    proof = signing.signature("the-older-token", URL, FIELDS.items())
    given = payload(urlencode(FIELDS).encode(), proof)
    assert not accepts(given)
    both = TWILIO.settings.model_copy(update={"previous_auth_token": SecretStr("the-older-token")})
    Twilio(both).verify(given)
