"""What the connectors to Facebook's pages and to Instagram's professional accounts do alike.

Both have Messenger's conversations in private and comments in public; what they write in public is their own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import httpx

from socialsupport_core.contract import ContentRejected, Flow, Forbidden, SignIn, Unsupported
from socialsupport_core.contract.lax import Json, text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    Identifier,
    Intent,
    Interaction,
    MarkRead,
    OpenPrivate,
    Party,
    React,
    Receipt,
    SendMessage,
    TextLimit,
    Thread,
    Typing,
)
from socialsupport_meta import graph, media, sending, signing
from socialsupport_meta.app import AppConnector
from socialsupport_meta.settings import MessengerSettings

MEGABYTE = 1024 * 1024
COMMON: dict[str, Any] = {
    "receives": frozenset({"webhook"}),
    "verification": "signature",
    "events": frozenset(
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
    "sends": frozenset({"public", "private"}),
    "caption": TextLimit(limit=1, unit="utf8_bytes"),  # words and a file are two messages
    "choices": sending.QUICK_REPLIES,
    # https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy (2026-03)
    "reply_window": timedelta(hours=24),
    "person_window": timedelta(days=7),
    "settles": "echo",
    "secret_in_url": True,
}
"""Capabilities of both."""
IN_COMMENTS: dict[str, Any] = {"choices": 0, "receipts": frozenset(), "reply_window": None, "person_window": None}
"""What differs in public."""

M = TypeVar("M", bound=MessengerSettings)


class MessengerConnector(AppConnector[M]):
    """One account. A subclass writes `natives`, `publish`, `answered`, `probe`, `invitation` and `exchange_with`."""

    chat: ClassVar[str]
    """What operators call its private messages."""
    private: ClassVar[Capabilities]
    public: ClassVar[Capabilities]
    person: ClassVar[str]
    """The kind of people's identifiers."""
    account_field: ClassVar[str]
    """The setting that names our account."""
    scopes: ClassVar[tuple[str, ...]]
    profile_fields: ClassVar[tuple[str, ...]]

    @property
    def hosts(self) -> frozenset[str]:
        return media.HOSTS | {self.graph_host}

    @property
    def own_account(self) -> str | None:
        return self.account_entered or self.facts.own_account

    @property
    def account_entered(self) -> str | None:
        entered: str | None = getattr(self.settings, self.account_field)
        return entered

    def capabilities_in(self, thread: Thread) -> Capabilities:
        if thread.visibility == "public":
            return self.public
        return self.private if self.settings.human_agent else self.private.model_copy(update={"person_window": None})

    # what a subclass writes

    @property
    def node(self) -> str:
        """Who speaks, in addresses of the Graph API: our account, or `me` for whoever owns the token."""
        return "me"

    @property
    def subscribed(self) -> Sequence[str]:
        """What the account tells the app."""
        raise NotImplementedError

    @property
    def send_api(self) -> sending.SendApi:
        return sending.SendApi(self._graph, self.node, human_agent=self.settings.human_agent)

    def publish(self, intent: Intent) -> Flow[Receipt]:
        """What is done in public, but for private replies."""
        raise sending.unsupported(self.title, intent)

    def answered(self, target: Interaction | None) -> dict[str, str]:
        """Whom a private reply goes to, as the Send API names a recipient. Raises ContentRejected."""
        raise NotImplementedError

    def worded(self, reaction: str) -> str:
        """A reaction, as the network names it."""
        return reaction

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        if intent.thread.visibility != "public":
            return self._in_private(intent)
        if isinstance(intent, OpenPrivate):
            return self.send_api.private_reply(intent, self.answered(intent.target))
        return self.publish(intent)

    def _in_private(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return self.send_api.message(intent)
            case React():
                return self.send_api.react(intent.model_copy(update={"reaction": self.worded(intent.reaction)}))
            case MarkRead() | Typing():
                return self.send_api.act(intent)
            case _:
                raise sending.unsupported(self.chat, intent)

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Files lie on a public CDN, which is told no token."""
        ours = request.url.host == self.graph_host
        return graph.authorized(request, credentials, self.settings) if ours else request

    def connect_with(self, sign_in: SignIn) -> str:
        return signing.address(self.settings, sign_in, self.scopes)

    def signed_in(self, code: str, sign_in: SignIn, field: str) -> Flow[list[Json]]:
        """The pages of whoever signed in, each with its token and a `field` more."""
        user = yield from signing.user_token(self.settings, self._graph, code, sign_in)
        return (yield from signing.pages(self._graph, user, field))

    # about the world

    def expected(self, own: str) -> str:
        """The account of the token, unless the settings name another. Raises Forbidden."""
        if self.account_entered not in (None, own):
            field = self.account_field
            raise Forbidden(f"the token belongs to {own}, {field} is {self.account_entered}: correct one of them")
        return own

    def subscribe(self, public_url: str) -> Flow[None]:
        """Installs the app on the account; the address itself is entered once, in the app's dashboard."""
        yield self._graph.post(self.node, "subscribed_apps", body={"subscribed_fields": ",".join(self.subscribed)})

    def profile(self, identifier: Identifier) -> Flow[Party]:
        if identifier.kind != self.person:
            raise Unsupported(f"{self.title} knows no {identifier.kind}")
        response: httpx.Response = yield self._graph.get(identifier.value, fields=",".join(self.profile_fields))
        person = response.json()
        names = [name for field in ("first_name", "last_name") if (name := text_of(person, field))]
        name = text_of(person, "name") or " ".join(names) or None
        handle, avatar = text_of(person, "username"), text_of(person, "profile_pic")
        return Party(identifiers=(identifier,), name=name, handle=handle, avatar=avatar)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        return media.fetch(attachment)


def commented(target: Interaction | None) -> Interaction:
    if target is None:
        raise ContentRejected("open.private names no comment; put the stored interaction into target")
    return target
