"""A disk that refuses: full for a while, or failing at its k-th write. For SQLite.

The hub is not restarted. While the disk refuses, the door answers 503 (StoreError) and acknowledges nothing; the
network offers again; once the disk takes writes, everything goes on by itself.
"""

import random
import resource
import time
from pathlib import Path

from socialsupport_core.hub import Hub
from socialsupport_core.store import StoreError
from socialsupport_core.testing.torture.auditor import Witness
from socialsupport_core.testing.torture.disk import FULL, IOERR_WRITE, FailingDisk, install, library
from socialsupport_core.testing.torture.fault import Fault, tale
from socialsupport_core.testing.torture.faults.kill_outside import asked, note
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Letter, Story
from socialsupport_core.testing.torture.victims import Tell, Victim

TRIES = 200
"""How often the network offers a letter again."""


class _Refusing(Fault):
    stores = frozenset({"sqlite"})

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        witness = Witness(tale(seed))
        site.next_life()
        victim = Victim(lambda tell: self.live(site, witness.story, chance, tell), patience=20)
        for said in victim:
            note(witness, said)
            witness.hurts += int(said.get("refused", 0))
        return witness

    def live(self, site: Site, story: Story, chance: random.Random, tell: Tell) -> None:
        raise NotImplementedError


class DiskFull(_Refusing):
    name = "disk_full"
    promise = "while the disk is full the door answers 503; nothing acknowledged is lost, and it goes on by itself"
    quick = 6

    def live(self, site: Site, story: Story, chance: random.Random, tell: Tell) -> None:
        """The kernel refuses to let any file of this process grow beyond a few kilobytes more."""
        with site.hub() as hub:
            hub.start()
            letters = list(story.letters)
            before = chance.randrange(len(letters))
            for one in letters[:before]:
                until_taken(site, hub, one, tell)
            _limit(_largest(site.store.folder) + chance.randrange(20_000))
            for one in letters[before:]:
                _offer(site, hub, one, tell)
            _limit(resource.RLIM_INFINITY)
            finish(site, hub, story, tell)


class FailingWrites(_Refusing):
    name = "io_error"
    promise = "an I/O error at any write or sync: 503, nothing acknowledged is lost, and it goes on by itself"
    quick = 10

    def live(self, site: Site, story: Story, chance: random.Random, tell: Tell) -> None:
        library()
        disk = FailingDisk(chance.randrange(1, 300), chance.randint(1, 6), chance.choice([IOERR_WRITE, FULL]))
        install(disk)
        hub = _opened(site)
        hub.start()
        finish(site, hub, story, tell)
        hub.close()
        tell({"refused": disk.failed})


def _opened(site: Site) -> Hub:
    for _ in range(TRIES):
        try:
            return site.open()
        except StoreError:
            continue
    raise StoreError("it could not be opened again")


def until_taken(site: Site, hub: Hub, letter: Letter, tell: Tell) -> None:
    for _ in range(TRIES):
        if _offer(site, hub, letter, tell):
            return
    raise StoreError(f"{letter.id} was refused {TRIES} times")


def _offer(site: Site, hub: Hub, letter: Letter, tell: Tell) -> bool:
    tell({"offered": letter.id})
    taken = site.deliver(hub, letter)
    tell({"acknowledged": letter.id} if taken else {"refused": 1})
    return taken


def finish(site: Site, hub: Hub, story: Story, tell: Tell) -> None:
    """Everything is told once more, and must be recorded and sent with no restart."""
    for one in story.letters:
        until_taken(site, hub, one, tell)
    for said in story.replies:
        if asked(site, hub, said):
            tell({"promised": said.key})
    while not idle(hub):
        time.sleep(0.001)


def idle(hub: Hub) -> bool:
    """Nothing waits but what waits for a later hour."""
    try:
        health = hub.health()
    except StoreError:
        return False
    return not health["journal"]["waiting"] and not {"queued", "sending"} & health["outbox"].keys()


def _largest(folder: Path) -> int:
    return max(one.stat().st_size for one in folder.iterdir() if one.is_file())


def _limit(size: int) -> None:
    """SIGXFSZ is ignored by Python, so that a write beyond it fails."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
