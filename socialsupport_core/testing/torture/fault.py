"""What a fault is: prepare a hub, run a workload, hurt it, recover, audit. Everything from a seed."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from socialsupport_core.hub import Hub
from socialsupport_core.store import StoreError
from socialsupport_core.testing.torture.auditor import Finding, Picture, Witness, audit, picture
from socialsupport_core.testing.torture.grounds import Ground
from socialsupport_core.testing.torture.site import Options, Site
from socialsupport_core.testing.torture.story import Letter, Story, chatter, letter, message

PERSISTENCE = 50
"""How often a network offers a letter again before the bench calls the door broken."""


class CannotRun(Exception):
    """This fault cannot be tried here; the message says why."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One try: the seed that repeats it, how often the hub was hurt in it, and what the auditor found."""

    seed: int
    hurts: int
    findings: tuple[Finding, ...]
    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured, by name; less is better."""


class Fault:
    """A subclass says `name`, `promise` and `quick`, and writes `hurt`; the rest it may write."""

    name: ClassVar[str]
    promise: ClassVar[str]
    """What holds whatever this fault does: one sentence."""
    quick: ClassVar[int] = 10
    """Tries when nobody says how many."""
    stores: ClassVar[frozenset[str]] = frozenset({"sqlite", "postgresql"})
    parts: ClassVar[tuple[str, ...]] = ()
    """Each may be asked for alone, as `name:part`."""

    def __init__(self, ground: Ground, options: Options, part: str = "") -> None:
        self.ground, self.options, self.part = ground, options, part
        self._blank: Site | None = None
        self._undisturbed: dict[Story, Picture] = {}  # of the stories told last

    def attempt(self, seed: int) -> Tried:
        chance = random.Random(f"{self.name} {seed}")  # noqa: S311 - to be repeated
        site = self.prepare(seed, chance)
        hurts, figures = 0, dict[str, float]()
        try:
            witness = self.hurt(site, seed, chance)
            hurts, figures = witness.hurts, witness.figures
            with self.recovered(site, witness) as hub:
                findings = self.audit(hub, site, witness)
        except CannotRun:
            raise
        except Exception as error:
            findings = [Finding("lost", f"it did not come to an end: {type(error).__name__}: {error}")]
        finally:
            site.remove()
        return Tried(seed, hurts, tuple(findings), figures)

    def close(self) -> None:
        """Called when no try comes any more."""

    def prepare(self, seed: int, chance: random.Random) -> Site:
        """A hub that nobody has open."""
        if self._blank is None:
            self._blank = Site.fresh(self.ground, self.options)
        return self._blank.copy()

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        """Runs the workload and hurts it; leaves the hub closed or dead."""
        raise NotImplementedError

    @contextmanager
    def recovered(self, site: Site, witness: Witness) -> Iterator[Hub]:
        """As after a restart: the network offers again what was not acknowledged, agents ask again."""
        with site.hub() as hub:
            recover(site, hub, witness)
            yield hub

    def audit(self, hub: Hub, site: Site, witness: Witness) -> list[Finding]:
        return audit(hub, witness, site.coast.sent(), self.undisturbed(witness.story))

    def undisturbed(self, story: Story) -> Picture:
        """What everybody can read when the same story is told and nothing goes wrong."""
        if story not in self._undisturbed:
            self._undisturbed.clear()  # a fault tells one story over and over, or a new one each time
            site = self.prepare(0, random.Random(0))  # noqa: S311 - to be repeated
            try:
                with site.hub() as hub:
                    recover(site, hub, Witness(story))
                    self._undisturbed[story] = picture(hub, story.accounts)
            finally:
                site.remove()
        return self._undisturbed[story]


def recover(site: Site, hub: Hub, witness: Witness) -> None:
    """What was not acknowledged is offered again until it is; what was not promised is asked again."""
    site.restart(hub)
    insist(site, hub, witness)
    hub.drain()
    for said in witness.story.replies:
        if site.ask(hub, said):  # asking twice with one key is asking once
            witness.promised.add(said.key)
    site.settle(hub)
    echo(site, hub, witness)


def insist(site: Site, hub: Hub, witness: Witness, accepted: Callable[[Letter], None] = lambda _letter: None) -> None:
    for one in witness.story.letters:
        for _ in range(PERSISTENCE):
            if witness.acknowledged[one.id]:
                break
            witness.offered[one.id] += 1
            if site.deliver(hub, one):
                witness.acknowledged[one.id] += 1
                accepted(one)
        else:
            raise StoreError(f"the door refused {one.id} {PERSISTENCE} times")


def echo(site: Site, hub: Hub, witness: Witness) -> None:
    """A network that settles doubts by echo shows us what we said there."""
    for one in site.coast.sent():
        if one["host"] == "beacon-echo.example":
            to = one["thread"].removeprefix("dm-")
            shown = message(one["id"], to, one["text"], 3600, outbound=True)
            witness.other_entries += site.deliver(hub, letter(f"echo-{one['id']}", "echo", shown))
    hub.drain()


@lru_cache(4)
def tale(seed: int, people: int = 4, turns: int = 3) -> Story:
    return chatter(random.Random(f"story {seed}"), people, turns)  # noqa: S311 - to be repeated
