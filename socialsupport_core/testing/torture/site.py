"""A hub at one place, with the simulated network behind it: opened, left, opened again."""

import base64
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from socialsupport_core.contract import SignatureError
from socialsupport_core.hub import Hub
from socialsupport_core.identity import NoSuchCustomer
from socialsupport_core.model import Payload
from socialsupport_core.store import StoreError
from socialsupport_core.store.blobs import FolderBlobs
from socialsupport_core.testing.torture.grounds import Ground, Store
from socialsupport_core.testing.torture.network import MODES, Coast, registry, signature
from socialsupport_core.testing.torture.story import NOON, OURS, Letter, Said

TENANT = "acme"
POLLED = "polled"
"""A channel that is polled, beside one for each way of settling."""
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
PAUSE = timedelta(minutes=3)
"""Between a death and the next start: longer than the dead can hold on to anything."""
PATIENCE = 10.0
"""Seconds that a started hub has for what a crash has left."""
STEP = timedelta(minutes=20)
STEPS = 90
"""After 30 hours, whatever could not be sent has been given up."""
Options = Mapping[str, Any]


class Clock:
    def __init__(self, now: datetime = NOON + timedelta(hours=1)) -> None:
        self.now = now

        self._since: float | None = None

    def __call__(self) -> datetime:
        return self.now if self._since is None else self.now + timedelta(seconds=time.monotonic() - self._since)

    def run(self) -> None:
        """From now on it goes as other clocks do, in this process."""
        self._since = time.monotonic()

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Site:
    """`options` are those of `Hub.open`; `hub` in them is a class to open in place of `Hub`."""

    def __init__(self, ground: Ground, store: Store, options: Options, doors: Mapping[str, str]) -> None:
        self.ground, self.store, self.options, self.doors = ground, store, options, dict(doors)
        self.clock = Clock()
        self.coast = Coast(Path(store.folder), self.clock)
        self.life = 0
        """How often it was opened; each life has its own random numbers and begins a while after the last."""

    @classmethod
    def fresh(cls, ground: Ground, options: Options) -> "Site":
        """An empty hub with its tenant, its agent and its channels, closed."""
        site = cls(ground, ground.fresh(), options, {})
        with site.hub() as hub:
            hub.add_tenant(TENANT, "Acme")
            hub.add_agent(TENANT, "dana", "Dana")
            for mode in MODES:
                site.doors[mode] = site._channel(hub, mode, f"beacon_{mode}", "webhook")
            site.doors[POLLED] = site._channel(hub, POLLED, "beacon_none", "poll")
        return site

    def _channel(self, hub: Hub, channel: str, connector: str, mode: str) -> str:
        return hub.add_channel(TENANT, channel, connector, {}, own_account=OURS, mode=mode).rsplit("/", 1)[1]

    def copy(self) -> "Site":
        made = Site(self.ground, self.ground.copy(self.store), self.options, self.doors)
        made.life, made.clock.now = self.life, self.clock.now
        return made

    def remove(self) -> None:
        self.ground.remove(self.store)

    def files(self) -> dict[str, bytes]:
        """All that a dead process leaves in a folder. SQLite makes its index of the log (-shm) anew."""
        found = Path(self.store.folder).rglob("*")
        return {str(one): one.read_bytes() for one in found if one.is_file() and not one.name.endswith("-shm")}

    def next_life(self) -> None:
        """Called too by whoever has let another process open it."""
        self.life += 1
        self.clock.now += PAUSE

    def open(self, *, mended: bool = False) -> Hub:
        self.next_life()
        given: dict[str, Any] = {
            "public_url": "https://hub.example",
            "registry": registry(mended=mended),
            "transport": self.coast,
            "clock": self.clock,
            "random_bytes": random.Random(f"life {self.life}").randbytes,  # noqa: S311 - to be repeated
            "secret_keys": [KEY],
            "blobs": FolderBlobs(Path(self.store.folder, "blobs")),
        } | dict(self.options)
        opened: Hub = given.pop("hub", Hub).open(self.store.url, **given)
        return opened

    @contextmanager
    def hub(self, *, mended: bool = False) -> Iterator[Hub]:
        hub = self.open(mended=mended)
        try:
            yield hub
        finally:
            hub.close()

    def payload(self, letter: Letter) -> Payload:
        body = letter.body
        return Payload(body=body, headers=(("beacon-signature", signature(body)),), received_at=self.clock())

    def deliver(self, hub: Hub, letter: Letter) -> bool:
        """True if it was acknowledged."""
        try:
            hub.receive(self.doors[letter.channel], self.payload(letter)).result()
        except (StoreError, SignatureError):
            return False
        return True

    def ask(self, hub: Hub, said: Said) -> bool:
        """True if the hub has promised to send it, False if it does not know the person yet."""
        try:
            found = hub.customer(TENANT, f"beacon.person:{said.person}")["conversations"]
        except NoSuchCustomer:
            return False
        for one in found:
            for leg in hub.conversation(TENANT, one["id"])["legs"]:
                if (leg["channel"], leg["thread"]) == (said.channel, f"dm-{said.person}"):
                    hub.reply(TENANT, one["id"], said.text, agent="dana", key=said.key, leg=leg["id"])
                    return True
        return False

    def restart(self, hub: Hub) -> None:
        """What a start does after a crash, then everything that waits, and what waits for a later hour."""
        hub.start()
        began = time.monotonic()
        while _busy(hub) and time.monotonic() - began < PATIENCE:
            time.sleep(0.002)
        hub.workers.stop()
        self.settle(hub)

    def settle(self, hub: Hub) -> None:
        for _ in range(STEPS):
            hub.drain()
            if not {"queued", "sending", "retrying"} & hub.health()["outbox"].keys():
                return
            self.clock.now += STEP


def _busy(hub: Hub) -> bool:
    """Whether somebody is being answered, or a dead worker's part is still to be taken over."""
    health = hub.health()
    return bool(health["journal"]["waiting"] or "sending" in health["outbox"])
