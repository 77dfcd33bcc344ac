"""Who may tell us about calls."""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.contract import SignatureError, Unsupported, drive
from socialsupport_core.model import Attachment, Payload
from socialsupport_phone import Phone, PhoneSettings

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NEW, OLD = "new-secret-0123456789", "old-secret-0123456789"
BODY = b'{"calls": []}'
PHONE = Phone(
    PhoneSettings(
        number="+15550001111",
        signing_secret=SecretStr(NEW),
        previous_signing_secret=SecretStr(OLD),
        recording_hosts=frozenset({"tapes.example"}),
    )
)


def header(secret: str = NEW, body: bytes = BODY, at: datetime = NOW) -> str:
    signed_at = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={signed_at},v1={digest}"


def verify(signature: str | None, body: bytes = BODY, phone: Phone = PHONE, **more: Any) -> None:
    headers = () if signature is None else (("X-Phone-Signature", signature),)
    phone.verify(Payload(headers=headers, body=body, received_at=NOW, **more))


@pytest.mark.parametrize("secret", [NEW, OLD])
@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_both_secrets_within_five_minutes(secret: str, minutes: int) -> None:
    verify(header(secret, at=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_stale_and_future_signatures_are_refused(seconds: int) -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        verify(header(at=NOW + timedelta(seconds=seconds)))


def test_every_one_bit_forgery_is_refused() -> None:
    good = header()
    for index in range(len(good) * 8):
        forged = bytearray(good.encode())
        forged[index // 8] ^= 1 << index % 8
        with pytest.raises(SignatureError):
            verify(forged.decode("latin-1"))


@pytest.mark.parametrize("body", [b"", BODY[:-1], BODY + b"\n", b" " + BODY, BODY.replace(b"[", b"{")])
def test_a_changed_body_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        verify(header(), body)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "t=,v1=",
        header("x" * 20),
        header().upper(),
        header() + " ",
        header() + "," + header()[13:],
        "v1=ä",
    ],
)
def test_missing_and_misshapen_signatures_are_refused(signature: str | None) -> None:
    with pytest.raises(SignatureError):
        verify(signature)


def test_without_a_secret_no_webhook_is_accepted() -> None:
    phone = Phone(PhoneSettings(number="+15550001111"))
    with pytest.raises(SignatureError):
        verify(header(""), phone=phone)


def test_a_file_was_chosen_by_the_operator() -> None:
    verify(None, source="file")
    with pytest.raises(SignatureError):
        verify(None, source="stream")


def test_the_readme_signs_as_we_verify() -> None:
    readme = Path(__file__).parents[1].joinpath("README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    signature = names["phone_signature"](NEW, BODY)
    at = datetime.fromtimestamp(int(signature[2:12]), UTC)
    PHONE.verify(Payload(headers=(("x-phone-signature", signature),), body=BODY, received_at=at))


def test_recordings_come_from_declared_hosts_over_https_only() -> None:
    tape = Attachment(media_type="audio/mpeg", url="https://tapes.example/1.mp3", name="1.mp3")

    def respond(request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("GET", "https://tapes.example/1.mp3")
        return httpx.Response(200, headers={"content-type": "audio/ogg; codecs=opus"}, content=b"OggS")

    blob = drive(PHONE.fetch(tape), respond, PHONE.failure)
    assert (blob.content, blob.media_type, blob.name) == (b"OggS", "audio/ogg", "1.mp3")
    for url in (
        None,
        "http://tapes.example/1.mp3",
        "https://tapes.example.evil/1",
        "https://evil@127.0.0.1/1",
    ):
        with pytest.raises(Unsupported, match="recording_hosts"):
            drive(PHONE.fetch(tape.model_copy(update={"url": url})), respond, PHONE.failure)
