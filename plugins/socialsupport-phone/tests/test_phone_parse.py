"""From a record to an interaction."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import Event, InteractionReceived, Payload, Unrecognised
from socialsupport_phone import Phone, PhoneSettings

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
OURS, THEIRS = "+15550001111", "+15550002222"
CALL = {
    "id": "c-1",
    "from": THEIRS,
    "to": OURS,
    "start": "2026-03-01T08:15:00Z",
    "duration": 252,
    "outcome": "answered",
    "agent": "Dana",
    "notes": "Refund promised.",
}


def phone(**more: Any) -> Phone:
    return Phone(PhoneSettings(number=OURS, **more))


def parse(body: Any, **more: Any) -> list[Event]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(phone(**more).parse(Payload(body=content, received_at=NOW)))


def received(body: Any, **more: Any) -> InteractionReceived:
    (event,) = parse(body, **more)
    assert isinstance(event, InteractionReceived), event
    return event


def refused(body: Any, **more: Any) -> str:
    (event,) = parse(body, **more)
    assert isinstance(event, Unrecognised), event
    return event.reason or ""


def test_an_answered_call() -> None:
    event = received(CALL)
    call = event.interaction
    assert event.id == "call:c-1"
    assert (call.kind, call.direction, call.own_account) == ("call", "inbound", OURS)
    assert (call.thread.id, call.thread.visibility) == ("c-1", "private")
    assert str(call.author.account) == f"phone:{THEIRS}"
    assert [(party.name, party.is_self) for party in call.recipients] == [("Dana", True)]
    assert (call.subject, call.text, call.duration) == ("Answered call (Dana)", "Refund promised.", 252)
    assert call.sent_at == datetime(2026, 3, 1, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "attended"),
    [("answered", True), ("transferred", True), ("Missed", False), ("busy", False), ("voicemail", False)],
)
def test_a_call_was_attended_if_somebody_took_it_however_long_it_rang(outcome: str, attended: bool) -> None:
    assert received(CALL | {"outcome": outcome}).interaction.attended == attended


def test_an_outbound_call_hangs_on_whom_we_called() -> None:
    call = received(CALL | {"from": OURS, "to": THEIRS}).interaction
    assert call.direction == "outbound"
    assert (call.author.name, call.author.is_self) == ("Dana", True)
    assert call.counterpart is not None
    assert str(call.counterpart.account) == f"phone:{THEIRS}"


def test_a_voicemail_says_what_the_person_said() -> None:
    tape = {"type": "voicemail", "outcome": "voicemail", "agent": None, "transcript": "Please call me back."}
    event = received(CALL | tape | {"recording": "https://pbx.example/9.wav?t=1"})
    voicemail = event.interaction
    assert (event.id, voicemail.kind, voicemail.subject) == ("voicemail:c-1", "voicemail", "Voicemail")
    assert voicemail.text == "Please call me back.\n\nRefund promised."
    (recording,) = voicemail.attachments
    assert (recording.media_type, recording.name) == ("audio/wav", "9.wav")
    assert (recording.url, recording.text) == ("https://pbx.example/9.wav?t=1", "Please call me back.")


def test_the_outcome_voicemail_is_enough() -> None:
    assert received(CALL | {"outcome": "Voicemail"}).interaction.kind == "voicemail"


def test_the_transcript_of_a_call_is_never_lost() -> None:
    spoken = CALL | {"transcript": "Hello? Hello."}
    assert received(spoken).interaction.text == "Refund promised.\n\nHello? Hello."
    taped = received(spoken | {"recording": "tapes/9"}).interaction
    assert taped.text == "Refund promised."
    assert [(one.native_id, one.url, one.text) for one in taped.attachments] == [("tapes/9", None, "Hello? Hello.")]


@pytest.mark.parametrize(
    ("outcome", "subject"),
    [
        ("missed", "Missed call"),
        ("BUSY", "Call, line busy"),
        ("no-answer", "Missed call"),
        ("lost", "Call: lost"),
    ],
)
def test_outcomes_are_shown(outcome: str, subject: str) -> None:
    call = received(CALL | {"outcome": outcome, "agent": "", "notes": ""}).interaction
    assert (call.subject, call.text, call.recipients) == (subject, None, ())


@pytest.mark.parametrize("caller", ["", None, "anonymous", "Withheld", " PRIVATE ", "unknown"])
def test_withheld_callers_are_accounts_of_their_own(caller: str | None) -> None:
    first = received(CALL | {"from": caller}).interaction
    second = received(CALL | {"from": caller, "id": "c-2"}).interaction
    assert str(first.author.account) == f"phone.anonymous@{OURS}:c-1"
    assert first.author.account != second.author.account


def test_without_an_id_the_call_names_itself() -> None:
    def name(**more: Any) -> str:
        return received({key: value for key, value in (CALL | more).items() if key != "id"}).interaction.native_id

    assert name() == name(start="2026-03-01T09:15:00.25+01:00", notes="other", **{"from": "+1 (555) 000-2222"})
    different: list[dict[str, Any]] = [
        {"start": "2026-03-01T08:15:01Z"},
        {"from": "+15550003333"},
        {"from": "anonymous"},
        {"type": "voicemail"},
        {"from": OURS, "to": THEIRS},
    ]
    assert len({name(), *(name(**more) for more in different)}) == 6


def test_numbers_as_people_write_them() -> None:
    national = CALL | {"from": "030 / 901820", "to": "(030) 12 34 56"}
    german = PhoneSettings(number="030 123456", region="DE", extra_numbers=("+49 30 777777",))
    (event,) = Phone(german).parse(Payload(body=json.dumps(national).encode(), received_at=NOW))
    assert isinstance(event, InteractionReceived)
    assert event.interaction.own_account == "+4930123456"
    assert str(event.interaction.author.account) == "phone:+4930901820"


def test_times_without_an_offset_need_the_channels_time_zone() -> None:
    local = CALL | {"start": "2026-07-01 09:15:00"}
    assert received(local, timezone="Europe/Berlin").interaction.sent_at.hour == 7
    assert "set the channel's timezone" in refused(local)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"to": "+15550009999"}, "neither number is ours; add ours to the channel's extra_numbers"),
        ({"from": OURS}, "both numbers are ours: an internal call has no customer"),
        ({"from": OURS, "to": ""}, "to: missing; without it nobody was called"),
        ({"direction": "outbound"}, "direction says outbound, but the numbers say inbound"),
        ({"from": "Kerry"}, "from: not a phone number; write it as +4930123456 or set the channel's region"),
        ({"from": "call 15550002222 now"}, "from: not a phone number"),
        ({"to": "200"}, "to: not a phone number"),
        ({"start": "yesterday"}, "start: not ISO 8601"),
        ({"start": 1772352900}, "start: not ISO 8601"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "date value out of range"),
        ({"duration": -1}, "duration: Input should be greater than or equal to 0"),
        ({"duration": "4:xx"}, "duration: write it in seconds, or as 0:04:12"),
        ({"outcome": ""}, "outcome: is missing"),
        ({"type": "fax"}, "type: Input should be 'call' or 'voicemail'"),
        ({"from": 15550002222}, "from: not a phone number"),
    ],
)
def test_what_cannot_be_understood_is_kept_with_its_reason(change: dict[str, Any], reason: str) -> None:
    assert refused(CALL | change).startswith(reason)


def test_reasons_do_not_repeat_personal_data() -> None:
    assert "Kerry" not in refused(CALL | {"from": "Kerry Fisher", "start": "Kerry Fisher"})


def test_an_unknown_type_is_named() -> None:
    (event,) = parse(CALL | {"type": "fax"})
    assert isinstance(event, Unrecognised)
    assert event.native_type == "fax"
    (again,) = parse(CALL | {"type": "fax", "colour": "blue"})
    assert event.id == again.id


def test_one_bad_record_among_many_spoils_nothing() -> None:
    events = parse({"calls": [CALL, CALL | {"start": "?"}, "nonsense", CALL | {"id": 7}]})
    assert [event.type for event in events] == [
        "interaction.received",
        "unrecognised",
        "unrecognised",
        "interaction.received",
    ]
    assert [event.reason for event in events if isinstance(event, Unrecognised)][1] == (
        "calls[2]: a call is an object with from, to, start, duration, outcome"
    )
    assert events[3].id == "call:7"
    assert len({event.id for event in events}) == 4


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "the body is not JSON"),
        (b'{"duration": NaN, "from": ""}', "the body is not JSON"),
        (b'{"from":' + b"[" * 5000 + b"]" * 5000 + b"}", "the body is not JSON"),
        (b"[]", "the body is neither a call"),
        (b'{"calls": {}}', "the body is neither a call"),
        (b'{"hello": 1}', "the body is neither a call"),
    ],
)
def test_bodies_that_are_no_record_at_all(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        parse(body)


strange = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(field=st.sampled_from(sorted(CALL)), value=strange)
def test_any_value_in_any_field_gives_one_event_or_malformed(field: str, value: Any) -> None:
    try:
        events = parse(CALL | {field: value})
    except MalformedPayload:
        return
    assert len(events) == 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_parse_is_total_on_bytes(body: bytes) -> None:
    try:
        assert all(event.type == "unrecognised" for event in parse(body))
    except MalformedPayload:
        return


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"number": "200"}, "'200': not a phone number"),
        ({"extra_numbers": ("x",)}, "'x': not a phone number"),
        ({"region": "Germany"}, "'Germany' is not a region such as DE"),
        ({"timezone": "Berlin"}, "'Berlin' is not an IANA time zone"),
        ({"timezone": "../etc/passwd"}, "is not an IANA time zone"),
        ({"signing_secret": "short"}, "at least 16"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
    ],
)
def test_settings_say_what_is_wrong(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        PhoneSettings.model_validate({"number": OURS} | change)
