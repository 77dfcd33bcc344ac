"""Slack's own example of a signed request, and the window of five minutes around it."""

from datetime import UTC, datetime, timedelta

import pytest

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_slack import Slack, SlackSettings

# https://docs.slack.dev/authentication/verifying-requests-from-slack (2026-11)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BODY = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNED = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
AT = datetime.fromtimestamp(1531420618, UTC)


def payload(signature: str = SIGNED, at: datetime = AT, stamp: str = "1531420618", body: str = BODY) -> Payload:
    headers = (("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", signature))
    return Payload(headers=headers, body=body.encode(), received_at=at)


def slack(*secrets: str) -> Slack:
    names = ("signing_secret", "previous_signing_secret")
    return Slack(SlackSettings.model_validate(dict(zip(names, secrets, strict=False))))


def test_the_published_example_is_genuine() -> None:
    slack(SECRET).verify(payload())


def test_the_older_secret_is_good_as_well() -> None:
    slack("a-newer-secret", SECRET).verify(payload())


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_are_in_time(seconds: int) -> None:
    slack(SECRET).verify(payload(at=AT + timedelta(seconds=seconds)))


@pytest.mark.parametrize(
    "forged",
    [
        payload(at=AT + timedelta(seconds=301)),
        payload(at=AT - timedelta(seconds=301)),
        payload(body=BODY + "&x=y"),
        payload(stamp="1531420619"),
        payload(stamp=""),
        payload(stamp="-1531420618"),
        payload(stamp="9" * 400),
        payload(stamp="１５３１４２０６１８"),
        payload(signature=""),
        payload(signature=SIGNED.removeprefix("v0=")),
        payload(signature=SIGNED.upper()),
        payload(signature="v0=é"),
    ],
)
def test_anything_else_is_not(forged: Payload) -> None:
    with pytest.raises(SignatureError):
        slack(SECRET).verify(forged)


def test_without_a_secret_nothing_is_genuine() -> None:
    with pytest.raises(SignatureError):
        slack().verify(payload())
