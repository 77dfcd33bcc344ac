"""A hand-off from the networks to which no link leads: whoever writes there goes on by mail, in one conversation."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networks
import pytest
from raven import Clock

from socialsupport_core.contract import Registry
from socialsupport_core.demo.world import NEEDED, TENANT, World, build

PRIVATE = ("slack", "matrix")
PUBLIC = ("mastodon", "bluesky", "linkedin")
WITHOUT = {"slack": "app_token"}
"""Settings by which a network would be listened to by a socket."""


class Outpost:
    """Kerry writes on one of these networks, and has a mailbox."""

    def __init__(self, folder: Path, network: str) -> None:
        self.network, self.clock = network, Clock()
        registry = Registry.discover(only=(*NEEDED, network))
        self.polls = "webhook" not in registry.connectors[network].capabilities.receives
        self.world: World = build(folder, "https://hub.example", self.clock, registry)
        self.hub = self.world.hub
        networks.join_one(self.world, network, without=WITHOUT.get(network), mode="poll" if self.polls else "webhook")
        self.there: Any = self.world.simulators[network]
        self.pass_by()

    def pass_by(self) -> None:
        self.world.settle()
        if self.polls:
            asyncio.run(self._polled())
        self.world.settle()
        self.clock.forward(minutes=1)
        self.world.settle()

    async def _polled(self) -> None:
        try:
            for _ in range(2):  # Matrix tells of a room first, and then what is said in it
                await self.hub.workers.poll(TENANT, self.network)
        finally:
            await self.hub.wire.aclose()

    def says(self, text: str) -> None:
        self.there.speak("kerry", text, "")
        self.pass_by()

    def comes_by_mail(self, token: str) -> None:
        (way,) = self.hub.handoff_ways(token) or []
        mail: Any = self.world.simulators["email"]
        mail.speak("kerry", "here I am", "", to=way["url"].removeprefix("mailto:").split("?")[0], subject="Hello")
        self.pass_by()

    def conversations(self) -> list[dict[str, Any]]:
        return self.hub.queue(TENANT, status="open")

    def ours(self) -> list[str]:
        """What we said there, oldest first, as they read it."""
        return [said.text for said in self.there.said if said.author == "us"]


@pytest.fixture
def outpost(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outpost]:
    made = Outpost(tmp_path, request.param)
    yield made
    made.hub.close()


@pytest.mark.parametrize("outpost", PRIVATE, indirect=True)
def test_out_of_a_private_place(outpost: Outpost) -> None:
    outpost.says("my parcel is lost")
    (con,) = outpost.conversations()
    done = outpost.hub.hand_off(TENANT, con["id"], agent="dana", to="email")
    outpost.pass_by()
    assert done["url"] in outpost.ours()[-1]
    outpost.comes_by_mail(done["token"])
    (left,) = outpost.conversations()
    assert left["id"] == con["id"]
    assert set(left["networks"]) == {outpost.network, "email"}


@pytest.mark.parametrize("outpost", PUBLIC, indirect=True)
def test_out_of_a_public_place(outpost: Outpost) -> None:
    """Whoever comes with a link that all could read is a stranger, until the public account has said the code."""
    outpost.says("my parcel is lost")
    (con,) = outpost.conversations()
    done = outpost.hub.hand_off(TENANT, con["id"], agent="dana", to="email")
    outpost.pass_by()
    assert done["url"] in outpost.ours()[-1]
    outpost.comes_by_mail(done["token"])
    assert len(outpost.conversations()) == 2
    mail: Any = outpost.world.simulators["email"]
    code = re.search(r"\b\d{6}\b", mail.heard("kerry")[-1].text)
    assert code, mail.heard("kerry")[-1].text
    outpost.says(f"@acme {code[0]}")
    (left,) = outpost.conversations()
    assert set(left["networks"]) == {outpost.network, "email"}
