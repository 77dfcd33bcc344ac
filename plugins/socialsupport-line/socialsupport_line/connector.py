"""LINE, through the Messaging API (https://developers.line.biz/en/reference/messaging-api/, 2026-11)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    DeliveryError,
    Flow,
    SignatureError,
    Unavailable,
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
    Party,
    Payload,
    RateLimit,
    Receipt,
    TextLimit,
    Thread,
)
from socialsupport_core.text import plain
from socialsupport_line import failures, inbound, outbound
from socialsupport_line.settings import LineSettings

HOST, FILES = "api.line.me", "api-data.line.me"
SIGNATURE = "x-line-signature"
PREPARING = 5.0
"""Seconds until a film or a recording that LINE still prepares is asked for again."""
CAPABILITIES = Capabilities(
    receives=frozenset({"webhook"}),
    verification="signature",
    events=frozenset(
        {"interaction.received", "interaction.deleted", "identity.claimed", "thread.updated", "unrecognised"}
    ),
    intents=frozenset({"send.message", "mark.read", "typing"}),
    unsupported=frozenset(
        {
            "interaction.edited",
            "reaction.added",
            "reaction.removed",
            "delivery.updated",
            "typing.started",
            "edit.message",
            "delete.message",
            "react",
            "open.private",
        }
    ),
    sends=frozenset({"private"}),
    # https://developers.line.biz/en/reference/messaging-api/#text-message (2026-11); counted in UTF-16 units:
    # https://developers.line.biz/en/docs/messaging-api/text-character-count/ (2026-11)
    text=TextLimit(limit=5000, unit="utf16"),
    choices=outbound.CHOICES,
    settles="native_key",
)
# https://developers.line.biz/en/reference/messaging-api/#rate-limits (2026-11): 2,000 a second for what is not named
# otherwise. The table names limits of 100 a second and of 60 a minute; what may be meant by them keeps to them.
RATE_LIMITS = (
    RateLimit(calls=2000, seconds=1, of="POST /v2/bot/message/(push|reply)"),
    RateLimit(calls=100, seconds=1, of="POST /v2/bot/chat/.*"),
    RateLimit(calls=60, seconds=60, of="PUT /v2/bot/channel/webhook/endpoint"),
)


class Line(Connector[LineSettings]):
    """One channel, which is one LINE Official Account; or a module channel that many accounts have attached."""

    name = "line"
    settings_model = LineSettings
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    def __init__(self, settings: LineSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        if settings.reply_tokens:  # a reply knows no key: what may have been sent must not be sent again
            vars(self)["capabilities"] = CAPABILITIES.model_copy(update={"settles": "none"})

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({HOST, FILES})

    def capabilities_in(self, thread: Thread) -> Capabilities:
        narrow = set(self.capabilities.intents)
        if thread.visibility == "public":
            return self.capabilities.model_copy(update={"intents": frozenset(), "sends": frozenset()})
        return self.capabilities.model_copy(
            update={"intents": frozenset(narrow if outbound.alone(thread.id) else narrow - {"typing"})}
        )

    # inbound: pure

    def verify(self, payload: Payload) -> None:
        """https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/ (2026-11)"""
        given = payload.header(SIGNATURE)
        if given is None:
            raise SignatureError(f"the payload carries no {SIGNATURE}")
        written = given.encode("utf-8", "replace")
        fits = [hmac.compare_digest(written, signed(one, payload.body)) for one in self.settings.signing()]
        if not any(fits):
            raise SignatureError(f"{SIGNATURE} does not fit the body; is channel_secret the channel's current one?")

    def parse(self, payload: Payload) -> Iterable[Event]:
        return inbound.translated(payload)

    # outbound

    def measured(self, text: str) -> str:
        return plain(text)

    def send(self, intent: Intent) -> Flow[Receipt]:
        if intent.thread.visibility == "public":
            raise Unsupported("nothing on LINE is public")
        return outbound.Composer(reply_tokens=self.settings.reply_tokens).send(intent)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets())

    def invitation(self, token: str) -> str | None:
        # https://developers.line.biz/en/docs/messaging-api/using-line-url-scheme/ (2026-11): it waits in the field
        name = self.facts.handle
        return f"https://line.me/R/oaMessage/{quote(f'@{name}', safe='')}/?{token}" if name else None

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        token = credentials.access_token if credentials else self.settings.channel_access_token
        if token is not None:
            request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        """#get-bot-info. Only while chat is on can messages be marked as read from here."""
        response: httpx.Response = yield httpx.Request("GET", f"{outbound.API}/info")
        us = response.json()
        extra = {name: value for name in ("chatMode", "markAsReadMode") if (value := text_of(us, name))}
        handle = str(us["basicId"]).removeprefix("@") if text_of(us, "basicId") else None
        return Facts(own_account=str(us["userId"]), name=text_of(us, "displayName"), handle=handle, extra=extra)

    def subscribe(self, public_url: str) -> Flow[None]:
        """#set-webhook-endpoint-url. Whether webhooks are sent at all is switched in the console."""
        yield httpx.Request("PUT", f"{outbound.API}/channel/webhook/endpoint", json={"endpoint": public_url})

    def profile(self, identifier: Identifier) -> Flow[Party]:
        """#get-profile tells of who is a friend or has agreed; #get-group-summary of a group."""
        if identifier.kind == inbound.USER:
            response: httpx.Response = yield httpx.Request("GET", f"{outbound.API}/profile/{_in_path(identifier)}")
            told, name = response.json(), "displayName"
        elif identifier.kind == "line.group":
            response = yield httpx.Request("GET", f"{outbound.API}/group/{_in_path(identifier)}/summary")
            told, name = response.json(), "groupName"
        else:
            raise Unsupported(f"LINE tells nothing of a {identifier.kind}")
        return Party(
            identifiers=(identifier,),
            name=str(told[name]),
            avatar=text_of(told, "pictureUrl"),
            language=text_of(told, "language"),
        )

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """#get-content: with the message's id, for a time that LINE does not promise; 202 while it is prepared."""
        if attachment.native_id is None:
            raise Unsupported("the file lies outside LINE, with whoever sent it")
        path = quote(attachment.native_id, safe="")
        response: httpx.Response = yield httpx.Request("GET", f"https://{FILES}/v2/bot/message/{path}/content")
        if response.status_code == 202:
            raise Unavailable("LINE is still preparing the file", code="202", retry_after=PREPARING)
        if not response.content:
            raise ContentRejected("LINE gave an empty file")
        media_type = response.headers.get("content-type", attachment.media_type).partition(";")[0].strip()
        return Blob(content=response.content, media_type=media_type, name=attachment.name)


def signed(secret: SecretStr, body: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).digest())


def _in_path(identifier: Identifier) -> str:
    return quote(identifier.value, safe="")
