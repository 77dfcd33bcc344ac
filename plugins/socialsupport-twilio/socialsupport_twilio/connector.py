"""Twilio: text messages, calls and voicemails of one number (API 2010-04-01, https://www.twilio.com/docs, 2026-11)."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    Unsupported,
    declares,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    Event,
    Facts,
    Identifier,
    Intent,
    Payload,
    RateLimit,
    Receipt,
    Reply,
    TextLimit,
    Thread,
)
from socialsupport_twilio import failures, inbound, outbound, signing, twiml
from socialsupport_twilio.numbers import E164
from socialsupport_twilio.settings import TwilioSettings

HOST = "api.twilio.com"
# https://support.twilio.com/hc/en-us/articles/223183748 (2026-11): media are redirected to an address for four hours
FILES = frozenset({"mms.twiliocdn.com"})
CAPABILITIES = Capabilities(
    receives=frozenset({"webhook"}),
    verification="signature",
    events=frozenset(
        {
            "interaction.received",
            "interaction.edited",
            "delivery.updated",
            "identity.claimed",
            "thread.updated",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message"}),
    unsupported=frozenset(
        {
            "interaction.deleted",
            "reaction.added",
            "reaction.removed",
            "profile.updated",
            "typing.started",
            "edit.message",
            "delete.message",
            "react",
            "open.private",
            "mark.read",
            "typing",
        }
    ),
    sends=frozenset({"private"}),
    begins=frozenset({"phone"}),
    # https://www.twilio.com/docs/api/errors/21617 (2026-11): 1,600 characters, emoji count as several
    text=TextLimit(limit=1600, unit="utf16"),
    receipts=frozenset({"delivered", "failed"}),
    settles="lookup",
)
# https://www.twilio.com/docs/api/errors/63017 (2026-03). What is faster than the number allows (a long code sends one
# segment a second) waits at Twilio, up to ten hours: https://www.twilio.com/docs/api/errors/21611 (2026-11).
RATE_LIMITS = (RateLimit(calls=2000, seconds=1, of=r"POST .*/Messages\.json"),)


class Twilio(Connector[TwilioSettings]):
    """One number."""

    name = "twilio"
    settings_model = TwilioSettings
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    @property
    def hosts(self) -> frozenset[str]:
        return FILES | {HOST}

    def capabilities_in(self, thread: Thread) -> Capabilities:
        """Nobody can write to a withheld number, whose thread is the call, nor to a name or a short code."""
        if E164.fullmatch(thread.id) and thread.visibility == "private":
            return CAPABILITIES
        return CAPABILITIES.model_copy(update={"intents": frozenset(), "sends": frozenset()})

    # inbound: pure

    def verify(self, payload: Payload) -> None:
        signing.verify(payload, self.settings.signing())

    def parse(self, payload: Payload) -> Iterable[Event]:
        return inbound.events(payload, answers=self.settings.voice == "voicemail", number=self.settings.number)

    def acknowledge(self, payload: Payload) -> Reply:
        """Twilio carries out what we answer to a message or a call; it ignores the answer to a report."""
        if inbound.is_json(payload):
            return Reply()
        try:
            fields = inbound.form(payload)
        except ValueError:
            return twiml.nothing()
        if self.settings.voice == "voicemail" and _rings(fields):
            return twiml.voicemail(self.settings, payload.url)
        return twiml.nothing()

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        return outbound.send(intent, self.settings)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        return outbound.find(intent, since, self.settings)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets())

    def thread_with(self, account: Identifier) -> str | None:
        """The other's number names the thread."""
        return account.value if account.kind == "phone" and E164.fullmatch(account.value) else None

    def invitation(self, token: str) -> str | None:
        """RFC 5724: the text waits in the customer's field."""
        return f"sms:{self.settings.number}?body={token}"

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Only the API: where media lie, the address itself opens the door."""
        if request.url.host == HOST:
            user, password = self.settings.basic()
            request.headers["authorization"] = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        number = yield from self._number()
        able = number.get("capabilities") or {}
        extra = {name: "yes" if able.get(name) else "no" for name in ("voice", "sms", "mms")}
        name = number.get("friendly_name")
        return Facts(own_account=str(number["phone_number"]), name=str(name) if name else None, extra=extra)

    def subscribe(self, public_url: str) -> Flow[None]:
        """Sets the number's addresses; those for calls only as far as `voice` asks for them.

        https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource (2026-11)
        """
        number = yield from self._number()
        asked = {"SmsUrl": public_url, "SmsMethod": "POST"}
        if self.settings.voice != "off":
            asked |= {"StatusCallback": public_url, "StatusCallbackMethod": "POST"}
        if self.settings.voice == "voicemail":
            asked |= {"VoiceUrl": public_url, "VoiceMethod": "POST"}
        yield httpx.Request("POST", self._at(f"IncomingPhoneNumbers/{number['sid']}.json"), data=asked)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        url = httpx.URL(attachment.url) if attachment.url else None
        if url is None:
            raise ContentRejected("the attachment has no address")
        if url.scheme != "https" or url.host != HOST:
            raise Unsupported(f"the file lies at {url.host or 'no host'}, where Twilio's are not")
        try:
            file: httpx.Response = yield httpx.Request("GET", url)
        except failures.Moved as moved:
            file = yield httpx.Request("GET", self._moved(url.join(moved.location)))
        kind = file.headers.get("content-type", "").partition(";")[0] or attachment.media_type
        return Blob(content=file.content, media_type=kind, name=attachment.name)

    # inside

    def _moved(self, url: httpx.URL) -> httpx.URL:
        if url.scheme != "https" or not declares(self.hosts, url.host):
            raise Unsupported(f"Twilio sends us to {url.host or 'no host'}, where its files are not")
        return url

    def _number(self) -> Flow[dict[str, Any]]:
        url = httpx.URL(self._at("IncomingPhoneNumbers.json"), params={"PhoneNumber": self.settings.number})
        response: httpx.Response = yield httpx.Request("GET", url)
        for one in response.json()["incoming_phone_numbers"]:
            if one["phone_number"] == self.settings.number:
                return dict(one)
        raise Forbidden(f"{self.settings.number} is not a number of this account; look under Phone Numbers → Manage")

    def _at(self, path: str) -> str:
        return f"{outbound.API}/{self.settings.account_sid}/{path}"


def _rings(fields: inbound.Form) -> bool:
    """A call that waits for an answer, and nothing that is told of one."""
    told = {"RecordingUrl", "RecordingStatus", "CallbackSource", "CallDuration", "TranscriptionSid"}
    is_inbound = fields.get("Direction", "inbound") == "inbound"
    return is_inbound and "CallSid" in fields and fields.get("CallStatus") == "ringing" and not told & fields.keys()
