"""Any order of arrival. Each try lives through `SCHEDULES` permutations of one set of events, duplicates included.

The set: a message with two edits, a reaction given and taken back, a message that is deleted, an echo of ours with
three receipts, three claims that join four accounts, and a hand-off token that brings a second account along.
Schedules share a store and differ in every id, so that none can see another. Of the part `many` dozens are told
at the same time, shuffled into one another; of the part `every` all orders of a few of the events.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from socialsupport_core.hub import Hub
from socialsupport_core.model import Event, Identifier, Thread
from socialsupport_core.testing.torture.auditor import Finding, Picture, Witness, audit, differences, picture
from socialsupport_core.testing.torture.fault import Fault
from socialsupport_core.testing.torture.site import TENANT, Site
from socialsupport_core.testing.torture.story import (
    Letter,
    claimed,
    deleted,
    delivered,
    edited,
    letter,
    message,
    person,
    reacted,
    told,
)

SCHEDULES = 12
MANY = 60
FEW = 6
"""Events of which every order is told: 720."""
LARGEST = 400
"""Letters of many schedules that arrive before anything is recorded."""
CHANNEL = "none"


def prelude(who: str) -> Letter:
    """What makes the conversation for which the token is given."""
    return letter(f"{who}-prelude", CHANNEL, message(f"{who}.0", who, "Hello?", 0))


def events_of(who: str, token: str) -> list[Event]:
    """What may come in any order. Every id begins with `who`."""
    first, second = message(f"{who}.1", who, "one", 10), message(f"{who}.2", who, "two", 20)
    echo = message(f"{who}.3", who, "ours", 30, outbound=True)
    away = message(f"{who}.4", f"{who}-away", "I was sent here", 40)
    number = number_of(who)
    brought = claimed(
        f"{who}-away",
        number,
        39,
        claims=(),
        proof="handoff_token",
        token=token,
        thread=Thread(id=f"dm-{who}-away", visibility="private"),
    )
    return [
        first,
        edited(first, "one, corrected", 11),
        edited(first, "one, corrected twice", 12),
        reacted(first, "👍", who, 13),
        reacted(first, "👍", who, 14, removed=True),
        reacted(first, "🎉", who, 15),
        second,
        deleted(second, 21),
        echo,
        *(delivered(f"{who}.3", state, 31 + n) for n, state in enumerate(("sent", "delivered", "read"))),
        brought,
        away,
        claimed(who, number, 50),
        claimed(f"{who}-other", number, 51),
        claimed(f"{who}-third", person(f"{who}-other"), 52),
    ]


def number_of(who: str) -> Identifier:
    return Identifier(kind="phone", value=f"+1{int.from_bytes(who.encode()) % 10**10:010d}")


HANDED = next(n for n, one in enumerate(events_of("nobody", "")) if getattr(one, "proof", None) == "handoff_token")
"""The event for which somebody must have been handed off."""
EVENTS = len(events_of("nobody", ""))


class Order(Fault):
    name = "order"
    promise = "whatever the order of arrival, timelines, customers and conversations come out the same"
    quick = 8
    parts = ("many", "every")

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        heard: list[Letter] = []
        some = sorted(chance.sample(range(EVENTS), FEW)) if self.part == "every" else range(EVENTS)
        with site.hub() as hub:
            (first,) = Schedule.begun(site, hub, ["a0"], some)
            straight = _live(site, hub, first, [[one] for one in first.arriving], heard)
            proves = self.part == "every" or _joins(straight)
            found = [] if proves else [Finding("wrong", "the story's claims join nobody, so it proves nothing")]
            hurts = 0
            for seen in self._tell(site, hub, chance, some, heard):
                found += [_in_words(one, hurts) for one in differences(seen, straight)]
                hurts += 1
        every = Counter(one.id for one in heard)
        return Witness(
            told({one.id: one for one in heard}.values()),
            acknowledged=every,
            offered=every,
            hurts=hurts,
            findings=found,
        )

    def _tell(
        self, site: Site, hub: Hub, chance: random.Random, some: Sequence[int], heard: list[Letter]
    ) -> Iterator[Picture]:
        if self.part == "every":
            orders = list(permutations(range(FEW)))
            begun = Schedule.begun(site, hub, [f"b{n}" for n in range(len(orders))], some)
            several = [one.ordered(order) for one, order in zip(begun, orders, strict=True)]
            return _together(site, hub, chance, several, heard)
        if self.part == "many":
            return _together(site, hub, chance, _shuffled(site, hub, MANY, chance), heard)
        return self._one_by_one(site, hub, chance, heard)

    def audit(self, hub: Hub, site: Site, witness: Witness) -> list[Finding]:
        """There is no run without an order: the first schedule was the one to compare with."""
        return audit(hub, witness, site.coast.sent())

    def _one_by_one(self, site: Site, hub: Hub, chance: random.Random, heard: list[Letter]) -> Iterator[Picture]:
        for one in _shuffled(site, hub, SCHEDULES, chance):
            at_once = chance.random() < 0.5
            yield _live(site, hub, one, [one.arriving] if at_once else [[letter] for letter in one.arriving], heard)


@dataclass(frozen=True)
class Schedule:
    """One permutation of the events of people whose names begin with `who`."""

    who: str
    prelude: Letter
    arriving: list[Letter]
    accounts: frozenset[str]

    @classmethod
    def begun(cls, site: Site, hub: Hub, whos: Sequence[str], some: Sequence[int]) -> list["Schedule"]:
        """Once their preludes are told. These of the events are to come, in the order in which things happened."""
        preludes = [prelude(who) for who in whos]
        _hear(site, hub, preludes)
        return [cls._begun(hub, who, begun, some) for who, begun in zip(whos, preludes, strict=True)]

    @classmethod
    def _begun(cls, hub: Hub, who: str, begun: Letter, some: Sequence[int]) -> "Schedule":
        token = ""
        if HANDED in some:
            conversation = hub.customer(TENANT, f"beacon.person:{who}")["conversations"][0]["id"]
            token = hub.hand_off(TENANT, conversation, agent="dana")["token"]
        events = events_of(who, token)
        arriving = [letter(f"{who}-{n}", CHANNEL, events[n]) for n in some]
        return cls(who, begun, arriving, told([begun, *arriving]).accounts)

    def ordered(self, order: Iterable[int]) -> "Schedule":
        return replace(self, arriving=[self.arriving[place] for place in order])

    def picture(self, hub: Hub) -> Picture:
        """In which every name is the same, whoever they are."""
        return _anonymous(picture(hub, self.accounts), self.who)


def _shuffled(site: Site, hub: Hub, count: int, chance: random.Random) -> list[Schedule]:
    """Some of the letters come twice."""
    orders = [[*range(EVENTS), *chance.sample(range(EVENTS), 3)] for _ in range(count)]
    for one in orders:
        chance.shuffle(one)
    begun = Schedule.begun(site, hub, [f"b{number}" for number in range(count)], range(EVENTS))
    return [one.ordered(order) for one, order in zip(begun, orders, strict=True)]


def _together(
    site: Site, hub: Hub, chance: random.Random, several: Sequence[Schedule], heard: list[Letter]
) -> Iterator[Picture]:
    """Each in its order, all shuffled into one another."""
    turns = [one for one in several for _ in one.arriving]
    chance.shuffle(turns)
    coming = {one.who: iter(one.arriving) for one in several}
    letters = [next(coming[one.who]) for one in turns]
    while letters:
        some, letters = letters[: (size := chance.randint(1, LARGEST))], letters[size:]
        _hear(site, hub, some)
        heard += some
    for one in several:
        heard.append(one.prelude)
        yield one.picture(hub)


def _live(site: Site, hub: Hub, one: Schedule, batches: Sequence[Sequence[Letter]], heard: list[Letter]) -> Picture:
    for some in batches:
        _hear(site, hub, some)
    heard += [one.prelude, *one.arriving]
    return one.picture(hub)


def _hear(site: Site, hub: Hub, some: Sequence[Letter]) -> None:
    """All of them arrive, then all that waits is recorded."""
    arriving = [hub.receive(site.doors[one.channel], site.payload(one)) for one in some]
    for one in arriving:
        one.result()
    while hub.workers.record_waiting():
        pass


def _joins(seen: Picture) -> bool:
    """Whether those whom the claims name are one customer."""
    return any(
        {"beacon.person:WHO", "beacon.person:WHO-other", "beacon.person:WHO-third"} <= one for one in seen.customers
    )


def _anonymous(seen: Picture, who: str) -> Picture:
    """The same names for every schedule."""
    number = str(number_of(who))

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(number, "NUMBER").replace(who, "WHO")
        if isinstance(value, tuple | list):
            return type(value)(map(plain, value))
        return value

    customers = frozenset(frozenset(map(plain, members)) for members in seen.customers)
    timelines = {plain(account): plain(entries) for account, entries in seen.timelines.items()}
    conversations = {plain(account): number for account, number in seen.conversations.items()}
    return Picture(customers, timelines, {}, conversations, [])


def _in_words(finding: Finding, schedule: int) -> Finding:
    return Finding(finding.kind, f"schedule {schedule}: {finding.what}")
