"""X, formerly Twitter (API v2; https://docs.x.com, 2026-07)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import httpx

from socialsupport_core.contract import (
    ConfigError,
    Connector,
    DeliveryError,
    Flow,
    Forbidden,
    SignIn,
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
    Page,
    Party,
    Payload,
    RateLimit,
    Receipt,
    Reply,
    TextLimit,
    Thread,
)
from socialsupport_x import (
    activity,
    api,
    failures,
    media,
    oauth1,
    polling,
    sending,
    signing,
    subscribing,
    webhook,
)
from socialsupport_x.people import KIND, party
from socialsupport_x.settings import XSettings

CAPABILITIES = Capabilities(
    receives=frozenset({"webhook", "poll"}),
    verification="signature",
    events=frozenset(
        {
            "interaction.received",
            "interaction.edited",
            "interaction.deleted",
            "reaction.added",
            "delivery.updated",
            "identity.claimed",
            "thread.updated",
            "typing.started",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message", "delete.message", "react", "open.private"}),
    unsupported=frozenset({"reaction.removed", "mark.read", "typing"}),
    sends=frozenset({"public", "private"}),
    # https://developer.x.com/en/docs/x-api/v1/direct-messages/sending-and-receiving (2024-12)
    text=TextLimit(limit=10_000, unit="characters"),
    media=media.LIMITS,
    attachments=4,
    receipts=frozenset({"read"}),
    settles="lookup",
    # https://docs.x.com/x-api/direct-messages/lookup/introduction (2026-07)
    history=timedelta(days=30),
)
IN_PUBLIC = CAPABILITIES.model_copy(
    update={
        "sends": frozenset({"public", "private"}),
        # https://docs.x.com/fundamentals/counting-characters (2026-07)
        "text": TextLimit(limit=280, unit="x_weighted"),
        "receipts": frozenset(),
    }
)
IN_PRIVATE = CAPABILITIES.model_copy(
    update={
        "intents": frozenset({"send.message"}),
        "sends": frozenset({"private"}),
        "attachments": 1,
    }
)
QUARTER, DAY = 900, 86_400
RATE_LIMITS = (
    RateLimit(calls=100, seconds=QUARTER, of="POST /2/tweets"),
    RateLimit(calls=50, seconds=QUARTER, of="DELETE /2/tweets/[^/]+"),
    RateLimit(calls=15, seconds=QUARTER, of="POST /2/dm_conversations/.+/messages"),
    RateLimit(calls=1440, seconds=DAY, of="POST /2/dm_conversations/.+/messages"),
    RateLimit(calls=50, seconds=QUARTER, of="(POST|DELETE) /2/users/[^/]+/likes.*"),
    RateLimit(calls=1000, seconds=DAY, of="(POST|DELETE) /2/users/[^/]+/likes.*"),
    RateLimit(calls=500, seconds=QUARTER, of="POST /2/media/upload"),
    RateLimit(calls=300, seconds=QUARTER, of="GET /2/users/[^/]+/mentions"),
    RateLimit(calls=15, seconds=QUARTER, of="GET /2/dm_(events|conversations/.+/dm_events)"),
    RateLimit(calls=75, seconds=QUARTER, of="GET /2/users/(me|[^/]+/liked_tweets)"),
    RateLimit(calls=900, seconds=QUARTER, of="GET /2/(tweets|users)/[0-9]+"),
    RateLimit(calls=900, seconds=QUARTER, of="GET /2/users/[^/]+/tweets"),
)
"""Per user: https://docs.x.com/x-api/fundamentals/rate-limits (2026-07). X counts in fixed windows."""
FILE_HOSTS = frozenset({"ton.twitter.com", "ton.x.com"})
"""Where files of direct messages lie; they know OAuth 1.0a only."""
SIGNED_HOSTS = FILE_HOSTS | {"api.x.com"}
WEBHOOKS = "/2/webhooks"


class X(Connector[XSettings]):
    """Mentions, replies and direct messages of one account."""

    name = "x"
    settings_model = XSettings
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    @property
    def hosts(self) -> frozenset[str]:
        return SIGNED_HOSTS | media.CDN

    @property
    def own_account(self) -> str | None:
        return self.settings.account_id or self.facts.own_account

    def capabilities_in(self, thread: Thread) -> Capabilities:
        return IN_PUBLIC if thread.visibility == "public" else IN_PRIVATE

    # inbound: pure

    def handshake(self, payload: Payload) -> Reply | None:
        return webhook.answer(payload, self.settings)

    def verify(self, payload: Payload) -> None:
        webhook.verify(payload, self.settings)

    def parse(self, payload: Payload) -> Iterable[Event]:
        return activity.translated(payload, self.own_account)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(self._required_account(), polling.Cursor.read(cursor))

    # outbound

    def invitation(self, token: str) -> str | None:
        """A direct message to us, with the token written already."""
        # https://business.twitter.com/en/help/campaign-editing-and-optimization/public-to-private-conversation.html
        # (2026-11): `recipient_id` and `text`
        account = self.own_account
        return f"https://x.com/messages/compose?recipient_id={account}&text={token}" if account else None

    def measured(self, text: str) -> str:
        return sending.words(text)

    def send(self, intent: Intent) -> Flow[Receipt]:
        return sending.carry_out(intent)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        return sending.find(intent, since)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets())

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Media lie on a public CDN, which is told no credential."""
        if request.url.host not in SIGNED_HOSTS:
            return request
        if request.url.path == signing.TOKEN_PATH:
            return signing.proven(request, self.settings)
        request.headers["authorization"] = self._authorization(request, credentials, now, nonce)
        return request

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        return signing.refresh(self.settings, credentials)

    def connect_with(self, sign_in: SignIn) -> str:
        return signing.address(self.settings, sign_in)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return signing.exchange(self.settings, code, sign_in)

    # about the world

    def probe(self) -> Flow[Facts]:
        response: httpx.Response = yield api.get("/2/users/me", user__fields=api.USER_FIELDS)
        user = response.json()["data"]
        own = str(user["id"])
        if self.settings.account_id not in (None, own):
            raise Forbidden(
                f"the access token belongs to the account {own}, account_id is {self.settings.account_id}: "
                "correct one of them"
            )
        return Facts(own_account=own, name=text_of(user, "name"), handle=text_of(user, "username"))

    def subscribe(self, public_url: str) -> Flow[None]:
        if self.settings.subscription == "account_activity":
            return subscribing.account_activity(public_url)
        return subscribing.x_activity(public_url, self._required_account())

    def profile(self, identifier: Identifier) -> Flow[Party]:
        if identifier.kind != KIND:
            raise Unsupported(f"X knows no {identifier.kind}")
        response: httpx.Response = yield api.get(api.at("users", identifier.value), user__fields=api.USER_FIELDS)
        return party(response.json()["data"], self.own_account or "")

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        return media.fetch(attachment, by_oauth2=self.settings.access_token is None)

    # inside

    def _required_account(self) -> str:
        if self.own_account is None:
            raise ConfigError("account_id is missing; enter our numeric user id, or run the connection test once")
        return self.own_account

    def _authorization(self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str) -> str:
        settings = self.settings
        bearer = credentials.access_token if credentials else settings.oauth2_token
        if request.url.path.startswith(WEBHOOKS) and settings.app_bearer_token:
            return f"Bearer {settings.app_bearer_token.get_secret_value()}"
        if bearer and not (request.url.host in FILE_HOSTS and settings.access_token):
            return f"Bearer {bearer.get_secret_value()}"
        return oauth1.authorization(request, self._keys(), nonce, int(now.timestamp()))

    def _keys(self) -> oauth1.Keys:
        settings = self.settings
        key, secret = settings.consumer_key, settings.consumer_secret
        token, token_secret = settings.access_token, settings.access_token_secret
        if key is None or secret is None or token is None or token_secret is None:
            raise ConfigError("X has no credentials; connect the channel, or set access_token with access_token_secret")
        return oauth1.Keys(
            consumer_key=key.get_secret_value(),
            consumer_secret=secret.get_secret_value(),
            token=token.get_secret_value(),
            token_secret=token_secret.get_secret_value(),
        )
