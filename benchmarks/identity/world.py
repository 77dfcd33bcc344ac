"""A support world from a seed: who writes from where, what they say of themselves, and who they truly are.

Families share a phone and a surname, offices a desk phone and role mailboxes, numbers go to somebody else. A person has
one to three networks, mostly a mailbox and a mobile, some a number in the CRM. What is told is mostly true.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = 365 * 24 * 3600
Observation = dict[str, Any]
Name = tuple[str, str | None, str]
"""Kind, scope and value of an identifier."""

NETWORKS = (
    ("telegram.user", None),
    ("x.user", None),
    ("whatsapp.user", None),
    ("instagram.user", None),
    ("facebook.psid", "PAGE"),
    ("webchat.visitor", "SHOP"),
)
"""Kind and scope of their accounts."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What a world is made of; shares of what they speak of."""

    seed: int
    persons: int = 20_000
    proofs: float = 0.25
    """Of the messages, that prove something of their author."""
    family: float = 0.6
    """Of the persons, that live in a family of two to five."""
    family_phone: float = 0.3
    """Of the families, that share a phone."""
    office: float = 0.06
    """Of the persons, that work at one of our customers' offices, with a desk phone and role mailboxes."""
    recycled: float = 0.03
    """Of the mobiles, that somebody else had before."""
    crm: float = 0.4
    told: float = 0.35
    """Of the messages, that tell a contact."""
    wrong: float = 0.01
    """Of what is told, that belongs to a stranger."""


WORLDS: Mapping[str, Mix] = {
    "tuning": Mix(seed=11),
    "tuning families": Mix(seed=12, family=0.9, family_phone=0.7),
    "tuning offices": Mix(seed=13, office=0.3),
    "tuning recycled": Mix(seed=14, recycled=0.12, wrong=0.02),
    "held out": Mix(seed=9001),
    "held out families": Mix(seed=9002, family=0.85, family_phone=0.6),
    "held out offices": Mix(seed=9003, office=0.25),
    "held out recycled": Mix(seed=9004, recycled=0.15, wrong=0.03),
}
"""Whoever works on the resolver looks at the first four only."""


@dataclass(slots=True)
class Person:
    number: int
    given: str
    surname: str
    city: str
    handle: str
    networks: list[Name] = field(default_factory=list)
    mailbox: Name | None = None
    mobile: Name | None = None
    mobile_from: int = 0
    mobile_until: int = YEAR
    family_phone: Name | None = None
    desk: Name | None = None
    roles: list[Name] = field(default_factory=list)
    crm: Name | None = None


@dataclass(slots=True)
class World:
    observations: list[Observation]
    truth: dict[Name, int | None]
    """To whom an identifier belongs; None if to several."""


SYLLABLES = ("ba", "ne", "li", "ro", "ka", "mi", "sto", "ver", "tan", "del", "fu", "gra", "hol", "jen", "per", "quin")
ENDINGS = ("n", "s", "ra", "ley", "son", "man", "ta", "vic", "le", "berg", "di", "ko")
MAIL_HOSTS = ("mail.example", "post.example", "inbox.example")


class Maker:
    """Draws one world; every choice comes from one generator."""

    def __init__(self, mix: Mix) -> None:
        self.mix = mix
        self.draw = random.Random(mix.seed)
        self.given = self._names(150)
        self.surnames = self._names(1_500)
        self.cities = self._names(120)
        self.phones = 0
        self.people: list[Person] = []
        self.shared: set[Name] = set()

    def _names(self, count: int) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < count:
            syllables = self.draw.choices(SYLLABLES, k=self.draw.choice((1, 2, 2, 3)))
            found["".join(syllables) + self.draw.choice(ENDINGS)] = None
        return list(found)

    def common(self, names: Sequence[str]) -> str:
        """A few are common, most are rare."""
        return names[min(len(names) - 1, int(len(names) * self.draw.random() ** 2.2))]

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def phone(self) -> Name:
        """Numbers of the fictional range lie close together, as real ones do."""
        self.phones += self.draw.randint(1, 7)
        return "phone", None, f"+1555{self.phones:07}"

    # who there is

    def populate(self) -> None:
        while len(self.people) < self.mix.persons:
            size = self.draw.choice((2, 2, 3, 4, 5)) if self.chance(self.mix.family / 2) else 1
            self.household(min(size, self.mix.persons - len(self.people)))
        self.offices()
        self.recycle()

    def household(self, size: int) -> None:
        surname, city = self.common(self.surnames), self.common(self.cities)
        phone = self.phone() if size > 1 and self.chance(self.mix.family_phone) else None
        if phone:
            self.shared.add(phone)
        for _ in range(size):
            person = self.person(surname if self.chance(0.85) else self.common(self.surnames), city)
            person.family_phone = phone
            self.people.append(person)

    def person(self, surname: str, city: str) -> Person:
        number, given = len(self.people), self.common(self.given)
        handle = f"{given}{self.draw.choice(('', '_', '.'))}{surname}{self.draw.choice(('', str(number % 97)))}"
        person = Person(number, given, surname, city, handle)
        count = self.draw.choice((1, 1, 1, 2, 2, 3))
        chosen = self.draw.sample(range(len(NETWORKS)), k=count)
        person.networks = [(*NETWORKS[place], f"{number * 10 + place}") for place in chosen]
        if self.chance(0.85):
            person.mailbox = "email", None, f"{handle.replace('_', '.')}.{number}@{self.draw.choice(MAIL_HOSTS)}"
        if self.chance(0.9):
            person.mobile = self.phone()
        if self.chance(self.mix.crm):
            person.crm = "crm.acme", None, f"C{number:06}"
        return person

    def offices(self) -> None:
        staff = self.draw.sample(self.people, int(self.mix.office * len(self.people)))
        while staff:
            desk, domain = self.phone(), f"{self.common(self.surnames)}{len(staff)}.example"
            roles: list[Name] = [("email", None, f"{role}@{domain}") for role in ("info", "office", "orders")]
            self.shared.update((desk, *roles))
            for _ in range(min(len(staff), self.draw.randint(3, 25))):
                one = staff.pop()
                one.desk, one.roles = desk, roles

    def recycle(self) -> None:
        """The number of one who left goes to somebody new, on a day in the middle of the year."""
        owners = [one for one in self.people if one.mobile]
        chosen = self.draw.sample(owners, 2 * int(self.mix.recycled * len(owners) / 2))
        for old, new in zip(chosen[::2], chosen[1::2], strict=True):
            day = self.draw.randint(YEAR // 3, 2 * YEAR // 3)
            new.mobile, new.mobile_from, old.mobile_until = old.mobile, day, day
            if old.mobile:
                self.shared.add(old.mobile)

    # what they do

    def observations(self) -> Iterator[Observation]:
        for person in self.people:
            for _ in range(self.draw.choice((1, 2, 2, 3, 4, 4, 5, 7, 9))):
                yield self.message(person)
            if person.crm:
                yield self.record(person)

    def message(self, person: Person) -> Observation:
        when = self.draw.randrange(YEAR)
        account = self.way_in(person, when)
        claims = []
        if account[0] == "whatsapp.user" and (mobile := _mobile(person, when)):
            claims.append((*mobile, "asserted"))
        if self.chance(self.mix.told):
            claims += self.told(person, when)
        if self.chance(self.mix.proofs):
            claims += self.proof(person, when, account)
        return self.line(when, account, claims, self.profile(person, account))

    def way_in(self, person: Person, when: int) -> Name:
        ways: list[Name] = [*person.networks] * 3
        ways += [person.mailbox] * 3 if person.mailbox else []
        ways += [mobile] if (mobile := _mobile(person, when)) else []
        ways += [person.family_phone] if person.family_phone else []
        ways += [person.desk, *person.roles[:1]] if person.desk else []
        return self.draw.choice(ways)

    def told(self, person: Person, when: int) -> list[tuple[str, str | None, str, str]]:
        """A contact that somebody gives; now and then somebody else's."""
        told = self.draw.choice(self.people) if self.chance(self.mix.wrong) else person
        contacts = [told.mailbox] * 4 + [_mobile(told, when)] * 4 + [told.family_phone, told.desk, *told.roles[:2]]
        known = [one for one in contacts if one]
        if not known:
            return []
        typed = told is not person and self.chance(0.8)
        return [(*self.draw.choice(known), "claimed" if typed or self.chance(0.15) else "asserted")]

    def proof(self, person: Person, when: int, account: Name) -> list[tuple[str, str | None, str, str]]:
        """Of something else that is their own; now and then of a phone that others answer too."""
        if self.chance(0.04) and person.family_phone:
            return [(*person.family_phone, "verified")]
        own = [*person.networks, person.mailbox, person.mailbox, _mobile(person, when), person.crm]
        known = [one for one in own if one and one != account]
        return [(*self.draw.choice(known), "verified")] if known else []

    def record(self, person: Person) -> Observation:
        assert person.crm
        when = self.draw.randrange(YEAR)
        contacts = [person.mailbox, _mobile(person, when) or person.family_phone]
        claims = [(*one, "asserted") for one in contacts if one and self.chance(0.85)]
        profile = {"name": f"{person.given} {person.surname}".title(), "city": person.city.title()}
        return self.line(when, person.crm, claims, profile)

    def profile(self, person: Person, account: Name) -> dict[str, str]:
        """What the network shows of its user: a name in whatever form, a handle that some use everywhere."""
        if account[0] == "phone" or account in self.shared:
            return {}
        full = f"{person.given} {person.surname}"
        short = f"{person.given[0]}. {person.surname}"
        names = (full.title(), full.title(), full.title(), full, person.given.title(), short.title())
        shown = {"name": names[hash_of(account) % len(names)]}
        if account[0] in {"telegram.user", "x.user", "instagram.user"}:
            shown["handle"] = person.handle if hash_of(account) % 3 else f"{person.surname}{account[2][-3:]}"
        return shown

    def line(
        self, when: int, account: Name, claims: Sequence[tuple[str, str | None, str, str]], profile: dict[str, str]
    ) -> Observation:
        told = [_written(claim[:3]) | {"tier": claim[3]} for claim in claims if claim[:3] != account]
        at = (BEGIN + timedelta(seconds=when)).isoformat().replace("+00:00", "Z")
        return {"at": at, "account": _written(account), "claims": told, "source": f"m{when}"} | (
            {"profile": profile} if profile else {}
        )


def _mobile(person: Person, when: int) -> Name | None:
    return person.mobile if person.mobile_from <= when < person.mobile_until else None


def hash_of(name: Name) -> int:
    """Of the same account always the same, in every process."""
    return sum(ord(letter) * place for place, letter in enumerate("".join(map(str, name)), 1))


def _written(name: Sequence[str | None]) -> dict[str, str]:
    kind, scope, value = name
    return {key: part for key, part in (("kind", kind), ("scope", scope), ("value", value)) if part is not None}


def make(mix: Mix) -> World:
    """The observations in the order of their time, each with a source of its own, and the truth of all they name."""
    maker = Maker(mix)
    maker.populate()
    lines = sorted(maker.observations(), key=lambda one: (one["at"], json.dumps(one)))
    for number, one in enumerate(lines):
        one["source"] = f"message {number}"
    owners = _owners(maker)
    named = {name for one in lines for name in names_in(one)}
    return World(lines, {name: owners.get(name) for name in sorted(named, key=str)})


def _owners(maker: Maker) -> dict[Name, int]:
    found: dict[Name, int] = {}
    for person in maker.people:
        for name in (*person.networks, person.mailbox, person.mobile, person.crm):
            if name and name not in maker.shared:
                found[name] = person.number
    return found


def name_of(written: Mapping[str, str]) -> Name:
    return written["kind"], written.get("scope"), written["value"]


def names_in(one: Observation) -> Iterator[Name]:
    """Of an observation, or of a person's verdict."""
    if "account" in one:
        yield name_of(one["account"])
    for other in (*one.get("claims", ()), *one.get("link", ()), *one.get("split", ())):
        yield name_of(other)


def write(world: World, observations: Path, truth: Path) -> None:
    observations.write_text("".join(json.dumps(one) + "\n" for one in world.observations), "utf-8")
    lines = ({"account": _written(name), "person": person} for name, person in world.truth.items())
    truth.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
