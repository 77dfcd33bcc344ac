"""Networks that join the demo's world: those that are installed, with the settings of their golden cases."""

import asyncio
import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Literal

import httpx

from socialsupport_core.contract import Registry
from socialsupport_core.demo.world import CRM, NEEDED, TENANT, World
from socialsupport_core.testing.loading import load_cases

JOINING = ("facebook", "instagram", "whatsapp", "line", "twilio")


@functools.cache
def registry() -> Registry:
    return Registry.discover(only=(*NEEDED, CRM, *JOINING))


def join(world: World) -> None:
    simulators: dict[str, Any] = world.simulators
    simulators["graph"] = Graph(simulators)
    for name in JOINING:
        join_one(world, name)


def join_one(
    world: World, name: str, *, without: str | None = None, mode: Literal["webhook", "poll"] = "webhook"
) -> None:
    """`without` one of the settings of its golden cases."""
    hub, settings = world.hub, _settings(name)
    settings.pop(without or "", None)
    path = hub.add_channel(TENANT, name, name, settings, mode=mode)
    door = f"{hub.public_url}{path}"
    if "callback_url" in settings:
        settings["callback_url"] = door
        hub.add_channel(TENANT, name, name, settings, mode="webhook")
    read = hub.registry.connectors[name].settings_model.model_validate(settings)
    simulator = hub.registry.simulators[name](read, clock=hub.clock)
    simulator.door = door
    world.simulators[name], world.doors[name] = simulator, path.rsplit("/", 1)[1]
    if given := load_cases(hub.registry.connectors[name]).credentials:
        hub.keep_credentials(TENANT, name, given)
    asyncio.run(hub.test_channel(TENANT, name))  # so that links can lead to it


def _settings(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files(f"socialsupport_{name}").joinpath("cases/settings.json").read_text("utf-8"))
    return read | ({"access_token": f"token-of-{name}"} if "access_token" in read else {})


class Graph:
    """One host for all networks of one company: the token says which is meant."""

    hosts = frozenset({"graph.facebook.com"})

    def __init__(self, simulators: Mapping[str, Any]) -> None:
        self._simulators = simulators

    def due(self) -> tuple[()]:
        return ()

    def handle(self, request: httpx.Request) -> httpx.Response:
        given = request.headers.get("authorization", "")
        answer: httpx.Response = self._simulators[given.removeprefix("Bearer token-of-")].handle(request)
        return answer
