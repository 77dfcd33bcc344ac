"""The telephone system played on this machine."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.contract import ConfigError, drive
from socialsupport_core.model import Event, InteractionReceived, Payload
from socialsupport_phone import Phone, PhoneSettings, socialsupport_simulators
from socialsupport_phone.simulator import PhoneSimulator, number

SETTINGS = PhoneSettings(
    number="+15550001111",
    signing_secret=SecretStr("a-secret-of-the-simulator"),
    recording_hosts=frozenset({"recordings.example"}),
)
PHONE = Phone(SETTINGS)


class Clock:
    now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> PhoneSimulator:
    return PhoneSimulator(SETTINGS, clock=clock)


def delivered(simulator: PhoneSimulator) -> list[Event]:
    events: list[Event] = []
    for payload in simulator.due():
        PHONE.verify(payload)
        events += PHONE.parse(payload)
    return events


def test_the_hook_offers_it() -> None:
    assert list(socialsupport_simulators()) == [PhoneSimulator]


def test_a_call_arrives_signed_when_it_is_over(simulator: PhoneSimulator) -> None:
    said = simulator.speak("kerry", "Wants a refund", duration=252)
    (event,) = delivered(simulator)
    assert isinstance(event, InteractionReceived)
    call = event.interaction
    assert (call.kind, call.thread.id, call.text, call.duration) == (
        "call",
        said.thread,
        "Wants a refund",
        252,
    )
    assert str(call.author.account) == f"phone:{number('kerry')}"
    assert call.sent_at == simulator.clock() - timedelta(seconds=252)


def test_people_keep_their_numbers_and_may_withhold_them(simulator: PhoneSimulator) -> None:
    assert number("kerry") == number("kerry") != number("sam")
    assert number("+4930123456") == "+4930123456"
    simulator.speak("kerry", "Who am I?", withheld=True)
    (event,) = delivered(simulator)
    assert isinstance(event, InteractionReceived)
    assert str(event.interaction.author.account) == "phone.anonymous@+15550001111:call-1"


def test_a_voicemail_has_a_recording_to_fetch(simulator: PhoneSimulator) -> None:
    simulator.speak("kerry", "Please call back", "voicemail", duration=9)
    (event,) = delivered(simulator)
    assert isinstance(event, InteractionReceived)
    (tape,) = event.interaction.attachments
    assert (event.interaction.kind, tape.text) == ("voicemail", "Please call back")
    blob = drive(PHONE.fetch(tape), simulator.handle, PHONE.failure)
    assert (blob.media_type, blob.content) == ("audio/mpeg", b"ID3 /1.mp3")
    assert simulator.handle(httpx.Request("GET", "https://recordings.example/2.mp3")).status_code == 404


def test_we_call_back_and_the_person_hears_only_their_own(simulator: PhoneSimulator) -> None:
    simulator.speak("kerry", "Wants a refund")
    said = simulator.dial("kerry", "Refund is on its way")
    events = delivered(simulator)
    assert [one.interaction.direction for one in events if isinstance(one, InteractionReceived)] == [
        "inbound",
        "outbound",
    ]
    assert said.author == "us"
    assert [one.text for one in simulator.heard("kerry")] == ["Wants a refund"]


def test_the_export_gives_the_same_events_as_the_webhooks(simulator: PhoneSimulator) -> None:
    simulator.speak("kerry", 'He said:\n"refund", twice')
    simulator.speak("sam", "Ring me", "voicemail")
    simulator.speak("kim", "", outcome="missed", agent="")
    simulator.dial("sam", "Done; no answer")
    table = Payload(source="file", body=simulator.export(), received_at=simulator.clock())
    assert list(PHONE.parse(table)) == delivered(simulator)


def test_late_doubled_and_lost_records_stay_valid(simulator: PhoneSimulator, clock: Clock) -> None:
    simulator.faults.delay, simulator.faults.duplicate = 3600, 1
    simulator.speak("kerry", "one")
    assert delivered(simulator) == []
    clock.now += timedelta(hours=2)
    first, again = delivered(simulator)
    assert first == again
    simulator.faults.delay, simulator.faults.lose = 0, 1
    simulator.speak("kerry", "two")
    assert delivered(simulator) == []
    clock.now += timedelta(hours=2)
    simulator.redeliver()
    assert [event.id for event in delivered(simulator)] == ["call:call-2"]


def test_it_needs_a_secret_to_sign_with() -> None:
    with pytest.raises(ConfigError, match="set signing_secret"):
        PhoneSimulator(PhoneSettings(number="+15550001111"))
