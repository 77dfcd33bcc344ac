"""Telegram, through the Bot API.

https://core.telegram.org/bots/api (Bot API 10.1, 2026-06)
"""

import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    MalformedPayload,
    SignatureError,
    Unsupported,
    answered_at,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
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
    Thread,
)
from socialsupport_telegram import album
from socialsupport_telegram.content import full_name
from socialsupport_telegram.entities import to_entities
from socialsupport_telegram.failures import failure
from socialsupport_telegram.inbound import KINDS, Translator
from socialsupport_telegram.native import UPDATES, SavedUpdates, Update, without_nulls
from socialsupport_telegram.outbound import ALREADY, PHOTO_BYTES, Call, compose, receipt
from socialsupport_telegram.settings import TelegramSettings

LONG_POLL = 25
"""Seconds. Telegram answers at once when there is news."""
PAGE = 100  # https://core.telegram.org/bots/api#getupdates (2026-06)
# https://core.telegram.org/bots/api#setwebhook (2026-06)
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header


class Telegram(Connector[TelegramSettings]):
    name = "telegram"
    settings_model = TelegramSettings
    capabilities: ClassVar = Capabilities(
        receives=frozenset({"webhook", "poll"}),
        verification="shared_secret",
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
        intents=frozenset(
            {
                "send.message",
                "edit.message",
                "delete.message",
                "react",
                "open.private",
                "mark.read",
                "typing",
            }
        ),
        unsupported=frozenset({"delivery.updated", "typing.started", "erasure.requested"}),
        sends=frozenset({"private", "public"}),
        # "1-4096 characters"; UTF-16 code units, in which offsets are counted, never come out too few
        caption=TextLimit(limit=1024, unit="utf16"),  # https://core.telegram.org/bots/api#sendphoto (2026-11)
        text=TextLimit(limit=4096, unit="utf16"),
        markup=True,
        media=(
            MediaLimit(media_type="image/jpeg", max_bytes=PHOTO_BYTES),
            MediaLimit(media_type="image/png", max_bytes=PHOTO_BYTES),
            MediaLimit(media_type="*/*", max_bytes=50_000_000),
        ),
        attachments=album.MOST,
        choices=100,  # not documented; what bots observe (2026-06)
        # https://core.telegram.org/bots/api#update (2026-11): after a week without updates the next number is random
        sequence=timedelta(days=7),
        history=timedelta(hours=24),  # https://core.telegram.org/bots/api#getting-updates (2026-06)
        secret_in_url=True,
    )
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this (2026-06).
    # Twenty a minute is said of groups only; nobody writes more to one person either.
    rate_limits = (
        RateLimit(calls=30, seconds=1),
        RateLimit(calls=1, seconds=1, per="thread"),
        RateLimit(calls=20, seconds=60, per="thread"),
    )

    @property
    def own_account(self) -> str:
        return self.settings.token.get_secret_value().partition(":")[0]

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.settings.api).hostname or ""})

    def capabilities_in(self, thread: Thread) -> Capabilities:
        """Reading is told only in a business account's chats, where in turn bots cannot react."""
        missing = "react" if ":business:" in thread.id else "mark.read"
        return self.capabilities.model_copy(update={"intents": self.capabilities.intents - {missing}})

    # inbound: pure

    def verify(self, payload: Payload) -> None:
        known = [self.settings.secret_token, self.settings.previous_secret_token]
        accepted = [secret.get_secret_value().encode() for secret in known if secret]
        if not accepted:
            raise SignatureError("the setting secret_token is missing: without it anybody could call this door")
        given = (payload.header(SECRET_HEADER) or "").encode("utf-8", "replace")
        matches = [hmac.compare_digest(given, secret) for secret in accepted]
        if not any(matches):
            raise SignatureError(f"{SECRET_HEADER} is missing or not ours")

    def parse(self, payload: Payload) -> Iterable[Event]:
        bot, now = self.own_account, payload.received_at
        try:
            return [event for one in _updates(payload) for event in Translator(bot, now, one.update_id).events(one)]
        except ValidationError as error:
            raise MalformedPayload(f"this is no Update of Telegram: {misfit(error)}") from None

    def acknowledge(self, payload: Payload) -> Reply:
        """A pressed button shows that it waits until its query is answered; the reply may carry that call."""
        if b"callback_query" not in payload.body:
            return super().acknowledge(payload)
        try:
            queries = [update.callback_query for update in _updates(payload) if update.callback_query]
        except ValidationError:
            return Reply()
        if not queries:
            return Reply()
        return Reply.of_json({"method": "answerCallbackQuery", "callback_query_id": queries[0].id})

    def poll(self, cursor: str | None) -> Flow[Page]:
        wanted = {"timeout": str(LONG_POLL), "limit": str(PAGE), "allowed_updates": json.dumps(list(KINDS))}
        request = self._get("getUpdates", wanted | ({"offset": cursor} if cursor else {}))
        request.extensions["timeout"] = httpx.Timeout(10, read=LONG_POLL + 10).as_dict()
        response = yield request
        updates = response.json()["result"]
        return Page(
            payloads=tuple(_polled(update, response) for update in updates),
            cursor=str(max(update["update_id"] for update in updates) + 1) if updates else cursor,
            more=len(updates) == PAGE,
        )

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        raise Unsupported("Telegram tells each update once and keeps none that was told")

    def numbered(self, payload: Payload) -> Iterable[int]:
        """The update_id, without reading the rest once more."""
        content = payload.json()
        updates = content.get("result", [content]) if isinstance(content, dict) else []
        return [update["update_id"] for update in updates]

    # outbound

    def measured(self, text: str) -> str:
        return to_entities(text)[0]

    def invitation(self, token: str) -> str | None:
        # https://core.telegram.org/bots/features#deep-linking (2026-11): up to 64 characters
        return f"https://t.me/{self.facts.handle}?start={token}" if self.facts.handle else None

    def send(self, intent: Intent) -> Flow[Receipt]:
        call = yield from compose(intent)
        try:
            response = yield call.request(self._base)
        except ContentRejected as error:
            if ALREADY.get(call.method, "\0") not in str(error):
                raise
            return receipt(intent, call, True)
        return receipt(intent, call, response.json()["result"])

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failure(response)

    # about the world

    def probe(self) -> Flow[Facts]:
        me = (yield self._get("getMe")).json()["result"]
        return Facts(
            own_account=str(me["id"]),
            name=me["first_name"],
            handle=me.get("username"),
            extra={"reads_all_group_messages": str(me.get("can_read_all_group_messages", False)).lower()},
        )

    def subscribe(self, public_url: str) -> Flow[None]:
        if self.settings.secret_token is None:
            raise Forbidden("the setting secret_token is missing: without it anybody could call this door")
        secret = self.settings.secret_token.get_secret_value()
        wanted = {"url": public_url, "secret_token": secret, "allowed_updates": list(KINDS)}
        response = yield Call("setWebhook", wanted).request(self._base)
        response.json()["result"]

    def profile(self, identifier: Identifier) -> Flow[Party]:
        if identifier.kind not in ("telegram.user", "telegram.chat"):
            raise Unsupported(f"{identifier} is not known on Telegram")
        chat = (yield self._get("getChat", {"chat_id": identifier.value})).json()["result"]
        name = chat.get("title") or full_name(chat.get("first_name"), chat.get("last_name"))
        return Party(identifiers=(identifier,), name=name, handle=chat.get("username"))

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        if attachment.native_id is None:
            raise ContentRejected("the attachment has no file id of Telegram")
        file = (yield self._get("getFile", {"file_id": attachment.native_id})).json()["result"]
        base = f"{self.settings.api}/file/bot{self.settings.token.get_secret_value()}"
        response = yield httpx.Request("GET", f"{base}/{quote(file['file_path'])}")
        return Blob(content=response.content, media_type=attachment.media_type, name=attachment.name)

    @property
    def _base(self) -> str:
        return f"{self.settings.api}/bot{self.settings.token.get_secret_value()}"

    def _get(self, method: str, fields: dict[str, str] | None = None) -> httpx.Request:
        return httpx.Request("GET", f"{self._base}/{method}", params=fields)


def _updates(payload: Payload) -> tuple[Update, ...]:
    try:
        read = UPDATES.validate_json(payload.body)
    except ValidationError:
        if b"null" not in payload.body:
            raise
        read = UPDATES.validate_json(without_nulls(payload.body))
    return read.result if isinstance(read, SavedUpdates) else (read,)


def _polled(update: Any, response: httpx.Response) -> Payload:
    body = json.dumps(update, separators=(",", ":")).encode()
    return Payload(source="poll", body=body, received_at=answered_at(response))
