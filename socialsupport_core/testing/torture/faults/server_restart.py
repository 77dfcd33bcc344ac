"""The database server goes down at once, in the middle of everybody's transactions, and comes up again; and again.

The server is one of the fault's own, with `fsync` on, stopped as by a crash. The process lives on: doors and agents
are told that nothing can be promised (StoreError, for HTTP a 503) and ask again, and soon after the server is there
everything goes on. What a commit had reached the server and what not, nobody but the server knows at that moment.
"""

import random
import signal
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from socialsupport_core.hub import Hub
from socialsupport_core.store import StoreError
from socialsupport_core.testing import postgresql
from socialsupport_core.testing.torture.auditor import Finding, Witness, audit
from socialsupport_core.testing.torture.fault import CannotRun, Fault
from socialsupport_core.testing.torture.faults.full import idle
from socialsupport_core.testing.torture.faults.kill_outside import note
from socialsupport_core.testing.torture.grounds import PostgreSQLGround
from socialsupport_core.testing.torture.network import MODES
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Letter, Said, letter, message, told
from socialsupport_core.testing.torture.victims import Tell, Victim

RESTARTS = 3
WITHIN = 5.0
"""Seconds after which a server that is there again is used again."""
HANDS = 4
"""Clients that offer letters at the same time."""
PEOPLE = 24
PACE = 0.05
"""Seconds between two letters of one client."""
ASKS = 6
"""Every so many letters, one of their senders is answered."""
PATIENCE = 20.0
"""Seconds for what is still waiting at the end."""


class ServerRestart(Fault):
    name = "server_restart"
    promise = (
        "while the database server crashes and comes again: 503, nothing lost or twice, and within 5 s all goes on"
    )
    quick = 2
    stores = frozenset({"postgresql"})

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if postgresql.programs() is None:
            raise CannotRun(f"it crashes a server of its own, and there is {postgresql.MISSING}")
        self._server = postgresql.Server(options=())
        assert isinstance(self.ground, PostgreSQLGround)
        self.ground = self.ground.on(self._server.url)

    def close(self) -> None:
        self._server.close()

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        heard: list[Any] = []
        victim = Victim(lambda tell: _live(site, tell), patience=PATIENCE * 2)
        site.next_life()
        there = threading.Thread(target=self._restarts, args=(victim, random.Random(chance.random()), heard))  # noqa: S311
        there.start()
        for said in victim:
            heard.append(said)
        there.join()
        return _seen(heard)

    def _restarts(self, victim: Victim, chance: random.Random, heard: list[Any]) -> None:
        """The server's life; at the end the process is asked to stop."""
        for _ in range(RESTARTS):
            time.sleep(chance.uniform(0.4, 1.2))
            self._server.stop("immediate")
            heard.append({"down": time.monotonic()})
            time.sleep(chance.uniform(0, 0.5))
            self._server.start()
            heard.append({"up": time.monotonic()})
        time.sleep(1)
        victim.ask_to_end()

    def audit(self, hub: Hub, site: Site, witness: Witness) -> list[Finding]:
        """How many letters came is the machine's choice, so there is no undisturbed run to compare with."""
        return audit(hub, witness, site.coast.sent())


def _letter(number: int) -> Letter:
    who = f"person{number % PEOPLE}"
    return letter(str(number), _channel(number), message(f"{who}.{number}", who, f"text {number}", number))


def _channel(number: int) -> str:
    return MODES[number % PEOPLE % len(MODES)]


def _live(site: Site, tell: Tell) -> None:
    asked_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end.set())
    site.clock.run()  # what is put off for seconds goes on after seconds
    hub = site.open()
    hub.start()
    numbers = count()
    hands = [threading.Thread(target=_offer, args=(site, hub, numbers, asked_to_end, tell)) for _ in range(HANDS)]
    for hand in hands:
        hand.start()
    asked_to_end.wait()
    for hand in hands:
        hand.join()
    until = time.monotonic() + PATIENCE
    while not idle(hub) and time.monotonic() < until:
        time.sleep(0.01)
    health = hub.health()
    tell({"left": {**health["journal"], **health["outbox"]}} if not idle(hub) else {"idle": True})
    hub.close()


def _offer(site: Site, hub: Hub, numbers: Iterator[int], end: threading.Event, tell: Tell) -> None:
    """One client: each letter until it is taken, some of them answered. Whatever it is told but StoreError is told."""
    try:
        while not end.wait(PACE):
            number = next(numbers)
            _until_taken(site, hub, number, end, tell)
            if number % ASKS == 0:
                _until_promised(
                    site, hub, Said(f"answer-{number}", f"person{number % PEOPLE}", "ok", _channel(number)), end, tell
                )
    except BaseException as error:
        tell({"failed": f"a client was told {type(error).__name__}: {error}"})
        raise


def _until_taken(site: Site, hub: Hub, number: int, end: threading.Event, tell: Tell) -> None:
    one = _letter(number)
    while not end.is_set():
        tell({"offered": one.id, "number": number})
        began = time.monotonic()
        if site.deliver(hub, one):
            tell({"acknowledged": one.id, "at": time.monotonic()})
            return
        tell({"refused": 1, "took": time.monotonic() - began})
        time.sleep(PACE)


def _until_promised(site: Site, hub: Hub, said: Said, end: threading.Event, tell: Tell) -> None:
    while not end.is_set():
        try:
            if site.ask(hub, said):
                tell({"promised": said.key})
                return
        except StoreError:
            tell({"refused": 1})
        time.sleep(PACE)


def _seen(heard: list[Any]) -> Witness:
    numbers = sorted({one["number"] for one in heard if "number" in one})
    witness = Witness(told(map(_letter, numbers)), hurts=sum("down" in one for one in heard))
    for said in heard:
        note(witness, said)
    acknowledged = [one["at"] for one in heard if "at" in one]
    pauses = [_pause(up, acknowledged) for up in (one["up"] for one in heard if "up" in one)]
    refusals = [one["took"] for one in heard if "took" in one]
    witness.figures = {"seconds until it went on": max(pauses), "seconds until a refusal": max(refusals, default=0.0)}
    if max(pauses) > WITHIN:
        witness.findings.append(Finding("wrong", f"it went on {max(pauses):.1f} s after the server was there again"))
    if {"idle": True} not in heard:
        left = [one["left"] for one in heard if "left" in one]
        witness.findings.append(Finding("lost", f"{PATIENCE:g} s after the last restart there still waited: {left}"))
    return witness


def _pause(up: float, acknowledged: list[float]) -> float:
    """Seconds until something was taken again."""
    return min((at - up for at in acknowledged if at > up), default=PATIENCE)
