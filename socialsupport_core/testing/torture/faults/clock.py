"""The clock of the machine steps by up to ten minutes, back and forth, between one letter and the next.

When something was said is the network's word; a step of ours must neither lose nor double anything, nor bring what
people said out of the network's order.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from socialsupport_core.hub import Hub
from socialsupport_core.testing.torture.auditor import Finding, Witness, audit, picture
from socialsupport_core.testing.torture.fault import Fault, tale
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import NOON, Letter, Story

STEP = 600.0
"""Seconds."""


class ClockSteps(Fault):
    name = "clock"
    promise = "while the clock steps by ± 10 minutes nothing is lost or twice, and the order stays the network's"
    quick = 10

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        told = tale(seed)
        story = Story(tuple(sorted(told.letters, key=_sent)), told.replies, told.accounts)
        witness = Witness(story)
        with site.hub() as hub:
            for one in story.letters:
                self._step(site, chance, _sent(one))
                witness.hurts += 1
                witness.offered[one.id] += 1
                witness.acknowledged[one.id] += site.deliver(hub, one)
                hub.drain()
            for said in story.replies:
                self._step(site, chance, NOON + timedelta(hours=1))
                if site.ask(hub, said):
                    witness.promised.add(said.key)
                self._step(site, chance, NOON + timedelta(hours=1))
                hub.drain()
        site.clock.now = NOON + timedelta(hours=2)
        return witness

    def _step(self, site: Site, chance: random.Random, true: datetime) -> None:
        site.clock.now = true
        site.clock.forward(seconds=chance.uniform(-STEP, STEP))

    def audit(self, hub: Hub, site: Site, witness: Witness) -> list[Finding]:
        """Moments may differ from those of a good clock; what was said, and in which order, may not."""
        return [*audit(hub, witness, site.coast.sent()), *_disorder(hub, witness.story)]


def _sent(letter: Letter) -> datetime:
    """When the network had all of it."""
    moments = [found for one in letter.events for found in _moments(one)]
    return max(moments)


def _moments(value: Any) -> Iterator[datetime]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in {"sent_at", "at", "edited_at"}:
                yield datetime.fromisoformat(inner)
            else:
                yield from _moments(inner)


def _disorder(hub: Hub, story: Story) -> Iterator[Finding]:
    for account, entries in picture(hub, story.accounts).timelines.items():
        shown = [one[0] for one in entries]
        told = [one["interaction"] for one in _received(story)]
        sent = {one["native_id"]: datetime.fromisoformat(one["sent_at"]) for one in told}
        if shown != sorted(shown, key=lambda native: sent[native]):
            yield Finding("wrong", f"the timeline of {account} is out of the network's order: {shown}")


def _received(story: Story) -> Iterator[Any]:
    yield from (one for letter in story.letters for one in letter.events if one["type"] == "interaction.received")
