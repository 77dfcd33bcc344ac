"""Slack (https://docs.slack.dev, 2026-11): one app in one workspace, or one app in many."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Literal

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import (
    Connector,
    DeliveryError,
    Dial,
    Flow,
    Forbidden,
    Happening,
    SignatureError,
    SignIn,
    Step,
    StreamState,
    Unsupported,
)
from socialsupport_core.contract.lax import text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    Event,
    Facts,
    Identifier,
    Intent,
    MediaLimit,
    Party,
    Payload,
    RateLimit,
    Receipt,
    Reply,
    TextLimit,
)
from socialsupport_slack import failures, inbound, outbound, signing_in, socket
from socialsupport_slack.settings import SlackSettings

HOST, FILES = "slack.com", "files.slack.com"
SIGNATURE, TIMESTAMP = "x-slack-signature", "x-slack-request-timestamp"
TOLERANCE = 300
"""Seconds, https://docs.slack.dev/authentication/verifying-requests-from-slack (2026-11)."""
CAPABILITIES = Capabilities(
    receives=frozenset({"webhook", "stream"}),
    verification="signature",
    events=frozenset(
        {
            "interaction.received",
            "interaction.edited",
            "interaction.deleted",
            "reaction.added",
            "reaction.removed",
            "profile.updated",
            "identity.claimed",
            "thread.updated",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message", "edit.message", "delete.message", "react", "open.private"}),
    unsupported=frozenset({"delivery.updated", "typing.started", "typing", "erasure.requested"}),
    sends=frozenset({"public", "private"}),
    # https://docs.slack.dev/reference/methods/chat.postMessage (2026-11): 4,000 are advised, 40,000 are cut off
    text=TextLimit(limit=4000, unit="characters"),
    markup=True,
    # https://slack.com/help/articles/201330736 (2026-11): 1 GB a file
    media=(MediaLimit(media_type="*/*", max_bytes=1_000_000_000),),
    attachments=10,
    choices=outbound.CHOICES,
    settles="lookup",
)
# https://docs.slack.dev/apis/web-api/rate-limits (2026-11): by method and workspace, "and more", with bursts. Of
# posting, one a second in each conversation; the tiers have 20, 50 and 100 a minute.
RATE_LIMITS = (
    RateLimit(calls=1, seconds=1, per="thread", of="POST /api/chat.postMessage"),
    RateLimit(calls=20, seconds=60, of="POST /api/reactions.remove"),
    RateLimit(calls=50, seconds=60, of="POST /api/(chat.(update|delete)|reactions.add|conversations.open)"),
    RateLimit(calls=50, seconds=60, of="GET /api/(conversations.(history|replies)|reactions.get)"),
    RateLimit(calls=100, seconds=60, of="(GET|POST) /api/(users.info|files.*)"),
)


class Slack(Connector[SlackSettings]):
    name = "slack"
    settings_model = SlackSettings
    stream_state: ClassVar[type[StreamState]] = socket.SocketState
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({HOST, "*.slack.com"})  # of the files, and of the sockets, whose names change

    @property
    def way_in(self) -> Literal["webhook", "poll", "stream"]:
        return "stream" if self.settings.app_token else "webhook"

    # inbound: pure

    def verify(self, payload: Payload) -> None:
        signed_at, given = payload.header(TIMESTAMP) or "", payload.header(SIGNATURE) or ""
        if not (signed_at.isascii() and signed_at.isdecimal() and len(signed_at) <= 12):
            raise SignatureError(f"the payload carries no {TIMESTAMP}")
        if abs(payload.received_at.timestamp() - int(signed_at)) > TOLERANCE:
            raise SignatureError(f"{TIMESTAMP} is more than five minutes away; is this machine's clock right?")
        written = given.encode("utf-8", "replace")
        fits = [
            hmac.compare_digest(written, signed(secret, signed_at, payload.body)) for secret in self.settings.signing()
        ]
        if not any(fits):
            raise SignatureError(f"{SIGNATURE} does not fit the body; is signing_secret the app's current one?")

    def parse(self, payload: Payload) -> Iterable[Event]:
        return inbound.translated(payload, self.facts)

    def acknowledge(self, payload: Payload) -> Reply:
        challenge = inbound.challenge(payload)
        return super().acknowledge(payload) if challenge is None else Reply.of_json({"challenge": challenge})

    def ends(self, payload: Payload) -> str | None:
        return inbound.end(payload)

    # socket mode

    def dial(self, state: Any) -> Flow[Dial]:
        if self.settings.app_token is None:
            raise Unsupported("socket mode needs app_token; enter it, or let Slack call this channel's door")
        return socket.dial()

    def step(self, state: Any, happened: Happening) -> Step:
        return socket.step(state, happened)

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        return outbound.send(intent, self.facts.own_account)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        return outbound.lookup(intent, since)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets())

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        token = self._token(request.url, credentials)
        if token is not None:
            request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    def _token(self, url: httpx.URL, credentials: Credentials | None) -> SecretStr | None:
        """An upload, a socket and a sign-in have a ticket or a secret of their own."""
        if url == socket.OPEN:
            return self.settings.app_token
        if url == signing_in.TOKEN or (url.host == FILES and url.path.startswith("/upload")):
            return None
        if url.host not in {HOST, FILES}:
            return None
        return credentials.access_token if credentials else self.settings.bot_token

    def connect_with(self, sign_in: SignIn) -> str:
        return signing_in.address(self.settings, sign_in)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return signing_in.exchange(self.settings, code, sign_in)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        return signing_in.refresh(self.settings, credentials)

    # about the world

    def probe(self) -> Flow[Facts]:
        """https://docs.slack.dev/reference/methods/auth.test (2026-11)"""
        response: httpx.Response = yield httpx.Request("POST", f"{outbound.API}/auth.test")
        us = response.json()
        extra = {name: value for name in ("team_id", "bot_id", "url") if (value := text_of(us, name))}
        return Facts(own_account=str(us["user_id"]), name=text_of(us, "team"), handle=text_of(us, "user"), extra=extra)

    def profile(self, identifier: Identifier) -> Flow[Party]:
        """https://docs.slack.dev/reference/methods/users.info (2026-11); the address needs users:read.email."""
        if identifier.kind != inbound.USER:
            raise Unsupported(f"Slack tells nothing of a {identifier.kind}")
        response: httpx.Response = yield outbound.get("users.info", user=identifier.value, include_locale="true")
        told = inbound.party(response.json()["user"], identifier.scope or "")
        return told.model_copy(update={"identifiers": (identifier, *told.identifiers[1:])})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """https://docs.slack.dev/reference/objects/file-object (2026-11): with the token."""
        address = attachment.url
        if address is None:
            response: httpx.Response = yield outbound.get("files.info", file=attachment.native_id or "")
            file = response.json()["file"]
            address = text_of(file, "url_private_download") or str(file["url_private"])
        if httpx.URL(address).host != FILES:
            raise Unsupported("the file lies outside Slack; its link stands in the message")
        response = yield httpx.Request("GET", address)
        media_type = response.headers.get("content-type", attachment.media_type).partition(";")[0].strip()
        if media_type == "text/html" != attachment.media_type:
            raise Forbidden("Slack gives its sign-in page in place of the file: the app needs the scope files:read")
        return Blob(content=response.content, media_type=media_type, name=attachment.name)


def signed(secret: SecretStr, signed_at: str, body: bytes) -> bytes:
    mac = hmac.digest(secret.get_secret_value().encode(), b"v0:" + signed_at.encode() + b":" + body, hashlib.sha256)
    return b"v0=" + mac.hex().encode()
