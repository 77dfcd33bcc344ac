"""The demo's world in a folder that has been used before."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from socialsupport_core.contract import ConfigError
from socialsupport_core.demo.world import NEEDED, TENANT, World, build


def at_home(folder: Path) -> World:
    try:
        return build(folder, "http://127.0.0.1:8765", lambda: datetime.now(UTC))
    except ConfigError as error:
        pytest.skip(str(error))


def test_whoever_speaks_after_a_restart_is_heard(tmp_path: Path) -> None:
    """Networks number what they send; begun anew, their numbers would be taken for what was there before."""
    for day in ("Monday", "Tuesday", "Wednesday"):
        world = at_home(tmp_path)
        for network in NEEDED:
            for place in world.simulators[network].places:
                world.simulators[network].speak("kerry", f"{day} on {network} {place.id}", place.id)
        world.settle()
        found = world.hub.health()["journal"]
        assert (found["ignored"], found["quarantined"], found["unexplained"]) == (0, 0, 0), day
        events = [one for one in world.hub.events(TENANT, 0, 1000) if one["type"] == "interaction.received"]
        told = [one["data"]["interaction"].get("text") or "" for one in events]
        assert len([text for text in told if day in text]) >= len(NEEDED)
        assert [one["id"] for one in world.hub.list_channels(TENANT) if one["state"] != "active"] == []
        world.hub.close()
