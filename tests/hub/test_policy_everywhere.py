"""No network is exempt: what each connector's own golden payloads begin is answered under the rules."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from raven.roost import Clock

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.store import journal
from socialsupport_core.testing.cases import GivenPayload

NAMES = sorted(set(Registry.discover().connectors) - {"mailgun", "postmark", "sendgrid"})
"""Those left out share everything with `email`."""
RUDE = "Well, shut up."


def cases(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The fake settings, and the payloads that tell of something."""
    package = Registry.discover(only=[name]).connectors[name].__module__.partition(".")[0]
    folder = Path(str(import_module(package).__file__)).parent / "cases"
    folder = own if (own := folder / name).is_dir() else folder
    found: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        found += [
            one
            for one in (content if isinstance(content, list) else [content])
            if one.get("events") and "payload" in one
        ]
    return json.loads((folder / "settings.json").read_text("utf-8")), found


@pytest.mark.parametrize("name", NAMES)
def test_what_it_receives_is_answered_under_the_rules(name: str, tmp_path: Path) -> None:
    settings, given = cases(name)
    hub = Hub.open(
        tmp_path / "support.sqlite",
        public_url="https://hub.example",
        registry=Registry.discover(only=[name]),
        clock=Clock(),
    )
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    hub.add_channel("acme", "here", name, settings, open_network=True)
    for case in given:
        payload = TypeAdapter(GivenPayload).validate_python(case["payload"]).payload
        put = hub._database.gather(
            journal.append, ("acme", hub.channels.get("acme", "here").channel.door, payload), None
        )
        put.result()
    hub.drain()
    spoken = 0
    for one in hub.queue("acme", status=None, limit=500):
        shown = hub.conversation("acme", one["id"])
        for leg in shown["legs"]:
            if not leg["speaks"]:
                continue
            plan = hub.plan("acme", one["id"], RUDE, agent="dana", leg=leg["id"])
            assert "no_rudeness" in {found["rule"] for found in plan["refusals"]}, leg
            spoken += 1
    assert spoken or not hub.channels.get("acme", "here").connector.capabilities.sends
    hub.close()
