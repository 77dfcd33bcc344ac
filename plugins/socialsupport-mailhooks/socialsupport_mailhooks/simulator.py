"""The three providers played on this machine, each with the world of mailboxes behind it."""

import json
from email.utils import format_datetime, parseaddr
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx

from socialsupport_core.contract import DeliveryError, Settings
from socialsupport_core.model import Payload
from socialsupport_email.asks import SendMail
from socialsupport_email.compose import Address, Draft, compose
from socialsupport_email.context import ids
from socialsupport_email.settings import SmtpServer
from socialsupport_email.simulator import EmailSimulator
from socialsupport_mailhooks import forms
from socialsupport_mailhooks.hooked import NATIVE_KEY, basic
from socialsupport_mailhooks.mailgun import sign
from socialsupport_mailhooks.postmark import PIECE
from socialsupport_mailhooks.settings import BasicSettings, MailgunSettings, PostmarkSettings, SendGridSettings

NOWHERE = SmtpServer(host="smtp.example")
BOUNDARY = "xYzZY"
"""As SendGrid's inbound parse separates its fields."""


class ProviderServer(EmailSimulator):
    """People write mails, which come by webhook; what becomes of ours comes so, too."""

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)  # type: ignore[arg-type]  # it needs no servers
        self.sent: dict[str, str] = {}
        """Message-IDs of accepted mails by our key."""
        self._reports = 0

    # what a subclass writes

    def inbound(self, raw: bytes) -> Payload:
        raise NotImplementedError

    def report(self, kind: str, address: str, message_id: str, key: str) -> Payload:
        """`kind`: delivered, bounced, complained, opened."""
        raise NotImplementedError

    def refused(self, status: int, code: int, message: str) -> httpx.Response:
        return httpx.Response(status, json={"message": message})

    def answered(self, request: httpx.Request) -> httpx.Response:
        """To a call that proves who we are."""
        raise NotImplementedError

    def is_ours(self, request: httpx.Request) -> bool:
        raise NotImplementedError

    # the same for all

    def respond(self, request: httpx.Request) -> httpx.Response:
        response = self.answered(request) if self.is_ours(request) else self.refused(401, 10, "no valid key")
        response.headers["date"] = format_datetime(self.clock(), usegmt=True)
        return response

    def complain(self, person: str) -> None:
        """Calls the last mail that they got from us spam."""
        address = self.address_of(person)
        self.emit(self.report("complained", address, self.mailboxes[address][-1].id, ""))

    def take(self, draft: Draft, message: bytes, key: str) -> None:
        """Carries a mail. Raises DeliveryError."""
        self.sent[key] = draft.message_id
        address, bounces = draft.recipient.address, len(self.outgoing) + len(self.lost)
        self.deliver(SendMail(NOWHERE, draft.sender.address, address, message, draft.message_id, False))
        if len(self.outgoing) + len(self.lost) == bounces:
            self.emit(self.report("delivered", address, draft.message_id, key))

    def number(self) -> str:
        self._reports += 1
        return f"{self.network}-{self._reports}"

    def webhook(self, body: bytes, **headers: str) -> Payload:
        told = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return Payload(url=self.door, headers=told, body=body, received_at=self.clock())

    def _payload(self, draft: Draft, headers: dict[str, str]) -> Payload:
        return self.inbound(super()._payload(draft, headers).body)

    def _bounce(self, ask: SendMail, address: str) -> Payload:
        key = next((key for key, known in self.sent.items() if known == ask.message_id), "")
        return self.report("bounced", address, ask.message_id, key)


class PostmarkServer(ProviderServer):
    network: ClassVar[str] = "postmark"
    hosts: ClassVar[frozenset[str]] = frozenset({"api.postmarkapp.com"})

    @property
    def own(self) -> PostmarkSettings:
        return PostmarkSettings.model_validate(self.settings, from_attributes=True)

    def inbound(self, raw: bytes) -> Payload:
        return self._told({"FromName": "", "MessageStream": "inbound", "RawEmail": raw.decode()})

    def report(self, kind: str, address: str, message_id: str, key: str) -> Payload:
        at = self.clock().isoformat()
        pieces = [key[at_ : at_ + PIECE] for at_ in range(0, len(key), PIECE)]
        told: dict[str, Any] = {
            "MessageID": f"guid of {message_id}"[:60],
            "Metadata": {f"{NATIVE_KEY}_{number}": piece for number, piece in enumerate(pieces)},
        }
        if kind == "delivered":
            return self._told({"RecordType": "Delivery", "Recipient": address, "DeliveredAt": at, **told})
        bounce = {"ID": self._reports, "Email": address, "BouncedAt": at, **told}
        if kind == "complained":
            return self._told({"RecordType": "SpamComplaint", "Type": "SpamComplaint", **bounce})
        self._reports += 1
        details = "smtp;550 5.1.1 there is no such mailbox here"
        return self._told({"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Details": details, **bounce})

    def is_ours(self, request: httpx.Request) -> bool:
        return bool(request.headers.get("x-postmark-server-token") == self.own.server_token.get_secret_value())

    def expired(self, request: httpx.Request) -> httpx.Response:
        return self.refused(401, 10, "The Server Token is not valid")

    def refused(self, status: int, code: int, message: str) -> httpx.Response:
        return httpx.Response(status, json={"ErrorCode": code, "Message": message})

    def answered(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/server":
            server = {"ID": 1, "Name": "Acme", "DeliveryType": "Live", "RawEmailEnabled": True}
            return httpx.Response(200, json=server)
        if request.url.path == "/messages/outbound":
            wanted = "".join(
                value for name, value in sorted(request.url.params.items()) if name.startswith("metadata_")
            )
            return httpx.Response(200, json={"TotalCount": int(wanted in self.sent), "Messages": []})
        asked = json.loads(request.content)
        headers = {one["Name"]: one["Value"] for one in asked["Headers"]}
        if (
            headers.get("X-PM-KeepID") != "true"
            or not asked.get("TextBody")
            or asked["MessageStream"] != self.own.stream
        ):
            return self.refused(422, 300, "Invalid email request")
        draft = _draft(asked["From"], asked["To"], asked.get("ReplyTo"), asked["Subject"], asked["TextBody"], headers)
        if draft.recipient.address in self.gone:
            return self.refused(422, 406, "You tried to send to a recipient that has been marked as inactive.")
        key = "".join(value for _, value in sorted(asked["Metadata"].items()))
        try:
            self.take(draft, compose(draft), key)
        except DeliveryError:
            return self.refused(422, 400, "The 'From' address you supplied is not a Sender Signature")
        told = {
            "To": asked["To"],
            "SubmittedAt": self.clock().isoformat(),
            "MessageID": "guid",
            "ErrorCode": 0,
            "Message": "OK",
        }
        return httpx.Response(200, json=told)

    def _told(self, content: dict[str, Any]) -> Payload:
        return self.webhook(json.dumps(content).encode(), content_type="application/json", **_proof(self.own))


class MailgunServer(ProviderServer):
    network: ClassVar[str] = "mailgun"
    hosts: ClassVar[frozenset[str]] = frozenset({"api.mailgun.net", "api.eu.mailgun.net"})
    sends_only: bool = False
    """Whether our key is a domain's sending key."""

    @property
    def own(self) -> MailgunSettings:
        return MailgunSettings.model_validate(self.settings, from_attributes=True)

    def inbound(self, raw: bytes) -> Payload:
        form = {"recipient": self.own.address, "body-mime": raw, **self._signed()}
        return self.webhook(urlencode(form).encode(), content_type="application/x-www-form-urlencoded")

    def report(self, kind: str, address: str, message_id: str, key: str) -> Payload:
        event = {"delivered": "delivered", "bounced": "failed", "complained": "complained", "opened": "opened"}[kind]
        happening: dict[str, Any] = {
            "event": event, "id": self.number(), "timestamp": self.clock().timestamp(), "recipient": address,
            "message": {"headers": {"message-id": message_id}}, "user-variables": {NATIVE_KEY: key} if key else {},
        }  # fmt: skip
        if kind == "bounced":
            status = {"code": 550, "enhanced-code": "5.1.1", "message": "there is no such mailbox here"}
            happening |= {"severity": "permanent", "reason": "bounce", "delivery-status": status}
        told = {"signature": self._signed(), "event-data": happening}
        return self.webhook(json.dumps(told).encode(), content_type="application/json")

    def is_ours(self, request: httpx.Request) -> bool:
        return bool(request.headers.get("authorization") == basic("api", self.own.api_key.get_secret_value())[1])

    def answered(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == f"/v4/domains/{self.own.domain}":
            domain = {"name": self.own.domain, "state": "active"}
            return (
                self.refused(403, 0, "Forbidden") if self.sends_only else httpx.Response(200, json={"domain": domain})
            )
        if not request.url.path.startswith(f"/v3/{self.own.domain}/"):
            return self.refused(404, 0, "Domain not found")
        if request.url.path.endswith("/events"):
            found = request.url.params["message-id"] in self.sent.values()
            return httpx.Response(200, json={"items": [{"event": "accepted"}] * found})
        form = forms.fields(
            Payload(headers=tuple(request.headers.items()), body=request.read(), received_at=self.clock())
        )
        if not {"to", "message"} <= form.keys():
            return self.refused(400, 0, "to parameter is missing")
        head = _headers(form["message"])
        draft = _draft(
            head.get("from", ""), forms.text(form, "to"), None, "", "", {"Message-ID": head.get("message-id", "")}
        )
        try:
            self.take(draft, form["message"], forms.text(form, f"v:{NATIVE_KEY}"))
        except DeliveryError:
            return self.refused(400, 0, "from is not allowed")
        return httpx.Response(200, json={"id": f"<{draft.message_id}>", "message": "Queued. Thank you."})

    def _signed(self) -> dict[str, str]:
        timestamp, token = str(int(self.clock().timestamp())), self.random.randbytes(25).hex()
        return {"timestamp": timestamp, "token": token, "signature": sign(self.own.signing_key, timestamp, token)}


class SendGridServer(ProviderServer):
    network: ClassVar[str] = "sendgrid"
    hosts: ClassVar[frozenset[str]] = frozenset({"api.sendgrid.com"})
    scopes: tuple[str, ...] = ("mail.send", "2fa_required")
    """What our key may do."""

    @property
    def own(self) -> SendGridSettings:
        return SendGridSettings.model_validate(self.settings, from_attributes=True)

    def inbound(self, raw: bytes) -> Payload:
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        form = {"to": self.own.address, "envelope": "{}", "charsets": "{}"}
        asked = httpx.Request(
            "POST", self.door, data=form, files={"email": (None, raw)}, headers={"content-type": kind}
        )
        return self.webhook(asked.read(), content_type=kind, **_proof(self.own))

    def report(self, kind: str, address: str, message_id: str, key: str) -> Payload:
        event = {"delivered": "delivered", "bounced": "bounce", "complained": "spamreport", "opened": "open"}[kind]
        happening: dict[str, Any] = {
            "email": address, "event": event, "timestamp": int(self.clock().timestamp()),
            "smtp-id": f"<{message_id}>", "sg_event_id": self.number(), NATIVE_KEY: key,
        }  # fmt: skip
        if kind == "bounced":
            happening |= {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 there is no such mailbox here"}
        return self.webhook(json.dumps([happening]).encode(), content_type="application/json", **_proof(self.own))

    def is_ours(self, request: httpx.Request) -> bool:
        return bool(request.headers.get("authorization") == f"Bearer {self.own.api_key.get_secret_value()}")

    def answered(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v3/scopes":
            return httpx.Response(200, json={"scopes": list(self.scopes)})
        asked = json.loads(request.content)
        (one,) = asked["personalizations"]
        kinds = [part["type"] for part in asked["content"]]
        if kinds != ["text/plain", "text/html"] or not all(part["value"] for part in asked["content"]):
            return self.refused(400, 0, "The content value must be a string at least one character in length.")
        sender, recipient = (_written(person) for person in (asked["from"], one["to"][0]))
        reply_to = _written(asked["reply_to"]) if "reply_to" in asked else None
        draft = _draft(sender, recipient, reply_to, asked["subject"], asked["content"][0]["value"], asked["headers"])
        try:
            self.take(draft, compose(draft), one["custom_args"][NATIVE_KEY])
        except DeliveryError:
            return self.refused(403, 0, "The from address does not match a verified Sender Identity.")
        return httpx.Response(202, headers={"x-message-id": "filter0001"})


def _proof(settings: BasicSettings) -> dict[str, str]:
    passwords = settings.hook_passwords()
    return dict([basic(settings.hook_user, passwords[0])]) if passwords else {}


def _written(person: dict[str, str]) -> str:
    return f'"{person["name"]}" <{person["email"]}>' if "name" in person else person["email"]


def _draft(
    sender: str, recipient: str, reply_to: str | None, subject: str, text: str, headers: dict[str, str]
) -> Draft:
    """As the provider makes a mail of what it is told."""
    known = {name.lower(): value for name, value in headers.items()}
    return Draft(
        message_id=next(iter(ids([known["message-id"]]))),
        sender=_address(sender),
        recipient=_address(recipient),
        subject=subject,
        text=text,
        reply_to=_address(reply_to) if reply_to else None,
        references=tuple(ids([known.get("references", "")])),
    )


def _address(written: str) -> Address:
    name, address = parseaddr(written)
    return Address(address, name or None)


def _headers(message: bytes) -> dict[str, str]:
    head = message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n ", " ")
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n"))}
