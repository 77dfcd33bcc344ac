"""A second kind of world, made apart from the first: what a helpdesk sees in three years, of people as they come.

They change their numbers and employers, share telephones and mailboxes with whom they live, write from an office's
role mailbox, come as a new visitor of the web chat each time, have two records in one CRM, and type contacts that are
no one's, misspelt, a stranger's or the agent's own.
"""

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from benchmarks.identity.world import Name, World

BEGIN = datetime(2023, 1, 2, tzinfo=UTC)
DAYS = 3 * 365.0
REST = 45.0
ROLES = (
    *("info", "kontakt", "atendimento", "ventas", "contato", "soporte", "comercial", "vendas", "buero", "recepcao"),
    *("bestellung", "administration", "accueil", "compras", "financeiro", "biuro", "verkoop", "service", "sekretariat"),
    *("info.berlin", "ventas2", "uk-sales", "einkauf", "contabilidade", "suporte", "reservas", "ufficio", "acquisti"),
    *("klantenservice", "faturamento", "pedidos", "sac", "tienda", "order", "enquiries", "office", "sales"),
)
NO_MAIL = ("test@test.com", "none@none.com", "noemail@noemail.com", "a@a.com", "nobody@example.com", "na@na.na")
NO_PHONE = ("+10000000000", "+1234567890", "+5511999999999", "0000000000", "+4900000000")
FIRST = (
    *("ana", "ben", "carla", "dirk", "eva", "femi", "gita", "hugo"),
    *("ines", "jan", "kim", "lea", "mei", "noah", "omar"),
)
LAST = (
    *("silva", "meyer", "garcia", "rossi", "novak", "smith"),
    *("lopez", "dubois", "okoro", "khan", "ito", "berg", "costa"),
)
HOSTS = ("gmail.com", "gmail.com", "web.de", "uol.com.br", "outlook.com")
PAGES: Mapping[str, int] = {"facebook.psid": 3, "instagram.igsid": 2}
"""Of ours on networks where a person has another id at each."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of persons, unless said otherwise. `proofs`: of messages that prove a contact."""

    seed: int
    networks: Mapping[str, int]
    """How many of a hundred persons use each."""
    countries: tuple[str, ...]
    persons: int = 20_000
    proofs: float = 0.25
    messages: float = 4.5
    """Of a person, on average."""
    mentions: float = 0.5
    """Of messages, that name a contact."""
    families: float = 0.5
    home_phone: float = 0.4
    """Of families, as with their mailbox."""
    home_mailbox: float = 0.1
    employed: float = 0.2
    staff: tuple[int, int] = (2, 12)
    moves: float = 0.1
    """Change their employer."""
    new_number: float = 0.2
    recycled: float = 0.08
    """Of numbers that are given out, that somebody had before, as far as there are any."""
    records: float = 0.4
    twice: float = 0.06
    """Of records in the CRM, that are there twice."""
    strangers: float = 0.01
    """Of contacts that are typed, as are the next three."""
    nonsense: float = 0.01
    agents: float = 0.003
    typos: float = 0.01
    verdicts: float = 0.004


@dataclass(slots=True)
class Person:
    number: int
    name: str
    begin: float
    end: float
    phones: list[tuple[str, float]] = field(default_factory=list)
    """Each with the day on which it begins."""
    mails: list[tuple[str, float, float]] = field(default_factory=list)
    """Each with its days."""
    home: "Shared | None" = None
    jobs: list[tuple["Shared", float]] = field(default_factory=list)
    accounts: list[Name] = field(default_factory=list)
    records: list[Name] = field(default_factory=list)

    def phone(self, day: float) -> str:
        return [value for value, since in self.phones if since <= day or since == self.phones[0][1]][-1]

    def job(self, day: float) -> "Shared | None":
        return next((one for one, since in reversed(self.jobs) if since <= day), None)


@dataclass(slots=True)
class Shared:
    """What a family or an office has in common."""

    phone: str | None
    mailbox: str | None
    domain: str = ""


class _Maker:
    def __init__(self, mix: Mix) -> None:
        self.mix, self.chance, self.world = mix, random.Random(mix.seed), World([], {})
        self.used: set[str] = set()
        self.people = [self._person(number) for number in range(mix.persons)]
        self._homes()
        self._offices()
        self._numbers()
        self._accounts()

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    # who they are

    def _person(self, number: int) -> Person:
        begin = self.chance.uniform(-200, DAYS - 60)
        lasts = self.chance.expovariate(1 / 500)
        name = f"{self.chance.choice(FIRST)}.{self.chance.choice(LAST)}"
        one = Person(number, name, max(begin, 0), min(max(begin, 0) + 30 + lasts, DAYS))
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            local = self.chance.choice((name, name, f"{name[0]}{name.partition('.')[2]}", "sunny", "blitz"))
            one.mails.append((self.fresh(f"{local}{{}}@{self.chance.choice(HOSTS)}", 9_999), 0, DAYS))
        return one

    def fresh(self, form: str, most: int = 10**11) -> str:
        """With a number in it that nobody has yet."""
        while (value := form.format(self.chance.randrange(most // 10, most))) in self.used:
            pass
        self.used.add(value)
        return value

    def number(self, fixed: bool = False) -> str:
        country = self.chance.choice(self.mix.countries)
        mobile, following, local = LINES.get(country, ("7", "12345", "301"))
        begin = local if fixed else mobile + self.chance.choice(following)
        return self.fresh(f"+{country}{begin}{{}}", 10**7)

    def _homes(self) -> None:
        waiting = self.people[: int(self.mix.families * len(self.people))]
        while waiting:
            size = self.chance.choice((2, 2, 3, 4, 5))
            family, waiting = waiting[:size], waiting[size:]
            phone = self.number(self.happens(0.7)) if self.happens(self.mix.home_phone) else None
            named = self.chance.choice(("familie.", "family", "", "", ""))
            box = self.fresh(f"{named}{self.chance.choice(LAST)}{{}}@web.de", 99_999)
            home = Shared(phone, box if self.happens(self.mix.home_mailbox) else None)
            for one in family:
                one.home = home

    def _offices(self) -> None:
        staff = [one for one in self.people if self.happens(self.mix.employed)]
        self.chance.shuffle(staff)
        offices = []
        while staff:
            size = self.chance.randint(*self.mix.staff)
            domain = f"firma{len(offices)}.example"
            office = Shared(self.number(fixed=True), f"{self.chance.choice(ROLES)}@{domain}", domain)
            offices.append(office)
            for one in staff[:size]:
                one.jobs.append((office, 0.0))
            staff = staff[size:]
        for one in self.people:
            if one.jobs and self.happens(self.mix.moves):
                one.jobs.append((self.chance.choice(offices), self.chance.uniform(one.begin, one.end)))
            ends = [since for _, since in one.jobs[1:]] + [DAYS]
            for (office, since), until in zip(one.jobs, ends, strict=False):
                if self.happens(0.7):
                    one.mails.append((f"{one.name}{one.number}@{office.domain}", since, until))

    def _numbers(self) -> None:
        """Whoever takes a number takes one that is free again, if one of their country has rested."""
        asked = []
        for one in self.people:
            days = [one.begin]
            while self.happens(self.mix.new_number):
                days.append(self.chance.uniform(days[-1], one.end))
            asked += [(since, until, one) for since, until in zip(days, [*days[1:], one.end + 30], strict=True)]
        free: list[tuple[float, str]] = []
        for since, until, one in sorted(asked, key=lambda each: (each[0], each[2].number)):
            old = bool(free) and free[0][0] <= since and self.happens(self.mix.recycled)
            number = heapq.heappop(free)[1] if old else self.number()
            one.phones.append((number, since))
            heapq.heappush(free, (until + REST + self.chance.expovariate(1 / 120), number))

    def _accounts(self) -> None:
        for one in self.people:
            for kind, share in self.mix.networks.items():
                if self.happens(share / 100):
                    one.accounts += self._on(kind)
            if not one.accounts:
                one.accounts += self._on(self.chance.choice(list(self.mix.networks)))
            if self.happens(self.mix.records):
                one.records += [
                    ("crm.acme", None, self.fresh("C-{}", 10**7)) for _ in range(1 + self.happens(self.mix.twice))
                ]

    def _on(self, kind: str) -> list[Name]:
        if kind in ("email", "phone", "webchat.visitor") or (kind == "whatsapp.user" and self.happens(0.75)):
            return [(kind, None, "")]  # by what they have on that day
        if kind in PAGES:
            pages = self.chance.sample(range(PAGES[kind]), self.chance.choice((1, 1, 1, 2)))
            return [(kind, f"PAGE{page}", self.fresh("{}")) for page in pages]
        second = self._on(kind) if kind != "whatsapp.user" and self.happens(0.04) else []
        return [(kind, None, self.fresh("{}")), *second]

    # what is seen

    def make(self) -> World:
        for one in self.people:
            for record in one.records:
                self._imported(one, record)
            for _ in range(max(1, round(self.chance.expovariate(1 / self.mix.messages)))):
                self._message(one, self.chance.uniform(one.begin, one.end))
        self._verdicts()
        self.world.observations.sort(key=lambda seen: str(seen["at"]))
        return self.world

    def _see(self, one: Person, account: Name, day: float, claims: list[tuple[Name, str]], source: str) -> None:
        known = self.world.truth.setdefault(account, one.number)
        if known != one.number:
            self.world.truth[account] = None
        said = [{**_end(name), "tier": tier} for name, tier in claims]
        self.world.observations.append({"at": _at(day), "account": _end(account), "claims": said, "source": source})

    def _imported(self, one: Person, record: Name) -> None:
        day = self.chance.uniform(one.begin, one.end)
        claims = [(self._contact(one, day, kind), self._tier(0.3)) for kind in ("email", "phone") if self.happens(0.8)]
        self._see(one, record, day, claims, "import")

    def _tier(self, share: float) -> str:
        return "verified" if self.happens(self.mix.proofs * share) else "asserted"

    def _message(self, one: Person, day: float) -> None:
        account, claims = self._account(one, day)
        if self.happens(self.mix.proofs):
            claims.append((self._contact(one, day, self.chance.choice(("email", "phone"))), "verified"))
        elif self.happens(0.85 if account[0] == "webchat.visitor" else self.mix.mentions):
            claims.append((self._typed(one, day), self.chance.choice(("asserted", "asserted", "asserted", "claimed"))))
        if one.records and self.happens(0.1):
            claims.append((self.chance.choice(one.records), self._tier(1)))
        self._see(one, account, day, claims, "message")

    def _account(self, one: Person, day: float) -> tuple[Name, list[tuple[Name, str]]]:
        """The one under which they write this time, and what its network says of it."""
        kind, scope, value = self.chance.choice(one.accounts)
        if value:
            return (kind, scope, value), []
        if kind == "webchat.visitor":
            return (kind, "SITE", self.fresh("v{}")), []
        if kind == "whatsapp.user":
            number = one.phone(day)
            return (kind, None, number[1:]), [(("phone", None, number), "asserted")]
        name = self._contact(one, day, kind)
        written: Name = (kind, None, self._spelt(*name[::2]))
        if name[2] in self._shared(one, day):
            self.world.truth[written] = None
        return written, []

    def _shared(self, one: Person, day: float) -> set[str]:
        return {v for place in (one.home, one.job(day)) if place for v in (place.phone, place.mailbox) if v}

    def _contact(self, one: Person, day: float, kind: str) -> Name:
        """Theirs, or in common with whom they live or work."""
        own = one.phone(day) if kind == "phone" else self.chance.choice(self._mails(one, day))
        for place, share in ((one.home, 0.25), (one.job(day), 0.2)):
            common = place and (place.phone if kind == "phone" else place.mailbox)
            if common and self.happens(share):
                own = common
        return kind, None, own

    def _mails(self, one: Person, day: float) -> list[str]:
        return [value for value, since, until in one.mails if since <= day <= until] or [one.mails[0][0]]

    def _typed(self, one: Person, day: float) -> Name:
        kind = self.chance.choice(("email", "email", "phone"))
        mix, draw = self.mix, self.chance.random()
        if draw < mix.strangers:
            one = self.chance.choice(self.people)
        elif draw < mix.strangers + mix.nonsense:
            return kind, None, self.chance.choice(NO_MAIL if kind == "email" else NO_PHONE)
        elif draw < mix.strangers + mix.nonsense + mix.agents:
            return "email", None, f"agent{self.chance.randrange(5)}@acme.example"
        _, _, value = self._contact(one, day, kind)
        if self.happens(mix.typos):
            at = self.chance.randrange(4, len(value) - 2)
            value = value[:at] + value[at + 1] + value[at] + value[at + 2 :]
        return kind, None, self._spelt(kind, value)

    def _spelt(self, kind: str, value: str) -> str:
        """As people and networks write it; the same line or mailbox."""
        if self.happens(0.75):
            return value
        if kind == "email":
            return self.chance.choice((value.title(), f"{value} ", value.upper()))
        return self.chance.choice(_spellings(value))

    def _verdicts(self) -> None:
        for one in self.people:
            mine = [name for name in (*one.accounts, *one.records) if name[2] in self.used]
            if len(mine) > 1 and self.happens(self.mix.verdicts * 3):
                self._verdict("link", mine[:2])
            near = self.people[one.number - 1].accounts
            theirs = [name for name in near if name[2] in self.used]
            if mine and theirs and self.happens(self.mix.verdicts):
                self._verdict("split", [mine[0], theirs[0]])

    def _verdict(self, what: str, pair: list[Name]) -> None:
        seen = {"at": _at(DAYS + self.chance.random()), what: [_end(one) for one in pair], "source": "agent"}
        self.world.observations.append(seen)


LINES: Mapping[str, tuple[str, str, str]] = {
    "55": ("119", "6789", "113"),
    "54": ("911", "3456", "114"),
    "52": ("155", "1234", "555"),
}
"""How mobiles begin, with one of the digits that follow, and how lines at home and in offices do."""


def _spellings(number: str) -> list[str]:
    """With blanks, with 00 for the +, and what else is written of one line in Brazil, Argentina and Mexico."""
    found = [f"{number[:3]} {number[3:5]} {number[5:9]}-{number[9:]}", f"00{number[1:]}"]
    found += [f"+5511{number[6:]}"] if number.startswith("+55119") else []
    found += [f"+5411{number[6:]}", f"+541115{number[6:]}"] if number.startswith("+54911") else []
    found += [f"+52{number[4:]}"] if number.startswith("+521") else []
    return found


def _end(name: Name) -> dict[str, str]:
    kind, scope, value = name
    return {"kind": kind, "value": value} | ({"scope": scope} if scope else {})


def _at(day: float) -> str:
    return (BEGIN + timedelta(days=day)).isoformat(timespec="seconds")


def _use(written: str) -> Mapping[str, int]:
    return {kind: int(share) for kind, _, share in (one.partition("=") for one in written.split())}


TELECOM = _use("whatsapp.user=60 phone=40 email=25 facebook.psid=20 instagram.igsid=15 webchat.visitor=15")
TRADE = _use("email=80 phone=40 whatsapp.user=25 linkedin.person=20 webchat.visitor=10 telegram.user=10")
GAME = _use("discord.user=60 x.user=30 webchat.visitor=40 email=30 telegram.user=15 facebook.psid=10")
BANK = _use("email=60 phone=50 whatsapp.user=30 x.user=10 instagram.igsid=10 webchat.visitor=25")
BOTH = (
    ("telecom", Mix(1, TELECOM, ("55", "54", "52"), families=0.6, new_number=0.3, recycled=0.25, records=0.6)),
    ("trade", Mix(2, TRADE, ("49", "44", "34"), families=0.1, employed=0.9, moves=0.2, records=0.7, twice=0.1)),
    ("game", Mix(3, GAME, ("1", "44", "55"), home_mailbox=0.3, employed=0.02, records=0.1, nonsense=0.05, typos=0.03)),
    ("bank", Mix(4, BANK, ("44", "39", "54"), families=0.8, home_mailbox=0.25, records=0.9, twice=0.03)),
)
WORLDS: Mapping[str, Mix] = {
    **{f"tuning {name}": replace(mix, seed=10 + mix.seed) for name, mix in BOTH},
    **{f"held out {name}": replace(mix, seed=9_100 + mix.seed) for name, mix in BOTH},
}


def make(mix: Mix) -> World:
    """The observations in the order of their time, and the truth of whoever wrote."""
    return _Maker(mix).make()
