"""What somebody wrote, apart from what they quoted. All samples are our own."""

import time

import pytest

from socialsupport_email.quotes import kept

CUT = "<<<"
"""Stands in a sample where the writer's own text ends; `--@` stands for the line `-- ` with its space."""

SAMPLES = {
    "gmail": """\
Yes, please send it again.
<<<
On Thu, Oct 1, 2026 at 9:20 AM Acme Support <support@acme.example> wrote:

> Shall we send it again?
>
> Acme
""",
    "gmail, attribution over two lines": """\
Yes, please.
<<<
On Thu, Oct 1, 2026 at 9:20 AM Acme Customer Support <
support@acme.example> wrote:

> Shall we send it again?
""",
    "apple mail, german": """\
Ja, gerne!

Viele Grüße
Kerry
<<<
> Am 01.10.2026 um 09:20 schrieb Acme Support <support@acme.example>:
>
> Sollen wir es noch einmal schicken?
""",
    "thunderbird, german": """\
Ja.
<<<
Am 01.10.26 um 09:20 schrieb Acme Support:
> Sollen wir?
""",
    "french": """\
Oui, merci.
<<<
Le jeu. 1 oct. 2026 à 09:20, Acme Support <support@acme.example> a écrit :

> On vous le renvoie ?
""",
    "spanish": """\
Sí, gracias.
<<<
El jue, 1 oct 2026 a las 9:20, Acme (<support@acme.example>) escribió:

> ¿Lo enviamos otra vez?
""",
    "italian": """\
Sì.
<<<
Il giorno gio 1 ott 2026 alle ore 09:20 Acme <support@acme.example> ha scritto:
> Lo rispediamo?
""",
    "polish": """\
Tak.
<<<
czw., 1 paź 2026 o 09:20 Acme <support@acme.example> napisał(a):

> Wysłać jeszcze raz?
""",
    "outlook, separator": """\
Please cancel it.

Kerry
<<<
-----Original Message-----
From: Acme Support
Sent: Thursday, 1 October 2026 09:20
To: Kerry
Subject: Your order

Shall we cancel it?
""",
    "outlook, header block": """\
Please cancel it.
<<<
From: Acme Support <support@acme.example>
Sent: Thursday, 1 October 2026 09:20
To: Kerry Fisher <kerry@mail.example>
Subject: Your order

Shall we cancel it?
""",
    "outlook, german, rule above": """\
Bitte stornieren.
<<<
________________________________
Von: Acme Support <support@acme.example>
Gesendet: Donnerstag, 1. Oktober 2026 09:20
An: Kerry Fisher
Betreff: Ihre Bestellung

Sollen wir stornieren?
""",
    "outlook, header block in bold, as HTML gives it": """\
Please cancel it.
<<<
**From:** Acme Support
**Date:** Thursday, 1 October 2026
**To:** Kerry
**Subject:** Your order

Shall we?
""",
    "a program that marks no line": """\
It works now, thanks.
<<<
On Oct 1, 2026, at 9:20 AM, Acme Support <support@acme.example> wrote:

Have you tried to turn it off and on again?
""",
    "only quoted lines below, nothing introduces them": """\
Agreed.
<<<
> Is that all right?
> Acme
""",
    "signature": """\
My order number is 4711.
<<<
--@
Kerry Fisher
Fisher & Sons
+1 555 0100
""",
    "telephone": """\
Still broken
<<<
Sent from my iPhone
""",
    "telephone, then a quotation": """\
Immer noch kaputt
<<<
Von meinem iPhone gesendet

> Am 01.10.2026 um 09:20 schrieb Acme <support@acme.example>:
> Geht es jetzt?
""",
    "signature, then a quotation, then the quoted signature": """\
Thanks!
<<<
--@
Kerry

On 1 October 2026 09:20, Acme <support@acme.example> wrote:
> Done.
> --@
> Acme
""",
}  # fmt: skip

WHOLE = {
    "answers between the quoted lines": """\
On 1 October 2026 09:20, Acme <support@acme.example> wrote:
> Which colour?
Blue.
> Which size?
M.
""",
    "an answer below the quotation": """\
> Which colour?

Blue, please.
""",
    "a promise with a date is no attribution": """\
On 3 May your colleague wrote:
we would get a refund. We have not.
""",
    "a list of labels that is no mail": """\
From: Berlin
Number of people: 2
Can you book that?
""",
    "a letter that quotes nothing": """\
Hello,

I wrote to you on Monday: nothing.

Kerry
""",
    "dashes between paragraphs": "First.\n--\n" + "\n".join(f"line {n}" for n in range(30)) + "\n",
    "nothing but a quotation": "> Is that all right?\n",
    "empty": "",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name: str) -> None:
    own, rest = SAMPLES[name].replace("--@", "-- ").split(f"{CUT}\n")
    lines = (own + rest).split("\n")
    assert "\n".join(lines[: kept(lines)]) == own.rstrip("\n")


@pytest.mark.parametrize("name", WHOLE)
def test_in_doubt_everything_stays(name: str) -> None:
    lines = WHOLE[name].rstrip("\n").split("\n")
    assert kept(lines) == len(lines)


def test_a_forwarded_mail_stays_whole() -> None:
    lines = SAMPLES["outlook, header block"].replace(CUT, "").split("\n")
    assert kept(lines, "Fwd: Your order") == len(lines)
    assert kept(lines, "WG: Ihre Bestellung") == len(lines)
    assert kept(lines, "Re: Your order") < len(lines)


@pytest.mark.parametrize(
    "line",
    [
        "On 1 a wrote:",
        "From: a",
        "> ",
        "",
        "On 1 Jan 2026",
        "-- ",
        "_" * 30,
        "Am 1.1. schrieb x" * 20,
        "a" * 399,
        "From: Sent: To:",
    ],
)
def test_time_is_linear(line: str) -> None:
    """Eight times the lines take about eight times the time."""

    def seconds(count: int) -> float:
        lines = [line, "b"] * count
        times = []
        for _ in range(3):
            begun = time.process_time()
            kept(lines)
            times.append(time.process_time() - begun)
        return min(times)

    assert seconds(1600) < 24 * seconds(200) + 0.3  # quadratic would be 64 times
