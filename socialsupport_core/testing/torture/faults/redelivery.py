"""The same payloads again, at once, eight ways: threads, and two processes where the store allows several.

While they come in, the hub records and sends with all its threads, eight agents ask for the same replies, and a
subscriber reads the log by its cursor.
"""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from socialsupport_core.hub import Hub
from socialsupport_core.testing.torture.auditor import Finding, Witness, subscribed
from socialsupport_core.testing.torture.fault import Fault, tale
from socialsupport_core.testing.torture.faults.kill_outside import note
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Letter, Said, Story
from socialsupport_core.testing.torture.victims import Tell, Victim

WAYS = 8
FEW, MANY = 4, 500
"""People who write."""


class Redelivery(Fault):
    name = "redelivery"
    promise = "the same payload eight ways at once is one interaction, the same reply asked eight times is sent once"
    quick = 8
    parts = ("many",)

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        witness = Witness(self._story(seed))
        processes = 2 if self.ground.kind == "postgresql" else 1
        orders = [chance.sample(witness.story.letters, len(witness.story.letters)) for _ in range(WAYS)]
        shares = [orders[n::processes] for n in range(processes)]
        victims = []
        for share in shares:
            victims.append(Victim(partial(_flood, site, share, witness.story.replies)))
            site.life += 1  # at the same hour: nobody may be taken for dead who lives
        site.next_life()
        for victim in victims:
            for said in victim:
                note(witness, said)
                if "log" in said:
                    witness.findings.append(Finding("wrong", said["log"]))
        witness.hurts = sum(len(order) for order in orders)
        return witness

    def _story(self, seed: int) -> Story:
        if self.part != "many":
            return tale(seed, FEW)
        story = tale(seed, MANY)
        return replace(story, replies=story.replies[:FEW])


def _flood(site: Site, orders: Sequence[Sequence[Letter]], replies: tuple[Said, ...], tell: Tell) -> None:
    hub = site.open()
    hub.start()
    reader = Reader(hub)
    with ThreadPoolExecutor(WAYS) as pool:
        list(pool.map(lambda order: _offer(site, hub, order, tell), orders))
    hub.workers.stop()
    while hub.workers.record_waiting():
        pass
    with ThreadPoolExecutor(WAYS) as pool:
        for said in replies:
            list(pool.map(lambda _, said=said: site.ask(hub, said), range(WAYS)))
            tell({"promised": said.key})
        list(pool.map(lambda _: hub.drain(), range(2)))
    if trouble := reader.trouble(hub):
        tell({"log": trouble})
    hub.close()


def _offer(site: Site, hub: Hub, order: Sequence[Letter], tell: Tell) -> None:
    for one in order:
        tell({"offered": one.id})
        if site.deliver(hub, one):
            tell({"acknowledged": one.id})


class Reader:
    """A subscriber who follows the log while it grows."""

    def __init__(self, hub: Hub) -> None:
        self._seen: list[int] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, args=(hub,), daemon=True)
        self._thread.start()

    def trouble(self, hub: Hub) -> str | None:
        """What the subscriber has missed or heard twice, once nothing comes any more."""
        self._done.set()
        self._thread.join()
        self._read(hub)
        heard, last = Counter(self._seen), self._seen[-1] if self._seen else 0
        there = Counter(one["cursor"] for one in subscribed(hub) if one["cursor"] <= last)  # others still write
        if heard == there:
            return None
        return f"a subscriber missed {sorted(there - heard)[:5]} of the log and heard {sorted(heard - there)[:5]} twice"

    def _follow(self, hub: Hub) -> None:
        while not self._done.wait(0.001):
            self._read(hub)

    def _read(self, hub: Hub) -> None:
        after = self._seen[-1] if self._seen else 0
        self._seen += [one["cursor"] for one in subscribed(hub, after)]
