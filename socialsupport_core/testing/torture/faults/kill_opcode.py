"""Killed at an opcode.

What is enumerated: every bytecode instruction of `socialsupport_core` (the bench left out) that runs between receipt
and acknowledgement of one payload (`receive`), while a payload is recorded (`record`), while a page is polled and
recorded (`poll`), and while one reply is asked for and sent, once for each way of settling a doubt (`send_…`). Each
is run in a forked process with opcode tracing. Opcodes are counted for each thread by itself, the one that calls and
the store's writer, so that a count names the same instruction each time however the threads take turns. C code (the
SQLite library, pydantic, json, the event loop's selector) is entered and left at opcodes but not cut in the middle:
that is what `kill_outside` and `power_cut` do.

A try takes one stretch of opcodes. On a file, the process is stopped whole (SIGSTOP) as each opcode of the stretch
begins. What it would leave if it died there is its files and what it has told; whenever these differ from those at
the opcode before, a copy is taken, recovered and audited. So an opcode that leaves what the one before it leaves
costs a comparison and no recovery. Then, on a hub of its own, SIGKILL is sent as one opcode of the stretch begins.
On a server, whose files are not ours, a stretch is a single opcode, and there is only the kill.

The seeds n, n+1, … visit all stretches once before any comes again.
"""

import asyncio
import math
import os
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

import socialsupport_core
from socialsupport_core.hub import Hub
from socialsupport_core.testing.torture.auditor import Finding, Witness
from socialsupport_core.testing.torture.fault import Fault, recover
from socialsupport_core.testing.torture.faults.kill_outside import note
from socialsupport_core.testing.torture.network import MODES
from socialsupport_core.testing.torture.site import POLLED, TENANT, Site
from socialsupport_core.testing.torture.story import (
    Said,
    Story,
    claimed,
    edited,
    letter,
    message,
    phone,
    reacted,
    told,
)
from socialsupport_core.testing.torture.victims import Tell, Victim

ROOT = str(Path(socialsupport_core.__file__).parent) + os.sep
BENCH = str(Path(ROOT, "testing")) + os.sep
PHASES = ("receive", "record", "poll", *(f"send_{mode}" for mode in MODES))
STRETCH = {"sqlite": 500, "postgresql": 1}
"""Opcodes of one try."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Opcodes `first` to `last` that a thread runs in a phase."""

    phase: str
    thread: str
    first: int
    last: int


class Tracer:
    """Counts opcodes by thread while `on`, and calls `reached` as each of the stretch begins."""

    def __init__(self, stretch: Stretch | None, reached: Callable[[int], None]) -> None:
        self.on = False
        self.counts: Counter[str] = Counter()
        self._stretch = stretch
        self._reached = reached
        self._steps: dict[int, Any] = {}

    def install(self) -> None:
        """In this thread, and in all that are started from now on."""
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def remove(self) -> None:
        threading.settrace(None)
        sys.settrace(None)

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(ROOT) or file.startswith(BENCH):
            return None
        ident = threading.get_ident()
        if ident not in self._steps:
            self._steps[ident] = self._step_of(threading.current_thread().name)
        frame.f_trace_opcodes, frame.f_trace_lines = self._steps[ident] is not None, False
        return self._steps[ident]

    def _step_of(self, thread: str) -> Any:
        """What runs at each opcode of this thread; None if nobody asks for it."""
        counts, wanted, reached = self.counts, self._stretch, self._reached
        if wanted is not None and wanted.thread != thread:
            return None
        first, last = (wanted.first, wanted.last) if wanted else (0, -1)

        def step(_frame: FrameType, event: str, _arg: Any) -> Any:
            if event == "opcode" and self.on:
                counts[thread] = n = counts[thread] + 1
                if first <= n <= last:
                    reached(n)
            return step

        return step


def _nothing(_opcode: int) -> None: ...


def _die(_opcode: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _story(phase: str) -> Story:
    """Each phase has little to do, so that there are few points."""
    channel = phase.removeprefix("send_") if phase.startswith("send_") else POLLED if phase == "poll" else "none"
    first = message("k1", "kerry", "The lamp is out", 1)
    letters = [letter("first", channel, first)]
    if phase in {"receive", "record"}:
        more = (edited(first, "The lamp is out again", 9), reacted(first, "👍", "kerry", 8))
        letters = [letter("first", channel, first, *more, claimed("kerry", phone(1), 10))]
    if phase == "record":
        letters.append(letter("second", channel, message("k2", "kerry", "Still out", 20)))
    replies = [Said("answer", "kerry", "On its way.", channel)] if phase.startswith("send_") else []
    return told(letters, replies)


class KillOpcode(Fault):
    name = "kill_opcode"
    promise = (
        "killed at any opcode between receipt and acknowledgement, in recording, in sending: nothing lost or twice"
    )
    quick = 60
    parts = PHASES

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._stories = {phase: _story(phase) for phase in PHASES}
        self._before: dict[str, Site] = {}

    def prepare(self, seed: int, chance: random.Random) -> Site:
        return self._ready(self.stretch(seed).phase).copy()

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        stretch = self.stretch(seed)
        stopped = self._stopped_at_each(stretch) if self.ground.kind == "sqlite" else Witness(Story(()))
        opcode = chance.randint(stretch.first, stretch.last)
        witness = self._killed_at(site, replace(stretch, first=opcode, last=opcode))
        witness.hurts += stopped.hurts
        witness.findings += stopped.findings
        return witness

    def _killed_at(self, site: Site, point: Stretch) -> Witness:
        witness = self._witness(point.phase)
        victim = Victim(lambda tell: self._live(site, point.phase, Tracer(point, _die), tell))
        for said in victim:
            note(witness, said)
        site.next_life()
        witness.hurts = int(victim.was_killed)
        if victim.failed:
            witness.findings.append(Finding("wrong", f"the {point.phase} did not go through untouched"))
        return witness

    def _stopped_at_each(self, stretch: Stretch) -> Witness:
        """What was found wherever a death in this stretch would leave something else than one opcode before."""
        site, witness = self._ready(stretch.phase).copy(), self._witness(stretch.phase)
        victim = Victim(lambda tell: self._live(site, stretch.phase, _stopping(stretch, tell), tell))
        left: dict[str, bytes] = {}
        found: list[Finding] = []
        for said in victim:
            note(witness, said)
            if "stopped" not in said:
                left = {}  # what was told counts too
                continue
            victim.await_stop()
            witness.hurts += 1
            if left != (left := site.files()):
                found += self._found_in_copy(site, witness, said["stopped"])
            if said["stopped"] == stretch.last:
                victim.kill()
                break
            victim.go_on()
        site.remove()
        witness.findings += found
        return witness

    def _found_in_copy(self, site: Site, seen: Witness, opcode: int) -> list[Finding]:
        dead = site.copy()
        witness = replace(seen, acknowledged=+seen.acknowledged, offered=+seen.offered, promised={*seen.promised})
        dead.next_life()
        try:
            with self.recovered(dead, witness) as hub:
                found = self.audit(hub, dead, witness)
        finally:
            dead.remove()
        return [Finding(one.kind, f"stopped at opcode {opcode}: {one.what}") for one in found]

    @contextmanager
    def recovered(self, site: Site, witness: Witness) -> Iterator[Hub]:
        """What is polled is not offered again: the network goes on from the cursor that we have kept."""
        if witness.story is not self._stories["poll"]:
            with super().recovered(site, witness) as hub:
                yield hub
            return
        site.coast.letters = [one.body.decode() for one in witness.story.letters]
        with site.hub() as hub:
            asyncio.run(hub.workers.poll(TENANT, POLLED))
            witness.acknowledged.update(one.id for one in witness.story.letters)
            recover(site, hub, witness)
            yield hub

    @property
    def _phases(self) -> tuple[str, ...]:
        return (self.part,) if self.part else PHASES

    @cached_property
    def stretches(self) -> list[Stretch]:
        size = STRETCH[self.ground.kind]
        counted = [(phase, *one) for phase in self._phases for one in self._count(phase)]
        return [
            Stretch(phase, thread, first, min(first + size - 1, most))
            for phase, thread, most in counted
            for first in range(1, most + 1, size)
        ]

    def stretch(self, seed: int) -> Stretch:
        total = len(self.stretches)
        stride = next(n for n in range(int(total * 0.618), total + 2) if math.gcd(n, total) == 1)
        return self.stretches[seed * stride % total]

    def _count(self, phase: str) -> list[tuple[str, int]]:
        """How many opcodes an undisturbed run has, by thread. Run twice: the first warms what is made only once."""
        for _ in range(2):
            site = self._ready(phase).copy()
            tracer = Tracer(None, _nothing)
            self._live(site, phase, tracer, lambda _said: None)
            site.remove()
        return sorted(tracer.counts.items())

    def _ready(self, phase: str) -> Site:
        """A closed hub in which everything that comes before the phase has happened."""
        if phase not in self._before:
            site = super().prepare(0, random.Random(0))  # noqa: S311 - unused
            with site.hub() as hub:
                for one in self._stories[phase].letters if phase not in {"receive", "poll"} else ():
                    site.deliver(hub, one)
                if phase.startswith("send_"):
                    hub.drain()
            self._before[phase] = site
        return self._before[phase]

    def _witness(self, phase: str) -> Witness:
        story = self._stories[phase]
        known = [] if phase in {"receive", "poll"} else [one.id for one in story.letters]
        return Witness(story, acknowledged=Counter(known), offered=Counter(known or ["first"]))

    def _live(self, site: Site, phase: str, tracer: Tracer, tell: Tell) -> None:
        if phase == "poll":
            site.coast.letters = [one.body.decode() for one in self._stories[phase].letters]
        tracer.install()
        try:
            with site.hub() as hub:
                tracer.on = True
                _ACTS.get(phase, _send)(site, hub, self._stories[phase], tell)
                tracer.on = False
        finally:
            tracer.remove()


def _stopping(stretch: Stretch, tell: Tell) -> Tracer:
    """Stops this process as each opcode of the stretch begins."""

    def stop(opcode: int) -> None:
        tell({"stopped": opcode})
        os.kill(os.getpid(), signal.SIGSTOP)

    return Tracer(stretch, stop)


Act = Callable[[Site, Hub, Story, Tell], None]


def _receive(site: Site, hub: Hub, story: Story, tell: Tell) -> None:
    if site.deliver(hub, story.letters[0]):
        tell({"acknowledged": "first"})


def _record(_site: Site, hub: Hub, _story: Story, _tell: Tell) -> None:
    while hub.workers.record_waiting():
        pass


def _poll(_site: Site, hub: Hub, _story: Story, _tell: Tell) -> None:
    asyncio.run(hub.workers.poll(TENANT, POLLED))
    hub.workers.record_waiting()


def _send(site: Site, hub: Hub, story: Story, tell: Tell) -> None:
    if site.ask(hub, story.replies[0]):
        tell({"promised": story.replies[0].key})
    asyncio.run(_send_due(hub))


async def _send_due(hub: Hub) -> None:
    await hub.workers.send_due()
    await hub.wire.aclose()


_ACTS: dict[str, Act] = {"receive": _receive, "record": _record, "poll": _poll}
