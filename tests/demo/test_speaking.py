"""What the people of the demo say goes where it was meant to go, or nowhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from socialsupport_core.contract import ConfigError
from socialsupport_core.demo.server import create_demo
from socialsupport_core.demo.world import World, build


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    try:
        made = build(tmp_path, "http://testserver", lambda: datetime.now(UTC))
    except ConfigError as error:
        pytest.skip(str(error))
    yield made
    made.hub.close()


@pytest.mark.parametrize(
    ("network", "place", "status", "told"),
    [
        ("x", "dm", 201, ""),
        ("x", "", 201, ""),
        ("x", "DM", 422, "there is no place 'DM'; there is: dm, post"),
        ("x", "pots", 422, "there is no place 'pots'; did you mean post?"),
        ("twitter", "dm", 422, "there is no network 'twitter'"),
    ],
)
def test_a_slip_says_nothing_in_public(world: World, network: str, place: str, status: int, told: str) -> None:
    client = TestClient(create_demo(world, "127.0.0.1:25"))
    said = {"network": network, "person": "pat", "text": "in confidence", "place": place}
    answer = client.post("/people/speak", json=said)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert [one.place for one in world.simulators["x"].said] == ([place or "post"] if status == 201 else [])
