"""How somebody who has a hand-off link comes to us on X."""

from urllib.parse import parse_qs, urlsplit

from socialsupport_core.model import Facts
from socialsupport_x.connector import X
from socialsupport_x.messages import token_in
from socialsupport_x.settings import XSettings

TOKEN = "abcdefghijklmnopqrstuvwxyz"
SETTINGS = {
    "consumer_key": "a",
    "consumer_secret": "b",
    "access_token": "c",
    "access_token_secret": "d",
}


def made(facts: Facts | None = None) -> X:
    return X(XSettings.model_validate(SETTINGS), facts)


def test_the_message_that_it_writes_brings_the_token_along() -> None:
    address = made(Facts(own_account="2244994945")).invitation(TOKEN)
    asked = parse_qs(urlsplit(address or "").query)
    assert asked["recipient_id"] == ["2244994945"]
    assert token_in(asked["text"][0]) == TOKEN


def test_nobody_is_invited_before_we_know_who_we_are() -> None:
    assert made().invitation(TOKEN) is None
