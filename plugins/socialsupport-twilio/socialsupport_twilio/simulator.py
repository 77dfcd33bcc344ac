"""Twilio, played on this machine: one number of ours, and whoever writes to it or calls it.

Written from the documentation and the published description of the API (2010-04-01) named in the connector.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlencode

import httpx

from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_core.text import count
from socialsupport_twilio import signing
from socialsupport_twilio.settings import TwilioSettings

PHONE_SID = "PN" + "5" * 32
STOP, START = ("stop", "unsubscribe", "cancel"), ("start", "unstop")
Fields = dict[str, str]


class TwilioSimulator(Simulator):
    """A person is known by a name, from which a number follows, or by their number."""

    network: ClassVar[str] = "twilio"
    hosts: ClassVar[frozenset[str]] = frozenset({"api.twilio.com", "mms.twiliocdn.com"})
    places: ClassVar[tuple[Place, ...]] = (
        Place("sms", "Text us", "private"),
        Place("call", "Call us", "private"),
        Place("voicemail", "Leave a voicemail", "private"),
    )

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.twilio = TwilioSettings.model_validate(settings, from_attributes=True)
        self.opted_out: set[str] = set()
        self.files: dict[str, bytes] = {}
        """Media and recordings by their path."""
        self.messages: list[dict[str, Any]] = []
        """As the API lists them, oldest first."""
        self.addresses: Fields = {}
        """What `subscribe` has set."""
        self._count = 0

    def resume(self, sent: Sequence[Payload]) -> None:
        super().resume(sent)
        self._count = 1000 * len(sent)

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """In the place `call` nothing is said that we would hear: `text` is shown only."""
        if place == "call":
            return self.dial(person, text, **more)
        return self.leave(person, text) if place == "voicemail" else self.text(person, text)

    def text(self, person: str, text: str, photo: bytes = b"") -> Said:
        sid, word = self._sid("MM" if photo else "SM"), text.strip().lower()
        fields = {"MessageSid": sid, "SmsSid": sid, "SmsStatus": "received", "Body": text, "NumSegments": "1"}
        if photo:
            path = f"{self._root}/Messages/{sid}/Media/{self._sid('ME')}"
            self.files[path] = photo
            fields |= {"MediaUrl0": f"https://api.twilio.com{path}", "MediaContentType0": "image/jpeg"}
        if word in STOP:
            self.opted_out.add(number(person))
        elif word in START:
            self.opted_out.discard(number(person))
        said = self._say(sid, "sms", person, text)
        self._tell({**fields, "NumMedia": str(bool(photo) + 0), **self._ends(person)})
        return said

    def dial(self, person: str, text: str = "", status: str = "completed", duration: int = 60) -> Said:
        """They call us, and the call has ended."""
        sid = self._sid("CA")
        said = self._say(sid, "call", person, text)
        self._tell(self._ended(sid, person, status, duration))
        return said

    def leave(self, person: str, text: str) -> Said:
        """They speak on the answering machine; the transcript follows the recording."""
        call, tape = self._sid("CA"), self._sid("RE")
        path = f"{self._root}/Recordings/{tape}"
        self.files[f"{path}.mp3"] = b"ID3" + text.encode()
        ringing = {"CallSid": call, "CallStatus": "ringing", "Direction": "inbound", **self._ends(person)}
        recorded = {"RecordingSid": tape, "RecordingUrl": f"https://api.twilio.com{path}"}
        said = self._say(tape, "voicemail", person, text)
        self._tell(ringing)
        self._tell({**ringing, "CallStatus": "completed", **recorded, "RecordingDuration": "7", "Digits": "hangup"})
        if self.twilio.transcribe:
            heard = {"TranscriptionSid": self._sid("TR"), "TranscriptionStatus": "completed", "TranscriptionText": text}
            self._tell({**ringing, "CallStatus": "completed", **recorded, **heard})
        self._tell(self._ended(call, person, "completed", 12))
        return said

    def report(self, said_id: str, status: str, code: str = "") -> None:
        """What becomes of a message of ours; told only where we asked for it."""
        message = next(one for one in self.messages if one["sid"] == said_id)
        message["status"] = status
        if message["callback"]:
            fields = {"MessageSid": said_id, "SmsSid": said_id, "MessageStatus": status, "SmsStatus": status}
            fields |= {"To": message["to"], "From": message["from"]} | ({"ErrorCode": code} if code else {})
            self._tell(fields, url=message["callback"])

    # what we ask

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "mms.twiliocdn.com":
            return self._file(unquote(request.url.params.get("path", "")))
        if request.headers.get("authorization") != _basic(*self.twilio.basic()):
            return self.expired(request)
        path, asked = request.url.path, parse_qs(request.read().decode(), keep_blank_values=True)
        fields = {name: values[-1] for name, values in asked.items()}
        if path == f"{self._root}/Messages.json":
            return self._send(fields) if request.method == "POST" else self._listed(request.url.params)
        if path.startswith(f"{self._root}/IncomingPhoneNumbers"):
            return self._numbers(request, fields)
        if "/Media/" in path and path in self.files:
            where = f"https://mms.twiliocdn.com/?{urlencode({'path': path})}"
            return httpx.Response(307, headers={"location": where})
        return self._file(path)

    def expired(self, request: httpx.Request) -> httpx.Response:
        return _refused(401, 20003, "Authenticate")

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"retry-after": "1"}, json={"code": 20429, "message": "Too Many Requests"})

    def _send(self, fields: Fields) -> httpx.Response:
        to, body = fields.get("To", ""), fields.get("Body", "")
        if fields.get("From") != self.twilio.number:
            return _refused(400, 21606, "The 'From' phone number provided is not a valid number of yours")
        if not to.startswith("+") or not to[1:].isdigit():
            return _refused(400, 21211, "Invalid 'To' Phone Number")
        if not body:
            return _refused(400, 21602, "Message body is required.")
        if count(body, "utf16") > 1600:
            return _refused(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if to in self.opted_out:
            return _refused(400, 21610, "Attempt to send to unsubscribed recipient")
        return httpx.Response(201, json=self._accepted(to, body, fields.get("StatusCallback", "")))

    def _accepted(self, to: str, body: str, callback: str) -> dict[str, Any]:
        sid, at = self._sid("SM"), format_datetime(self.clock())
        message = {"sid": sid, "to": to, "from": self.twilio.number, "body": body, "status": "queued"}
        message |= {"direction": "outbound-api", "date_created": at, "num_segments": str(count(body, "sms_segments"))}
        self.messages.append({**message, "callback": callback})
        self.said.append(Said(sid, "sms", to, "us", body, self.clock()))
        self.report(sid, "sent")
        return message

    def _listed(self, asked: httpx.QueryParams) -> httpx.Response:
        """Newest first."""
        wanted = (asked.get("To"), asked.get("From"))
        found = [one for one in reversed(self.messages) if (one["to"], one["from"]) == wanted]
        return httpx.Response(200, json={"messages": found, "next_page_uri": None})

    def _numbers(self, request: httpx.Request, fields: Fields) -> httpx.Response:
        able = {"voice": True, "sms": True, "mms": True}
        ours = {"sid": PHONE_SID, "phone_number": self.twilio.number, "friendly_name": "Acme", "capabilities": able}
        if request.method == "GET":
            return httpx.Response(200, json={"incoming_phone_numbers": [ours]})
        if request.url.path != f"{self._root}/IncomingPhoneNumbers/{PHONE_SID}.json":
            return _refused(404, 20404, "The requested resource was not found")
        self.addresses |= fields
        return httpx.Response(200, json=ours)

    def _file(self, path: str) -> httpx.Response:
        if path not in self.files:
            return _refused(404, 20404, "The requested resource was not found")
        kind = "audio/mpeg" if path.endswith(".mp3") else "image/jpeg"
        return httpx.Response(200, headers={"content-type": kind}, content=self.files[path])

    # inside

    @property
    def _root(self) -> str:
        return f"/2010-04-01/Accounts/{self.twilio.account_sid}"

    def _say(self, sid: str, place: str, person: str, text: str) -> Said:
        said = Said(sid, place, number(person), person, text, self.clock())
        self.said.append(said)
        return said

    def _ends(self, person: str) -> Fields:
        return {"AccountSid": self.twilio.account_sid, "From": number(person), "To": self.twilio.number}

    def _ended(self, sid: str, person: str, status: str, duration: int) -> Fields:
        at = format_datetime(self.clock() + timedelta(seconds=duration))
        told = {"CallSid": sid, "CallStatus": status, "Direction": "inbound", "Timestamp": at}
        more = {"CallbackSource": "call-progress-events", "SequenceNumber": "0", "CallDuration": str(duration)}
        return {**told, **more, **self._ends(person)}

    def _tell(self, fields: Fields, url: str = "") -> None:
        address = url or self.door
        proof = signing.signature(self.twilio.auth_token.get_secret_value(), address, fields.items())
        headers = (("content-type", "application/x-www-form-urlencoded"), ("x-twilio-signature", proof))
        body = urlencode(fields).encode()
        self.emit(Payload(url=address, headers=headers, body=body, received_at=self.clock()))

    def _sid(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count:032x}"


def number(person: str) -> str:
    """A number of their own for everybody, in a range where nobody lives (+1 555)."""
    if person.startswith("+"):
        return person
    return f"+1555{int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10**7:07d}"


def _refused(status: int, code: int, message: str) -> httpx.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return httpx.Response(status, json={"code": code, "message": message, "more_info": more, "status": status})


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
