"""Our own SMTP door, with mails from a stock client."""

import asyncio
import smtplib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import Envelope, Session

from socialsupport_core.model import Payload, Reply
from socialsupport_email import Email, EmailSettings
from socialsupport_email.door import MAX_HOPS, SmtpDoor, listener

NOON = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
OURS = ("support@acme.example", "help@acme.example")

pytestmark = pytest.mark.server


class Journal:
    def __init__(self) -> None:
        self.payloads: list[Payload] = []
        self.fails = 0

    async def accept(self, payload: Payload) -> None:
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise OSError("disk full")
        self.payloads.append(payload)


@contextmanager
def door(accept: Callable[[Payload], Awaitable[object]], **options: int) -> Iterator[SmtpDoor]:
    """The door in a loop of its own, so that the stock client may block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    one = SmtpDoor("127.0.0.1", 0, accept, OURS, clock=lambda: NOON, name="mx.acme.example", **options)
    asyncio.run_coroutine_threadsafe(one.open(), loop).result(5)
    try:
        yield one
    finally:
        asyncio.run_coroutine_threadsafe(one.close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def letter(to: str = "support@acme.example", text: str = "Where is my parcel?") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Kerry Fisher <kerry@mail.example>"
    message["To"] = to
    message["Subject"] = "My parcel"
    message["Message-ID"] = "<1@mail.example>"
    message["Date"] = "Thu, 1 Oct 2026 13:59:00 +0200"
    message.set_content(text)
    return message


def test_a_mail_from_a_stock_client_becomes_an_interaction() -> None:
    journal = Journal()
    with door(journal.accept) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        assert client.send_message(letter()) == {}
    [payload] = journal.payloads
    assert (payload.source, payload.received_at) == ("stream", NOON)
    settings = EmailSettings(address="support@acme.example", token_secret="x" * 16)  # type: ignore[arg-type]
    [event] = Email(settings).parse(payload)
    assert event.type == "interaction.received"
    assert event.interaction.text == "Where is my parcel?"
    assert str(event.interaction.author.account) == "email:kerry@mail.example"


def test_trace_headers_tell_how_it_came() -> None:
    journal = Journal()
    with door(journal.accept) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        client.sendmail("kerry@mail.example", ["HELP+h.token@acme.example"], "Subject: hi\r\n\r\nhi")
    head = journal.payloads[0].body.split(b"\r\nSubject")[0].decode()
    assert head.split("\r\n") == [
        "Return-Path: <kerry@mail.example>",
        "Delivered-To: help+h.token@acme.example",
        "Received: from [127.0.0.1] by mx.acme.example with ESMTP; Thu, 01 Oct 2026 12:00:00 +0000",
    ]


def test_only_our_addresses_are_taken() -> None:
    journal = Journal()
    with door(journal.accept) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        refused = client.sendmail(
            "kerry@mail.example", ["support+t.x@acme.example", "boss@acme.example", "a@b"], "Subject: x\r\n\r\nx"
        )
    assert {address: code for address, (code, _text) in refused.items()} == {"boss@acme.example": 550, "a@b": 550}
    assert b"Delivered-To: support+t.x@acme.example" in journal.payloads[0].body


def test_acknowledged_only_when_stored() -> None:
    journal = Journal()
    journal.fails = 1
    with door(journal.accept) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            client.send_message(letter())
        assert caught.value.smtp_code == 451
        assert journal.payloads == []
        client.send_message(letter())
    assert len(journal.payloads) == 1


@pytest.mark.parametrize(("status", "code"), [(200, 250), (413, 552), (401, 554), (503, 451), (429, 451)])
def test_what_the_hub_answers_is_told_in_smtp(status: int, code: int) -> None:
    async def says(_payload: Payload) -> Reply:
        return Reply(status=status)

    with door(says) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        client.ehlo()
        client.mail("kerry@mail.example")
        client.rcpt("support@acme.example")
        assert client.data("Subject: x\r\n\r\nx")[0] == code


def test_a_door_that_closes_lets_what_has_come_be_stored() -> None:
    come, stored = threading.Event(), threading.Event()

    async def slowly(_payload: Payload) -> None:
        come.set()
        await asyncio.sleep(0.3)
        stored.set()

    client = smtplib.SMTP(timeout=5)
    answers: list[int] = []

    def send() -> None:
        client.ehlo()
        client.mail("kerry@mail.example")
        client.rcpt("support@acme.example")
        answers.append(client.data("Subject: x\r\n\r\nx")[0])

    with door(slowly) as one:
        client.connect("127.0.0.1", one.port)
        sending = threading.Thread(target=send)
        sending.start()
        assert come.wait(5)
    assert stored.is_set()
    sending.join(5)
    client.close()
    assert answers == [250]


def test_the_listener_of_a_channel_takes_its_aliases() -> None:
    settings = EmailSettings(address=OURS[0], aliases=OURS[1:], token_secret="x" * 16)  # type: ignore[arg-type]

    async def run() -> tuple[str, str | None, str | None]:
        one = listener(Email(settings), _nothing, "127.0.0.1", 0)
        address = await one.start()
        await one.stop()
        door = one._door
        return address, door.takes("help+x@acme.example"), door.takes("other@acme.example")

    address, alias, other = asyncio.run(run())
    assert address.startswith("127.0.0.1:")
    assert not address.endswith(":0")
    assert (alias, other) == ("help+x@acme.example", None)


async def _nothing(_payload: Payload) -> Reply:
    return Reply()


def test_the_answer_waits_for_the_commit() -> None:
    committed = threading.Event()

    async def slowly(_payload: Payload) -> None:
        await asyncio.sleep(0.2)
        committed.set()

    with door(slowly) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        client.send_message(letter())
        assert committed.is_set()


def test_too_large() -> None:
    journal = Journal()
    with door(journal.accept, max_bytes=10_000) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "10000"
        with pytest.raises(smtplib.SMTPResponseException) as declared:
            client.send_message(letter(text="x" * 70 + "\n" * 20_000))
        client.rset()
        client.esmtp_features.pop("size")
        with pytest.raises(smtplib.SMTPResponseException) as sent:
            client.sendmail("k@mail.example", ["support@acme.example"], "Subject: x\r\n\r\n" + "x\r\n" * 9_000)
    assert (declared.value.smtp_code, sent.value.smtp_code) == (552, 552)
    assert journal.payloads == []


def test_a_mail_that_goes_round_in_circles_is_refused() -> None:
    journal = Journal()
    hops = "Received: from a by b; Thu, 01 Oct 2026 12:00:00 +0000\r\n" * (MAX_HOPS + 1)
    with door(journal.accept) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            client.sendmail("k@mail.example", ["support@acme.example"], hops + "Subject: x\r\n\r\nx")
        quoting = "Subject: x\r\n\r\n" + hops
        client.sendmail("k@mail.example", ["support@acme.example"], quoting)
    assert caught.value.smtp_code == 554
    assert len(journal.payloads) == 1


def test_too_many_at_once_are_told_to_come_back() -> None:
    with (
        door(Journal().accept, max_connections=1) as one,
        smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client,
    ):
        client.noop()
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            smtplib.SMTP("127.0.0.1", one.port, timeout=5)
        assert caught.value.smtp_code == 421
        client.noop()


def test_an_address_beyond_ascii() -> None:
    journal = Journal()
    with door(journal.accept) as one, smtplib.SMTP("127.0.0.1", one.port, timeout=5) as client:
        client.ehlo()
        client.sendmail(
            "jürgen@mail.example",
            ["support@acme.example"],
            "Subject: ü\r\n\r\nü".encode(),
            ["SMTPUTF8", "BODY=8BITMIME"],
        )
    assert journal.payloads[0].body.startswith("Return-Path: <jürgen@mail.example>".encode())


def test_a_closed_door_takes_nothing() -> None:
    with door(Journal().accept) as one:
        port = one.port
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", port, timeout=5)


def test_a_forged_sender_adds_no_header() -> None:
    session = Session(asyncio.new_event_loop())
    session.loop.close()
    session.peer = ("127.0.0.1\r\nX-Evil: 1", 25)
    envelope = Envelope()
    envelope.mail_from = "a@mail.example>\r\nX-Evil: 1"
    envelope.rcpt_tos = ["support@acme.example"]
    envelope.content = b"Subject: x\r\n\r\nx"
    body = SmtpDoor("127.0.0.1", 0, Journal().accept, OURS, clock=lambda: NOON).payload(session, envelope).body
    assert b"\nX-Evil" not in body
    assert body.startswith(b"Return-Path: <>\r\nDelivered-To: support@acme.example\r\nReceived: from [")
