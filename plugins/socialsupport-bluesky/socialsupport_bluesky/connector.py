"""Bluesky (https://docs.bsky.app, 2026-11): mentions, replies, quotes, likes and direct messages of one account."""

from collections.abc import Iterable
from datetime import datetime

import httpx

from socialsupport_bluesky import failures, inbound, outbound, polling, richtext, signing_in, xrpc
from socialsupport_bluesky.settings import BlueskySettings
from socialsupport_core.contract import (
    ConfigError,
    Connector,
    DeliveryError,
    Flow,
    Forbidden,
    SignIn,
    Unsupported,
)
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of
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
    TextLimit,
    Thread,
)

CDN = "cdn.bsky.app"
CAPABILITIES = Capabilities(
    receives=frozenset({"poll"}),
    events=frozenset(
        {
            "interaction.received",
            "interaction.deleted",
            "reaction.added",
            "reaction.removed",
            "identity.claimed",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message", "delete.message", "react", "open.private"}),
    unsupported=frozenset(
        {"interaction.edited", "edit.message", "delivery.updated", "typing.started", "typing", "erasure.requested"}
    ),
    sends=frozenset({"public", "private"}),
    # of a direct message; a post has 300: https://docs.bsky.app/docs/advanced-guides/posts (2026-11)
    text=TextLimit(limit=1000, unit="graphemes"),
    markup=True,
    # https://docs.bsky.app/docs/advanced-guides/posts#images-embeds (2026-11): four of 1,000,000 bytes
    media=tuple(MediaLimit(media_type=f"image/{one}", max_bytes=1_000_000) for one in ("jpeg", "png", "webp", "gif")),
    attachments=4,
    settles="lookup",
)
IN_PUBLIC = CAPABILITIES.model_copy(update={"text": TextLimit(limit=300, unit="graphemes")})
IN_PRIVATE = CAPABILITIES.model_copy(
    update={
        "intents": frozenset({"send.message"}),
        "sends": frozenset({"private"}),
        "media": (),
        "attachments": 1,
    }
)
# https://docs.bsky.app/docs/advanced-guides/rate-limits (2026-11): 5,000 points an hour and 35,000 a day, of which a
# new record takes three
RATE_LIMITS = (
    RateLimit(calls=3000, seconds=300),
    RateLimit(calls=1666, seconds=3600, of="POST /xrpc/com.atproto.repo.putRecord"),
    RateLimit(calls=11_666, seconds=86_400, of="POST /xrpc/com.atproto.repo.putRecord"),
    RateLimit(calls=30, seconds=300, of="POST /xrpc/com.atproto.server.createSession"),
)


class Bluesky(Connector[BlueskySettings]):
    name = "bluesky"
    settings_model = BlueskySettings
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.settings.service, self._host, CDN})

    def capabilities_in(self, thread: Thread) -> Capabilities:
        return IN_PUBLIC if thread.visibility == "public" else IN_PRIVATE

    # inbound: pure

    def parse(self, payload: Payload) -> Iterable[Event]:
        return inbound.translated(payload, self.facts.own_account or self.settings.handle)

    def poll(self, cursor: str | None) -> Flow[Page]:
        us = self._us()
        return polling.poll(us.host, polling.Cursor.read(cursor), messages=self.settings.messages)

    # outbound

    def measured(self, text: str) -> str:
        return richtext.counted(text)

    def send(self, intent: Intent) -> Flow[Receipt]:
        return outbound.send(intent, self._us())

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        return outbound.lookup(intent, self._us(), since)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets())

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Pictures lie on a public host, which is told no token; a renewal brings its own."""
        is_ours = request.url.host in {self.settings.service, self._host}
        is_plain = not request.url.path.endswith((signing_in.CREATE, signing_in.REFRESH))
        if credentials and is_ours and is_plain:
            request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    def connect_with(self, sign_in: SignIn) -> str:
        return signing_in.address(sign_in)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        if code != signing_in.CODE:
            raise Forbidden("this is not the way back that we gave out: connect the channel again")
        return signing_in.begin(self.settings)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        return signing_in.renew(self.settings, self._host, credentials)

    # about the world

    def probe(self) -> Flow[Facts]:
        """https://docs.bsky.app/docs/api/com-atproto-server-get-session (2026-11)"""
        response: httpx.Response = yield xrpc.query(self.settings.service, "com.atproto.server.getSession")
        us = response.json()
        pds = _server(object_of(us, "didDoc"))
        return Facts(own_account=str(us["did"]), handle=text_of(us, "handle"), extra={"pds": pds} if pds else {})

    def profile(self, identifier: Identifier) -> Flow[Party]:
        """https://docs.bsky.app/docs/api/app-bsky-actor-get-profile (2026-11)"""
        if identifier.kind != inbound.USER:
            raise Unsupported(f"Bluesky cannot tell who a {identifier.kind} is")
        asked: xrpc.Parameters = [("actor", identifier.value)]
        response: httpx.Response = yield xrpc.query(self._host, "app.bsky.actor.getProfile", asked)
        told = inbound.party(response.json(), self.facts.own_account or "")
        return told.model_copy(update={"identifiers": (identifier,)})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        address = attachment.url or ""
        if not address.startswith(f"https://{CDN}/"):
            raise Unsupported("the picture does not lie where Bluesky keeps them; its post shows it")
        response: httpx.Response = yield httpx.Request("GET", address)
        media_type = response.headers.get("content-type", attachment.media_type).partition(";")[0].strip()
        return Blob(content=response.content, media_type=media_type or attachment.media_type, name=attachment.name)

    # inside

    @property
    def _host(self) -> str:
        return self.facts.extra.get("pds") or self.settings.service

    def _us(self) -> outbound.Account:
        if self.facts.own_account is None:
            raise ConfigError("connect the channel, then run the connection test once: only it tells our DID")
        return outbound.Account(self.facts.own_account, self._host)


def _server(document: Json) -> str | None:
    """The account's own server: https://atproto.com/specs/did#representing-an-atproto-identity (2026-11)."""
    for one in objects_of(document, "service"):
        if (text_of(one, "id") or "").endswith("#atproto_pds"):
            return _host_of(text_of(one, "serviceEndpoint"))
    return None


def _host_of(address: str | None) -> str | None:
    try:
        url = httpx.URL(address or "")
    except (httpx.InvalidURL, UnicodeError):
        return None
    return url.host if url.scheme == "https" and url.port is None and url.host else None
