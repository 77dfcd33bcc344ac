"""Corpora for the guard: what must never go out in public, and what support says all day long."""

import hashlib
import time
from collections import Counter
from typing import Any

import pytest
from guard_corpus import Corpus, Sample, said
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from raven import Raven, Roost, message
from raven.connector import plugin

from socialsupport_core.contract import Refusal, Registry
from socialsupport_core.conversation.conduct import conduct_of
from socialsupport_core.conversation.guard import check
from socialsupport_core.conversation.personal import personal_data
from socialsupport_core.conversation.personal.banking import iban, luhn
from socialsupport_core.conversation.secrecy import Secrets, gather, seen_in_private
from socialsupport_core.hub import ReplyRefused
from socialsupport_core.model import Capabilities, Choice, EditMessage, OpenPrivate, SendMessage, Thread
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.store.context import Told

REFUSED = """
kerry@acme.example
write to kerry.fisher+orders@mail.acme.co.uk please
Kerry.O'Brien@acme.example
kerry_fisher@acme-support.example
"kerry@acme.example"
<kerry@acme.example>
mailto:kerry@acme.example
KERRY@ACME.EXAMPLE
your address k@x.io is confirmed
kérry@bücher.example
kerry＠acme.example
kerry@acme.example.
kerry @ acme.example
kerry(at)acme.example
kerry [at] acme [dot] example
kerry at acme dot com
kerry@\u200bacme.example
kerry@\tacme.example
kerry(@)acme.example
kerry@acme[.]example
kerry @ acme . co . uk
kerry&#64;acme.example
kerry ät acme.example
kerry arobase acme point fr
kerry arroba acme punto es
kerry(małpa)acme.pl
kerry_at_acme.de
kerry-at-acme-dot-pl
kerry at gmail.com
@kerry@gmail.com
"kerry fisher"@acme.example
kerry@acme,de
call +44 20 7946 0958
+442079460958
+44 (0)20 7946 0958
+1 (555) 010-9999
+1-555-010-9999
+1.555.010.9999
(555) 010-9999
555-010-9999
555.010.9999
555 010 9999
020 7946 0958
02079460958
07700 900123
07700900123
0171 / 123 45 67
+49 171 1234567
+49-(0)171-1234567
0049 171 1234567
+33 1 23 45 67 89
01 23 45 67 89
01.23.45.67.89
+55 11 91234-5678
+91 98765 43210
+86 138 0013 8000
+61 4 1234 5678
tel:+442079460958
https://wa.me/442079460958
wa.me/442079460958?text=Hello
https://api.whatsapp.com/send?text=Hello&phone=442079460958
https://t.me/+442079460958
tg://resolve?phone=442079460958
viber://chat?number=%2B442079460958
sms:+442079460958
Tel.: 030 / 1234567
my number is 07700-900-123, call me
０２０ ７９４６ ０９５８
+44\u00a020\u00a07946\u00a00958
+44\u200920\u20097946\u20090958
+44 20 7946‑0958
020\u200b7946\u200b0958
call 0800 1234567 ext. 12
555.010.9999x4242
_+44 20 7946 0958_
0478/39.52.61
Is your mobile still «612  345  678»?
Is 612 345 678 still your mobile?
Ihre Handynummer ist 👉 1234 5678
le llamamos al 612 34 56 78
On vous appelle au 6 12 34 56 78
4111 1111 1111 1111
4111111111111111
4111-1111-1111-1111
4111.1111.1111.1111
5500 0000 0000 0004
3782 822463 10005
378282246310005
6011 0009 9013 9424
3530111333300000
card 4111 1111 1111 1111, exp. 12/28
4111\u00a01111\u00a01111\u00a01111
４１１１ １１１１ １１１１ １１１１
4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
4111·1111·1111·1111
4111_1111_1111_1111
4111, 1111, 1111, 1111
4111 - 1111 - 1111 - 1111
4111\t1111\t1111\t1111
4111 1111 1111 1111 12/28
DE89 3704 0044 0532 0130 00
DE 89 37 04 00 44 05 32 01 30 00
IBANDE89370400440532013000
DE89_3704_0044_0532_0130_00
DE89.3704.0044.0532.0130.00
DE89370400440532013000
de89 3704 0044 0532 0130 00
GB29 NWBK 6016 1331 9268 19
GB29NWBK60161331926819
FR14 2004 1010 0505 0001 3M02 606
CH93 0076 2011 6238 5295 7
NL91ABNA0417164300
ES91 2100 0418 4502 0005 1332
IBAN: AT61 1904 3002 3457 3201
IT60-X054-2811-1010-0000-0123-456
PL61 1090 1014 0000 0712 1981 2874
""".strip().splitlines()

PASSED = """
Hi Kerry, we are sorry about that. Could you send us a direct message?
Your order 4711 is on its way.
Order #1234567 was shipped today.
Order 1234567890 was shipped today.
Order no. 2026-000123 is ready.
Order 100-2345678 is ready.
Order 026-1234567-1234567 is ready.
Order ABC-1234567 is ready.
Ticket INC0012345 is open.
Ticket #20260301-17 is open.
case 00123456 is with a colleague
Case 5003z00002abcDEF was updated.
Your ticket is CS-2026-0301-0042.
Invoice 2026/03/000123 is attached.
Invoice RE-2026-0001234 is paid.
invoice number 1000234567
Delivery on 2026-03-01.
Delivery on 01.03.2026.
Delivery on 1/3/2026.
Delivery on 03/01/26.
Delivery between 2026-03-01 and 2026-03-05.
Open from 01.03.2026 to 31.12.2026.
Open 01.03.-31.12.2026.
between 28.02. and 01.03.2026
on 2026-03-01 12:30:00
on 2026-03-01T12:30:00Z
on 2026-03-01T12:30:00+01:00
since 20260301
on 01-03-2026
on 1 March 2026 at 12:30
by 5:00 pm on 3/1
from 09:00 to 17:30
9-5, Monday to Friday
Mo-Fr 09:00-17:00
08:00-12:00 and 13:00-17:00
Mon 9.00-17.30, Sat 10.00-14.00
We are open 24/7/365.
It costs £1,234,567.89.
It costs 1.234.567,89 €.
It costs 1 234 567,89 €.
The total is $1,299.00 and shipping is $4.99.
that is 12,345,678 points
EUR 1.000.000
1 000 000 people use it
10 000 000 users
0.00000001 BTC
3.14159265358979
Version 2.14.0.1234 fixes this.
Please install 10.15.7.
Please install iOS 17.4.1 (21E236).
Windows 10.0.19045.4046
build 1234567
Firmware 01.02.03.0405
Firmware v1.0.20260301
Chrome 122.0.6261.94
Our servers are 192.0.2.10 and 198.51.100.255.
netmask 255.255.255.0
Try 2001:db8::1 instead.
MAC 00:1A:2B:3C:4D:5E
Tracking number 1Z999AA10123456784
Tracking number 00340434161094042557
Tracking: RR123456785GB
Tracking: JJD000390007882990123
Tracking JD0146000012345678
track it with 9400 1000 0000 0000 0000 00
tracking 420 90210 9205 5901 7554 7700
see 12345678901234567890123456
ISBN 978-3-16-148410-0
ISBN 9783161484100
EAN 4006381333931
serial number C02XK0AAJGH5
Serial 0123456789AB
IMEI check: dial *#06#
part 0445-110-376-B
part number 8K0-035-465
SKU 10023-4455-21
model WH-1000XM5
Error 0x80070057
error 0x8024402C
Error code 1234-5678
HTTP 404, then 503
code E-12-3456
Room 12-345, floor 3
Please press 1, then 2, then 3.
Your score is 3-2, 4-1 and 6-0.
6-4 7-6 6-3 in three sets
We have 12 500 in stock.
The flight BA2490 leaves at 18:45.
Flight LH 2026 on 01.03.
coordinates 51.5074, -0.1278
at 51.507351, -0.127758
size 1920x1080
1920 x 1080 x 60
10 - 20 - 30 - 40 percent off
steps 1 2 3 4 5 6 7 8 9
https://acme.example/orders/1234567890
https://acme.example/t/0123456789/2026/03/01
https://x.com/acme/status/1234567890123456789
see https://acme.example/?id=07700900123
https://t.me/+AbCdEfGhIjKlMnOp
https://t.me/acme/1234567890
https://wa.me/message/ABCDEFGHIJKLM1
https://acme.example/wa.me/1234567890-jar
t.me/acme_support_bot?start=abcdefghijklmnop234567abcd
@acme_support will help you
Thanks @kerry, DM us!
Thanks @kerry@social.example, DM us!
see us at acme.example
look at outlook.com
at this point in time
in 20 minutes and 12 seconds at the station in the city
de 20 minutos a 24 horas por el centro de la ciudad
is 24 4 2026 a good day for you
follow us @ acme
look at our shop @ Oxford Street
see you at acme dot
meet us at the store at 5
#acme2026 #support
Uses 0.5-1.5 kWh per day.
The range is 100-200 km.
For 2-3 people
Between 1,000-2,000 units
0-100 km/h in 3.2 s
the year 2026/2027
VAT 19 %
DE123456789 is our VAT number
Reg. no. HRB 123456
postcode SW1A 1AA
10115 Berlin
Beverly Hills, CA 90210-1234
call us, the number is on our site
Use code SAVE-2026-10
voucher 1234-5678-9012
Gift card ends in 1111
your card ending 4242
UUID 123e4567-e89b-12d3-a456-426614174000
commit 3f2a9c1d4b5e6f708192a3b4c5d6e7f8091a2b3c
sha 0123456789012345678901234567890123456789
GB 2026 and DE 2026
AB12 CDEF 3456
""".strip().splitlines()


@pytest.mark.parametrize("text", REFUSED)
def test_never_in_public(text: str) -> None:
    assert personal_data(text)


@pytest.mark.parametrize("text", PASSED)
def test_said_all_day_long(text: str) -> None:
    assert personal_data(text) == []


def test_the_corpora_are_as_large_as_they_should_be() -> None:
    assert len(set(REFUSED)) >= 60
    assert len(set(PASSED)) >= 100


@pytest.mark.parametrize("text", REFUSED)
def test_it_is_found_within_a_sentence_and_its_place_is_told(text: str) -> None:
    around = f"Thank you! {text} Anything else?"
    spans = personal_data(around)
    assert spans
    assert all(11 <= start < end <= 11 + len(text) for _, start, end in spans)


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "1-",
        "a@",
        "a.",
        "@",
        "DE89 ",
        "0",
        "(",
        "+",
        "1/",
        "at ",
        "a at b dot ",
        "\u200b",
        "A1",
        "call me ",
        "tel 1 ",
    ],
)
def test_a_text_of_twice_the_length_takes_no_more_than_a_few_times_as_long(unit: str) -> None:
    """A quadratic pattern takes four times as long; the fastest of some tries is compared, as a ratio in one run."""
    short, long = (min(spent(unit * (size // len(unit))) for _ in range(3)) for size in (10_000, 40_000))
    assert long < 12 * max(short, 0.001)


def spent(text: str) -> float:
    began = time.process_time()
    personal_data(text, ["US", "ES"])
    return time.process_time() - began


SQUARE = Thread(id="post-1", visibility="public")


def is_refused(one: Sample) -> bool:
    intent = SendMessage(key="k", own_account="acme", thread=SQUARE, text=one.text)
    return bool(check(intent, one.conduct, one.secrets))


def test_of_what_is_private_in_forty_countries_it_finds_nearly_all() -> None:
    """At least 995 of 1,000, of every kind."""
    missed: dict[str, list[str]] = {}
    for one in Corpus(1).private(600):
        kind = missed.setdefault(one.kind, [])
        if not is_refused(one):
            kind.append(one.text)
    assert len(missed) == 8
    assert {kind: texts for kind, texts in missed.items() if len(texts) > 3} == {}


def test_of_what_support_says_all_day_long_it_refuses_next_to_nothing() -> None:
    """At most one of a hundred, of all and of every sentence."""
    tried, wrong = Counter[str](), Counter[str]()
    for one in Corpus(1).harmless(300):
        tried[one.kind] += 1
        wrong[one.kind] += is_refused(one)
    assert tried.total() > 9_000
    assert {kind: number for kind, number in wrong.items() if number > tried[kind] * 0.01} == {}


def test_numbers_as_a_country_writes_them_are_known_where_the_tenant_names_it() -> None:
    spain = conduct_of({"guard": {"countries": ["ES"]}})
    text = "Es el 612 34 56 78, no el pedido 612345678"
    assert personal_data(text) == []
    assert personal_data(text, spain.countries) == [("a phone number", 6, 18)]


def test_without_the_library_no_row_of_digits_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialsupport_core.conversation.personal.phones._library", lambda: None)
    conduct = conduct_of({"guard": {"countries": ["ES"]}})
    (refusal,) = check(SendMessage(key="k", own_account="acme", thread=SQUARE, text="Es el 612 34 56 78."), conduct)
    assert "phonenumberslite" in refusal.remedy
    assert check(SendMessage(key="k", own_account="acme", thread=SQUARE, text="Call 112 or 911."), conduct) == ()


@pytest.mark.parametrize("country", ["es", "Spain", "XX", ""])
def test_what_is_no_country_is_said(country: str) -> None:
    with pytest.raises(ValidationError, match="its two capitals"):
        conduct_of({"guard": {"countries": [country]}})


def test_check_digits() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert iban("DE89 3704 0044 0532 0130 00")
    assert not iban("DE88 3704 0044 0532 0130 00")


# what is private because it was said in private


def told(kind: str, value: str, visibility: str = "private", **more: Any) -> Told:
    return Told(1, 0, 1, kind, value, visibility, **more)


PRIVATE = """
My order is AB-100 2345, the parcel has the number 00340434161094099887.
Write to k.fisher+x@home.example, I live at 12 High Street, Leeds LS1 4AB.
My flat is 40512, the contract Z9988776 ends on 2026-03-01 at 12:30.
We run Windows 10.0.19045.4046 on 192.0.2.10, paid 1,299.00 € and 12345.67 EUR, walked 100000 steps.
Room 12, since 20260301, 10 000 points; my score is 12345 points.
""".strip()
CONTEXT = [
    told("order", "AB-1002345"),
    told("account", "31415926"),
    told("address", "12 High Street, Leeds LS1 4AB"),
    told("order", "5822"),
    told("choice", "WH-1000XM5"),
    told("order", "4712", "public"),
    told("order", "4713", state="corrected", corrected="4714"),
    told("order", "4715", state="removed"),
]
PUBLIC = "In public I said 77889, and order 4712."
NOTE = "She is angry about the broken lamp and wants her money back today, says 55443322."
SECRETS = gather(
    [
        said(PRIVATE, at=1),
        said(PUBLIC, public=True, at=2),
        said("My number is 77889 too", at=3),
        said(NOTE, note=True, at=4),
    ],
    CONTEXT,
)

TELLS = """
your order AB-1002345 is on its way
your order AB1002345
order ab 100 2345 is packed
parcel 00340434161094099887 left today
parcel 0034 0434 1610 9409 9887
see https://track.example/p/00340434161094099887 for more
flat 40512, right?
contract:40512
no.40512
#40512
contract Z9988776 is renewed
contract 9988776
account 31415926
account 3141-5926
account ３１４１５９２６
account 3141\u200b5926
we send it to 12 High Street, Leeds
we send it to 12 high street leeds LS1 4AB
order 5822 is packed
ORDER #5822!
order 4713
order 4714
order 4715
she is angry about the broken lamp, we know
SHE IS ANGRY ABOUT THE BROKEN LAMP
about the broken lamp and wants her
reference 55443322
""".strip().splitlines()
TELLS_NOT = """
Hello Kerry, your parcel is on its way.
order 4712 is packed
you said 77889 yourself
We are open on 2026-03-01 from 12:30.
on 01.03.2026 and 20260301
Please install Windows 10.0.19045.4046.
Our server is 192.0.2.10.
It costs 1,299.00 €.
It costs 12345.67 EUR.
You have 10 000 points, or 12345 points.
100000 people use it
order 58220 is another
order 15822
account 314159265
Room 12 is free.
The WH-1000XM5 is back in stock.
We are sorry about the broken lamp.
she is angry about the lamp
High Street is closed today.
ask for 12345678 in the shop
call 0800 1234567
in 2026, not in 2025
""".strip().splitlines()


@pytest.mark.parametrize("text", TELLS)
def test_what_was_said_in_private_only_is_seen_and_its_place_is_told(text: str) -> None:
    around = f"Thank you! {text} Anything else?"
    found = seen_in_private(around, SECRETS)
    assert found, text
    assert all(11 <= start < end <= 11 + len(text) for _, start, end in found)


@pytest.mark.parametrize("text", TELLS_NOT)
def test_what_everybody_may_know_is_not(text: str) -> None:
    assert seen_in_private(text, SECRETS) == []


@pytest.mark.parametrize("text", PASSED)
def test_what_support_says_all_day_long_tells_nothing_private(text: str) -> None:
    assert seen_in_private(text, SECRETS) == []


def test_the_private_corpora_are_as_large_as_they_should_be() -> None:
    assert len(TELLS) >= 25
    assert len(TELLS_NOT) >= 20


def test_it_says_what_it_is() -> None:
    names = {text: seen_in_private(text, SECRETS)[0][0] for text in (TELLS[0], TELLS[6], TELLS[-2])}
    assert list(names.values()) == [
        "the customer's order",
        "a number that was seen in private only",
        "words of an internal note",
    ]


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    assert all(0 <= start < end <= len(text) for _, start, end in seen_in_private(text, SECRETS))


@given(st.integers(10_000, 10**12), st.sampled_from(["{}", "order {}", "#{}", "({})", "no {}!", "ref. {}."]))
def test_any_number_of_five_digits_is_a_secret_once_it_was_told_in_private(number: int, frame: str) -> None:
    if number % 1000 == 0 or str(number)[:2] in {"19", "20"}:
        return  # round numbers, and what may be a date
    secrets = gather([said(f"my number: {number}")], [])
    assert seen_in_private(frame.format(number), secrets)
    assert not seen_in_private(frame.format(number + 1), secrets)


@pytest.mark.parametrize("unit", ["1", "1 ", "1-", "a1", "she is ", "5822 "])
def test_looking_for_secrets_takes_no_more_than_a_few_times_as_long_for_a_text_of_four_times_the_length(
    unit: str,
) -> None:
    def looked(size: int) -> float:
        text, began = unit * (size // len(unit)), time.process_time()
        seen_in_private(text, SECRETS)
        return time.process_time() - began

    short, long = (min(looked(size) for _ in range(3)) for size in (5_000, 20_000))
    assert long < 12 * max(short, 0.002)


# whatever the intent


SQUARE = Thread(id="square", visibility="public")


def send(text: str = "hello", **more: Any) -> SendMessage:
    return SendMessage(key="k", own_account="tower", thread=SQUARE, text=text, **more)


LEAK = "account 31415926"
WAYS = {
    "text": send(LEAK),
    "subject": send(subject=LEAK),
    "button": send(choices=(Choice(value="1", title=LEAK),)),
    "name of a file": send(attachments=(Attachment(media_type="image/png", blob="b", name="31415926.png"),)),
    "description of a file": send(attachments=(Attachment(media_type="image/png", blob="b", text=LEAK),)),
    "edit": EditMessage(key="k", own_account="tower", thread=SQUARE, text=LEAK),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_out_is_guarded(way: str) -> None:
    (refusal,) = check(WAYS[way], secrets=SECRETS)
    assert refusal.rule == "nothing_private_in_public"
    assert "hand the conversation off" in refusal.remedy
    assert bool(refusal.spans) == (way in {"text", "edit"})


def test_nothing_is_refused_in_private() -> None:
    private = Thread(id="dm", visibility="private")
    assert check(send(LEAK).model_copy(update={"thread": private}), secrets=SECRETS) == ()
    opening = OpenPrivate(key="k", own_account="tower", thread=SQUARE, text=LEAK + " k@acme.example")
    assert check(opening, secrets=SECRETS) == ()


def test_a_file_that_came_in_private_is_refused_by_its_content() -> None:
    one = send(attachments=(Attachment(media_type="image/png", blob="abc", name="photo.png"),))
    (refusal,) = check(one, secrets=Secrets(files=frozenset({"abc"})))
    assert refusal.reason == "this goes out in public, and photo.png came from a private thread"
    assert check(one, secrets=Secrets(files=frozenset({"abd"}))) == ()


def test_one_place_is_refused_once() -> None:
    secrets = gather([said("write to k@acme.example")], [told("email", "k@acme.example")])
    assert [one.rule for one in check(send("k@acme.example"), secrets=secrets)] == ["no_personal_data_in_public"]


def test_what_a_tenant_allows_may_be_said() -> None:
    ours = conduct_of({"guard": {"allowed": ["Support@acme.example", "+49 800 1234567", "31415926"]}})
    text = "write to support@acme.example, call +49 800 1234567, quote 31415926"
    assert check(send(text), ours, SECRETS) == ()
    assert check(send("write to https://wa.me/498001234567"), ours) == ()
    assert check(send("write to https://wa.me/4980012345678"), ours) != ()
    assert check(send(f"{text}, or kerry@acme.example"), ours, SECRETS) != ()
    assert check(send(text)) != ()


def test_what_is_allowed_excuses_nothing_around_it() -> None:
    ours = conduct_of({"guard": {"allowed": ["acme.example", "1234567"]}})
    assert check(send("write to kerry@acme.example"), ours) != ()
    assert check(send("call +49 800 1234567"), ours) != ()
    assert check(send("see acme.example, 1234567"), ours) == ()


@pytest.mark.parametrize(
    ("text", "refused"),
    [("order Z-123 is packed", True), ("z-123!", True), ("order Z-12 is packed", False), ("order 4711", False)],
)
def test_what_a_tenants_own_pattern_finds_is_never_said(text: str, refused: bool) -> None:
    own = conduct_of({"context": {"order": {"pattern": r"\bZ-\d{3}\b", "label": "Order"}}})
    found = check(send(text), own)
    assert [one.reason for one in found] == (
        ["this goes out in public and contains a value of Order"] if refused else []
    )


def test_unless_it_is_public() -> None:
    own = conduct_of({"context": {"product": {"pattern": "lamp", "public": True}}})
    assert check(send("the lamp is back"), own) == ()


# through the hub, for every connector


class Owl(Raven):
    name = "owl"
    capabilities = Capabilities(
        receives=frozenset({"webhook"}),
        verification="shared_secret",
        intents=frozenset({"send.message"}),
        sends=frozenset({"public"}),
    )


@pytest.fixture
def heard(roost: Roost) -> Roost:
    """Kerry has asked in public and told in private, on the same day."""
    roost.hear(message(1, "Where is my parcel?", visibility="public", at=roost.clock.now))
    roost.clock.forward(minutes=1)
    roost.hear(message(2, "My customer number is 31415926, the parcel 00340434161094099887", at=roost.clock.now))
    roost.hub.note("acme", roost.conversation(), "She is angry about the broken lamp and wants money", agent="dana")
    return roost


def refusals(roost: Roost, text: str, **how: Any) -> list[Refusal]:
    con = roost.conversation()
    public = next(one for one in roost.hub.conversation("acme", con)["legs"] if one["visibility"] == "public")
    try:
        roost.hub.reply("acme", con, text, agent="dana", leg=public["id"], **how)
    except ReplyRefused as error:
        return list(error.refusals)
    return []


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Your customer number 31415926 is fine", ["31415926"]),
        ("Parcel 00340434161094099887, customer 3141 5926", ["00340434161094099887", "3141 5926"]),
        ("We know she is angry about the broken lamp.", ["she is angry about the broken lamp"]),
    ],
)
def test_it_does_not_go_out_and_its_place_is_marked(heard: Roost, text: str, marked: list[str]) -> None:
    (refusal,) = refusals(heard, text)
    assert [text[start:end] for start, end in refusal.spans] == marked
    heard.hub.drain()
    assert heard.sky.texts() == []


def test_it_goes_out_in_private(heard: Roost) -> None:
    heard.reply("Your customer number 31415926 is fine")
    heard.hub.drain()
    assert heard.sky.texts() == ["Your customer number 31415926 is fine"]


def test_what_the_customer_says_in_public_too_is_no_secret_any_more(heard: Roost) -> None:
    heard.hear(message(3, "My customer number is 31415926!!", visibility="public", at=heard.clock.now))
    assert refusals(heard, "Thank you, 31415926 is fine") == []


def test_another_customers_secrets_are_not_looked_for(heard: Roost) -> None:
    heard.hear(message(3, "My customer number is 27182818", "robin", at=heard.clock.now))
    assert refusals(heard, "Quote 27182818 in the shop") == []


def test_it_follows_who_turns_out_to_be_one_customer(heard: Roost) -> None:
    heard.hear(message(3, "My customer number is 27182818", "robin", at=heard.clock.now))
    heard.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", agent="dana")
    assert refusals(heard, "Quote 27182818 in the shop")


def test_a_removed_value_is_no_less_private(heard: Roost) -> None:
    heard.hub.change_context("acme", heard.conversation(), "account", "31415926", agent="dana")
    assert refusals(heard, "31415926?")


def test_a_file_from_a_private_thread_stays_there(heard: Roost) -> None:
    heard.sky.files["photo"] = b"a face"
    photo = Attachment(media_type="image/png", native_id="photo", name="me.png")
    heard.hear(message(3, "this is me", at=heard.clock.now, attachments=(photo,)))
    blob = hashlib.sha256(b"a face").hexdigest()
    again = {"media_type": "image/png", "name": "x.png", "blob": blob, "size": 6}
    (refusal,) = refusals(heard, "look", attachments=[again])
    assert "x.png came from a private thread" in refusal.reason
    heard.reply("in private it may be said", attachments=[again])


def test_the_core_does_it_for_a_connector_that_knows_nothing_of_it(heard: Roost) -> None:
    heard.options["registry"] = Registry.of(plugin(Raven, Owl))
    heard.reopen()
    door = heard.hub.add_channel("acme", "barn", "owl", {}).rsplit("/", 1)[1]
    hoot = message("o1", "Hello?", at=heard.clock.now, network="owl", thread=Thread(id="barn", visibility="public"))
    heard.hub.receive(door, heard.payload(hoot)).result()
    heard.hub.drain()
    legs = heard.hub.conversation("acme", heard.conversation())["legs"]
    barn = next(one["id"] for one in legs if one["channel"] == "barn")
    with pytest.raises(ReplyRefused, match="the customer's account"):
        heard.hub.reply("acme", heard.conversation(), "31415926", agent="dana", leg=barn)


def test_a_plan_tells_it_before_anything_is_sent(heard: Roost) -> None:
    con = heard.conversation()
    leg = heard.hub.conversation("acme", con)["legs"][0]["id"]
    planned = heard.hub.plan("acme", con, "31415926", agent="dana", leg=leg)
    assert (planned["possible"], planned["refusals"][0]["rule"]) == (False, "nothing_private_in_public")
    assert heard.hub.plan("acme", con, "31415926", agent="dana", leg=leg, private=True)["refusals"] == []


def test_what_the_customer_wrote_in_private_is_not_quoted_in_public() -> None:
    told = gather([said("My order is 9981, my address is Elm Street 12, and I want my money back.")], [])
    (found,) = seen_in_private("As you told us: my address is Elm Street 12, and I want a parcel!", told)
    assert found[0] == "words that the customer wrote in private"
    assert seen_in_private("We shall send you the money back as you want it.", told) == []
    ours = gather([said("Thank you very much for your patience and your help.", ours=True)], [])
    assert seen_in_private("Thank you very much for your patience and your help.", ours) == []
    both = gather([said("I want my money back right now!"), said("I want my money back right now!", public=True)], [])
    assert seen_in_private("You said: I want my money back right now!", both) == []
