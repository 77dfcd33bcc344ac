"""A policy, a ranker, a triage, a router, a canonical form, a fan-out that goes wrong keeps nobody from anything."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from raven import Raven, Roost, message

from socialsupport_core.contract import ConfigError, FanOut, Settings, hookimpl
from socialsupport_core.hub import ReplyRefused
from socialsupport_core.identity.canonical import FORMS

CANARY = "plugin-token-1"


@pytest.fixture(autouse=True)
def _an_evil_form_ends_with_its_test() -> Iterator[None]:
    yield
    FORMS.pop("raven.ring", None)


def going_wrong(how: Any) -> Callable[..., Any]:
    def wrong(*given: Any, **more: Any) -> Any:
        if isinstance(how, type):
            raise how(CANARY)
        return how

    return wrong


def hooks(offered: dict[str, Any]) -> dict[str, Any]:
    """What a package offers, by the hook's name."""
    return {f"socialsupport_{name}": hookimpl(_giving(f"socialsupport_{name}", what)) for name, what in offered.items()}


def _giving(name: str, what: Any) -> Callable[[], Any]:
    def give() -> Any:
        return what

    give.__name__ = name
    return give


class EvilFanOut(FanOut[Settings]):
    name: ClassVar[str] = "evil"
    settings_model = Settings

    async def publish(self, records: Any) -> None:
        return None


def fan_out(verb: str, how: Any) -> type[FanOut[Any]]:
    wrong = going_wrong(how)

    async def later(*given: Any, **more: Any) -> Any:
        return wrong()

    return type("Evil", (EvilFanOut,), {verb: wrong if verb == "__init__" else later})


KINDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "policy": lambda how: {"policies": [going_wrong(how)]},
    "ranker": lambda how: {"rankers": [going_wrong(how)]},
    "triage": lambda how: {"triage": [lambda folder: SimpleNamespace(name="evil", judge=going_wrong(how))]},
    "making a triage": lambda how: {"triage": [going_wrong(how)]},
    "router": lambda how: {"routers": [going_wrong(how)]},
    "canonical form": lambda how: {"canonical_forms": {"raven.ring": going_wrong(how)}},
    "making a fan-out": lambda how: {"fanouts": [fan_out("__init__", how)]},
    "fan-out": lambda how: {"fanouts": [fan_out("publish", how)]},
    "closing a fan-out": lambda how: {"fanouts": [fan_out("aclose", how)]},
}


@pytest.mark.parametrize("how", [KeyError, SystemExit, 7, None], ids=["KeyError", "SystemExit", "seven", "nothing"])
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_goes_wrong_the_rest_goes_on(tmp_path: Path, kind: str, how: Any) -> None:
    roost = Roost(tmp_path)
    roost.hub.close()
    roost.hub = roost.open(Raven, **hooks(KINDS[kind](how)))
    try:
        if "fan-out" in kind:
            with suppress(ConfigError):
                roost.hub.add_fanout("evil", "evil", {})
        agents = {"dana": {"capacity": 5}}
        roost.hub.set_guidance("acme", {"routing": {"enabled": True, "agents": agents}})
        live_through(roost)
        said = {"whre is it?", "and the lamp?"}
        assert set(roost.texts()) == (said if kind == "policy" and how is not None else {*said, "on its way"})
        assert roost.texts("robin") == ["hello"]
        assert roost.hub.health()["journal"]["unexplained"] == 0
        assert roost.hub.health()["journal"]["recorded"] == 3
        assert {one["data"]["assignee"] for one in roost.log("conversation.assigned")} == {"dana"}
        assert roost.hub.conversation("acme", roost.conversation())["triage"]["kind"]
        assert CANARY not in str(roost.hub.events("acme", limit=500))
    finally:
        roost.hub.close()


def live_through(roost: Roost) -> None:
    roost.hear(message(1, "whre is it?", at=roost.clock.now))
    roost.hub.drain()
    roost.hub.answers("acme", roost.conversation(), agent="dana")
    with suppress(ReplyRefused):
        roost.reply("on its way")
    roost.hub.drain()
    roost.hear(message(2, "and the lamp?", at=roost.clock.now))
    roost.hear(message(3, "hello", "robin", at=roost.clock.now))
    for _ in range(3):
        roost.clock.forward(minutes=2)
        roost.hub.drain()
