"""Several processes on one server: some are killed, some asked to end, others come, while one tenant has a backlog.

One process is the door: it takes thousands of letters for one tenant at once and a trickle for another, and measures
how long each letter of the trickle takes until a subscriber can read it, with nothing else going on and then beside
the backlog. The others record and send. When everything is recorded, people are answered several times each.
"""

import math
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from socialsupport_core.hub import Hub
from socialsupport_core.testing.torture.auditor import EVERYTHING, Finding, Witness, audit
from socialsupport_core.testing.torture.fault import Fault
from socialsupport_core.testing.torture.faults.full import idle
from socialsupport_core.testing.torture.faults.kill_outside import asked, note
from socialsupport_core.testing.torture.network import MODES
from socialsupport_core.testing.torture.site import TENANT, Site
from socialsupport_core.testing.torture.story import OURS, Said, Story, letter, message, told
from socialsupport_core.testing.torture.victims import Tell, Victim

WORKERS = 3
BACKLOG = 2000
FEW = 100
"""For a short run."""
PEOPLE = 20
ANSWERS = 4
"""For each of them, in one thread."""
TRICKLE = 60
PACE = 0.02
"""Seconds between two letters of the trickle."""
OTHER, DOOR = "rival", "trickle"
"""The tenant of the trickle, and its channel."""
PATIENCE = 60.0
"""Seconds until the backlog must be recorded."""


class SeveralWorkers(Fault):
    name = "workers"
    promise = "processes that share a server come, end and are killed: nothing lost or twice, order kept in each thread"
    quick = 2
    parts = ("few",)
    stores = frozenset({"postgresql"})

    def prepare(self, seed: int, chance: random.Random) -> Site:
        if self._blank is None:
            self._blank = Site.fresh(self.ground, self.options)
            with self._blank.hub() as hub:
                hub.add_tenant(OTHER, "Rival")
                address = hub.add_channel(OTHER, DOOR, "beacon_none", {}, own_account=OURS, mode="webhook")
                self._blank.doors[DOOR] = address.rsplit("/", 1)[1]
        return self._blank.copy()

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        witness = Witness(_story(chance, FEW if self.part == "few" else BACKLOG))
        crew = _Crew(site)
        door = Victim(lambda tell: _door(site, witness.story, tell), patience=PATIENCE)
        hurting: dict[Any, Callable[[random.Random], None]] = {
            **dict.fromkeys(chance.sample(range(5, TRICKLE), 2), crew.kill),
            **dict.fromkeys(chance.sample(range(5, TRICKLE), 2), crew.end),
            **{f"answer-person{n}-1": crew.kill for n in chance.sample(range(PEOPLE), 2)},
        }
        figures: dict[str, float] = {}
        for said in door:
            note(witness, said)
            _note_more(witness, figures, said)
            hurting.get(said.get("tick", said.get("promised")), _nobody)(chance)
        crew.dismiss()
        site.next_life()
        witness.hurts = crew.hurts
        witness.findings += crew.findings
        if figures.keys() >= {"alone", "beside"}:
            witness.figures["p99 beside a backlog, in ms"] = figures["beside"] * 1000
            witness.figures["times the p99 without"] = figures["beside"] / figures["alone"]
        return witness

    def audit(self, hub: Hub, site: Site, witness: Witness) -> list[Finding]:
        """The story is simple enough to know its end without telling it undisturbed."""
        sent = site.coast.sent()
        found = [*audit(hub, witness, sent), *_out_of_order(sent), *_trickled(hub)]
        for who in sorted(witness.story.accounts):
            if (opened := len(hub.customer(TENANT, who)["conversations"])) != 1:
                found.append(Finding("doubled", f"{who} has {opened} conversations"))
        return found


class _Crew:
    """The workers: there are always as many."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.hurts = 0
        self.findings: list[Finding] = []
        self._there = [self._hire() for _ in range(WORKERS)]

    def kill(self, chance: random.Random) -> None:
        one = self._there.pop(chance.randrange(WORKERS))
        one.kill()
        self.hurts += 1
        self._there.append(self._hire())

    def end(self, chance: random.Random) -> None:
        one = self._there.pop(chance.randrange(WORKERS))
        self._end(one)
        self.hurts += 1
        self._there.append(self._hire())

    def dismiss(self) -> None:
        for one in self._there:
            self._end(one)

    def _end(self, one: Victim) -> None:
        one.ask_to_end()
        told = list(one)
        if one.failed or one.was_killed:
            self.findings.append(Finding("wrong", f"a worker that was asked to end did so with {one.status}: {told}"))

    def _hire(self) -> Victim:
        """At the same hour as all others: nobody may be taken for dead who lives."""
        self._site.life += 1
        made = Victim(lambda tell: _work(self._site, tell))
        next(iter(made))  # it is there
        return made


def _nobody(_chance: random.Random) -> None: ...


def _work(site: Site, tell: Tell) -> None:
    asked_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end.set())
    hub = site.open()
    hub.start()
    tell({"working": True})
    asked_to_end.wait()
    hub.close()


def _story(chance: random.Random, backlog: int) -> Story:
    letters = []
    for number in range(backlog):
        who = f"person{chance.randrange(PEOPLE) if number >= PEOPLE else number}"
        letters.append(letter(str(number), _channel(who), message(f"{who}.{number}", who, f"text {number}", number)))
    people = [f"person{n}" for n in range(PEOPLE)]
    replies = [
        Said(f"answer-{who}-{n}", who, f"answer {n} to {who}", _channel(who)) for n in range(ANSWERS) for who in people
    ]
    return told(letters, replies)


def _channel(who: str) -> str:
    return MODES[int(who.removeprefix("person")) % len(MODES)]


def _door(site: Site, story: Story, tell: Tell) -> None:
    with site.hub() as hub:
        _trickle(site, hub, "alone", tell)
        tell({"many offered": [one.id for one in story.letters]})
        answers = [hub.receive(site.doors[one.channel], site.payload(one)) for one in story.letters]
        for answer in answers:
            answer.result()
        tell({"many acknowledged": [one.id for one in story.letters]})
        _trickle(site, hub, "beside", tell)
        until = time.monotonic() + PATIENCE
        while hub.health()["journal"]["waiting"] and time.monotonic() < until:
            time.sleep(0.02)
        for said in story.replies:
            if asked(site, hub, said):
                tell({"promised": said.key})
        until = time.monotonic() + 3  # what the killed were sending waits for the next life
        while not idle(hub) and time.monotonic() < until:
            time.sleep(0.02)


def _trickle(site: Site, hub: Hub, how: str, tell: Tell) -> None:
    """Tells the p99 of the seconds from a letter's acknowledgement until a subscriber reads it."""
    given: dict[str, float] = {}
    took: dict[str, float] = {}
    cursor = max((one["cursor"] for one in hub.events(OTHER, limit=EVERYTHING)), default=0)
    began, until = time.monotonic(), time.monotonic() + PATIENCE
    while len(took) < TRICKLE and time.monotonic() < until:
        if len(given) < TRICKLE and time.monotonic() >= began + len(given) * PACE:
            native = f"{how}.{len(given)}"
            assert site.deliver(hub, letter(native, DOOR, message(native, "someone", native, len(given))))
            given[native] = time.monotonic()
            tell({"trickled": native, **({"tick": len(given)} if how == "beside" else {})})
        for one in hub.events(OTHER, cursor):
            cursor = one["cursor"]
            if one["type"] == "interaction.received":
                native = one["data"]["interaction"]["native_id"]
                took[native] = time.monotonic() - given[native]
        time.sleep(0.002)
    tell({how: sorted(took.values())[math.ceil(len(took) * 0.99) - 1] if len(took) == TRICKLE else PATIENCE})


def _note_more(witness: Witness, figures: dict[str, float], said: Any) -> None:
    match said:
        case {"many offered": letters}:
            witness.offered.update(letters)
        case {"many acknowledged": letters}:
            witness.acknowledged.update(letters)
        case {"trickled": _}:
            witness.other_entries += 1
        case {"alone": seconds}:
            figures["alone"] = seconds
        case {"beside": seconds}:
            figures["beside"] = seconds


def _trickled(hub: Hub) -> Iterator[Finding]:
    told_of = [one for one in hub.events(OTHER, limit=EVERYTHING) if one["type"] == "interaction.received"]
    shown = Counter(one["data"]["interaction"]["native_id"] for one in told_of)
    wanted = {f"{how}.{n}" for how in ("alone", "beside") for n in range(TRICKLE)}
    for native in sorted(wanted - shown.keys()):
        yield Finding("lost", f"{native} of the trickle was acknowledged and never published")
    for native, times in shown.items():
        if times > 1 or native not in wanted:
            yield Finding("doubled", f"{native} of the trickle was published {times} times")


def _out_of_order(sent: Sequence[dict[str, str]]) -> Iterator[Finding]:
    """What was asked for first in a thread has reached the network first."""
    threads: dict[str, list[str]] = {}
    for one in sent:
        threads.setdefault(one["thread"], []).append(one["key"])
    for thread, keys in threads.items():
        if keys != sorted(keys):
            yield Finding("wrong", f"answers in {thread} were sent in the order {keys}")
