"""Twilio played on this machine, with the connector against it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    Forbidden,
    RateLimited,
    Uncertain,
    Unreachable,
    drive,
)
from socialsupport_core.model import (
    DeliveryUpdated,
    Event,
    InteractionEdited,
    InteractionReceived,
    Receipt,
    SendMessage,
    Thread,
    ThreadUpdated,
)
from socialsupport_core.text import count
from socialsupport_twilio import Twilio, TwilioSettings, socialsupport_simulators
from socialsupport_twilio.simulator import TwilioSimulator, number

SETTINGS = TwilioSettings(
    account_sid="AC" + "0" * 32,
    auth_token=SecretStr("a-token-of-the-tests"),
    number="+15550001111",
    callback_url="https://hub.example/hooks/sms",
    voice="voicemail",
    transcribe=True,
)
TWILIO = Twilio(SETTINGS)


class Clock:
    now = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def simulator() -> TwilioSimulator:
    return TwilioSimulator(SETTINGS, clock=Clock(), door="https://hub.example/hooks/sms")


def delivered(simulator: TwilioSimulator) -> list[Event]:
    events: list[Event] = []
    for payload in simulator.due():
        TWILIO.verify(payload)
        events += TWILIO.parse(payload)
    return events


def run(simulator: TwilioSimulator, flow: Any, connector: Twilio = TWILIO) -> Any:
    def respond(request: httpx.Request) -> httpx.Response:
        return simulator.handle(connector.authorize(request, None, simulator.clock(), "0" * 32))

    return drive(flow, respond, connector.failure)


def message(text: str = "On its **way**", to: str = "kerry", key: str = "k:1") -> SendMessage:
    thread = Thread(id=number(to), visibility="private")
    return SendMessage(key=key, own_account=SETTINGS.number, thread=thread, text=text)


def test_the_hook_offers_it() -> None:
    assert list(socialsupport_simulators()) == [TwilioSimulator]


def test_a_text_comes_in_and_its_answer_goes_out(simulator: TwilioSimulator) -> None:
    simulator.speak("kerry", "Where is my order? 👍")
    (event,) = delivered(simulator)
    assert isinstance(event, InteractionReceived)
    assert (event.interaction.text, event.interaction.thread.id) == ("Where is my order? 👍", number("kerry"))
    receipt = run(simulator, TWILIO.send(message()))
    assert isinstance(receipt, Receipt)
    assert [said.text for said in simulator.heard("kerry")] == ["Where is my order? 👍", "On its way"]
    simulator.report(str(receipt.native_id), "delivered")
    told = delivered(simulator)
    assert [(one.state, one.native_id, one.client_key) for one in told if isinstance(one, DeliveryUpdated)] == [
        ("sent", receipt.native_id, "k:1"),
        ("delivered", receipt.native_id, "k:1"),
    ]


def test_nothing_is_reported_where_nobody_asked(simulator: TwilioSimulator) -> None:
    quiet = Twilio(SETTINGS.model_copy(update={"callback_url": None}))
    run(simulator, quiet.send(message()), quiet)
    assert delivered(simulator) == []


def test_a_loss_is_told_with_its_reason(simulator: TwilioSimulator) -> None:
    receipt = run(simulator, TWILIO.send(message()))
    simulator.report(receipt.native_id, "undelivered", "30003")
    lost = delivered(simulator)[-1]
    assert isinstance(lost, DeliveryUpdated)
    assert (lost.state, lost.code, lost.reason) == ("failed", "30003", "their phone cannot be reached")


def test_whoever_opts_out_hears_nothing_until_they_opt_in(simulator: TwilioSimulator) -> None:
    simulator.speak("kerry", "STOP")
    assert [one.change for one in delivered(simulator) if isinstance(one, ThreadUpdated)] == ["opted_out"]
    with pytest.raises(Unreachable) as refused:
        run(simulator, TWILIO.send(message()))
    assert refused.value.code == "21610"
    simulator.speak("kerry", "start")
    assert [one.change for one in delivered(simulator) if isinstance(one, ThreadUpdated)] == ["opted_in"]
    assert run(simulator, TWILIO.send(message())).native_id


def test_a_photo_is_fetched_where_twilio_sends_us_without_our_password(simulator: TwilioSimulator) -> None:
    simulator.text("kerry", "Look", b"JFIF")
    (event,) = delivered(simulator)
    assert isinstance(event, InteractionReceived)
    blob = run(simulator, TWILIO.fetch(event.interaction.attachments[0]))
    assert (blob.content, blob.media_type) == (b"JFIF", "image/jpeg")
    asked, moved = simulator.calls
    assert "authorization" in asked.headers
    assert (moved.url.host, "authorization" in moved.headers) == ("mms.twiliocdn.com", False)


def test_a_voicemail_comes_with_tape_and_transcript(simulator: TwilioSimulator) -> None:
    simulator.speak("kerry", "Please call me back", "voicemail")
    ringing = simulator.outgoing[0][1]
    assert b"<Record " in TWILIO.acknowledge(ringing).body
    tape, words, call = delivered(simulator)
    assert isinstance(tape, InteractionReceived)
    assert isinstance(words, InteractionEdited)
    assert isinstance(call, InteractionReceived)
    assert [one.interaction.kind for one in (tape, words, call)] == ["voicemail", "voicemail", "call"]
    assert words.interaction.text == "Please call me back"
    assert run(simulator, TWILIO.fetch(tape.interaction.attachments[0])).content == b"ID3Please call me back"


def test_a_call_begins_when_it_does_and_with_a_machine_nobody_speaks(simulator: TwilioSimulator) -> None:
    simulator.speak("kerry", "", "call", duration=42)
    (event,) = delivered(simulator)
    assert isinstance(event, InteractionReceived)
    assert (event.interaction.duration, event.interaction.sent_at) == (None, simulator.clock())


def test_what_was_cut_off_is_found_again(simulator: TwilioSimulator) -> None:
    run(simulator, TWILIO.send(message("On its way", key="k:0", to="sam")))
    simulator.faults.drop = 1
    with pytest.raises((httpx.ReadError, Uncertain)):
        run(simulator, TWILIO.send(message()))
    since = simulator.clock() - timedelta(minutes=10)
    found = run(simulator, TWILIO.lookup(message(), since))
    assert found.native_id == simulator.messages[-1]["sid"]
    assert run(simulator, TWILIO.lookup(message("Something else"), since)) is None
    later = simulator.clock() + timedelta(hours=1)
    assert run(simulator, TWILIO.lookup(message(), later)) is None


def test_it_refuses_what_twilio_refuses(simulator: TwilioSimulator) -> None:
    with pytest.raises(ContentRejected):
        run(simulator, TWILIO.send(message("👍" * 801)))
    assert run(simulator, TWILIO.send(message("👍" * 800))).native_id
    stranger = message().model_copy(update={"own_account": "+15559999999"})
    with pytest.raises(Forbidden, match="not a valid number of yours"):
        run(simulator, TWILIO.send(stranger))
    wrong = Twilio(SETTINGS.model_copy(update={"auth_token": SecretStr("another-token-entirely")}))
    with pytest.raises(AuthExpired):
        run(simulator, wrong.send(message()), wrong)
    simulator.faults.rate_limit = 1
    with pytest.raises(RateLimited):
        run(simulator, TWILIO.send(message()))


def test_it_counts_segments_as_they_are_charged(simulator: TwilioSimulator) -> None:
    for text, segments in (("a" * 160, 1), ("a" * 161, 2), ("ж" * 70, 1), ("ж" * 71, 2)):
        run(simulator, TWILIO.send(message(text)))
        assert simulator.messages[-1]["num_segments"] == str(count(text, "sms_segments")) == str(segments)


def test_the_connection_test_and_the_door(simulator: TwilioSimulator) -> None:
    facts = run(simulator, TWILIO.probe())
    assert (facts.own_account, facts.extra["mms"]) == (SETTINGS.number, "yes")
    run(simulator, TWILIO.subscribe("https://hub.example/new"))
    assert simulator.addresses["SmsUrl"] == simulator.addresses["VoiceUrl"] == "https://hub.example/new"
    texts_only = Twilio(SETTINGS.model_copy(update={"voice": "off"}))
    simulator.addresses = {}
    run(simulator, texts_only.subscribe("https://hub.example/new"), texts_only)
    assert set(simulator.addresses) == {"SmsUrl", "SmsMethod"}
