"""A small telephone system: people call or leave voicemails, it sends the signed records."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import ConfigError, Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_phone.connector import Phone, PhoneSettings, sign

COLUMNS = (
    "id", "from", "to", "start", "duration", "outcome", "agent", "notes", "recording", "transcript", "type"
)  # fmt: skip
RECORDINGS = "recordings.example"


class PhoneSimulator(Simulator):
    """Anybody may call: a person is known by a name, from which a number follows, or by their number."""

    network: ClassVar[str] = "phone"
    hosts: ClassVar[frozenset[str]] = frozenset({RECORDINGS})
    places: ClassVar[tuple[Place, ...]] = (
        Place("call", "Call us", "private"),
        Place("voicemail", "Leave a voicemail", "private"),
    )

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.phone = Phone(PhoneSettings.model_validate(settings, from_attributes=True))
        if self.phone.settings.signing_secret is None:
            raise ConfigError("the phone simulator signs its webhooks; set signing_secret")
        self.records: list[dict[str, Any]] = []
        self.agent = "Dana"
        self._before = 0
        """Records of an earlier time."""

    def resume(self, sent: Sequence[Payload]) -> None:
        super().resume(sent)
        self._before = len(sent)

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`call`: `text` is what the agent notes; `voicemail`: what the person says on the tape.

        `more`: duration in seconds; agent; outcome; withheld=True hides the number.
        """
        caller = "anonymous" if more.pop("withheld", False) else number(person)
        if place == "voicemail":
            return self._taped(person, caller, text, more)
        spoken = {"outcome": "answered", "agent": self.agent, "notes": text} | more
        return self._ended("call", person, {"from": caller, "to": self._ours(), **spoken}, text)

    def dial(self, person: str, notes: str, **more: Any) -> Said:
        """We call the person; told as `us` speaking in their thread."""
        spoken = {"outcome": "answered", "agent": self.agent, "notes": notes} | more
        return self._ended("call", "us", {"from": self._ours(), "to": number(person), **spoken}, notes)

    def export(self) -> bytes:
        """All records as the CSV file that the telephone system would export."""
        table = io.StringIO()
        writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self.records)
        return table.getvalue().encode()

    def respond(self, request: httpx.Request) -> httpx.Response:
        """The store of recordings: GET of an address that a record gave."""
        known = {record.get("recording") for record in self.records}
        if request.method != "GET" or str(request.url) not in known:
            return httpx.Response(404)
        return httpx.Response(200, headers={"content-type": "audio/mpeg"}, content=b"ID3 " + request.url.raw_path)

    def due(self) -> list[Payload]:
        """Signed as they leave: a late or repeated record carries a fresh signature."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        secret = self.phone.settings.signing_secret
        assert secret is not None
        signed_at = str(int(self.clock().timestamp()))
        signature = f"t={signed_at},v1={sign(secret, signed_at, body)}"
        headers = (("content-type", "application/json"), ("x-phone-signature", signature))
        return Payload(url=self.door, headers=headers, body=body, received_at=self.clock())

    def _taped(self, person: str, caller: str, text: str, more: dict[str, Any]) -> Said:
        tape = f"https://{RECORDINGS}/{self._next()}.mp3"
        taped = {"type": "voicemail", "outcome": "voicemail", "recording": tape, "transcript": text} | more
        return self._ended("voicemail", person, {"from": caller, "to": self._ours(), **taped}, text)

    def _ended(self, place: str, author: str, ends: dict[str, Any], text: str) -> Said:
        """The record goes out when the call is over."""
        call, duration = f"call-{self._next()}", ends.pop("duration", 60)
        start = self.clock() - timedelta(seconds=duration)
        record = {"id": call, "start": start.isoformat(timespec="seconds"), "duration": duration, **ends}
        self.records.append(record)
        self.emit(self.signed(json.dumps(record).encode()))
        said = Said(call, place, call, author, text, self.clock())
        self.said.append(said)
        return said

    def _next(self) -> int:
        return self._before + len(self.records) + 1

    def _ours(self) -> str:
        return self.phone.settings.number


def number(person: str) -> str:
    """A number of their own for everybody, in a range where nobody lives (+1 555)."""
    if person.startswith("+"):
        return person
    return f"+1555{int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10**7:07d}"
