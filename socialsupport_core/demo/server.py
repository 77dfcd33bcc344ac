"""The demo as an application: hub, inbox page, simulated networks, and a page that plays the customers."""

import asyncio
import html
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from socialsupport_core.contract import ConfigError
from socialsupport_core.demo.world import World
from socialsupport_core.listening import listening
from socialsupport_core.mistakes import near
from socialsupport_core.testing import Faults, Said
from socialsupport_core.web import create_app
from socialsupport_core.web.doors import read_body

STATIC = Path(__file__).with_name("static")
PEOPLE = {"kerry": ("kerry.fisher@mail.example", "Kerry Fisher")}
SHOP = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="static/people.css">
<link rel="icon" href="../static/inbox.svg" type="image/svg+xml">
<main class="shop"><h1>The shop's own page</h1><p>Logged in as {0}. The chat below knows it, because the shop's
server has signed it.</p></main><script src="{1}" data-identity="{2}" data-signature="{3}" async></script></html>"""
"""A page of the host's, with the chat's widget in it."""
PULSE = 0.2  # seconds between deliveries of what the networks have to tell


class Speaking(BaseModel):
    model_config = ConfigDict(extra="forbid")

    network: str
    person: str = Field(min_length=1, max_length=80)
    text: str = Field(max_length=20_000)
    place: str = ""
    more: dict[str, str | int | float | bool] = Field(default_factory=dict)


class Trouble(BaseModel):
    network: str
    faults: dict[str, float]


def create_demo(world: World, smtp: str) -> Starlette:
    """`smtp` is the `host:port` of the SMTP door."""
    app = create_app(
        world.hub,
        inbox=True,
        more=(*_routes(world), Mount("/people/static", StaticFiles(directory=STATIC))),
        around=_around(world, smtp),
    )
    app.state.world = world
    return app


def _around(world: World, smtp: str) -> Callable[[], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with listening(world.hub, {("acme", "email"): smtp})():
            pulse = asyncio.create_task(_pulse(world))
            try:
                yield
            finally:
                pulse.cancel()
                with suppress(asyncio.CancelledError):
                    await pulse

    return running


async def _pulse(world: World) -> None:
    while True:
        await asyncio.to_thread(world.deliver)
        await asyncio.sleep(PULSE)


def _routes(world: World) -> tuple[BaseRoute, ...]:
    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / "people.html")

    async def shop(request: Request) -> Response:
        person = request.query_params.get("as", "kerry")
        email, name = PEOPLE.get(person, (f"{person}@mail.example", person.title()))
        identity, signature = await asyncio.to_thread(world.signed_identity, person, email, name)
        script = f"{world.channel_url('webchat')}widget.js"
        return HTMLResponse(SHOP.format(*(html.escape(one, quote=True) for one in (name, script, identity, signature))))

    async def state(_request: Request) -> Response:
        return JSONResponse({"networks": [_shown(world, name) for name in world.simulators]} | _chats(world))

    async def speak(request: Request) -> Response:
        asked = Speaking.model_validate_json(await read_body(request, 64_000))
        simulator = world.simulators[_one_of("network", asked.network, world.simulators)]
        if asked.place and simulator.places:  # an empty one is the first
            _one_of("place", asked.place, [one.id for one in simulator.places])
        said = simulator.speak(asked.person, asked.text, asked.place, **asked.more)
        return JSONResponse(_said(said), 201)

    async def faults(request: Request) -> Response:
        asked = Trouble.model_validate_json(await read_body(request, 64_000))
        simulator = world.simulators[_one_of("network", asked.network, world.simulators)]
        simulator.faults = Faults(**{**asdict(simulator.faults), **_known(asked.faults)})
        simulator.redeliver()
        return JSONResponse(asdict(simulator.faults))

    return (
        Route("/people", page),
        Route("/people/shop", shop),
        Route("/people/state", state),
        Route("/people/speak", speak, methods=["POST"]),
        Route("/people/faults", faults, methods=["POST"]),
    )


def _one_of(what: str, asked: str, known: Collection[str]) -> str:
    """Nobody is to say in public by a slip what was meant for a direct message. Raises ConfigError."""
    if asked not in known:
        raise ConfigError(f"there is no {what} {asked[:80]!r}; {near(asked, known)}")
    return asked


def _known(asked: dict[str, float]) -> dict[str, Any]:
    kinds = {field.name: field.type for field in fields(Faults)}
    if unknown := asked.keys() - kinds.keys():
        raise KeyError(f"no simulator knows the fault {min(unknown)}")
    return {name: float(value) if kinds[name] is float else int(value) for name, value in asked.items()}


def _shown(world: World, name: str) -> dict[str, Any]:
    simulator = world.simulators[name]
    people = list(dict.fromkeys(said.author for said in simulator.said if said.author != "us"))
    return {
        "network": name,
        "places": [asdict(place) for place in simulator.places],
        "people": people,
        "faults": asdict(simulator.faults),
        "heard": {person: [_said(one) for one in simulator.heard(person)[-50:]] for person in people},
    }


def _said(said: Said) -> dict[str, Any]:
    return asdict(said) | {"at": said.at.isoformat()}


def _chats(world: World) -> dict[str, Any]:
    return {
        "webchat": {"guest": world.channel_url("webchat"), "signed": f"{world.hub.public_url}/people/shop?as=kerry"}
    }
