"""Texts for the guard, from a seed: what must not go out in public, and what support says all day long.

The data come from Faker (forty countries' own ways of writing), so that no pattern of ours has made what it finds.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers
from faker import Faker
from raven import message

from socialsupport_core.conversation.conduct import Conduct, conduct_of
from socialsupport_core.conversation.secrecy import NOTHING, Secrets, gather
from socialsupport_core.store.interactions import Stored

LOCALES = [
    "en_US",
    "en_GB",
    "en_AU",
    "en_NZ",
    "en_CA",
    "en_IN",
    "de_DE",
    "de_AT",
    "de_CH",
    "fr_FR",
    "fr_CH",
    "it_IT",
    "es_ES",
    "es_MX",
    "es_CO",
    "es_CL",
    "pt_BR",
    "pt_PT",
    "nl_NL",
    "nl_BE",
    "da_DK",
    "no_NO",
    "sv_SE",
    "fi_FI",
    "pl_PL",
    "cs_CZ",
    "sk_SK",
    "hu_HU",
    "ro_RO",
    "bg_BG",
    "el_GR",
    "tr_TR",
    "ru_RU",
    "uk_UA",
    "lt_LT",
    "ja_JP",
    "ko_KR",
    "zh_CN",
    "zh_TW",
    "he_IL",
]
OURS = {"context": {"contract": {"pattern": r"\bK-\d{3}-\d{4}\b"}, "member": {"pattern": r"\bM\d{8}\b"}}}
"""What a tenant calls its own numbers."""
IBANS = {"GB": 22, "CO": 0}
"""Where Faker knows none it makes a British one with a digit too few; and Colombia has none (https://iban.com/structure,
2026-11)."""


@dataclass(frozen=True)
class Sample:
    kind: str
    text: str
    conduct: Conduct
    secrets: Secrets = NOTHING


def said(text: str, *, public: bool = False, note: bool = False, ours: bool = False, at: int = 0) -> Stored:
    one = message(at, text, visibility="public" if public else "private").interaction
    if note:
        one = one.model_copy(update={"direction": "internal", "kind": "note", "network": "internal"})
    if ours:
        one = one.model_copy(update={"direction": "outbound"})
    return Stored(at, 1, at, 1, None, one, at, None, None, None, None, None)


class Corpus:
    """One seed, one corpus."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.fakers = [Faker(one) for one in LOCALES]
        for number, one in enumerate(self.fakers):
            one.seed_instance(seed + number)
        self._conducts = {one: conduct_of({**OURS, "guard": {"countries": [one]}}) for one in map(_country, LOCALES)}
        self._plain = conduct_of(OURS)

    def private(self, each: int) -> Iterator[Sample]:
        """So many of each kind, each with something that must not be read in public."""
        makers: dict[str, Callable[[Faker], str]] = {
            "e-mail": self._email,
            "card": self._card,
            "account number (IBAN)": self._iban,
            "number by the tenant's pattern": self._own,
            "phone, international": self._international,
        }
        for kind, make in makers.items():
            for fake in self._fakers(each):
                yield Sample(kind, self._around(fake, make(fake)), self._plain)
        for fake in self._fakers(each):
            text = self._around(fake, self._national(fake))
            yield Sample("phone, national, its country set", text, self._of(fake))
        for fake in self._fakers(each):
            text = self.chance.choice(CALLS).format(self._national(fake))
            yield Sample("phone, national, behind a word that says so", text, self._plain)
        for fake in self._fakers(each):
            number = NUMBERS(fake, self.chance)
            spelt = (number, number.lower(), number.replace("-", " "), f"#{number}", f"no. {number}")
            told = gather([said(f"{fake.sentence()} {number} {fake.sentence()}")], [])
            yield Sample("told in private only", self._around(fake, self.chance.choice(spelt)), self._plain, told)

    def harmless(self, each: int) -> Iterator[Sample]:
        """So many of each sentence, and twice as many of prose in all languages, to whom we have said much."""
        told = gather(
            [said(self._filled(one, self.chance.choice(self.fakers)), ours=True, at=at) for at, one in enumerate(SAID)],
            [],
        )
        for sentence in SAID:
            for fake in self._fakers(each):
                conduct = self.chance.choice((self._plain, self._of(fake)))
                yield Sample(sentence, self._filled(sentence, fake), conduct, told)
        for fake in self._fakers(each * 2):
            yield Sample("prose", fake.text(), self._of(fake), told)

    def _fakers(self, count: int) -> Iterator[Faker]:
        return (self.chance.choice(self.fakers) for _ in range(count))

    def _of(self, fake: Faker) -> Conduct:
        return self._conducts[_country(LOCALES[self.fakers.index(fake)])]

    def _around(self, fake: Faker, what: str) -> str:
        return self.chance.choice((*ABOUT, f"{fake.sentence()} {{}} {fake.sentence()}")).format(what)

    def _email(self, fake: Faker) -> str:
        written = self.chance.choice((fake.email, fake.ascii_safe_email, fake.company_email, fake.ascii_free_email))()
        name, _, host = written.partition("@")
        changes = (
            written, written, written, written.upper(), f"{name}+{fake.word()}@{host}", f"<{written}>",
            f"mailto:{written}", f"{name} @ {host}", f"{name}(at){host}", f"{name} [at] {host.replace('.', ' [dot] ')}",
        )  # fmt: skip
        return self.chance.choice(changes)

    def _card(self, fake: Faker) -> str:
        issuer = self.chance.choice(("visa16", "visa19", "mastercard", "amex", "discover", "diners", "jcb", "maestro"))
        while (number := self.fakers[0].credit_card_number(issuer)).startswith("0"):  # no card begins so any more
            pass
        return self._grouped(number, self.chance.choice(("", " ", "-", ".")))

    def _iban(self, fake: Faker) -> str:
        written = fake.iban()
        while len(written) != IBANS.get(
            written[:2], len(written)
        ):  # of some countries Faker makes what no bank accepts
            written = self.chance.choice(self.fakers).iban()
        return self._grouped(self.chance.choice((written, written.lower())), self.chance.choice(("", " ", "-")))

    def _grouped(self, digits: str, by: str) -> str:
        if digits[:2] in {"34", "37"} and by:
            return by.join((digits[:4], digits[4:10], digits[10:]))
        return by.join(digits[at : at + 4] for at in range(0, len(digits), 4))

    def _own(self, fake: Faker) -> str:
        return fake.numerify(self.chance.choice(("K-%##-####", "M%#######")))

    def _international(self, fake: Faker) -> str:
        number = phonenumbers.parse(self._national(fake), _country(LOCALES[self.fakers.index(fake)]))
        written = self.chance.choice(("INTERNATIONAL", "E164", "RFC3966"))
        said = phonenumbers.format_number(number, getattr(phonenumbers.PhoneNumberFormat, written))
        return self.chance.choice((said, said.replace("+", "00"), said.replace(" ", "-"), said.replace(" ", ".")))

    def _national(self, fake: Faker) -> str:
        """As its country writes it, and a number that may exist there."""
        country = _country(LOCALES[self.fakers.index(fake)])
        while True:
            written = fake.phone_number()
            try:
                number = phonenumbers.parse(written, country)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number) and len(str(number.national_number)) >= 7:
                return written

    def _filled(self, sentence: str, fake: Faker) -> str:
        for name, make in BLANKS.items():
            while "{" + name + "}" in sentence:
                sentence = sentence.replace("{" + name + "}", make(fake, self.chance), 1)
        return sentence


def _country(locale: str) -> str:
    return locale[-2:]


def _one_of(*patterns: str) -> Callable[[Faker, random.Random], str]:
    """`#` is a digit, `%` one that is not 0, `?` a capital."""
    return lambda fake, chance: fake.bothify(chance.choice(patterns), letters="ABCDEFGHJKLMNPRSTUVWXYZ")


def _date(fake: Faker, chance: random.Random) -> str:
    written = chance.choice(("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%y", "%d %B %Y", "%Y/%m/%d", "%d-%m-%Y"))
    return str(fake.date(written))


def _price(fake: Faker, chance: random.Random) -> str:
    amount = fake.pydecimal(left_digits=chance.randint(1, 6), right_digits=2, positive=True)
    return chance.choice((f"€{amount:,.2f}", f"{amount:,.2f} EUR", f"${amount}", f"{amount:,.2f} £", f"{amount} CHF"))


NUMBERS = _one_of("#######", "??-######", "###-#######-#######", "1Z###?##%#########", "%####")
BLANKS: dict[str, Callable[[Faker, random.Random], str]] = {
    "order": _one_of("######", "%#######", "%########", "%#########", "###-#######-#######", "??-######", "2026-######"),
    "date": _date,
    "time": lambda fake, chance: fake.time(chance.choice(("%H:%M", "%I:%M %p", "%H.%M", "%H:%M:%S"))),
    "price": _price,
    "tracking": _one_of("1Z###?##%#########", "00340434%###########", "??#########GB", "JJD0%################", "94##%#################"),
    "version": _one_of("%.#.#", "1%.#.%##", "%.##.#.####", "20##.%.#", "v%.#.#-rc.%"),
    "code": _one_of("0x8007####", "E-%##", "ERR_####", "?%##", "HTTP 5##"),
    "model": _one_of("??-%###", "??%###-##", "?%##-?##", "###-####-?", "%?#?##"),
    "plate": lambda fake, chance: fake.license_plate(),
    "postcode": lambda fake, chance: fake.postcode(),
    "ean": lambda fake, chance: fake.ean13(),
    "isbn": lambda fake, chance: chance.choice((fake.isbn13, fake.isbn10))(),
    "ip": lambda fake, chance: chance.choice((fake.ipv4, fake.ipv6))(),
    "uri": lambda fake, chance: chance.choice((fake.uri(), f"https://shop.example/o/{fake.numerify('%#########')}")),
    "handle": lambda fake, chance: "@" + fake.user_name(),
    "city": lambda fake, chance: fake.city(),
    "name": lambda fake, chance: fake.first_name(),
    "count": _one_of("%#", "%,###", "%##,###", "%.###.###", "%## ###"),
    "uuid": lambda fake, chance: fake.uuid4(),
    "place": lambda fake, chance: f"{fake.latitude()}, {fake.longitude()}",
    "range": _one_of("%#-%##", "%#-%# km", "1#-%#", "%.#-%.# kWh"),
}  # fmt: skip
SAID = (
    "Hi {name}, we are sorry about that! Could you send us a direct message?",
    "{handle} thanks for telling us, a colleague looks into it.",
    "Your order {order} was shipped on {date}.",
    "Order {order} is ready, {name}.",
    "Die Bestellung {order} ist am {date} eingegangen.",
    "Votre commande {order} part le {date} à {time}.",
    "Su pedido {order} llega el {date}.",
    "Ticket {order} is with a colleague since {date} {time}.",
    "The parcel has the tracking number {tracking}.",
    "Tracking: {tracking}, delivery between {date} and {date}.",
    "It costs {price}, or {price} with shipping.",
    "The refund of {price} was booked on {date}.",
    "Please install version {version}, released {date}.",
    "Firmware {version} replaces {version}.",
    "We see error {code} on the {model} as well.",
    "The {model} has the EAN {ean}.",
    "Look for ISBN {isbn} in our shop.",
    "Our servers at {ip} and {ip} are back.",
    "More about it: {uri}",
    "We are open from {time} to {time}, also in {city}.",
    "Our shop in {city} ({postcode}) opens on {date}.",
    "The train at {time} has {count} seats, {range} of them are free.",
    "{count} people like it, {count} have bought it.",
    "The number plate {plate} is on the list of {date}.",
    "You find the incident under {uuid}.",
    "The station is at {place}.",
    "Version {version}: {count} mistakes less, {range} more fun.",
    "Call us or write, we are there from {time} to {time}.",
    "You can call from {time}, or come to {city} on {date}.",
    "Invoice {order} of {date} over {price} is paid.",
)
ABOUT = (
    "{}",
    "We have written to {}.",
    "Is {} still right?",
    "Hi Kerry, ({}) is what we have on file, thanks!",
    "Unter {} haben wir niemanden erreicht.",
    "Vous avez donné {}, merci de vérifier.",
    "“{}”?",
    "ok: {}; anything else?",
)
CALLS = (
    "Shall we call you at {}?",
    "Your phone number is {}, right?",
    "Tel: {}",
    "we tried to reach you on {}.",
    "Phone {}",
    "Is that yours? Your mobile: {}",
    "Wir rufen Sie unter {} an.",
    "Ihre Handynummer ist {}, stimmt das?",
    "Le llamamos al {}.",
    "Su número es {}, ¿verdad?",
    "On vous appelle au {}.",
    "Votre numéro : {}",
    "Ligamos para o {} amanhã.",
    "WhatsApp: {}",
)
