"""The network accepts a message and drops the connection at a byte of the answer; or refuses it in another way.

Each try sends one reply for every second byte of the answer; eight seeds in a row cover all bytes for each way of
settling doubts. Between them go replies that are answered, some of them at the second try: the network is ill, not
away.
"""

import random
from collections import Counter
from collections.abc import Callable

import httpx

from socialsupport_core.hub import Hub
from socialsupport_core.testing.torture.auditor import Finding, Witness, picture
from socialsupport_core.testing.torture.fault import Fault, echo, insist
from socialsupport_core.testing.torture.network import MODES, size
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Said, letter, message, told

PEOPLE = 25
ANSWER = size(httpx.Response(201, json={"id": "n-answer-000"}))
"""Bytes of the whole answer: a drop after so many is none."""
REFUSALS: dict[str, Callable[[], httpx.Response]] = {
    "busy": lambda: httpx.Response(503, text="over capacity"),
    "too fast": lambda: httpx.Response(429, headers={"retry-after": "5"}),
}
"""Said without having done anything, so that it may be tried again."""


class NetworkDrop(Fault):
    name = "network_drop"
    promise = "dropped at any byte of the answer, a send ends sent, failed or uncertain, and never goes out twice"
    quick = 8

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        mode, half = MODES[seed % len(MODES)], seed // len(MODES) % 2
        cut_at = range(half, ANSWER, 2)
        people = [f"person{n}" for n in range(PEOPLE)]
        letters = [letter(who, mode, message(f"{who}.0", who, "Hello?", n)) for n, who in enumerate(people)]
        replies = [Said(f"answer-{n:03}", people[n % PEOPLE], f"answer {n}", mode) for n in range(2 * len(cut_at))]
        witness = Witness(told(letters, replies), hurts=len(cut_at))
        cuts = dict(zip((said.key for said in replies[::2]), chance.sample(cut_at, len(cut_at)), strict=True))
        refused = {said.key: chance.choice([*REFUSALS]) for said in replies[1::2] if chance.random() < 0.2}
        site.coast.cut = lambda request: cuts.pop(_key(request), None)
        site.coast.refuse = lambda request: REFUSALS[refused.pop(_key(request))]() if _key(request) in refused else None
        with site.hub() as hub:
            insist(site, hub, witness)
            hub.drain()
            for said in replies:
                assert site.ask(hub, said)
                witness.promised.add(said.key)
            site.settle(hub)
            echo(site, hub, witness)
        return witness

    def audit(self, hub: Hub, site: Site, witness: Witness) -> list[Finding]:
        found = super().audit(hub, site, witness)
        mode = witness.story.letters[0].channel
        if mode != "none":  # where a doubt can be settled, it is
            states = Counter(one.get("state") for one in picture(hub, witness.story.accounts).entries)
            if doubtful := states["uncertain"] + states["failed"]:
                found.append(Finding("wrong", f"{doubtful} sends were not settled though the network tells by {mode}"))
        return found


def _key(request: httpx.Request) -> str:
    """Of the reply that a request sends; "" for one that only reads."""
    if request.method != "POST":
        return ""
    key: str = httpx.Response(200, content=request.content).json()["key"]
    return key
