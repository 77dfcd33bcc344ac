"""Fifty events in one payload, some of them bad: the others are recorded, and once mended the bad ones too."""

import random
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

from socialsupport_core.hub import Hub
from socialsupport_core.testing.torture.auditor import EVERYTHING, Finding, Picture, Witness, picture
from socialsupport_core.testing.torture.fault import Fault, insist, recover
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Letter, Story, letter, message, told

EVENTS = 50


class MendedFault(Fault):
    """Recovery is a new release of the connector, and everything in quarantine run again."""

    @contextmanager
    def recovered(self, site: Site, witness: Witness) -> Iterator[Hub]:
        with site.hub(mended=True) as hub:
            hub.replay()
            recover(site, hub, witness)
            if left := hub.quarantine():
                witness.findings.append(Finding("lost", f"mended and run again, it is still refused: {left[0].reason}"))
            yield hub

    def undisturbed(self, story: Story) -> Picture:
        """The release that understands everything, from the start."""
        site = self.prepare(0, random.Random(0))  # noqa: S311 - unused
        try:
            with site.hub(mended=True) as hub:
                recover(site, hub, Witness(story))
                return picture(hub, story.accounts)
        finally:
            site.remove()


class OneBadEvent(MendedFault):
    name = "one_bad_event"
    promise = "of fifty events in a payload any may be bad: the others are recorded, the bad ones kept with a reason"
    quick = 20

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        good = letter("fifty", "none", *(message(f"e.{n}", f"person{n % 7}", f"text {n}", n) for n in range(EVENTS)))
        bad = set(chance.sample(range(EVENTS), chance.choice([1, 2, chance.randrange(EVENTS + 1)])))
        events = tuple(_without_author(one) if n in bad else one for n, one in enumerate(good.events))
        story = Story((Letter("fifty", "none", events),), accounts=told([good]).accounts)
        witness = Witness(story, hurts=len(bad))
        with site.hub() as hub:
            insist(site, hub, witness)
            hub.drain()
            witness.findings += _looked_at(hub, story, bad)
        return witness


def _without_author(event: dict[str, Any]) -> dict[str, Any]:
    said = event["interaction"]
    return {**event, "interaction": {**said, "author": {"name": said["author"]["name"]}}}


def _looked_at(hub: Hub, story: Story, bad: Set[int]) -> Iterator[Finding]:
    """Before anything was mended."""
    shown = {one["interaction"]["native_id"] for one in picture(hub, story.accounts).entries}
    for n in range(EVENTS):
        if (f"e.{n}" in shown) == (n in bad):
            yield Finding("wrong" if n in bad else "lost", f"event {n} was {'bad' if n in bad else 'good'}")
    kept = hub.quarantine(limit=EVERYTHING)
    if bool(kept) != bool(bad):
        yield Finding("wrong", f"{len(bad)} events were bad, and {len(kept)} payloads are in quarantine")
    for one in kept:
        if one.payload.body != story.letters[0].body or "m-e." not in (one.reason or ""):
            yield Finding("lost", "the payload is not in quarantine as it came, with its reason")
