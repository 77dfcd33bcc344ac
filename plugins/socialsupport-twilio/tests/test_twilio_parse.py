"""From Twilio's forms to events, where a golden case would say too little."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr, ValidationError

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import (
    DeliveryUpdated,
    Event,
    InteractionEdited,
    InteractionReceived,
    Payload,
    Thread,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_twilio import Twilio, TwilioSettings
from socialsupport_twilio.inbound import LOST, OPT_IN, OPT_OUT
from socialsupport_twilio.numbers import WITHHELD, is_withheld

NOW = datetime(2026, 11, 3, 9, 15, tzinfo=UTC)
URL = "https://hub.example/hooks/sms"
OURS, THEIRS = "+15550001111", "+15550002222"
ENDS = {"From": THEIRS, "To": OURS}
TAPE = {"RecordingUrl": "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"}
ENDED = {"CallSid": "CA1", "CallbackSource": "call-progress-events", "Direction": "inbound", **ENDS}


def twilio(**more: Any) -> Twilio:
    token = SecretStr("a-token-of-the-tests")
    return Twilio(TwilioSettings(account_sid="AC" + "0" * 32, auth_token=token, number=OURS, **more))


def payload(fields: dict[str, str], url: str = URL) -> Payload:
    return Payload(url=url, body=urlencode(fields).encode(), received_at=NOW)


def events(fields: dict[str, str], url: str = URL, **more: Any) -> list[Event]:
    return list(twilio(**more).parse(payload(fields, url)))


def text(body: str, **more: str) -> dict[str, str]:
    return {"MessageSid": "SM1", "Body": body, "NumMedia": "0", **ENDS, **more}


@pytest.mark.parametrize("word", sorted(OPT_OUT | OPT_IN))
def test_a_word_opts_out_or_in_however_it_is_written(word: str) -> None:
    for written in (word, word.upper(), f"  {word.title()}\n"):
        said, changed = events(text(written))
        assert isinstance(said, InteractionReceived)
        assert isinstance(changed, ThreadUpdated)
        assert changed.change == ("opted_out" if word in OPT_OUT else "opted_in")
        assert changed.thread == said.interaction.thread


@pytest.mark.parametrize("words", ["stop it", "please stop", "Yes", "HELP", "", "stop.", "the end"])
def test_more_than_the_word_opts_nobody_out(words: str) -> None:
    assert [event.type for event in events(text(words))] == ["interaction.received"]


def test_what_twilio_says_of_an_opt_out_counts_more_than_the_word() -> None:
    assert [event.type for event in events(text("stop", OptOutType="HELP"))] == ["interaction.received"]
    changed = events(text("baja", OptOutType="stop"))[1]
    assert isinstance(changed, ThreadUpdated)
    assert changed.change == "opted_out"


def test_no_more_files_are_read_than_a_message_can_have() -> None:
    files = {f"MediaUrl{number}": f"https://api.twilio.com/{number}" for number in range(200)}
    (said,) = events(text("", NumMedia="200", **files))
    assert isinstance(said, InteractionReceived)
    assert len(said.interaction.attachments) == 10
    assert said.interaction.text is None


@pytest.mark.parametrize(("code", "reason"), sorted(LOST.items()))
def test_every_reason_is_told_in_words(code: str, reason: str) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code, "From": OURS, "To": THEIRS}
    (lost,) = events(fields)
    assert isinstance(lost, DeliveryUpdated)
    assert (lost.state, lost.code, lost.reason, lost.client_key) == ("failed", code, reason, None)


def test_the_key_in_the_address_comes_back() -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "ErrorCode": "0", "From": OURS, "To": THEIRS}
    (told,) = events(fields, url=f"{URL}?intent=a%3Ab%2F1")
    assert isinstance(told, DeliveryUpdated)
    assert (told.client_key, told.code, told.own_account) == ("a:b/1", None, OURS)


@pytest.mark.parametrize("status", ["accepted", "scheduled", "queued", "sending"])
def test_what_is_under_way_is_no_news(status: str) -> None:
    assert events({"MessageSid": "SM1", "MessageStatus": status, "From": OURS, "To": THEIRS}) == []


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress", "answered"])
def test_a_call_is_told_when_it_is_over(status: str) -> None:
    assert events({**ENDED, "CallStatus": status}) == []


@pytest.mark.parametrize(
    ("status", "subject"),
    [
        ("completed", "Answered call"),
        ("busy", "Call, line busy"),
        ("no-answer", "Missed call"),
        ("canceled", "Missed call"),
        ("failed", "Failed call"),
    ],
)
def test_how_a_call_ended_is_its_subject(status: str, subject: str) -> None:
    (event,) = events({**ENDED, "CallStatus": status})
    assert isinstance(event, InteractionReceived)
    assert (event.interaction.subject, event.interaction.kind) == (subject, "call")
    assert (event.interaction.duration, event.interaction.sent_at) == (None, NOW)


def test_a_call_began_its_duration_before_it_ended() -> None:
    at = "Tue, 03 Nov 2026 10:00:00 +0100"
    (event,) = events({**ENDED, "CallStatus": "completed", "CallDuration": "90", "Timestamp": at})
    assert isinstance(event, InteractionReceived)
    assert event.interaction.sent_at == datetime(2026, 11, 3, 9, 0, tzinfo=UTC) - timedelta(seconds=90)


@pytest.mark.parametrize("at", ["", "yesterday", "Tue, 03 Nov 2026 10:00:00", "Tue, 03 Nov 9999 23:59:59 -2300"])
def test_a_moment_that_says_nothing_is_the_one_of_arrival(at: str) -> None:
    (event,) = events({**ENDED, "CallStatus": "busy", "Timestamp": at})
    assert isinstance(event, InteractionReceived)
    assert event.interaction.sent_at == NOW


def test_a_machine_answers_calls_only_where_it_is_switched_on() -> None:
    fields = {**ENDED, "CallStatus": "completed", "CallDuration": "42"}
    for voice, subject in (("calls", "Answered call"), ("voicemail", "Call, taken by the answering machine")):
        (event,) = events(fields, voice=voice)
        assert isinstance(event, InteractionReceived)
        assert event.interaction.subject == subject
        assert event.interaction.attended == (voice == "calls")  # nobody speaks with a machine
    (made,) = events({**fields, "Direction": "outbound-api", "From": OURS, "To": THEIRS}, voice="voicemail")
    assert isinstance(made, InteractionReceived)
    assert (made.interaction.subject, made.interaction.direction) == ("Answered call", "outbound")
    assert made.interaction.counterpart is not None
    assert str(made.interaction.counterpart.account) == f"phone:{THEIRS}"


@pytest.mark.parametrize("word", sorted(WITHHELD))
def test_whoever_withholds_the_number_is_somebody_else_each_time(word: str) -> None:
    for number, written in enumerate((word, f"+{word}", word.upper())):
        assert is_withheld(written)
        (event,) = events({**ENDED, "CallSid": f"CA{number}", "CallStatus": "busy", "From": written})
        assert isinstance(event, InteractionReceived)
        assert str(event.interaction.author.account) == f"phone.anonymous@{OURS}:CA{number}"
        assert twilio().capabilities_in(event.interaction.thread).intents == frozenset()


def test_a_transcript_completes_the_voicemail_whichever_comes_first() -> None:
    fields = {"CallSid": "CA1", "CallStatus": "completed", **ENDS, **TAPE, "RecordingDuration": "7"}
    (tape,) = events(fields)
    (words,) = events(
        {**fields, "TranscriptionSid": "TR1", "TranscriptionStatus": "completed"} | {"TranscriptionText": "Hi"}
    )
    assert isinstance(tape, InteractionReceived)
    assert isinstance(words, InteractionEdited)
    assert tape.interaction.native_id == words.interaction.native_id == "RE1"
    assert (tape.interaction.text, words.interaction.text, tape.interaction.duration) == (None, "Hi", 7)
    assert words.interaction.attachments[0].text == "Hi"
    assert words.interaction.attachments[0].url == f"{TAPE['RecordingUrl']}.mp3"


@pytest.mark.parametrize("status", ["in-progress", "absent", "failed"])
def test_a_recording_that_is_none_says_nothing(status: str) -> None:
    assert events({"CallSid": "CA1", "RecordingStatus": status, **TAPE}) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({**text("Hi"), "From": "messenger:1"}, "other channels"),
        ({**text("Hi"), "To": ""}, "To is not a number of ours"),
        ({"CallSid": "CA1", "CallStatus": "gone", **ENDS}, "'gone' is not known"),
        ({"CallSid": "CA1", "RecordingStatus": "completed", **TAPE}, "names no caller"),
        ({"CallSid": "CA1", "RecordingStatus": "completed", **ENDS}, "RecordingUrl is missing"),
        ({"CallSid": "CA1", "RecordingStatus": "melted", **ENDS}, "'melted' is not known"),
        ({"MessageSid": "SM1", "MessageStatus": "melted", **ENDS}, "'melted' is not known"),
    ],
)
def test_what_is_not_understood_is_kept_with_its_reason(fields: dict[str, str], reason: str) -> None:
    (kept,) = events(fields)
    assert isinstance(kept, Unrecognised)
    assert reason in (kept.reason or "")


@pytest.mark.parametrize("body", [b"", b"a=b", b"MessageSid=", b"MessageSid=%ff", b"MessageSid=x+y", b"no form"])
def test_what_is_none_of_twilios_forms_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        list(twilio().parse(Payload(url=URL, body=body, received_at=NOW)))


def test_the_greeting_answers_calls_that_ring_and_nothing_else() -> None:
    ringing = {"CallSid": "CA1", "CallStatus": "ringing", "Direction": "inbound", **ENDS}
    silent = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    machine = twilio(voice="voicemail", greeting='<Hi> & "welcome"', voicemail_seconds=30)
    said = machine.acknowledge(payload(ringing, url=f"{URL}?a=1&b=2")).body.decode()
    assert '<Say language="en-US">&lt;Hi&gt; &amp; &quot;welcome&quot;</Say>' in said
    assert f'<Record action="{URL}?a=1&amp;b=2" maxLength="30" playBeep="true"/>' in said
    for fields in ({**ringing, **TAPE}, {**ringing, "Direction": "outbound-api"}, ENDED, text("Hi")):
        assert machine.acknowledge(payload(fields)).body == silent
    assert twilio(voice="calls").acknowledge(payload(ringing)).body == silent


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key_sid": "SK" + "0" * 32},
        {"api_key_secret": SecretStr("a-secret-alone")},
        {"transcribe": True, "voicemail_seconds": 120},
        {"greeting": "a\x00b"},
        {"callback_url": "http://hub.example/hooks/sms"},
        {"callback_url": "https://hub.example/hooks/sms?a=1"},
        {"voice": "fax"},
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        twilio(**wrong)


def test_only_a_telephone_number_can_be_written_to() -> None:
    for thread, can in ((THEIRS, True), ("242424", False), ("CA1", False), ("Acme", False)):
        claims = twilio().capabilities_in(Thread(id=thread, visibility="private"))
        assert bool(claims.intents) is can, thread
    assert not twilio().capabilities_in(Thread(id=THEIRS, visibility="public")).sends


def test_an_invitation_is_a_message_with_the_token_in_it() -> None:
    assert twilio().invitation("abc") == f"sms:{OURS}?body=abc"
