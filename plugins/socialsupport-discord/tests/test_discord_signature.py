"""Ed25519 over timestamp and body: what Discord signs is let in, all else is not."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_discord import Discord, DiscordSettings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
STAMP = str(int(AT.timestamp()))
BODY = b'{"type": 1}'


def payload(signature: str | None = None, stamp: str = STAMP, body: bytes = BODY, at: datetime = AT) -> Payload:
    signature = KEY.sign(STAMP.encode() + BODY).hex() if signature is None else signature
    headers = (("X-Signature-Ed25519", signature), ("X-Signature-Timestamp", stamp))
    return Payload(headers=headers, body=body, received_at=at)


def discord(key: str | None = PUBLIC) -> Discord:
    given = {"application_id": "1", "bot_token": "a-bot-token", "public_key": key}
    return Discord(DiscordSettings.model_validate(given))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_what_is_signed_is_let_in(seconds: int) -> None:
    discord().verify(payload(at=AT + timedelta(seconds=seconds)))


GOOD = KEY.sign(STAMP.encode() + BODY).hex()


@pytest.mark.parametrize(
    "forged",
    [
        payload(signature=""),
        payload(signature=GOOD[:-2]),
        payload(signature=GOOD + "00"),
        payload(signature=GOOD.upper()),
        payload(signature=" ".join(GOOD)),
        payload(signature="é" * 128),
        payload(signature=Ed25519PrivateKey.generate().sign(STAMP.encode() + BODY).hex()),
        payload(stamp=str(int(STAMP) + 1)),
        payload(stamp=""),
        payload(stamp="9" * 40),
        payload(body=BODY + b" "),
        payload(at=AT + timedelta(seconds=301)),
        payload(at=AT - timedelta(seconds=301)),
    ],
)
def test_what_is_forged_is_not(forged: Payload) -> None:
    with pytest.raises(SignatureError):
        discord().verify(forged)


def test_another_key_opens_nothing() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    for key in (other, None, "00" * 32):
        with pytest.raises(SignatureError):
            discord(key).verify(payload())


def test_a_key_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValidationError):
        discord("no key")
