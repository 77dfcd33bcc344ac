import pytest
from pydantic import ValidationError

from socialsupport_x import XSettings

OAUTH1 = {"consumer_key": "a", "consumer_secret": "b", "access_token": "c", "access_token_secret": "d"}


@pytest.mark.parametrize(
    "given", [{"consumer_secret": "a"}, {"client_secret": "a"}, OAUTH1, {**OAUTH1, "account_id": "42"}]
)
def test_what_is_enough(given):
    assert XSettings(**given).subscription == "activity"


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({}, "set consumer_secret or client_secret"),
        ({"consumer_secret": ""}, "at least 1"),
        ({"consumer_secret": "b", "access_token": "c"}, "set both or neither"),
        (
            {"client_secret": "b", "access_token": "c", "access_token_secret": "d"},
            "needs consumer_key and consumer_secret",
        ),
        ({"consumer_secret": "b", "account_id": "@acme"}, "account_id"),
        ({"consumer_secret": "b", "bearer": "c"}, "bearer"),
    ],
)
def test_what_is_missing_is_named(given, remedy):
    with pytest.raises(ValidationError, match=remedy):
        XSettings(**given)


def test_secrets_do_not_show():
    settings = XSettings(**OAUTH1, previous_consumer_secret="e", app_bearer_token="f", oauth2_token="g")
    assert sorted(settings.secrets()) == ["a", "b", "c", "d", "e", "f", "g"]
    assert all(f"'{secret}'" not in repr(settings) for secret in "abcdefg")
