"""What proves that a webhook comes from Meta, and to Meta that the door is ours."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_meta.door import answer, signed, verify
from socialsupport_meta.settings import AppSettings

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BODY = b'{"object":"page","entry":[]}'


def settings(**more: str) -> AppSettings:
    return AppSettings.model_validate({"app_secret": "new-secret", "verify_token": "our-token", **more})


def payload(signature: str | None, body: bytes = BODY) -> Payload:
    headers = (("X-Hub-Signature-256", signature),) if signature is not None else ()
    return Payload(body=body, headers=headers, received_at=NOW)


def challenge(query: str, method: str = "GET") -> Payload:
    return Payload(method=method, url=f"https://hub.example/hooks/app/1?{query}", received_at=NOW)


def test_the_published_vector() -> None:
    """https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries (2026-03), the same scheme."""
    told = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed(SecretStr("It's a Secret to Everybody"), b"Hello, World!") == told


def test_the_signature_covers_the_body_as_it_came() -> None:
    signature = signed(SecretStr("new-secret"), BODY)
    verify(payload(signature), settings())
    for other in (BODY + b" ", BODY.replace(b":", b": "), b""):
        with pytest.raises(SignatureError, match="does not fit"):
            verify(payload(signature, other), settings())


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha1=abc", "sha256=" + "0" * 64, "ähem"])
def test_a_wrong_signature_is_refused(signature: str | None) -> None:
    with pytest.raises(SignatureError):
        verify(payload(signature), settings())


def test_two_secrets_are_good_while_one_replaces_the_other() -> None:
    old = payload(signed(SecretStr("old-secret"), BODY))
    verify(old, settings(previous_app_secret="old-secret"))
    with pytest.raises(SignatureError):
        verify(old, settings())


def test_the_challenge_is_sent_back() -> None:
    reply = answer(challenge("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=our-token"), settings())
    assert reply is not None
    assert (reply.status, reply.body) == (200, b"1158201444")


def test_a_challenge_with_another_token_is_refused() -> None:
    for token in ("", "&hub.verify_token=", "&hub.verify_token=our-toke", "&hub.verify_token=new-secret"):
        with pytest.raises(SignatureError, match="verify_token"):
            answer(challenge(f"hub.mode=subscribe&hub.challenge=1{token}"), settings())


@pytest.mark.parametrize("query", ["", "hub.mode=subscribe", "hub.challenge=1", "hub.mode=unsubscribe&hub.challenge=1"])
def test_what_is_no_challenge_gets_no_answer(query: str) -> None:
    assert answer(challenge(query), settings()) is None
    assert answer(challenge("hub.mode=subscribe&hub.challenge=1", "POST"), settings()) is None


@pytest.mark.parametrize("wrong", [{"app_secret": ""}, {"app_id": "acme"}, {"version": "25"}, {"verify_tokn": "x"}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_every_credential_is_known_for_redaction() -> None:
    assert settings(access_token="a-token").secrets() == ["new-secret", "our-token", "a-token"]
    assert "new-secret" not in repr(settings())
