"""Discord (https://docs.discord.com/developers, 2026-11): one bot, in as many servers as one connection carries."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Literal

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from socialsupport_core.contract import (
    Connector,
    DeliveryError,
    Dial,
    Flow,
    Happening,
    SignatureError,
    Step,
    StreamState,
    Unsupported,
)
from socialsupport_core.contract.lax import json_object, text_of, whole_of
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
    Page,
    Party,
    Payload,
    RateLimit,
    Receipt,
    Reply,
    TextLimit,
)
from socialsupport_discord import failures, gateway, history, inbound, markup, outbound
from socialsupport_discord.settings import DiscordSettings

HOST, FILES = "discord.com", frozenset({"cdn.discordapp.com", "media.discordapp.net"})
SIGNATURE, TIMESTAMP = "x-signature-ed25519", "x-signature-timestamp"
TOLERANCE = 300
"""Seconds. Discord names none; an older request would be somebody's who repeats it."""
EPHEMERAL = 1 << 6
REPLIES: dict[int | None, dict[str, Any]] = {
    inbound.PING: {"type": 1},
    inbound.COMPONENT: {"type": 6},
    inbound.COMPLETION: {"type": 8, "data": {"choices": []}},
}
"""Answers without words: pong, nothing to be seen, nothing to be proposed.
https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object (2026-11)"""
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
            "identity.claimed",
            "thread.updated",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message", "edit.message", "delete.message", "react", "open.private", "typing"}),
    unsupported=frozenset({"delivery.updated", "mark.read", "erasure.requested"}),
    sends=frozenset({"public", "private"}),
    # https://docs.discord.com/developers/resources/message#create-message (2026-11)
    text=TextLimit(limit=2000, unit="characters"),
    markup=True,
    # https://docs.discord.com/developers/reference#uploading-files (2026-11): 10 MiB
    media=(MediaLimit(media_type="*/*", max_bytes=10 * 1024 * 1024),),
    attachments=10,
    choices=outbound.CHOICES,
    settles="lookup",
)
# https://docs.discord.com/developers/topics/rate-limits (2026-11): 50 calls a second for a bot. What a route allows
# stands in each answer and changes; five messages in five seconds in a channel is what it has been for years.
RATE_LIMITS = (
    RateLimit(calls=50, seconds=1),
    RateLimit(calls=5, seconds=5, per="thread", of=r"(POST|PATCH|DELETE) /api/v10/channels/\d+/messages.*"),
)


class Discord(Connector[DiscordSettings]):
    name = "discord"
    settings_model = DiscordSettings
    stream_state: ClassVar[type[StreamState]] = gateway.GatewayState
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    @property
    def hosts(self) -> frozenset[str]:
        return FILES | {HOST, "*.discord.gg"}

    @property
    def way_in(self) -> Literal["webhook", "poll", "stream"]:
        return "stream"  # to the door come buttons, commands and forms only

    @property
    def own(self) -> str:
        return self.facts.own_account or self.settings.application_id

    # inbound: pure

    def verify(self, payload: Payload) -> None:
        """https://docs.discord.com/developers/interactions/overview (2026-11): Discord tries it with forgeries too."""
        signed_at, given = payload.header(TIMESTAMP) or "", payload.header(SIGNATURE) or ""
        if self.settings.public_key is None:
            raise SignatureError("public_key is not set, so nothing can be verified")
        if not (signed_at.isascii() and signed_at.isdecimal() and len(signed_at) <= 12):
            raise SignatureError(f"the payload carries no {TIMESTAMP}")
        if abs(payload.received_at.timestamp() - int(signed_at)) > TOLERANCE:
            raise SignatureError(f"{TIMESTAMP} is more than five minutes away; is this machine's clock right?")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.settings.public_key))
        try:
            key.verify(_hexadecimal(given), signed_at.encode() + payload.body)
        except (InvalidSignature, ValueError):
            raise SignatureError(f"{SIGNATURE} does not fit the body; is public_key the app's own?") from None

    def parse(self, payload: Payload) -> Iterable[Event]:
        return inbound.translated(payload, self.own)

    def acknowledge(self, payload: Payload) -> Reply:
        """Within three seconds, or Discord shows that it failed. Events of the app, which carry no token, want 204:
        https://docs.discord.com/developers/events/webhook-events (2026-11)"""
        content = json_object(payload.body)
        kind = whole_of(content, "type")
        if "token" not in content and ("event" in content or kind == 0):
            return Reply(status=204)
        if kind in REPLIES:
            return Reply.of_json(REPLIES[kind])
        told = {"content": self.settings.command_reply, "flags": EPHEMERAL, "allowed_mentions": outbound.NOBODY}
        return Reply.of_json({"type": 4, "data": told})

    # the gateway

    def dial(self, state: Any) -> Flow[Dial]:
        return gateway.dial(state)

    def step(self, state: Any, happened: Happening) -> Step:
        return gateway.step(self.settings, state, happened)

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        return history.page(since, cursor)

    # outbound

    def measured(self, text: str) -> str:
        return markup.write(text)

    def send(self, intent: Intent) -> Flow[Receipt]:
        return outbound.send(intent)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        return outbound.lookup(intent, self.own, since)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets())

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """https://docs.discord.com/developers/reference#authentication, #user-agent (2026-11)"""
        if request.url.host == HOST:
            request.headers["authorization"] = f"Bot {self.settings.bot_token.get_secret_value()}"
            request.headers["user-agent"] = "DiscordBot (socialsupport, 0.1)"
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        response: httpx.Response = yield outbound.call("GET", "users", "@me")
        us = response.json()
        name = text_of(us, "global_name") or text_of(us, "username")
        return Facts(own_account=str(us["id"]), name=name, handle=text_of(us, "username"))

    def subscribe(self, public_url: str) -> Flow[None]:
        """https://docs.discord.com/developers/resources/application#edit-current-application (2026-11): Discord tries
        the door before it answers."""
        yield outbound.call("PATCH", "applications", "@me", json={"interactions_endpoint_url": public_url})

    def profile(self, identifier: Identifier) -> Flow[Party]:
        if identifier.kind != inbound.USER:
            raise Unsupported(f"Discord tells nothing of a {identifier.kind}")
        response: httpx.Response = yield outbound.call("GET", "users", identifier.value)
        return inbound.party(response.json(), {})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """The address is good for about a day; #attachment-object (2026-11)."""
        if attachment.url is None or httpx.URL(attachment.url).host not in FILES:
            raise Unsupported("the file does not lie at Discord's")
        response: httpx.Response = yield httpx.Request("GET", attachment.url)
        media_type = response.headers.get("content-type", attachment.media_type).partition(";")[0].strip()
        return Blob(content=response.content, media_type=media_type, name=attachment.name)


def _hexadecimal(written: str) -> bytes:
    """Exactly as it was signed: no spaces, no capitals."""
    if len(written) != 128 or written.strip("0123456789abcdef"):
        raise ValueError("no signature")
    return bytes.fromhex(written)
