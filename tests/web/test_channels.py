"""Channels at run time: changed a key at a time, and mended when they are broken."""

from pathlib import Path
from typing import Any

import pytest
from raven import Roost
from raven.connector import Raven, RavenSettings
from raven.web import Desk, Web

from socialsupport_core.web import create_app


def settings_of(roost: Roost, channel: str) -> RavenSettings:
    found: RavenSettings = roost.hub.channels.get("acme", channel).connector.settings
    return found


def patch(desk: Desk, channel: str, **body: Any) -> Any:
    return desk.ask("PATCH", f"/api/channels/{channel}", json=body)


def test_a_change_merges_the_given_keys_and_leaves_the_others(acme: Desk, roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {"token": "raven-token-7", "secret": "caw"})
    assert patch(acme, "tower", settings={"secret": "croak"}).status_code == 200
    now = settings_of(roost, "tower")
    assert (now.token.get_secret_value(), now.secret.get_secret_value()) == ("raven-token-7", "croak")


def test_null_takes_a_key_away(acme: Desk, roost: Roost) -> None:
    roost.hub.add_channel("acme", "tower", "raven", {"token": "raven-token-7", "secret": "croak"})
    assert patch(acme, "tower", settings={"token": None}).status_code == 200
    now = settings_of(roost, "tower")
    assert (now.token.get_secret_value(), now.secret.get_secret_value()) == ("raven-token-1", "croak")


def test_a_table_inside_is_merged_in_depth(roost: Roost) -> None:
    from socialsupport_core.hub.configuring import _merged

    kept = {"smtp": {"host": "a", "port": 25}, "address": "x", "list": [1, 2]}
    assert _merged(kept, {"smtp": {"port": 587, "user": "u"}, "list": [3]}) == {
        "smtp": {"host": "a", "port": 587, "user": "u"},
        "address": "x",
        "list": [3],
    }
    assert _merged(kept, {"smtp": None, "address": {"a": {"b": None}}}) == {"address": {"a": {}}, "list": [1, 2]}
    assert kept["smtp"] == {"host": "a", "port": 25}


def test_a_change_that_cannot_be_changes_nothing(acme: Desk, roost: Roost) -> None:
    before = settings_of(roost, "tower")
    assert patch(acme, "tower", settings={"sekret": "x"}).status_code == 422
    assert patch(acme, "tower", settings={"secret": 5}).status_code == 422
    assert patch(acme, "tower", mode="pigeon").status_code == 422
    assert settings_of(roost, "tower") == before


def test_the_rest_can_be_changed_too(acme: Desk, roost: Roost) -> None:
    patch(acme, "tower", mode="poll", own_account="keep")
    channel = roost.hub.channels.get("acme", "tower").channel
    assert (channel.mode, channel.own_account) == ("poll", "keep")
    patch(acme, "tower", settings={"secret": "croak"})
    channel = roost.hub.channels.get("acme", "tower").channel
    assert (channel.mode, channel.own_account) == ("poll", "keep")


CALLS = [
    ("PATCH", "", {"settings": {}}),
    ("DELETE", "", None),
    ("POST", "/pause", {}),
    ("POST", "/resume", {}),
    ("POST", "/test", {}),
    ("POST", "/subscribe", {}),
]


@pytest.mark.parametrize(("method", "what", "body"), CALLS)
@pytest.mark.parametrize("name", ["nowhere", "east", "manual"])
def test_a_channel_that_is_not_ones_own_is_404(
    acme: Desk, roost: Roost, method: str, what: str, body: Any, name: str
) -> None:
    roost.hub.add_channel("rival", "east", "raven", {})
    answer = acme.ask(method, f"/api/channels/{name}{what}", json=body)
    assert answer.status_code == 404, answer.text
    assert name in answer.json()["detail"]
    assert [one["state"] for one in roost.hub.list_channels("rival")] == ["active", "active"]


def test_a_broken_channel_can_be_mended_and_removed(acme: Desk, roost: Roost) -> None:
    roost.hub.add_channel("acme", "east", "raven", {"secret": "x"})

    class Strict(Raven):
        def __init__(self, settings: Any, *given: Any) -> None:
            if settings.secret.get_secret_value() == "x":
                raise ValueError("too short")
            super().__init__(settings, *given)

    roost.reopen(Strict)
    acme.client = Web(create_app(roost.hub, run_workers=False))
    states = {one["id"]: one["state"] for one in acme.get("/api/channels").json()["channels"]}
    assert states["east"] == "broken"
    assert patch(acme, "east", settings={"secret": "long-enough"}).status_code == 200
    states = {one["id"]: one["state"] for one in acme.get("/api/channels").json()["channels"]}
    assert states["east"] == "active"

    patch(acme, "east", settings={"secret": "x"})
    assert acme.ask("DELETE", "/api/channels/east").status_code == 200
    assert [one["id"] for one in acme.get("/api/channels").json()["channels"]] == ["tower"]


def test_what_a_network_does_not_have_is_not_its_failure(acme: Desk, roost: Roost) -> None:
    """Ravens need no subscription by call: that is no bad gateway."""
    answer = acme.post("/api/channels/tower/subscribe")
    assert (answer.status_code, answer.json()["title"]) == (422, "Unsupported")


def test_expired_credentials_say_where_to_give_new_ones(acme: Desk, roost: Roost) -> None:
    roost.sky.faults.expire = 2
    answer = acme.post("/api/channels/tower/test")
    assert (answer.status_code, answer.json()["title"]) == (502, "AuthExpired")
    assert "PATCH its settings" in answer.json()["detail"]


class Rook(Raven):
    """Another bird under the same roof, whose calls go where its token says."""

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.settings.token.get_secret_value()})


def test_settings_that_lead_elsewhere_close_the_network_that_the_operator_opened(tmp_path: Path) -> None:
    """Or whoever may configure a channel could have us call any address in the operator's network."""
    roost = Roost(tmp_path, Rook)
    acme = Desk(roost, Web(create_app(roost.hub, run_workers=False)), "acme")
    roost.hub.add_channel("acme", "tower", "raven", {"token": "10.0.0.7"}, open_network=True)
    opened = [
        (
            patch(acme, "tower", settings=settings).status_code,
            roost.hub.channels.get("acme", "tower").channel.open_network,
        )
        for settings in ({"secret": "croak"}, {"token": "10.0.0.8"}, {"token": "10.0.0.7"})
    ]
    roost.hub.close()
    assert opened == [(200, True), (200, False), (200, False)]


def test_a_new_channel_takes_no_other_connectors_place(acme: Desk, roost: Roost) -> None:
    for channel, connector, status in (("tower", "raven", 201), ("tower", "phone", 409), ("spire", "raven", 201)):
        body = {"id": channel, "connector": connector, "settings": {"secret": "caw"}}
        assert acme.post("/api/channels", body).status_code == status, connector
    assert roost.hub.channels.get("acme", "tower").connector.name == "raven"


def test_a_page_is_told_where_the_plugin_brings_one(acme: Desk, roost: Roost) -> None:
    assert all("chat" not in one for one in acme.get("/api/channels").json()["channels"])
    roost.hub.registry.surfaces["raven"] = object()  # type: ignore[assignment]
    assert all("/chat/" in one["chat"] for one in acme.get("/api/channels").json()["channels"])
