"""Facebook Pages, through the Messenger and the Graph API (v25.0, https://developers.facebook.com, 2026-03)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import httpx

from socialsupport_core.contract import (
    ConfigError,
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
    EditMessage,
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
from socialsupport_facebook import feed, publishing
from socialsupport_facebook.people import PERSON
from socialsupport_facebook.settings import FacebookSettings
from socialsupport_meta import batch, door, failures, graph, media, sending, signing
from socialsupport_meta.reading import text_of

MEGABYTE = 1024 * 1024
IMAGE = MediaLimit(media_type="image/*", max_bytes=8 * MEGABYTE)
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
    intents=frozenset(
        {"send.message", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"}
    ),
    unsupported=frozenset({"typing.started"}),
    sends=frozenset({"public", "private"}),
    # https://developers.facebook.com/docs/messenger-platform/reference/send-api (2026-03)
    text=TextLimit(limit=2000, unit="characters"),
    caption=TextLimit(limit=1, unit="utf8_bytes"),  # words and a file are two messages
    # https://developers.facebook.com/docs/messenger-platform/send-messages/saving-assets (2026-04)
    media=(IMAGE, MediaLimit(media_type="*/*", max_bytes=25 * MEGABYTE)),
    choices=sending.QUICK_REPLIES,
    receipts=frozenset({"delivered", "read"}),
    # https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy (2026-03)
    reply_window=timedelta(hours=24),
    person_window=timedelta(days=7),
    settles="echo",
    secret_in_url=True,
)
PRIVATE = CAPABILITIES.model_copy(
    update={"intents": CAPABILITIES.intents - {"edit.message", "delete.message", "open.private"}}
)
PUBLIC = CAPABILITIES.model_copy(
    update={
        "intents": CAPABILITIES.intents - {"mark.read", "typing"},
        "caption": CAPABILITIES.text,
        "media": (IMAGE,),
        "choices": 0,
        "receipts": frozenset(),
        "reply_window": None,
        "person_window": None,
    }
)
# https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting (2026-03)
RATE_LIMITS = (RateLimit(calls=300, seconds=1, of=r"POST /v[\d.]+/\d+/messages"),)
SCOPES = (
    "pages_show_list",
    "pages_messaging",
    "pages_manage_metadata",
    "pages_read_engagement",
    "pages_manage_engagement",
    "pages_read_user_content",
)
"""https://developers.facebook.com/docs/permissions (2026-03)"""
FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_referrals",
    "message_reactions",
    "message_reads",
    "message_deliveries",
    "message_echoes",
    "message_edits",
    "feed",
    "mention",
)
"""What the page tells the app."""


class Facebook(Connector[FacebookSettings]):
    """Messenger, comments and posts of visitors of one page."""

    name = "facebook"
    settings_model = FacebookSettings
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    def __init__(self, settings: FacebookSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self._graph = graph.Graph(settings.version)

    @property
    def hosts(self) -> frozenset[str]:
        return media.HOSTS | {graph.HOST}

    @property
    def own_account(self) -> str | None:
        return self.settings.page_id or self.facts.own_account

    def capabilities_in(self, thread: Thread) -> Capabilities:
        if thread.visibility == "public":
            return PUBLIC
        return PRIVATE if self.settings.human_agent else PRIVATE.model_copy(update={"person_window": None})

    # inbound: pure

    def handshake(self, payload: Payload) -> Reply | None:
        return door.answer(payload, self.settings)

    def verify(self, payload: Payload) -> None:
        door.verify(payload, self.settings)

    def parse(self, payload: Payload) -> Iterable[Event]:
        return batch.translated(payload, feed.natives)

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        return self._in_public(intent) if intent.thread.visibility == "public" else self._in_private(intent)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets(), name="Facebook")

    def invitation(self, token: str) -> str | None:
        # https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links (2026-03)
        return f"https://m.me/{self.own_account}?ref={token}" if self.own_account else None

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Files lie on a public CDN, which is told no token."""
        return graph.authorized(request, credentials, self.settings) if request.url.host == graph.HOST else request

    def connect_with(self, sign_in: SignIn) -> str:
        return signing.address(self.settings, sign_in, SCOPES)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        user = yield from signing.user_token(self.settings, self._graph, code, sign_in)
        pages = yield from signing.pages(self._graph, user, "tasks")
        return signing.page_token(pages, self.settings.page_id, "page_id")

    # about the world

    def probe(self) -> Flow[Facts]:
        response: httpx.Response = yield self._graph.get("me", fields="id,name,username")
        page = response.json()
        own = str(page["id"])
        if self.settings.page_id not in (None, own):
            raise Forbidden(f"the token belongs to {own}, page_id is {self.settings.page_id}: correct one of them")
        return Facts(own_account=own, name=text_of(page, "name"), handle=text_of(page, "username"))

    def subscribe(self, public_url: str) -> Flow[None]:
        """Installs the app on the page; the address itself is entered once, in the app's dashboard."""
        yield self._graph.post(self._page, "subscribed_apps", body={"subscribed_fields": ",".join(FIELDS)})

    def profile(self, identifier: Identifier) -> Flow[Party]:
        if identifier.kind != PERSON:
            raise Unsupported(f"Facebook knows no {identifier.kind}")
        response: httpx.Response = yield self._graph.get(identifier.value, fields="first_name,last_name,profile_pic")
        person = response.json()
        names = [name for field in ("first_name", "last_name") if (name := text_of(person, field))]
        return Party(identifiers=(identifier,), name=" ".join(names) or None, avatar=text_of(person, "profile_pic"))

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        return media.fetch(attachment)

    # inside

    @property
    def _page(self) -> str:
        if self.own_account is None:
            raise ConfigError("page_id is missing; enter the page's id, or run the connection test once")
        return self.own_account

    @property
    def _api(self) -> sending.SendApi:
        return sending.SendApi(self._graph, self._page, human_agent=self.settings.human_agent)

    def _in_private(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return self._api.message(intent)
            case React():
                return self._api.react(intent)
            case MarkRead() | Typing():
                return self._api.act(intent)
            case _:
                raise sending.unsupported("Messenger", intent)

    def _in_public(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return publishing.comment(self._graph, intent)
            case EditMessage():
                return publishing.edit(self._graph, intent)
            case DeleteMessage():
                return publishing.delete(self._graph, intent, self.settings.moderation)
            case React():
                return publishing.react(self._graph, intent)
            case OpenPrivate():
                return self._api.private_reply(intent, answered(intent))
            case _:
                raise sending.unsupported("Facebook", intent)


def answered(intent: OpenPrivate) -> dict[str, str]:
    """The comment, or the visitor's post, to which a private reply goes.

    https://developers.facebook.com/docs/messenger-platform/discovery/private-replies (2026-04)
    """
    if intent.target is None:
        raise ContentRejected("open.private names no comment; put the stored interaction into target")
    kind = "post_id" if intent.target.native_id == intent.target.thread.id else "comment_id"
    return {kind: intent.target.native_id}
