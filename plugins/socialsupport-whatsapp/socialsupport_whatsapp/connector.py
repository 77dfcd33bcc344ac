"""WhatsApp, through the Cloud API (v25.0, https://developers.facebook.com/documentation, 2026-05)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx

from socialsupport_core.contract import (
    ConfigError,
    ContentRejected,
    Flow,
    Unsupported,
    declares,
)
from socialsupport_core.contract.lax import Json, text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    Facts,
    Intent,
    MediaLimit,
    RateLimit,
    Receipt,
    TextLimit,
    Thread,
)
from socialsupport_meta import graph
from socialsupport_meta.app import AppConnector
from socialsupport_meta.batch import Native, Scene
from socialsupport_whatsapp import inbound, outbound
from socialsupport_whatsapp.failures import CODES
from socialsupport_whatsapp.markup import written
from socialsupport_whatsapp.settings import WhatsAppSettings

MEGABYTE = 1024 * 1024
FILES = frozenset({"lookaside.fbsbx.com"})
"""Where files lie; they want the token too."""
DOCUMENTS = (
    "text/plain",
    "text/csv",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)
AUDIO = ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")
# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media (2026-06)
MEDIA = (
    MediaLimit(media_type="image/jpeg", max_bytes=5 * MEGABYTE),
    MediaLimit(media_type="image/png", max_bytes=5 * MEGABYTE),
    MediaLimit(media_type="image/webp", max_bytes=100 * 1024),
    MediaLimit(media_type="video/mp4", max_bytes=16 * MEGABYTE),
    MediaLimit(media_type="video/3gpp", max_bytes=16 * MEGABYTE),
    *(MediaLimit(media_type=one, max_bytes=16 * MEGABYTE) for one in AUDIO),
    *(MediaLimit(media_type=one, max_bytes=100 * MEGABYTE) for one in DOCUMENTS),
)
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
    intents=frozenset({"send.message", "react", "mark.read", "typing"}),
    unsupported=frozenset({"edit.message", "delete.message", "open.private", "typing.started"}),
    sends=frozenset({"private"}),
    # https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/text-messages (2026-03)
    text=TextLimit(limit=4096, unit="characters"),
    caption=TextLimit(limit=1024, unit="characters"),  # the published description of the API, v23
    markup=True,
    media=MEDIA,
    choices=outbound.ROWS,
    receipts=frozenset({"delivered", "read", "failed"}),
    # https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages (2026-05)
    reply_window=timedelta(hours=24),
    templates=True,
    settles="echo",
)
# https://developers.facebook.com/docs/whatsapp/cloud-api/overview (2026-03): 80 a second; to one person one in six
# seconds, of which 45 may be sent ahead.
MESSAGES = r"POST /v[\d.]+/\d+/messages"
RATE_LIMITS = (
    RateLimit(calls=80, seconds=1, of=MESSAGES),
    RateLimit(calls=45, seconds=270, per="thread", of=MESSAGES),
)


class WhatsApp(AppConnector[WhatsAppSettings]):
    """One number."""

    name = "whatsapp"
    title = "WhatsApp"
    codes = CODES
    settings_model = WhatsAppSettings
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    @property
    def hosts(self) -> frozenset[str]:
        return FILES | {graph.HOST}

    def capabilities_in(self, thread: Thread) -> Capabilities:
        if thread.visibility == "public":
            return CAPABILITIES.model_copy(update={"intents": frozenset(), "sends": frozenset()})
        return CAPABILITIES

    # inbound: pure

    def natives(self, entry: Json, scene: Scene) -> Iterator[Native]:
        return inbound.natives(entry, scene)

    # outbound

    def measured(self, text: str) -> str:
        return written(text)

    def send(self, intent: Intent) -> Flow[Receipt]:
        if intent.thread.visibility == "public":
            raise Unsupported("nothing on WhatsApp is public")
        return outbound.Composer(self._graph, self._number, self.settings.list_button).send(intent)

    def invitation(self, token: str) -> str | None:
        # https://faq.whatsapp.com/5913398998672934 (2026-03): the text waits in the customer's field
        return f"https://wa.me/{self.facts.own_account}?text={token}" if self.facts.own_account else None

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        return graph.authorized(request, credentials, self.settings)

    # about the world

    def probe(self) -> Flow[Facts]:
        fields = "display_phone_number,verified_name,quality_rating"
        response: httpx.Response = yield self._graph.get(self._number, fields=fields)
        number = response.json()
        extra = {"quality_rating": rating} if (rating := text_of(number, "quality_rating")) else {}
        own = inbound.own_number({**number, "phone_number_id": self._number})
        return Facts(own_account=own, name=text_of(number, "verified_name"), extra=extra)

    def subscribe(self, public_url: str) -> Flow[None]:
        """Tells this account's door, whatever the app's dashboard says.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override (2026-03)
        """
        if self.settings.business_account_id is None:
            raise ConfigError("business_account_id is missing; WhatsApp Manager shows it in the account's settings")
        token = self.settings.verify_token.get_secret_value()
        body = {"override_callback_uri": public_url, "verify_token": token}
        yield self._graph.post(self.settings.business_account_id, "subscribed_apps", body=body)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """Its address lives for five minutes and is asked for first; the file is kept for seven days."""
        if attachment.native_id is None:
            raise ContentRejected("the attachment has no media id of WhatsApp")
        response: httpx.Response = yield self._graph.get(attachment.native_id)
        media = response.json()
        url = httpx.URL(str(media["url"]))
        if url.scheme != "https" or not declares(FILES, url.host):
            raise Unsupported(f"the file lies at {url.host or 'no host'}, where WhatsApp's files are not")
        file: httpx.Response = yield httpx.Request("GET", url)
        media_type = text_of(media, "mime_type") or attachment.media_type
        return Blob(content=file.content, media_type=media_type.partition(";")[0], name=attachment.name)

    # inside

    @property
    def _number(self) -> str:
        if self.settings.phone_number_id is None:
            raise ConfigError("phone_number_id is missing; WhatsApp Manager shows it beside the number")
        return self.settings.phone_number_id
