"""From Twilio's forms to events.

https://www.twilio.com/docs/messaging/guides/webhook-request (2026-03),
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks (2026-07),
https://www.twilio.com/docs/usage/webhooks/voice-webhooks, https://www.twilio.com/docs/voice/twiml/record (2026-11).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import (
    Attachment,
    DeliveryUpdated,
    Event,
    IdentityClaimed,
    Interaction,
    InteractionEdited,
    InteractionReceived,
    Party,
    Payload,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_twilio import signing
from socialsupport_twilio.failures import LOST
from socialsupport_twilio.numbers import caller, is_withheld, party, thread

Form = Mapping[str, str]
KEY = "intent"
"""Our key, in the address to which Twilio reports."""
SID = re.compile(r"[A-Za-z0-9]{1,64}")
TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)/])")
MEDIA = 10
"""Files in a message. https://www.twilio.com/docs/messaging/api/media-resource (2026-09)"""
STATES: Mapping[str, Literal["sent", "delivered", "read", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
UNDER_WAY = frozenset({"accepted", "scheduled", "queued", "sending"})
# https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out (2026-11). YES opts in as well, but only who is out:
# from everybody else it is an answer.
OPT_OUT = frozenset({"stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"})
OPT_IN = frozenset({"start", "unstop"})
OPTED = {"STOP": "opted_out", "START": "opted_in"}
# https://www.twilio.com/docs/voice/api/call-resource (2026-11)
OUTCOMES = {
    "completed": "Answered call",
    "busy": "Call, line busy",
    "no-answer": "Missed call",
    "canceled": "Missed call",
    "failed": "Failed call",
}
RINGING = frozenset({"queued", "initiated", "ringing", "in-progress", "answered"})


class Unreadable(ValueError):
    """One of Twilio's forms lacks what it cannot do without."""


def form(payload: Payload) -> Form:
    """Raises MalformedPayload. What the address brings along stands behind what the form says."""
    try:
        return {**payload.query, **dict(signing.form(payload.body))}
    except ValueError as error:
        raise MalformedPayload(f"not a form as Twilio sends them: {error}") from error


def is_json(payload: Payload) -> bool:
    return (payload.header("content-type") or "").partition(";")[0].strip().lower() == "application/json"


def events(payload: Payload, *, answers: bool, number: str) -> Iterator[Event]:
    """`answers`: whoever calls us reaches the answering machine. `number`: ours, where a report names none."""
    if is_json(payload):
        yield _foreign(payload)
        return
    fields = form(payload)
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("CallSid") or ""
    if not SID.fullmatch(sid):
        raise MalformedPayload("neither MessageSid nor CallSid says what this is about")
    try:
        is_call = "MessageSid" not in fields and "SmsSid" not in fields
        yield from list(
            _call(fields, sid, payload.received_at, answers) if is_call else _message(fields, sid, payload, number)
        )
    except ValueError as error:
        reason = "it cannot be read" if not isinstance(error, Unreadable) else str(error)
        yield _unrecognised(f"{sid}{_mark(fields)}", "call" if is_call else "message", reason)


def _mark(fields: Form) -> str:
    """Tells apart what is told of one message or call."""
    said = (fields.get(name) for name in ("MessageStatus", "RecordingStatus", "TranscriptionStatus", "CallStatus"))
    return "".join(f":{one[:50]}" for one in said if one)


def _foreign(payload: Payload) -> Event:
    """Event Streams and the like."""
    try:
        payload.json()
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error
    name = hashlib.sha256(payload.body).hexdigest()[:32]
    return _unrecognised(name, "json", "only Twilio's forms are read, no event streams")


def _unrecognised(name: str, native_type: str, reason: str) -> Unrecognised:
    return Unrecognised(id=f"unrecognised:{name}", native_type=native_type, reason=reason[:500])


# text messages


def _message(fields: Form, sid: str, payload: Payload, number: str) -> Iterator[Event]:
    status = fields.get("MessageStatus") or fields.get("SmsStatus") or "received"
    if status not in ("received", "receiving"):
        yield from _status({"From": number, **fields}, sid, status, payload.received_at)
        return
    them = _them(fields, "From")
    at, own = payload.received_at, _ours(fields, "To")
    about: dict[str, Any] = {"own_account": own, "thread": thread(them), "at": at}
    text = _text(fields, "Body")
    if found := TOKEN.search(text or ""):
        claim: dict[str, Any] = {"subject": them.account, "proof": "handoff_token", "token": found[1]}
        yield IdentityClaimed(id=f"{sid}:token", **about, **claim)
    interaction = Interaction(
        network="twilio",
        native_id=sid,
        kind="message",
        direction="inbound",
        own_account=own,
        thread=thread(them),
        author=them,
        in_reply_to=_text(fields, "OriginalRepliedMessageSid"),
        text=text,
        attachments=tuple(_media(fields)),
        choice=_text(fields, "ButtonPayload"),
        sent_at=at,
    )
    yield InteractionReceived(id=sid, interaction=interaction)
    if change := opted(fields):
        yield ThreadUpdated(id=f"{sid}:{change}", change=change, **about)


def opted(fields: Form) -> str | None:
    """Twilio says so where a Messaging Service has Advanced Opt-Out; elsewhere the word itself does."""
    if kind := fields.get("OptOutType"):
        return OPTED.get(kind.upper())
    word = fields.get("Body", "").strip().lower()
    return "opted_out" if word in OPT_OUT else "opted_in" if word in OPT_IN else None


def _media(fields: Form) -> Iterator[Attachment]:
    for number in range(MEDIA):
        if url := _text(fields, f"MediaUrl{number}"):
            kind = _text(fields, f"MediaContentType{number}") or "application/octet-stream"
            yield Attachment(media_type=kind[:127], url=url[:2048])


def _status(fields: Form, sid: str, status: str, at: datetime) -> Iterator[Event]:
    """No moment comes along but RawDlrDoneDate, which is in whatever time zone the carrier likes."""
    if status in UNDER_WAY:
        return
    if status not in STATES:
        yield _unrecognised(f"{sid}:{status[:50]}", "status", f"the status {status[:50]!r} is not known")
        return
    code = _text(fields, "ErrorCode") if STATES[status] == "failed" else None
    yield DeliveryUpdated(
        id=f"{sid}:{status}",
        own_account=_ours(fields, "From"),
        state=STATES[status],
        native_id=sid,
        thread=thread(_them(fields, "To")) if fields.get("To") else None,
        client_key=(fields.get(KEY) or "")[:128] or None,
        code=code[:20] if code else None,
        reason=((_text(fields, "ErrorMessage") or LOST.get(code)) if code else None),
        at=at,
    )


# calls


def _call(fields: Form, sid: str, received: datetime, answers: bool) -> Iterator[Event]:
    status = fields.get("CallStatus", "")
    if "TranscriptionSid" in fields:
        yield from _transcript(fields, sid, received)
    elif "RecordingStatus" in fields:
        yield from _recording(fields, sid, received)
    elif "CallbackSource" not in fields and "CallDuration" not in fields and fields.get("RecordingUrl"):
        yield _taped(fields, sid, received)
    elif status in OUTCOMES:
        yield _ended(fields, sid, received, "voicemail" if answers else status)
    elif status not in RINGING:
        yield _unrecognised(sid, "call", f"the call status {status[:50]!r} is not known")


def _ended(fields: Form, sid: str, received: datetime, outcome: str) -> Event:
    duration = _seconds(fields, "CallDuration")
    ended = _moment(fields, "Timestamp") or received
    outbound = fields.get("Direction", "inbound").startswith("outbound")
    native = OUTCOMES[fields["CallStatus"]]
    took = native == "Answered call" and outcome == "voicemail" and not outbound
    interaction = Interaction(
        **_ends(fields, sid, outbound),
        native_id=sid,
        kind="call",
        subject="Call, taken by the answering machine" if took else native,
        attachments=_tape(fields, None) if fields.get("RecordingUrl") else (),
        duration=None if took else duration,  # nobody was spoken to, and whoever called waits
        sent_at=ended - timedelta(seconds=duration or 0),
    )
    return InteractionReceived(id=f"call:{sid}", interaction=interaction)


def _recording(fields: Form, sid: str, received: datetime) -> Iterator[Event]:
    """Names no caller by itself; whoever sets its address may add `?From=…&To=…`."""
    status = fields["RecordingStatus"]
    if status == "completed":
        if not fields.get("From"):
            raise Unreadable("a recording's status names no caller; the Record verb's action does")
        yield _taped(fields, sid, received)
    elif status not in ("in-progress", "absent", "failed"):
        yield _unrecognised(f"{sid}:{status[:50]}", "recording", f"the recording status {status[:50]!r} is not known")


def _taped(fields: Form, sid: str, received: datetime) -> Event:
    tape = _voicemail(fields, sid, received, None)
    return InteractionReceived(id=f"voicemail:{tape.native_id}", interaction=tape)


def _transcript(fields: Form, sid: str, received: datetime) -> Iterator[Event]:
    """Comes minutes after the recording; a failed one says nothing."""
    if fields.get("TranscriptionStatus") != "completed":
        return
    tape = _voicemail(fields, sid, received, _text(fields, "TranscriptionText"))
    yield InteractionEdited(id=f"transcript:{tape.native_id}", interaction=tape, edited_at=received)


def _voicemail(fields: Form, sid: str, received: datetime, said: str | None) -> Interaction:
    return Interaction(
        **_ends(fields, sid, outbound=False),
        native_id=_recording_sid(fields),
        kind="voicemail",
        subject="Voicemail",
        text=said,
        attachments=_tape(fields, said),
        duration=_seconds(fields, "RecordingDuration"),
        sent_at=received,
    )


def _ends(fields: Form, sid: str, outbound: bool) -> dict[str, Any]:
    own = _ours(fields, "From" if outbound else "To")
    written = fields.get("To" if outbound else "From", "")
    try:
        them = caller(written, own, sid)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    us = Party(is_self=True)
    return {
        "network": "twilio",
        "direction": "outbound" if outbound else "inbound",
        "own_account": own,
        "thread": thread(them),
        "author": us if outbound else them,
        "recipients": (them,) if outbound else (),
    }


def _tape(fields: Form, said: str | None) -> tuple[Attachment, ...]:
    """Without an ending it is a WAV file, which is five times as large."""
    sid, url = _recording_sid(fields), fields["RecordingUrl"][:2000]
    whole = url if url.endswith((".mp3", ".wav")) else f"{url}.mp3"
    kind = "audio/wav" if whole.endswith(".wav") else "audio/mpeg"
    return (Attachment(media_type=kind, url=whole, native_id=sid, name=f"{sid}{whole[-4:]}", text=said),)


def _recording_sid(fields: Form) -> str:
    url = fields.get("RecordingUrl") or ""
    sid = fields.get("RecordingSid") or url.rpartition("/")[2].partition(".")[0]
    if not url or not SID.fullmatch(sid):
        raise Unreadable("RecordingUrl is missing, or RecordingSid is none")
    return sid


# fields


def _ours(fields: Form, name: str) -> str:
    own = fields.get(name, "")
    if not own or is_withheld(own) or ":" in own or len(own) > 40:
        raise Unreadable(f"{name} is not a number of ours")
    return own


def _them(fields: Form, name: str) -> Party:
    try:
        return party(fields.get(name, ""))
    except ValueError as error:
        raise Unreadable(f"{name}: {error}") from None


def _text(fields: Form, name: str) -> str | None:
    return fields.get(name) or None


def _seconds(fields: Form, name: str) -> float | None:
    written = fields.get(name, "")
    return float(written) if written.isascii() and written.isdigit() and len(written) <= 7 else None


def _moment(fields: Form, name: str) -> datetime | None:
    """RFC 2822; without an offset it says nothing."""
    try:
        moment = parsedate_to_datetime(fields.get(name, ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo and 1971 <= moment.year <= 9000 else None
