"""A helpdesk that listens: it checks every signature by itself, keeps what it took, and fails as told."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from raven import Clock, Roost, Sky

from socialsupport_core.testing import Network

URL = "https://desk.example/hook?tenant=acme"
Refuse = Callable[[dict[str, Any]], httpx.Response | None]


class Receiver:
    def __init__(self, clock: Clock, *hosts: str) -> None:
        self.hosts = frozenset(hosts or {"desk.example"})
        self.clock = clock
        self.secrets: list[str] = []
        """Those that it accepts."""
        self.calls: list[tuple[datetime, str]] = []
        """When, and the id."""
        self.requests: list[httpx.Request] = []
        self.taken: list[dict[str, Any]] = []
        """Envelopes that it answered with 2xx, in order."""
        self.down = False
        self.refuse: Refuse = lambda envelope: None

    def handle(self, request: httpx.Request) -> httpx.Response:
        id_, body = request.headers["webhook-id"], request.content
        self.calls.append((self.clock(), id_))
        self.requests.append(request)
        if self.down:
            raise httpx.ConnectError("nobody is there", request=request)
        if not self.is_genuine(request):
            return httpx.Response(401, text="not signed by the hub")
        envelope = json.loads(body)
        assert envelope["id"] == id_
        if refusal := self.refuse(envelope):
            return refusal
        self.taken.append(envelope)
        return httpx.Response(204)

    def is_genuine(self, request: httpx.Request) -> bool:
        headers = request.headers
        if abs(int(headers["webhook-timestamp"]) - self.clock().timestamp()) > 300:
            return False
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.content
        keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in self.secrets]
        wanted = {"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys}
        return bool(wanted & set(headers["webhook-signature"].split(" ")))

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it knows, each once, in the order in which it first came."""
        return list({one["id"]: one["data"] for one in self.taken}.values())

    @property
    def cursors(self) -> list[int]:
        return [one["cursor"] for one in self.events]


def listening(folder: Path, *hosts: str, **options: Any) -> tuple[Roost, Receiver]:
    """A roost, and a helpdesk at these hosts behind the same network."""
    clock = Clock()
    receiver, sky = Receiver(clock, *hosts), Sky(clock=clock)
    transport = Network([sky, receiver]).transport()  # type: ignore[list-item]
    return Roost(folder, clock=clock, sky=sky, **{"transport": transport, **options}), receiver


def register(roost: Roost, receiver: Receiver, url: str = URL, **how: Any) -> str:
    made = roost.hub.add_webhook("acme", url, **how)
    receiver.secrets.append(made["secret"])
    return str(made["id"])


def by_conversation(events: Iterable[dict[str, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in events:
        if "conversation" in one:
            found.setdefault(one["conversation"], []).append(one["cursor"])
    return found
