"""Corpora for the guard: what must never go out in public, and what support says all day long."""

import time

import pytest

from socialsupport_core.conversation.guard import iban, luhn, personal_data

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
Tel.: 030 / 1234567
my number is 07700-900-123, call me
０２０ ７９４６ ０９５８
+44\u00a020\u00a07946\u00a00958
+44\u200920\u20097946\u20090958
+44 20 7946‑0958
020\u200b7946\u200b0958
call 0800 1234567 ext. 12
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
DE89 3704 0044 0532 0130 00
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
t.me/acme_support_bot?start=abcdefghijklmnop234567abcd
@acme_support will help you
Thanks @kerry, DM us!
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
    "unit", ["1", "1 ", "1-", "a@", "a.", "@", "DE89 ", "0", "(", "+", "1/", "at ", "a at b dot ", "\u200b", "A1"]
)
def test_a_text_of_twice_the_length_takes_no_more_than_a_few_times_as_long(unit: str) -> None:
    """A quadratic pattern takes four times as long; the fastest of some tries is compared, as a ratio in one run."""
    short, long = (min(spent(unit * (size // len(unit))) for _ in range(3)) for size in (10_000, 40_000))
    assert long < 12 * max(short, 0.001)


def spent(text: str) -> float:
    began = time.process_time()
    personal_data(text)
    return time.process_time() - began


def test_check_digits() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert iban("DE89 3704 0044 0532 0130 00")
    assert not iban("DE88 3704 0044 0532 0130 00")
