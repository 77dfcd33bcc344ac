"""One payload in a hundred is poison: the connector raises on it in one of five ways. The rest flows."""

import random
from collections.abc import Iterator
from typing import Any

from socialsupport_core.hub import Hub
from socialsupport_core.testing.torture.auditor import EVERYTHING, Finding, Witness, picture
from socialsupport_core.testing.torture.fault import insist
from socialsupport_core.testing.torture.faults.one_bad_event import MendedFault
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Letter, Story, letter, message, told

LETTERS = 300
POISONS = ("malformed", "key", "deep", "exit", "raise")


class Poison(MendedFault):
    name = "poison"
    promise = "what a connector cannot read is kept byte for byte with its reason, the rest flows, and replay mends it"
    quick = 4

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        letters = [
            letter(f"p.{n}", "none", message(f"p.{n}", f"person{n % 7}", f"text {n}", n)) for n in range(LETTERS)
        ]
        bad = {f"p.{n}" for n in chance.sample(range(LETTERS), LETTERS // 100)}
        accounts = told(letters).accounts
        given = tuple(_poisoned(one, chance.choice(POISONS)) if one.id in bad else one for one in letters)
        witness = Witness(Story(given, accounts=accounts), hurts=len(bad))
        with site.hub() as hub:
            insist(site, hub, witness)
            hub.drain()
            witness.findings += _looked_at(hub, witness.story, bad)
        return witness


def _poisoned(one: Letter, how: str) -> Letter:
    return Letter(one.id, one.channel, ({"poison": how, "meant": one.events[0]}, *one.events[1:]))


def _looked_at(hub: Hub, story: Story, bad: set[str]) -> Iterator[Finding]:
    """Before anything was mended."""
    shown = {one["interaction"]["native_id"] for one in picture(hub, story.accounts).entries}
    wanted = {one.id for one in story.letters} - bad
    if missing := wanted - shown:
        yield Finding("lost", f"{sorted(missing)} were held up by poison")
    kept: dict[bytes, Any] = {one.payload.body: one for one in hub.quarantine(limit=EVERYTHING)}
    for one in story.letters:
        if one.id in bad and not (one.body in kept and kept[one.body].reason):
            yield Finding("lost", f"the poison {one.id} is not in quarantine as it came, with its reason")
