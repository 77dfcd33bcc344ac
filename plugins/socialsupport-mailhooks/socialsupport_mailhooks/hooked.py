"""What the three have in common: mails and reports by webhook, answers by HTTP."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import httpx
from pydantic_core import from_json

from socialsupport_core.contract import Flow, MalformedPayload, SignatureError
from socialsupport_core.model import (
    Capabilities,
    Credentials,
    DeliveryUpdated,
    Event,
    MediaLimit,
    Payload,
    SendMessage,
    Unrecognised,
)
from socialsupport_core.model.event import DeliveryState
from socialsupport_email import token
from socialsupport_email.compose import Address, Draft
from socialsupport_email.mailing import MailConnector
from socialsupport_email.reports import GONE
from socialsupport_email.settings import MailSettings
from socialsupport_mailhooks.settings import BasicSettings

M = TypeVar("M", bound=MailSettings)
LONGEST_REASON = 500
NATIVE_KEY = "socialsupport_key"
"""Under this name the providers carry our key along and tell it with what became of the mail."""


def capabilities(settles: Any, *, largest: int) -> Capabilities:
    return Capabilities(
        receives=frozenset({"webhook", "file"}),
        verification="shared_secret",
        events=frozenset({"interaction.received", "delivery.updated", "identity.claimed", "unrecognised"}),
        intents=frozenset({"send.message"}),
        unsupported=frozenset(
            {"interaction.edited", "interaction.deleted", "reaction.added", "reaction.removed", "typing.started",
             "erasure.requested", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"}
        ),
        sends=frozenset({"private"}),
        markup=True,
        subject=True,
        media=(MediaLimit(media_type="*/*", max_bytes=largest),),
        attachments=20,
        receipts=frozenset({"delivered", "failed"}),
        settles=settles,
    )  # fmt: skip


class HookedMail(MailConnector[M], Generic[M]):
    """A mailbox at a provider."""

    api: ClassVar[str]
    """The host of its API."""

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.api})

    # what a subclass writes

    def received(self, payload: Payload) -> Iterator[bytes]:
        """The raw mails of a webhook. Raises MalformedPayload."""
        raise NotImplementedError

    def reported(self, payload: Payload) -> Iterable[Event] | None:
        """What became of our mails; None for a webhook that brings mails."""
        raise NotImplementedError

    def request(self, intent: SendMessage, draft: Draft, message: bytes) -> httpx.Request:
        raise NotImplementedError

    def credential(self) -> tuple[str, str]:
        """Name and value of the header that proves who we are."""
        raise NotImplementedError

    # the same for all

    def parse(self, payload: Payload) -> Iterable[Event]:
        reports = self.reported(payload) if payload.source != "file" else None
        return list(reports) if reports is not None else super().parse(payload)

    def mails(self, payload: Payload) -> Iterator[bytes]:
        return super().mails(payload) if payload.source == "file" else self.received(payload)

    def carry(self, intent: SendMessage, draft: Draft, message: bytes) -> Flow[None]:
        yield self.request(intent, draft, message)

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        name, value = self.credential()
        request.headers[name] = value
        return request

    def update(self, name: str, state: DeliveryState, at: datetime, **more: Any) -> DeliveryUpdated:
        """`more`: `key` and `native_id` as far as the provider tells them, `code`, `reason`, `gone`."""
        native_id, key = more.get("native_id"), more.get("key")
        ours = token.read_message_id(native_id, self.settings.secrets) if native_id else None
        code, reason = more.get("code"), more.get("reason")
        return DeliveryUpdated(
            id=name,
            own_account=self.settings.address,
            state=state,
            native_id=native_id or None,
            client_key=(ours[0] if ours else None) or key or None,
            code=code or None,
            reason=reason[:LONGEST_REASON] if isinstance(reason, str) and reason else None,
            gone=True if state == "failed" and (more.get("gone") or code in GONE) else None,
            at=at,
        )

    def unknown(self, name: str, kind: str) -> Unrecognised:
        return Unrecognised(id=name, native_type=kind[:200] or "unknown", own_account=self.settings.address)


def unique(events: Iterable[Event]) -> list[Event]:
    """One that came twice once; where two things bear one id, the later ones get another."""
    found: dict[str, Event] = {}
    for event in events:
        first = found.setdefault(event.id, event)
        if first != event:
            told = hashlib.sha256(event.to_json().encode()).hexdigest()[:12]
            found[f"{event.id[:1000]}#{told}"] = event.model_copy(update={"id": f"{event.id[:1000]}#{told}"})
    return list(found.values())


def is_basic(payload: Payload, settings: BasicSettings) -> bool:
    """Whether the webhook carries the user and the password of its address."""
    given = (payload.header("authorization") or "").encode()
    good = [_basic(settings.hook_user, password).encode() for password in settings.hook_passwords()]
    return True in [hmac.compare_digest(one, given) for one in good]  # always all of them


def verify_basic(payload: Payload, settings: BasicSettings) -> None:
    if not is_basic(payload, settings):
        raise SignatureError("Authorization is missing, or not the user and the password of the webhook's address")


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def basic(user: str, password: str) -> tuple[str, str]:
    return "authorization", _basic(user, password)


def content(payload: Payload) -> Any:
    try:
        return from_json(payload.body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error


def mailbox(address: Address) -> str:
    """As a provider's API wants it; `compose` has refused what no header may hold."""
    if not address.name:
        return address.address
    name = address.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{address.address}>'


def threading(draft: Draft) -> dict[str, str]:
    """The headers by which mail programs put answers together."""
    references = [f"<{one}>" for one in draft.references]
    found = {"Message-ID": f"<{draft.message_id}>"}
    if references:
        found |= {"In-Reply-To": references[-1], "References": " ".join(references)}
    return found
