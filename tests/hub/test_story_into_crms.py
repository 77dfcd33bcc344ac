"""The story of the skeleton, told to any CRM: from a public post to a private conversation, and an answer from there.

Everything runs on the simulators; each CRM that is installed takes part, with the settings of its golden cases.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from raven import Clock

from socialsupport_core.contract import CaseRef, CaseState, Registry
from socialsupport_core.demo.world import CRM, NEEDED, TENANT, World, build
from socialsupport_core.testing.loading import load_crm_cases

OTHERS = sorted(set(Registry.discover().crms) - {CRM})
SIMULATED = [one for one in OTHERS if one in Registry.discover().simulators]


class Office:
    """A shop whose agents work in a CRM."""

    def __init__(self, folder: Path, crm: str) -> None:
        self.name, self.clock = crm, Clock()
        registry = Registry.discover(only=(*NEEDED, crm))
        self.world: World = build(folder, "https://hub.example", self.clock, registry)
        self.hub = self.world.hub
        adapter = registry.crms[crm]
        cases = load_crm_cases(adapter)
        self.crm: Any = registry.simulators[crm](cases.settings, clock=self.clock)
        written = files(adapter.__module__.partition(".")[0]).joinpath("cases/settings.json").read_text("utf-8")
        path = self.hub.add_crm(TENANT, crm, crm, json.loads(written))
        if cases.credentials is not None:
            self.hub.keep_crm_credentials(TENANT, crm, cases.credentials)
        self.world.simulators[crm], self.world.doors[crm] = self.crm, path.rsplit("/", 1)[1]
        self.crm.door = f"https://hub.example{path}"
        asyncio.run(self.hub.test_crm(TENANT, crm))

    def pass_by(self) -> None:
        """Until the hub has asked the CRM what is new."""
        for _ in range(4):
            self.world.settle()
            self.clock.forward(minutes=2)
        self.world.settle()

    def says(self, network: str, text: str, place: str = "dm") -> None:
        self.world.simulators[network].speak("kerry", text, place)
        self.pass_by()

    def cases(self) -> dict[str, str]:
        """By conversation."""
        rows = self.hub._database.read(lambda tx: tx.all("SELECT conversation, case_ref FROM crm_cases"))
        return {row["conversation"]: row["case_ref"] for row in rows}

    def status(self, case: str) -> str | None:
        live = self.hub.crms.get(TENANT, self.name)
        state: CaseState = asyncio.run(self.hub.crms.read(live, lambda: live.adapter.read_case(CaseRef(id=case))))
        return state.status


@pytest.fixture(params=SIMULATED)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, request.param)
    yield made
    made.hub.close()


def test_one_conversation_is_one_case(office: Office) -> None:
    office.says("x", "my parcel is lost", "post")
    hub, (con,) = office.hub, office.hub.queue(TENANT)
    done = hub.hand_off(TENANT, con["id"], agent="dana", to="telegram")
    office.pass_by()
    (way,) = hub.handoff_ways(done["token"]) or []
    found = re.search(r"start=(\w+)", way["url"])
    assert found
    telegram: Any = office.world.simulators["telegram"]
    telegram.start("kerry", found[1])
    office.says("telegram", "here I am")
    code = re.search(r"\b\d{6}\b", telegram.heard("kerry")[-1].text)
    assert code
    office.says("x", f"@acme {code[0]}", "post")
    office.says("telegram", "it is the blue one")
    hub.reply(TENANT, con["id"], "It is on its way.", agent="dana")
    office.pass_by()
    told = repr(vars(office.crm))
    for text in ("my parcel is lost", "here I am", "it is the blue one", "It is on its way."):
        assert text in told
    office.crm.speak("agent", "It arrives on Friday.", office.cases()[con["id"]])
    office.pass_by()
    assert telegram.heard("kerry")[-1].text == "It arrives on Friday."
    assert "It arrives on Friday." not in str([one.text for one in office.world.simulators["x"].said])
    (left,) = [case for conversation, case in office.cases().items() if conversation != con["id"]]
    assert f"What was said in case {left}" in told
    assert office.status(left) == "closed"
    assert office.status(office.cases()[con["id"]]) != "closed"
