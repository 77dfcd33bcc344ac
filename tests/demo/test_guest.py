"""A network beside the usual ones: its simulator at work, and what is said when it is not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.demo.clock import StoryClock, real
from socialsupport_core.demo.guest import build_with, tell_at
from socialsupport_core.demo.story import Scene, tell
from socialsupport_core.demo.world import NEEDED, TENANT, World
from socialsupport_core.model import Payload
from socialsupport_core.testing import Faults

pytest.importorskip("socialsupport_generic")


class Visit:
    """A demo with a guest."""

    def __init__(self, folder: Path, network: str) -> None:
        self.network = network
        self.clock = StoryClock(real() - timedelta(hours=6))
        self.world: World = build_with(folder, "https://hub.example", self.clock, network)
        self.simulator: Any = self.world.simulators[network]
        self.scenes: list[Scene] = []

    def tell(self) -> list[str]:
        tell_at(self.world, self.clock, self.network, self.scenes.append)
        return [scene.outcome for scene in self.scenes]

    def fails(self) -> str:
        with pytest.raises(ConfigError) as told:
            self.tell()
        return str(told.value)


def forged(payload: Payload) -> Payload:
    return payload.model_copy(update={"body": payload.body + b" "})


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    visit = Visit(tmp_path, "generic")
    yield visit
    visit.world.hub.close()


def test_somebody_asks_is_answered_and_goes_on_by_mail(visit: Visit) -> None:
    """And the demo's own story can be told after it, as it is where it is served."""
    asked, answered, _, came = visit.tell()
    assert asked == "a private conversation with Robin; told twice, it shows once"
    assert answered.startswith("delivered; there it reads: Sorry about that.")
    assert came == "joined: came with the hand-off link that dana gave on generic"
    (row,) = visit.world.hub.queue(TENANT, channel="generic")
    assert row["networks"] == ["generic", "email"]
    assert set(visit.world.simulators) >= {*NEEDED, "generic"}  # it stands beside the usual ones
    tell(visit.world, visit.clock)


def test_what_a_simulator_does_not_do_is_named(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as mute:
        mute.setattr(visit.simulator, "emit", lambda *payloads: None)
        assert "does `speak` emit what the network would tell?" in visit.fails()
    with monkeypatch.context() as forging:
        due = visit.simulator.due
        forging.setattr(visit.simulator, "due", lambda: [forged(one) for one in due()])
        assert "generic: somebody spoke at the simulator" in (told := visit.fails())
        assert "its door refused it" in told
    visit.simulator.faults = Faults()
    with monkeypatch.context() as forgetting:
        forgetting.setattr(visit.simulator, "heard", lambda person: [])
        assert "`heard` tells robin none by `us`" in visit.fails()


def played() -> list[str]:
    found = Registry.discover()
    return sorted(found.connectors.keys() & found.simulators.keys())


@pytest.mark.parametrize("network", played())
def test_every_network_plays(tmp_path: Path, network: str) -> None:
    """Also those that are polled, with pauses of their own: what they wait for passes at once."""
    visit = Visit(tmp_path, network)
    try:
        asked, *then = visit.tell()
    finally:
        visit.world.hub.close()
    assert asked.endswith("; told twice, it shows once")
    assert then or network in {"phone", "visit", "webform"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("genric", "no network 'genric' is installed; did you mean generic?"),
        ("parrot", "these have a simulator: "),
        ("memory", "no network 'memory' is installed"),
    ],
)
def test_an_unknown_name_tells_which_networks_there_are(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Visit(tmp_path, name)
