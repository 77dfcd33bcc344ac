"""Phone calls after they have ended: records and voicemails, translated to interactions."""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from socialsupport_core.contract import Connector, Flow, Settings, SignatureError, Unsupported
from socialsupport_core.contract.records import Found, digest
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Event,
    Facts,
    Identifier,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    Thread,
    Unrecognised,
)
from socialsupport_phone.numbers import e164, is_region, is_withheld
from socialsupport_phone.records import CALLS, Record, record

TOLERANCE = 300.0
"""Seconds between signing and arrival."""
OUTCOMES = {
    "answered": "Answered call",
    "busy": "Call, line busy",
    "declined": "Declined call",
    "failed": "Failed call",
    "missed": "Missed call",
    "no-answer": "Missed call",
    "voicemail": "Voicemail",
}
"""What an agent reads above the record; other outcomes are shown as they came."""
NOT_TAKEN = frozenset({"busy", "declined", "failed", "missed", "no-answer"})
"""Some systems tell how long it rang: nobody was spoken to, so whoever called waits."""
RECORDINGS = {".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".wav": "audio/wav"}

_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

Secret = Annotated[SecretStr, Field(min_length=16)]


class PhoneSettings(Settings):
    """`number` and `extra_numbers` are ours; who else takes part in a call is the customer."""

    number: str
    extra_numbers: tuple[str, ...] = ()
    region: str | None = None
    """ISO 3166, such as `DE`: reads numbers written without their country code."""
    timezone: str | None = None
    """IANA, such as `Europe/Berlin`: reads times written without their offset."""
    signing_secret: Secret | None = None
    """Without it webhooks are refused and only files come in."""
    previous_signing_secret: Secret | None = None
    """Valid beside the new one while secrets rotate."""
    recording_hosts: frozenset[str] = frozenset()
    """Where recordings may be fetched from, over https."""

    @model_validator(mode="after")
    def _numbers_can_be_read(self) -> Self:
        for number in (self.number, *self.extra_numbers):
            try:
                e164(number, self.region)
            except ValueError as error:
                raise ValueError(f"{number!r}: {error}") from None
        return self

    @field_validator("region")
    @classmethod
    def _region_exists(cls, code: str | None) -> str | None:
        if code is not None and not is_region(code):
            raise ValueError(f"{code!r} is not a region such as DE or US (ISO 3166)")
        return code

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str | None) -> str | None:
        try:
            _ = name and ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from None
        return name


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a call, as we see them."""

    direction: Literal["inbound", "outbound"]
    ours: str
    theirs: str | None
    """None: the number was withheld."""

    @property
    def from_to(self) -> tuple[str, str]:
        theirs = self.theirs or "withheld"
        return (theirs, self.ours) if self.direction == "inbound" else (self.ours, theirs)


class Phone(Connector[PhoneSettings]):
    name: ClassVar[str] = "phone"
    settings_model: ClassVar[type[Settings]] = PhoneSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        receives=frozenset({"webhook", "file"}),
        verification="signature",
        events=frozenset({"interaction.received", "unrecognised"}),
        unsupported=frozenset(
            {
                "reaction.added",
                "reaction.removed",
                "delivery.updated",
                "profile.updated",
                "thread.updated",
                "typing.started",
                "send.message",
                "edit.message",
                "delete.message",
                "react",
                "open.private",
                "mark.read",
                "typing",
            }
        ),
    )

    def __init__(self, settings: PhoneSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        numbers = (settings.number, *settings.extra_numbers)
        self.own = frozenset(e164(number, settings.region) for number in numbers)
        self.zone = ZoneInfo(settings.timezone) if settings.timezone else None

    @property
    def hosts(self) -> frozenset[str]:
        return self.settings.recording_hosts

    def verify(self, payload: Payload) -> None:
        """A file was chosen by the operator; everything else is signed."""
        if payload.source == "file":
            return
        match = _SIGNATURE.fullmatch(payload.header("x-phone-signature") or "")
        if match is None:
            raise SignatureError("X-Phone-Signature is missing or not t=UNIX,v1=HEX")
        signed_at, given = match.groups()
        if abs(payload.received_at.timestamp() - int(signed_at)) > TOLERANCE:
            raise SignatureError("the signature is older or newer than five minutes")
        if not self._signed(signed_at, payload.body, given):
            raise SignatureError("X-Phone-Signature does not fit the body and the signing secret")

    def _signed(self, signed_at: str, body: bytes, given: str) -> bool:
        secrets = (self.settings.signing_secret, self.settings.previous_signing_secret)
        good = [sign(secret, signed_at, body) for secret in secrets if secret]
        return True in [hmac.compare_digest(one, given) for one in good]  # always all of them

    def parse(self, payload: Payload) -> Iterable[Event]:
        for one in CALLS.found(payload):
            yield self._event(one)

    def _event(self, one: Found) -> Event:
        if one.problem:
            return _unrecognised(one, one.problem)
        try:
            interaction = self._interaction(record(one.native))
        except (ValueError, OverflowError) as error:
            return _unrecognised(one, str(error))
        return InteractionReceived(id=f"{interaction.kind}:{interaction.native_id}", interaction=interaction)

    def _interaction(self, call: Record) -> Interaction:
        ends, start = self._ends(call), self._start(call.start)
        native_id = call.id or digest(call.kind, *ends.from_to, start.isoformat())
        theirs, ours = _customer(ends, native_id), Party(name=call.agent, is_self=True)
        inbound = ends.direction == "inbound"
        return Interaction(
            network=self.name,
            native_id=native_id,
            kind=call.kind,
            direction=ends.direction,
            own_account=ends.ours,
            thread=Thread(id=native_id, visibility="private"),
            author=theirs if inbound else ours,
            recipients=((ours,) if call.agent else ()) if inbound else (theirs,),
            subject=_subject(call),
            text=_text(call),
            attachments=_recording(call),
            duration=_duration(call),
            sent_at=start,
        )

    def _ends(self, call: Record) -> Ends:
        caller, called = self._number("from", call.caller), self._number("to", call.called)
        ends = self._ours_and_theirs(caller, called)
        if call.direction not in (None, ends.direction):
            raise ValueError(f"direction says {call.direction}, but the numbers say {ends.direction}")
        return ends

    def _ours_and_theirs(self, caller: str | None, called: str | None) -> Ends:
        match caller in self.own, called in self.own:
            case True, True:
                raise ValueError("both numbers are ours: an internal call has no customer")
            case False, True:
                return Ends("inbound", str(called), caller)
            case True, False if called:
                return Ends("outbound", str(caller), called)
            case True, False:
                raise ValueError("to: missing; without it nobody was called")
        raise ValueError("neither number is ours; add ours to the channel's extra_numbers")

    def _number(self, field: str, written: str | None) -> str | None:
        if written is None or is_withheld(written):
            return None
        try:
            return e164(written, self.settings.region)
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from None

    def _start(self, start: datetime) -> datetime:
        """In UTC and whole seconds, so that a webhook and a table name the same call alike."""
        if start.tzinfo is None and self.zone is None:
            raise ValueError("start: without an offset from UTC; write one or set the channel's timezone")
        aware = start if start.tzinfo else start.replace(tzinfo=self.zone)
        return aware.astimezone(UTC).replace(microsecond=0)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        address = urlsplit(attachment.url or "")
        if address.scheme != "https" or address.hostname not in self.hosts:
            raise Unsupported("recordings are fetched over https from the channel's recording_hosts only")
        response = yield httpx.Request("GET", str(attachment.url))
        media_type = response.headers.get("content-type", "").partition(";")[0].strip() or attachment.media_type
        return Blob(content=response.content, media_type=media_type, name=attachment.name)


def sign(secret: SecretStr, signed_at: str, body: bytes) -> str:
    """The v1 of a signature: HMAC-SHA256 over `t.body`, in lower-case hex."""
    return hmac.new(secret.get_secret_value().encode(), signed_at.encode() + b"." + body, "sha256").hexdigest()


def _customer(ends: Ends, call: str) -> Party:
    """Each withheld caller is an account of its own: nothing says that two of them are one person."""
    if ends.theirs:
        return Party(identifiers=(Identifier(kind="phone", value=ends.theirs),))
    return Party(identifiers=(Identifier(kind="phone.anonymous", scope=ends.ours, value=call),))


def _subject(call: Record) -> str:
    outcome = "voicemail" if call.kind == "voicemail" else call.outcome
    title = OUTCOMES.get(outcome.lower(), f"Call: {outcome}")
    return f"{title} ({call.agent})" if call.agent else title


def _duration(call: Record) -> float | None:
    rang = call.kind == "call" and call.outcome.lower() in NOT_TAKEN
    return call.duration and 0.0 if rang else call.duration


def _text(call: Record) -> str | None:
    """What was said: the person's own words in a voicemail, the agent's notes of a call."""
    kept = None if call.recording else call.transcript  # a recording carries its transcript itself
    said = (call.transcript, call.notes) if call.kind == "voicemail" else (call.notes, kept)
    return "\n\n".join(part for part in said if part) or None


def _recording(call: Record) -> tuple[Attachment, ...]:
    if not call.recording:
        return ()
    name = urlsplit(call.recording).path.rpartition("/")[2]
    kind = RECORDINGS.get(name[-4:].lower(), "audio/mpeg")
    whole = call.recording.startswith(("https://", "http://"))
    where: dict[str, Any] = {"url": call.recording} if whole else {"native_id": call.recording}
    return (Attachment(media_type=kind, name=name or None, text=call.transcript, **where),)


def _unrecognised(one: Found, reason: str) -> Unrecognised:
    kind = one.native.get("type") if isinstance(one.native, dict) else None
    native_type = kind if isinstance(kind, str) and _TYPE.fullmatch(kind) else "call"
    where = f"{one.place}: " if one.place else ""
    return Unrecognised(id=f"unrecognised:{one.name}", native_type=native_type, reason=f"{where}{reason}"[:1000])
