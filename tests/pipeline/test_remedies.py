"""What is wrong with a channel comes with one remedy."""

import json

import pytest
from raven import Roost, message

from socialsupport_core.contract import AuthExpired, ConfigError, DeliveryError, Forbidden
from socialsupport_core.pipeline.health import remedied
from socialsupport_core.wire.keeper import Unusable


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AuthExpired("401"), "401; enter a new token or connect it again, then test the connection"),
        (AuthExpired("refused: connect it again"), "refused: connect it again"),
        (Unusable("it has no credentials; connect the channel"), "it has no credentials; connect the channel"),
        (Forbidden("no right to read"), "no right to read"),
    ],
)
def test_one_remedy(error: DeliveryError, told: str) -> None:
    assert remedied(error) == told


def test_a_connector_that_says_what_is_missing_is_believed(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    def authorize(*_: object) -> None:
        raise ConfigError("there is no key; connect the channel, or set access_token")

    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.reply("hi")
    connector = type(roost.hub.channels.get("acme", "tower").connector)
    monkeypatch.setattr(connector, "authorize", authorize)
    roost.hub.drain()
    shown = next(one for one in roost.hub.list_channels("acme") if one["id"] == "tower")
    assert shown["reason"] == "there is no key; connect the channel, or set access_token", json.dumps(
        shown, default=str
    )
