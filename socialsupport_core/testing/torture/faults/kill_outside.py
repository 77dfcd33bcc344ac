"""Killed from outside, under load, after a random number of microseconds; restarted; killed again.

The victim receives, records and sends with all its threads, while a client offers again whatever was not
acknowledged and agents ask again for whatever was not promised. Which instruction the kill meets is the machine's
choice: a seed repeats the story and the moments, not the instruction.
"""

import random
import time
from concurrent.futures import wait
from typing import Any

from socialsupport_core.hub import Hub
from socialsupport_core.store import StoreError
from socialsupport_core.testing.torture.auditor import Finding, Witness
from socialsupport_core.testing.torture.fault import Fault, tale
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Letter, Said
from socialsupport_core.testing.torture.victims import Tell, Victim

KILLS = 5
LONGEST = 0.04
"""Seconds; the story takes about so long to be told."""
PATIENCE = 5.0
"""Seconds after which an agent gives up waiting for somebody whose message was acknowledged."""
WINDOW = 4
"""Letters under way at once."""


class KillOutside(Fault):
    name = "kill_outside"
    promise = "killed at any microsecond under load, again and again: nothing lost or twice"
    quick = 8

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        witness = Witness(tale(seed))
        for _ in range(KILLS):
            self._life(site, witness, chance)
        return witness

    def _life(self, site: Site, witness: Witness, chance: random.Random) -> None:
        letters = [one for one in witness.story.letters if not witness.acknowledged[one.id]]
        replies = [one for one in witness.story.replies if one.key not in witness.promised]
        victim = Victim(lambda tell: live(site, letters, replies, tell))
        site.next_life()
        for said in victim.kill_after(chance.uniform(0, LONGEST)):
            note(witness, said)
        witness.hurts += victim.was_killed


def live(site: Site, letters: list[Letter], replies: list[Said], tell: Tell) -> None:
    """Offers the letters, a window at a time, then asks for the replies, and tells what came of each."""
    hub = site.open()
    hub.start()
    tell({"open": True})
    while letters:
        some, letters = letters[:WINDOW], letters[WINDOW:]
        _offer(site, hub, some, tell)
    for said in replies:
        if asked(site, hub, said):
            tell({"promised": said.key})
    hub.close()


def _offer(site: Site, hub: Hub, some: list[Letter], tell: Tell) -> None:
    answers = {}
    for one in some:
        tell({"offered": one.id})
        answers[hub.receive(site.doors[one.channel], site.payload(one))] = one
    left = set(answers)
    while left:
        done, left = wait(left, return_when="FIRST_COMPLETED")
        for answer in done:
            answer.result()
            tell({"acknowledged": answers[answer].id})


def asked(site: Site, hub: Hub, said: Said) -> bool:
    """Waits until what the person said is recorded; False if that never comes."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            if site.ask(hub, said):
                return True
        except StoreError:
            pass
        time.sleep(0.001)
    return False


def note(witness: Witness, said: Any) -> None:
    """What a victim told, into what an outsider saw."""
    match said:
        case {"offered": letter}:
            witness.offered[letter] += 1
        case {"acknowledged": letter}:
            witness.acknowledged[letter] += 1
        case {"promised": key}:
            witness.promised.add(key)
        case {"failed": why}:
            witness.findings.append(Finding("wrong", f"it ended by itself: {why}"))
