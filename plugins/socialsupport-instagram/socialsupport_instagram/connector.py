"""Instagram, through Messenger and the Graph API (v25.0, https://developers.facebook.com, 2026-03)."""

from collections.abc import Iterator, Sequence

import httpx

from socialsupport_core.contract import AuthExpired, Flow, SignIn
from socialsupport_core.contract.lax import Json, object_of, text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    DeleteMessage,
    Facts,
    Intent,
    Interaction,
    MediaLimit,
    RateLimit,
    Receipt,
    SendMessage,
    TextLimit,
    Thread,
)
from socialsupport_instagram import login, public, publishing
from socialsupport_instagram.people import PERSON
from socialsupport_instagram.settings import InstagramSettings
from socialsupport_meta import graph, sending, signing
from socialsupport_meta.batch import Native, Scene
from socialsupport_meta.messenger import COMMON, IN_COMMENTS, MEGABYTE, MessengerConnector, commented

CAPABILITIES = Capabilities(
    **COMMON,
    intents=frozenset({"send.message", "delete.message", "react", "open.private", "mark.read", "typing"}),
    unsupported=frozenset({"typing.started", "edit.message"}),
    # https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message (2026-07)
    text=TextLimit(limit=1000, unit="utf8_bytes"),
    # https://developers.facebook.com/docs/messenger-platform/instagram/features/attachment-upload (2026-04)
    media=(
        MediaLimit(media_type="image/png", max_bytes=8 * MEGABYTE),
        MediaLimit(media_type="image/jpeg", max_bytes=8 * MEGABYTE),
        MediaLimit(media_type="image/gif", max_bytes=8 * MEGABYTE),
        MediaLimit(media_type="audio/*", max_bytes=25 * MEGABYTE),
        MediaLimit(media_type="video/*", max_bytes=25 * MEGABYTE),
        MediaLimit(media_type="application/pdf", max_bytes=25 * MEGABYTE),
    ),
    receipts=frozenset({"read"}),
)
PRIVATE = CAPABILITIES.model_copy(update={"intents": CAPABILITIES.intents - {"delete.message", "open.private"}})
PUBLIC = CAPABILITIES.model_copy(
    update={
        **IN_COMMENTS,
        "intents": frozenset({"send.message", "delete.message", "open.private"}),
        # Not confirmed in 2026: what API users observe. People may write more; whatever is shorter fits in any case.
        "text": TextLimit(limit=300, unit="characters"),
        "media": (),
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
LOGINS = {"facebook": graph.HOST, "instagram": login.GRAPH}
ACCOUNT = "instagram_business_account"
HEARTS = frozenset({"❤", "❤️"})


class Instagram(MessengerConnector[InstagramSettings]):
    """Messages, stories, comments and mentions of one professional account."""

    name = "instagram"
    title = "Instagram"
    chat = "Instagram"
    settings_model = InstagramSettings
    capabilities = CAPABILITIES
    private = PRIVATE
    public = PUBLIC
    rate_limits = RATE_LIMITS
    person = PERSON
    account_field = "account_id"
    scopes = SCOPES
    profile_fields = ("name", "username", "profile_pic")

    @property
    def graph_host(self) -> str:
        return LOGINS[self.settings.login]

    @property
    def hosts(self) -> frozenset[str]:
        return super().hosts | login.HOSTS

    @property
    def by_page(self) -> bool:
        """The token is that of the page which the account is linked to."""
        return self.settings.login == "facebook"

    @property
    def subscribed(self) -> Sequence[str]:
        """A page only has to have some subscription; what Instagram tells is chosen in the dashboard too."""
        return ("messages",) if self.by_page else FIELDS

    def measured(self, text: str) -> str:
        return publishing.words(text)

    @property
    def send_api(self) -> sending.SendApi:
        human_agent = self.settings.human_agent
        return sending.SendApi(self._graph, self.node, human_agent=human_agent, platform="instagram", carries_key=False)

    def capabilities_in(self, thread: Thread) -> Capabilities:
        """Files are uploaded to the page."""
        possible = super().capabilities_in(thread)
        return possible if self.by_page else possible.model_copy(update={"media": ()})

    def natives(self, entry: Json, scene: Scene) -> Iterator[Native]:
        return public.natives(entry, scene)

    def worded(self, reaction: str) -> str:
        """The heart has a name, the others are taken as they are.

        https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message (2026-07)
        """
        return "love" if reaction in HEARTS else reaction

    def publish(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return publishing.answer(self._graph, self._account, intent)
            case DeleteMessage():
                return publishing.delete(self._graph, intent, self.settings.moderation)
            case _:
                raise sending.unsupported(self.title, intent)

    def answered(self, target: Interaction | None) -> dict[str, str]:
        """Only whoever wrote a comment can be answered in private, within seven days.

        https://developers.facebook.com/docs/messenger-platform/instagram/features/private-replies (2026-03)
        """
        comment = commented(target if target and target.kind == "comment" else None)
        return {"comment_id": comment.native_id}

    def invitation(self, token: str) -> str | None:
        # https://developers.facebook.com/docs/messenger-platform/instagram/features/ig-me-links (2026-03)
        return f"https://ig.me/m/{self.facts.handle}?ref={token}" if self.facts.handle else None

    def connect_with(self, sign_in: SignIn) -> str:
        return super().connect_with(sign_in) if self.by_page else login.address(self.settings, sign_in)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        """The token of the page that our account is linked to, or the account's own."""
        if not self.by_page:
            return (yield from login.exchanged(self.settings, code, sign_in))
        pages = yield from self.signed_in(code, sign_in, ACCOUNT)
        linked = [{**page, "id": text_of(object_of(page, ACCOUNT), "id")} for page in pages if page.get(ACCOUNT)]
        return signing.page_token(linked, self.settings.account_id, self.account_field)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        if credentials.expires_at is None:
            raise AuthExpired("the token of a page has no end and is not renewed: sign in again")
        return (yield from login.renewed(credentials))

    def probe(self) -> Flow[Facts]:
        fields = f"{ACCOUNT}{{id,name,username}}" if self.by_page else "user_id,name,username"
        response: httpx.Response = yield self._graph.get("me", fields=fields)
        account = response.json()[ACCOUNT] if self.by_page else response.json()
        own = self.expected(str(account["id"] if self.by_page else account["user_id"]))
        return Facts(own_account=own, name=text_of(account, "name"), handle=text_of(account, "username"))

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        if attachment.native_id and attachment.native_id.startswith(public.MENTION):
            return public.fetch_words(self._graph, self._account, attachment.native_id)
        return super().fetch(attachment)

    @property
    def _account(self) -> str:
        """Whoever owns the token, if the account is known to nobody."""
        return self.own_account or "me"
