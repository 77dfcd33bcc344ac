"""A hub that speaks with ravens, driven by hand: nothing happens between `deliver` and `drain`."""

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from raven.connector import SECRET, Raven, plugin
from raven.events import NOON, bird
from raven.sky import Sky
from socialsupport_core.contract import Connector, Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Event, Payload, Reply
from socialsupport_core.store import Tx
from socialsupport_core.testing import Network


class Clock:
    def __init__(self, now: datetime = NOON + timedelta(hours=1)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def _rows(tx: Tx) -> str:
    tables = tx.all("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()")
    return "\n".join(
        str(row["t"]) for table in tables for row in tx.all(f'SELECT t::text AS t FROM "{table["name"]}" t')
    )


class Roost:
    """`acme` and `rival` each have the agent dana and the channel `tower`."""

    def __init__(self, folder: Path, *connectors: type[Connector[Any]], **options: Any) -> None:
        self.path = folder / "support.sqlite"
        self.store = options.pop("store", self.path)
        self.clock = options.pop("clock", None) or Clock()
        self.sky = options.pop("sky", None) or Sky(clock=self.clock)
        self.options = options
        self.hub = self.open(*(connectors or (Raven,)))
        self.doors: dict[str, str] = {}
        for tenant in ("acme", "rival"):
            self.hub.add_tenant(tenant, tenant.capitalize())
            self.hub.add_agent(tenant, "dana", "Dana")
            self.doors[tenant] = self.hub.add_channel(tenant, "tower", "raven", {}, mode="webhook").rsplit("/", 1)[1]

    def open(self, *connectors: type[Connector[Any]], **hooks: Any) -> Hub:
        """The hub on this file with these plugins."""
        given: dict[str, Any] = {
            "public_url": "https://hub.example",
            "registry": Registry.of(plugin(*connectors, **hooks)),
            "transport": Network([self.sky]).transport(),
            "clock": self.clock,
            "random_bytes": random.Random(7).randbytes,
            "folder": self.path.parent if self.store != self.path else None,
        }
        return Hub.open(self.store, **(given | self.options))

    def reopen(self, *connectors: type[Connector[Any]], **hooks: Any) -> Hub:
        """As after a restart, perhaps with other plugins."""
        self.hub.close()
        self.hub = self.open(*(connectors or (Raven,)), **hooks)
        return self.hub

    def payload(self, *events: Event | dict[str, Any], secret: str = SECRET, **more: Any) -> Payload:
        body = json.dumps([one if isinstance(one, dict) else json.loads(one.to_json()) for one in events]).encode()
        given = {"body": body, "headers": (("raven-secret", secret),), "received_at": self.clock()}
        return Payload(**(given | more))

    def deliver(self, *events: Event | dict[str, Any], tenant: str = "acme", **more: Any) -> Reply:
        """One webhook with these events; the door's answer."""
        return self.hub.receive(self.doors[tenant], self.payload(*events, **more)).result()

    def hear(self, *events: Event | dict[str, Any], tenant: str = "acme", **more: Any) -> None:
        """The same, and everything that follows."""
        self.deliver(*events, tenant=tenant, **more)
        self.hub.drain()

    def dump(self) -> str:
        """Everything that the store holds, as text."""
        if self.store == self.path:
            with closing(sqlite3.connect(self.path)) as store:
                return "\n".join(store.iterdump())
        return self.hub._database.read(_rows)

    def trouble(self, text: str) -> Exception:
        """What the store's driver raises when the disk is full."""
        return self.hub._database.trouble(text)

    @property
    def key(self) -> Path:
        """The file with the secret key."""
        return Path(f"{self.path}.key") if self.store == self.path else self.path.with_name("support.key")

    def settle(self) -> None:
        """Waits until everything that was written without waiting is committed."""
        self.hub._database.do(lambda tx: None)

    def conversation(self, name: str = "kerry", tenant: str = "acme") -> str:
        """The newest conversation of this bird."""
        found: str = self.hub.customer(tenant, str(bird(name).account))["conversations"][0]["id"]
        return found

    def timeline(self, name: str = "kerry", tenant: str = "acme") -> list[dict[str, Any]]:
        return self.hub.timeline(tenant, str(bird(name).account))

    def texts(self, name: str = "kerry", tenant: str = "acme") -> list[str]:
        return [one["interaction"].get("text", "(deleted)") for one in self.timeline(name, tenant)]

    def states(self, name: str = "kerry") -> list[str]:
        """Of what we said to this bird."""
        return [one["state"] for one in self.timeline(name) if one["interaction"]["direction"] == "outbound"]

    def reply(self, text: str, name: str = "kerry", **how: Any) -> dict[str, Any]:
        return self.hub.reply("acme", self.conversation(name), text, agent="dana", **how)

    def log(self, *types: str, tenant: str = "acme") -> list[dict[str, Any]]:
        return [one for one in self.hub.events(tenant, limit=500) if one["type"] in types]

    def journal(self) -> dict[str, int]:
        found: dict[str, int] = self.hub.health()["journal"]
        return found


Cut = Callable[[httpx.Request], None]
