"""The lights go out at a write or a sync of the database, with torn sectors. For SQLite.

The victim receives, records and sends on a disk that loses or tears what was not synced (see `disk`); what it
acknowledged has left the house before. Tears are drawn from the seed; which thread writes the k-th time may be the
machine's choice.
"""

import random

from socialsupport_core.testing.torture.auditor import Witness
from socialsupport_core.testing.torture.disk import PowerCut, install, library
from socialsupport_core.testing.torture.fault import Fault, tale
from socialsupport_core.testing.torture.faults.kill_outside import live, note
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.victims import Tell, Victim

CUTS = 3
WRITES = 400
"""The story takes about so many writes and syncs."""


class PowerCutFault(Fault):
    name = "power_cut"
    promise = "a power cut at any write, with torn sectors, loses nothing that was acknowledged"
    quick = 12
    stores = frozenset({"sqlite"})

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        library()
        witness = Witness(tale(seed, turns=6))
        for _ in range(CUTS):
            self._life(site, witness, chance)
        return witness

    def _life(self, site: Site, witness: Witness, chance: random.Random) -> None:
        letters = [one for one in witness.story.letters if not witness.acknowledged[one.id]]
        replies = [one for one in witness.story.replies if one.key not in witness.promised]
        disk = PowerCut(chance.randrange(1, WRITES), random.Random(chance.random()))  # noqa: S311

        def life(tell: Tell) -> None:
            install(disk)
            live(site, letters, replies, tell)

        victim = Victim(life)
        site.next_life()
        for said in victim:
            note(witness, said)
        witness.hurts += victim.was_killed
