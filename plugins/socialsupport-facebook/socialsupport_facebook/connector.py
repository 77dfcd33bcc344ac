"""Facebook Pages, through the Messenger and the Graph API (v25.0, https://developers.facebook.com, 2026-03)."""

from collections.abc import Iterator

import httpx

from socialsupport_core.contract import ConfigError, Flow, SignIn
from socialsupport_core.contract.lax import Json, text_of
from socialsupport_core.model import (
    Capabilities,
    Credentials,
    DeleteMessage,
    EditMessage,
    Facts,
    Intent,
    Interaction,
    MediaLimit,
    RateLimit,
    React,
    Receipt,
    SendMessage,
    TextLimit,
)
from socialsupport_facebook import feed, publishing
from socialsupport_facebook.people import PERSON
from socialsupport_facebook.settings import FacebookSettings
from socialsupport_meta import sending, signing
from socialsupport_meta.batch import Native, Scene
from socialsupport_meta.messenger import COMMON, IN_COMMENTS, MEGABYTE, MessengerConnector, commented

IMAGE = MediaLimit(media_type="image/*", max_bytes=8 * MEGABYTE)
CAPABILITIES = Capabilities(
    **COMMON,
    intents=frozenset(
        {"send.message", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"}
    ),
    unsupported=frozenset({"typing.started"}),
    # https://developers.facebook.com/docs/messenger-platform/reference/send-api (2026-03)
    text=TextLimit(limit=2000, unit="characters"),
    # https://developers.facebook.com/docs/messenger-platform/send-messages/saving-assets (2026-04)
    media=(IMAGE, MediaLimit(media_type="*/*", max_bytes=25 * MEGABYTE)),
    receipts=frozenset({"delivered", "read"}),
)
PRIVATE = CAPABILITIES.model_copy(
    update={"intents": CAPABILITIES.intents - {"edit.message", "delete.message", "open.private"}}
)
PUBLIC = CAPABILITIES.model_copy(
    update={
        **IN_COMMENTS,
        "intents": CAPABILITIES.intents - {"mark.read", "typing"},
        "caption": CAPABILITIES.text,
        "media": (IMAGE,),
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


class Facebook(MessengerConnector[FacebookSettings]):
    """Messenger, comments and posts of visitors of one page."""

    name = "facebook"
    title = "Facebook"
    chat = "Messenger"
    settings_model = FacebookSettings
    capabilities = CAPABILITIES
    private = PRIVATE
    public = PUBLIC
    rate_limits = RATE_LIMITS
    person = PERSON
    account_field = "page_id"
    scopes = SCOPES
    subscribed = FIELDS
    profile_fields = ("first_name", "last_name", "profile_pic")

    @property
    def node(self) -> str:
        if self.own_account is None:
            raise ConfigError("page_id is missing; enter the page's id, or run the connection test once")
        return self.own_account

    def natives(self, entry: Json, scene: Scene) -> Iterator[Native]:
        return feed.natives(entry, scene)

    def publish(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return publishing.comment(self._graph, intent)
            case EditMessage():
                return publishing.edit(self._graph, intent)
            case DeleteMessage():
                return publishing.delete(self._graph, intent, self.settings.moderation)
            case React():
                return publishing.react(self._graph, intent)
            case _:
                raise sending.unsupported(self.title, intent)

    def answered(self, target: Interaction | None) -> dict[str, str]:
        """The comment, or the visitor's post.

        https://developers.facebook.com/docs/messenger-platform/discovery/private-replies (2026-04)
        """
        comment = commented(target)
        return {"post_id" if comment.native_id == comment.thread.id else "comment_id": comment.native_id}

    def measured(self, text: str) -> str:
        return publishing.words(text)

    def invitation(self, token: str) -> str | None:
        # https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links (2026-03)
        return f"https://m.me/{self.own_account}?ref={token}" if self.own_account else None

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        pages = yield from self.signed_in(code, sign_in, "tasks")
        return signing.page_token(pages, self.settings.page_id, self.account_field)

    def probe(self) -> Flow[Facts]:
        response: httpx.Response = yield self._graph.get("me", fields="id,name,username")
        page = response.json()
        own = self.expected(str(page["id"]))
        return Facts(own_account=own, name=text_of(page, "name"), handle=text_of(page, "username"))
