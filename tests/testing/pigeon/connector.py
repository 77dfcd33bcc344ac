"""Pigeon post: signed webhooks, a JSON API, polling."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    DeliveryError,
    Flow,
    MalformedPayload,
    ReadBlob,
    Settings,
    SignatureError,
    Unreachable,
    Unsupported,
    from_response,
)
from socialsupport_core.model import (
    Capabilities,
    DeliveryUpdated,
    Event,
    Facts,
    Identifier,
    Intent,
    Interaction,
    InteractionDeleted,
    InteractionReceived,
    MediaLimit,
    OpenPrivate,
    Page,
    Party,
    Payload,
    Receipt,
    Reply,
    SendMessage,
    TextLimit,
    Thread,
    Unrecognised,
)
from socialsupport_core.text import plain

API = "https://api.pigeon.example/v1"
TOLERANCE = timedelta(minutes=5)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FAILURES: dict[str, type[DeliveryError]] = {"lost": Unreachable, "too_heavy": ContentRejected}


class PigeonSettings(Settings):
    token: SecretStr
    signing_secret: SecretStr
    loft: str


class Pigeon(Connector[PigeonSettings]):
    name = "pigeon"
    settings_model: ClassVar[type[Settings]] = PigeonSettings
    capabilities = Capabilities(
        receives=frozenset({"webhook", "poll"}),
        verification="signature",
        events=frozenset({"interaction.received", "interaction.deleted", "delivery.updated"}),
        intents=frozenset({"send.message", "open.private"}),
        unsupported=frozenset({"typing", "typing.started"}),
        sends=frozenset({"private", "public"}),
        text=TextLimit(limit=160, unit="characters"),
        media=(MediaLimit(media_type="image/*", max_bytes=1_000_000),),
        receipts=frozenset({"delivered"}),
        settles="native_key",
    )
    signature_header = "Pigeon-Signature"
    timestamp_header = "Pigeon-Timestamp"

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"api.pigeon.example"})

    # inbound

    def handshake(self, payload: Payload) -> Reply | None:
        if "nest" in payload.query:
            self.verify_challenge(payload)
            return Reply.of_text(payload.query["nest"])
        return Reply.of_text(payload.query["coo"]) if "coo" in payload.query else None

    def verify_challenge(self, payload: Payload) -> None:
        self.verify(payload)

    def verify(self, payload: Payload) -> None:
        given = payload.header(self.signature_header) or ""
        sent = payload.header(self.timestamp_header) or ""
        if not self.matches(self.sign(sent, payload.body), given):
            raise SignatureError("Pigeon-Signature does not fit the body; check the signing secret")
        if abs(payload.received_at - datetime.fromtimestamp(int(sent), UTC)) > TOLERANCE:
            raise SignatureError("Pigeon-Timestamp is older than five minutes; check the clock")

    def matches(self, expected: str, given: str) -> bool:
        return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))

    def sign(self, sent: str, body: bytes) -> str:
        secret = self.settings.signing_secret.get_secret_value().encode()
        signed = sent.encode("utf-8", "surrogateescape") + b"." + body
        return "sha256=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()

    def acknowledge(self, payload: Payload) -> Reply:
        return Reply.of_text("coo")

    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            return list(self.events(payload))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise MalformedPayload(f"not a pigeon's letter: {error}") from error

    def events(self, payload: Payload) -> Iterator[Event]:
        for note in payload.json()["notes"]:
            yield self.event(note, payload)

    def event(self, note: Any, payload: Payload) -> Event:
        match note["type"]:
            case "letter":
                return InteractionReceived(id=self.id_of(note, payload), interaction=self.letter(note))
            case "burnt":
                return InteractionDeleted(
                    id=self.id_of(note, payload),
                    own_account=note["loft"],
                    native_id=note["letter"],
                    at=self.moment(note["at"]),
                )
            case "landed":
                return DeliveryUpdated(
                    id=self.id_of(note, payload),
                    own_account=note["loft"],
                    native_id=note["letter"],
                    state="delivered",
                    at=self.moment(note["at"]),
                )
            case other:
                return Unrecognised(id=note["id"], native_type=str(other), own_account=note["loft"])

    def id_of(self, note: Any, payload: Payload) -> str:
        return str(note["id"])

    def letter(self, note: Any) -> Interaction:
        ours = note["from"]["ring"] == note["loft"]
        writer = Party(
            identifiers=(Identifier(kind="pigeon.ring", value=note["from"]["ring"]),),
            name=note["from"].get("name"),
            is_self=ours,
        )
        return Interaction(
            network="pigeon",
            native_id=note["letter"],
            kind="message" if note["sealed"] is True else "comment",
            direction="outbound" if ours else "inbound",
            own_account=note["loft"],
            thread=Thread(id=note["perch"], visibility="private" if note["sealed"] is True else "public"),
            author=writer,
            text=note["text"],
            sent_at=self.moment(note["at"]),
        )

    def moment(self, written: str) -> datetime:
        return datetime.fromisoformat(written).replace(tzinfo=UTC)  # pigeons fly by UTC and do not say so

    def poll(self, cursor: str | None) -> Flow[Page]:
        response = yield self.ask("GET", "/notes", params={"after": cursor or ""})
        body = response.json()
        notes = Payload(source="poll", body=response.content, received_at=BEGINNING)
        return Page(payloads=(notes,) if body["notes"] else (), cursor=body["next"], more=body["more"])

    # outbound

    def ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        token = self.settings.token.get_secret_value()
        return httpx.Request(method, self.url(path), headers={"authorization": f"Bearer {token}"}, **content)

    def url(self, path: str) -> str:
        return API + path

    def send(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage():
                return self.fly(intent)
            case OpenPrivate():
                return self.land(intent)
        raise Unsupported(f"pigeons cannot {intent.type}")

    def fly(self, intent: SendMessage) -> Flow[Receipt]:
        pictures = []
        for attachment in intent.attachments:
            blob = yield ReadBlob(attachment.blob or "")
            response = yield self.ask("POST", "/pictures", files={"picture": (blob.name, blob.content)})
            pictures.append(response.json()["id"])
        letter = {"perch": self.perch(intent), "text": self.written(intent), "key": intent.key}
        response = yield self.ask("POST", "/letters", json={**letter, "pictures": pictures})
        return Receipt(native_id=response.json()["letter"])

    def perch(self, intent: SendMessage) -> str:
        return intent.thread.id

    def written(self, intent: SendMessage) -> str:
        return plain(intent.text or "")

    def land(self, intent: OpenPrivate) -> Flow[Receipt]:
        ring = intent.recipient.account if intent.recipient else None
        if ring is None:
            raise Unreachable("nobody to fly to: the intent has no recipient")
        content = {"ring": ring.value, "text": plain(intent.text), "key": intent.key}
        response = yield self.ask("POST", "/perches", json=content)
        answer = response.json()
        return Receipt(native_id=answer["letter"], thread=Thread(id=answer["perch"], visibility="private"))

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        try:
            answer = response.json()
        except ValueError:
            return from_response(response)
        code = answer.get("error") if isinstance(answer, dict) else None
        if isinstance(code, str) and code in FAILURES:
            return FAILURES[code](f"the loft says {code}", code=code)
        if isinstance(answer, dict) and answer.get("ok") is False:
            return ContentRejected("the loft refuses it", code=str(code))
        return from_response(response)

    def probe(self) -> Flow[Facts]:
        response = yield self.ask("GET", "/loft")
        return Facts(own_account=response.json()["ring"], name=response.json()["name"])
