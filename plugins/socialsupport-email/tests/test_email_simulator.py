"""The world of mailboxes, with our connector in it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from socialsupport_core.contract import (
    AuthExpired,
    DeliveryError,
    Forbidden,
    RateLimited,
    Registry,
    Unavailable,
    Uncertain,
    drive,
)
from socialsupport_core.model import Event, Interaction, Party, Receipt, SendMessage, Thread
from socialsupport_email import Email, EmailSettings
from socialsupport_email.asks import CheckImap, CheckSmtp, FetchMail, FindMail, Found, Mails, SmtpFeatures
from socialsupport_email.settings import ImapServer, SmtpServer
from socialsupport_email.simulator import EmailSimulator

SETTINGS = EmailSettings(
    address="support@acme.example",
    name="Acme",
    smtp=SmtpServer(host="smtp.acme.example", security="none"),
    imap=ImapServer(host="imap.acme.example", sent_mailbox="Sent"),
    token_secret=SecretStr("secret-of-sixteen"),
)


class World:
    def __init__(self) -> None:
        self.now = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
        self.simulator = EmailSimulator(SETTINGS, clock=lambda: self.now)
        self.connector = Email(SETTINGS)
        [self.wire] = self.simulator.wires()
        self.count = 0

    def arrived(self) -> list[Event]:
        return [event for payload in self.simulator.due() for event in self.connector.parse(payload)]

    def message(self) -> Interaction:
        event = self.arrived()[-1]
        assert event.type == "interaction.received"
        return event.interaction

    def reply(self, target: Interaction | None, text: str, **more: Any) -> Receipt:
        self.count += 1
        given = {"key": f"key-{self.count}", "own_account": "support@acme.example", "text": text, "target": target}
        thread = target.thread if target else Thread(id="new", visibility="private")
        intent = SendMessage(**{"thread": thread, "recipient": target.author if target else None, **given, **more})
        return drive(self.connector.send(intent), self.answer, self.connector.failure)

    def answer(self, ask: object) -> Any:
        self.now += timedelta(minutes=1)
        return asyncio.run(self.wire.answer(ask))


@pytest.fixture
def world() -> World:
    return World()


def test_a_conversation_stays_one_thread(world: World) -> None:
    world.simulator.speak("kerry", "Where is my parcel?", subject="Parcel 4711")
    first = world.message()
    world.reply(first, "Is it at your neighbour's?")
    world.simulator.speak("kerry", "Yes, found it!")
    second = world.message()
    assert first.thread == second.thread
    assert (first.subject, second.subject) == ("Parcel 4711", "Re: Parcel 4711")
    assert second.text == "Yes, found it!"  # what it quotes is left out
    assert second.attachments[0].name == "full-message.txt"
    assert [(said.author, said.text) for said in world.simulator.heard("kerry")] == [
        ("kerry", "Where is my parcel?"), ("us", "Is it at your neighbour's?"), ("kerry", "Yes, found it!"),
    ]  # fmt: skip
    assert len({said.thread for said in world.simulator.heard("kerry")}) == 1


def test_people_read_only_their_own_mail(world: World) -> None:
    world.simulator.speak("kerry", "one")
    world.reply(world.message(), "for Kerry")
    world.simulator.speak("robin@home.example", "two")
    assert [said.text for said in world.simulator.heard("robin@home.example")] == ["two"]
    assert "for Kerry" in [said.text for said in world.simulator.heard("Kerry")]


def test_a_mail_to_a_handoff_address_brings_its_token(world: World) -> None:
    world.simulator.speak("kerry", "As asked on X.", to=world.connector.handoff_address("a" * 26))
    claimed, received = world.arrived()
    assert claimed.type == "identity.claimed"
    assert claimed.token == "a" * 26
    assert received.type == "interaction.received"
    assert claimed.thread == received.interaction.thread


def test_a_new_subject_opens_a_new_thread(world: World) -> None:
    world.simulator.speak("kerry", "one")
    first = world.message()
    world.reply(first, "answer")
    world.simulator.speak("kerry", "another matter", subject="Invoice")
    assert world.message().thread != first.thread


def test_an_address_that_is_gone_bounces(world: World) -> None:
    nobody = Party(identifiers=({"kind": "email", "value": "nobody@mail.example"},))  # type: ignore[arg-type]
    receipt = world.reply(None, "Hello?", recipient=nobody)
    [bounce] = world.arrived()
    assert bounce.type == "delivery.updated"
    assert (bounce.state, bounce.code, bounce.native_id) == ("failed", "5.1.1", receipt.native_id)
    assert bounce.client_key == "key-1"


@pytest.mark.parametrize(
    ("fault", "kind", "done"),
    [
        ("rate_limit", RateLimited, False),
        ("unavailable", Unavailable, False),
        ("expire", AuthExpired, False),
        ("drop", Uncertain, True),
    ],
)
def test_trouble_on_demand(world: World, fault: str, kind: type[DeliveryError], done: bool) -> None:
    world.simulator.speak("kerry", "Hello")
    target = world.message()
    setattr(world.simulator.faults, fault, 1)
    with pytest.raises(DeliveryError) as caught:
        world.reply(target, "first")
    assert type(caught.value) is kind
    assert [said.author for said in world.simulator.heard("kerry")] == (["kerry", "us"] if done else ["kerry"])
    world.reply(target, "second")
    assert world.simulator.heard("kerry")[-1].text == "second"


def test_a_doubtful_send_can_be_looked_up(world: World) -> None:
    world.simulator.speak("kerry", "Hello")
    target = world.message()
    world.simulator.faults.drop = 1
    intent = SendMessage(key="k", own_account="support@acme.example", thread=target.thread, target=target, text="x")
    with pytest.raises(Uncertain):
        drive(world.connector.send(intent), world.answer, world.connector.failure)
    found = drive(world.connector.lookup(intent, world.now), world.answer, world.connector.failure)
    assert found is not None
    assert found.native_id == world.simulator.heard("kerry")[-1].id


def test_mails_doubled_lost_and_late(world: World) -> None:
    world.simulator.faults.duplicate = 1
    world.simulator.speak("kerry", "twice")
    ids = [event.id for event in world.arrived()]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    world.simulator.faults.lose = 1
    world.simulator.speak("kerry", "lost")
    assert world.arrived() == []
    world.simulator.redeliver()
    assert world.message().text == "lost"


def test_the_server_checks_the_sender(world: World) -> None:
    world.simulator.speak("kerry", "Hello")
    world.reply(world.message(), "x")
    ask = world.simulator.asked[-1]
    with pytest.raises(Forbidden):
        world.answer(type(ask)(ask.server, "other@acme.example", ask.recipient, ask.message, ask.message_id))


def test_its_other_answers(world: World) -> None:
    assert SETTINGS.smtp is not None
    assert SETTINGS.imap is not None
    features = world.answer(CheckSmtp(SETTINGS.smtp, SETTINGS.address))
    assert isinstance(features, SmtpFeatures)
    assert world.answer(CheckImap(SETTINGS.imap, "INBOX")) == 0
    assert world.answer(FetchMail(SETTINGS.imap, "INBOX", uidvalidity=1, uid=7)) == Mails((), 1, 7)
    assert world.answer(FindMail(SETTINGS.imap, "Sent", "x")) == Found(False)


def test_what_the_plugin_registers() -> None:
    import socialsupport_email

    registry = Registry.of(socialsupport_email)
    assert registry.connectors == {"email": Email}
    assert registry.simulators == {"email": EmailSimulator}
    assert set(registry.listeners) == {"email"}
    asks = {ask.__name__ for wire in registry.wires for ask in wire.asks}
    played = {"SendMail", "CheckSmtp", "FetchMail", "FindMail", "CheckImap"}
    assert asks == played | {"FetchMaildir", "ReadMaildir", "CheckMaildir"}
    [replacement] = EmailSimulator(SETTINGS).wires()
    assert {ask.__name__ for ask in replacement.asks} == played
