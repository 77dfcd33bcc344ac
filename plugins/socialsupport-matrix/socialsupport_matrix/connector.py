"""Matrix, through the client-server API of any homeserver.

https://spec.matrix.org/latest/client-server-api/ (v1.18, 2026-11)
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

import httpx

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    DeliveryError,
    Flow,
    Unreachable,
    Unsupported,
)
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
    Receipt,
    TextLimit,
    Thread,
)
from socialsupport_matrix import inbound, outbound, syncing
from socialsupport_matrix.api import Api
from socialsupport_matrix.failures import failure
from socialsupport_matrix.markup import to_content
from socialsupport_matrix.native import MXC, number_of, text_of
from socialsupport_matrix.settings import MatrixSettings

MAX_UPLOAD = 100_000_000
"""Bytes. Each homeserver has its own limit, which `probe` learns; Synapse begins with 50 MB."""
TEXT = TextLimit(limit=45_000, unit="utf8_bytes")
"""Of `measured`. https://spec.matrix.org/latest/client-server-api/#size-limits (2026-11): an event has at most 65,536
bytes, and what homeservers put around the content (signatures, hashes, earlier events) takes some kilobytes. An edit
holds its text twice; it is refused by the homeserver where that is too much."""


class Matrix(Connector[MatrixSettings]):
    name = "matrix"
    settings_model = MatrixSettings
    capabilities: ClassVar = Capabilities(
        receives=frozenset({"poll"}),
        verification="none",
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
                "typing.started",
                "unrecognised",
            }
        ),
        intents=frozenset(
            {"send.message", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"}
        ),
        unsupported=frozenset({"erasure.requested"}),
        sends=frozenset({"private", "public"}),
        text=TEXT,
        markup=True,
        media=(MediaLimit(media_type="*/*", max_bytes=MAX_UPLOAD),),
        receipts=frozenset({"read"}),
        settles="native_key",
        history=timedelta(days=3650),
    )

    @property
    def api(self) -> Api:
        return Api(self.settings.homeserver)

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.settings.homeserver).hostname or ""})

    def capabilities_in(self, thread: Thread) -> Capabilities:
        """Files as large as this homeserver takes them."""
        allowed = min(self.facts.limits.get("upload", MAX_UPLOAD), MAX_UPLOAD)
        media = (MediaLimit(media_type="*/*", max_bytes=allowed),) if allowed > 0 else ()
        return self.capabilities.model_copy(update={"media": media})

    # inbound: pure

    def parse(self, payload: Payload) -> Iterable[Event]:
        return inbound.translated(payload, self.facts.own_account or urlsplit(self.settings.homeserver).hostname or "?")

    def poll(self, cursor: str | None) -> Flow[Page]:
        return (yield from syncing.poll(self.api, self.settings, syncing.Cursor.read(cursor)))

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        return (yield from syncing.history(self.api, since, cursor))

    # outbound

    def measured(self, text: str) -> str:
        """Both forms of it as they stand in the event."""
        return json.dumps(to_content(text), ensure_ascii=False)

    def send(self, intent: Intent) -> Flow[Receipt]:
        return (yield from outbound.send(self.api, intent))

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failure(response)

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        token = credentials.access_token if credentials else self.settings.access_token
        request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        own = yield from syncing.whoami(self.api)
        limits: dict[str, int] = {}
        try:
            response: httpx.Response = yield self.api.media("config")
            if (size := number_of(response.json(), "m.upload.size")) is not None:
                limits = {"upload": size}
        except (Unsupported, Unreachable):
            pass  # a homeserver from before v1.11
        party = yield from self.profile(Identifier(kind="matrix.user", value=own))
        return Facts(own_account=own, name=party.name, handle=own.removeprefix("@"), limits=limits)

    def profile(self, identifier: Identifier) -> Flow[Party]:
        """#get_matrixclientv3profileuserid; who has set nothing has no profile."""
        if identifier.kind != "matrix.user":
            raise Unsupported(f"Matrix tells nothing of a {identifier.kind}")
        name = None
        try:
            response: httpx.Response = yield self.api.get(f"profile/{self.api.quoted(identifier.value)}")
            name = text_of(response.json(), "displayname")
        except Unreachable:
            pass
        return Party(identifiers=(identifier,), name=name, handle=identifier.value.removeprefix("@"))

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """#get_matrixclientv1mediadownloadservernamemediaid"""
        place = MXC.fullmatch(attachment.native_id or "")
        if place is None:
            raise ContentRejected("the attachment has no address of Matrix (mxc://…)")
        path = f"download/{place[1]}/{place[2]}"
        try:
            response: httpx.Response = yield self.api.media(path)
        except Unsupported:
            response = yield self.api.media(path, old=True)
        told = response.headers.get("content-type", "").partition(";")[0].strip()
        return Blob(content=response.content, media_type=told or attachment.media_type, name=attachment.name)
