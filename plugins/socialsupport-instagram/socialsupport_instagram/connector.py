"""Instagram, through Messenger and the Graph API (v25.0, https://developers.facebook.com, 2026-03)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import httpx

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    SignIn,
    Unsupported,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    DeleteMessage,
    Event,
    Facts,
    Identifier,
    Intent,
    MarkRead,
    MediaLimit,
    OpenPrivate,
    Party,
    Payload,
    RateLimit,
    React,
    Receipt,
    Reply,
    SendMessage,
    TextLimit,
    Thread,
    Typing,
)
from socialsupport_instagram import public, publishing
from socialsupport_instagram.people import PERSON
from socialsupport_instagram.settings import InstagramSettings
from socialsupport_meta import batch, door, failures, graph, media, sending, signing
from socialsupport_meta.reading import object_of, text_of

MEGABYTE = 1024 * 1024
CAPABILITIES = Capabilities(
    receives=frozenset({"webhook"}),
    verification="signature",
    events=frozenset(
        {
            "interaction.received",
            "interaction.edited",
            "interaction.deleted",
            "reaction.added",
            "reaction.removed",
            "delivery.updated",
            "identity.claimed",
            "thread.updated",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message", "delete.message", "react", "open.private", "mark.read", "typing"}),
    unsupported=frozenset({"typing.started", "edit.message"}),
    sends=frozenset({"public", "private"}),
    # https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message (2026-07)
    text=TextLimit(limit=1000, unit="utf8_bytes"),
    caption=TextLimit(limit=1, unit="utf8_bytes"),  # words and a file are two messages
    # https://developers.facebook.com/docs/messenger-platform/instagram/features/attachment-upload (2026-04)
    media=(
        MediaLimit(media_type="image/png", max_bytes=8 * MEGABYTE),
        MediaLimit(media_type="image/jpeg", max_bytes=8 * MEGABYTE),
        MediaLimit(media_type="image/gif", max_bytes=8 * MEGABYTE),
        MediaLimit(media_type="audio/*", max_bytes=25 * MEGABYTE),
        MediaLimit(media_type="video/*", max_bytes=25 * MEGABYTE),
        MediaLimit(media_type="application/pdf", max_bytes=25 * MEGABYTE),
    ),
    choices=sending.QUICK_REPLIES,
    receipts=frozenset({"read"}),
    # https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy (2026-03)
    reply_window=timedelta(hours=24),
    person_window=timedelta(days=7),
    settles="echo",
    secret_in_url=True,
)
PRIVATE = CAPABILITIES.model_copy(update={"intents": CAPABILITIES.intents - {"delete.message", "open.private"}})
PUBLIC = CAPABILITIES.model_copy(
    update={
        "intents": frozenset({"send.message", "delete.message", "open.private"}),
        # Not confirmed in 2026: what API users observe. People may write more; whatever is shorter fits in any case.
        "text": TextLimit(limit=300, unit="characters"),
        "media": (),
        "choices": 0,
        "receipts": frozenset(),
        "reply_window": None,
        "person_window": None,
    }
)
# https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting (2026-03)
RATE_LIMITS = (RateLimit(calls=300, seconds=1, of=r"POST /v[\d.]+/[^/]+/messages"),)
SCOPES = (
    "instagram_basic",
    "instagram_manage_messages",
    "instagram_manage_comments",
    "pages_show_list",
    "pages_manage_metadata",
    "pages_read_engagement",
)
"""https://developers.facebook.com/docs/permissions (2026-03)"""
FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_seen",
    "messaging_referral",
    "message_reactions",
    "comments",
    "live_comments",
    "mentions",
)
LOGINS = {"facebook": graph.HOST, "instagram": "graph.instagram.com"}
ACCOUNT = "instagram_business_account"
HEARTS = frozenset({"❤", "❤️"})


class Instagram(Connector[InstagramSettings]):
    """Messages, stories, comments and mentions of one professional account."""

    name = "instagram"
    settings_model = InstagramSettings
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    def __init__(self, settings: InstagramSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self._host = LOGINS[settings.login]
        self._graph = graph.Graph(settings.version, self._host)

    @property
    def hosts(self) -> frozenset[str]:
        return media.HOSTS | {self._host}

    @property
    def own_account(self) -> str | None:
        return self.settings.account_id or self.facts.own_account

    def capabilities_in(self, thread: Thread) -> Capabilities:
        if thread.visibility == "public":
            return PUBLIC
        narrower = {} if self.settings.human_agent else {"person_window": None}
        by_page = self.settings.login == "facebook"  # files are uploaded to the page
        return PRIVATE.model_copy(update=narrower if by_page else {**narrower, "media": ()})

    # inbound: pure

    def handshake(self, payload: Payload) -> Reply | None:
        return door.answer(payload, self.settings)

    def verify(self, payload: Payload) -> None:
        door.verify(payload, self.settings)

    def parse(self, payload: Payload) -> Iterable[Event]:
        return batch.translated(payload, public.natives)

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        return self._in_public(intent) if intent.thread.visibility == "public" else self._in_private(intent)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets(), name="Instagram")

    def invitation(self, token: str) -> str | None:
        # https://developers.facebook.com/docs/messenger-platform/instagram/features/ig-me-links (2026-03)
        return f"https://ig.me/m/{self.facts.handle}?ref={token}" if self.facts.handle else None

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Files lie on a public CDN, which is told no token."""
        return graph.authorized(request, credentials, self.settings) if request.url.host == self._host else request

    def connect_with(self, sign_in: SignIn) -> str:
        if self.settings.login == "instagram":
            raise Unsupported("signing in by Instagram is not implemented; put the account's token into the settings")
        return signing.address(self.settings, sign_in, SCOPES)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        """The token of the page that our account is linked to."""
        user = yield from signing.user_token(self.settings, self._graph, code, sign_in)
        pages = yield from signing.pages(self._graph, user, ACCOUNT)
        linked = [{**page, "id": text_of(object_of(page, ACCOUNT), "id")} for page in pages if page.get(ACCOUNT)]
        return signing.page_token(linked, self.settings.account_id, "account_id")

    # about the world

    def probe(self) -> Flow[Facts]:
        by_page = self.settings.login == "facebook"
        fields = f"{ACCOUNT}{{id,name,username}}" if by_page else "user_id,name,username"
        response: httpx.Response = yield self._graph.get("me", fields=fields)
        account = response.json()[ACCOUNT] if by_page else response.json()
        own = str(account["id"] if by_page else account["user_id"])
        if self.settings.account_id not in (None, own):
            raise Forbidden(
                f"the token belongs to {own}, account_id is {self.settings.account_id}: correct one of them"
            )
        return Facts(own_account=own, name=text_of(account, "name"), handle=text_of(account, "username"))

    def subscribe(self, public_url: str) -> Flow[None]:
        """Installs the app; the address itself is entered once, in the app's dashboard.

        A page only has to have some subscription; what Instagram tells is chosen in the dashboard too.
        """
        wanted = FIELDS if self.settings.login == "instagram" else ("messages",)
        yield self._graph.post("me", "subscribed_apps", body={"subscribed_fields": ",".join(wanted)})

    def profile(self, identifier: Identifier) -> Flow[Party]:
        if identifier.kind != PERSON:
            raise Unsupported(f"Instagram knows no {identifier.kind}")
        response: httpx.Response = yield self._graph.get(identifier.value, fields="name,username,profile_pic")
        person = response.json()
        name, handle, avatar = (text_of(person, field) for field in ("name", "username", "profile_pic"))
        return Party(identifiers=(identifier,), name=name, handle=handle, avatar=avatar)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        if attachment.native_id and attachment.native_id.startswith(public.MENTION):
            return public.fetch_words(self._graph, self._account, attachment.native_id)
        return media.fetch(attachment)

    # inside

    @property
    def _account(self) -> str:
        """Whoever owns the token, if the account is known to nobody."""
        return self.own_account or "me"

    @property
    def _api(self) -> sending.SendApi:
        human_agent = self.settings.human_agent
        return sending.SendApi(self._graph, "me", human_agent=human_agent, platform="instagram", carries_key=False)

    def _in_private(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return self._api.message(intent)
            case React():
                heart = (
                    intent.reaction in HEARTS
                )  # https://developers.facebook.com/docs/messenger-platform/instagram (2026-03)
                return self._api.react(intent.model_copy(update={"reaction": "love"}) if heart else intent)
            case MarkRead() | Typing():
                return self._api.act(intent)
            case _:
                raise sending.unsupported("Instagram", intent)

    def _in_public(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return publishing.answer(self._graph, self._account, intent)
            case DeleteMessage():
                return publishing.delete(self._graph, intent, self.settings.moderation)
            case OpenPrivate():
                return self._api.private_reply(intent, answered(intent))
            case _:
                raise sending.unsupported("Instagram", intent)


def named(intent: React) -> React:
    """Instagram has a name for the heart and takes the others as they are.

    https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message (2026-07)
    """
    return intent.model_copy(update={"reaction": "love"}) if intent.reaction in HEARTS else intent


def answered(intent: OpenPrivate) -> dict[str, str]:
    """Only whoever wrote a comment can be answered in private, within seven days.

    https://developers.facebook.com/docs/messenger-platform/instagram/features/private-replies (2026-03)
    """
    if intent.target is None or intent.target.kind != "comment":
        raise ContentRejected("open.private names no comment; put the stored interaction into target")
    return {"comment_id": intent.target.native_id}
