"""Doves: a shared secret at the door, and no HTTP on the way out."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import SecretStr

from socialsupport_core.contract import Connector, Flow, MalformedPayload, Settings, SignatureError, Unsupported
from socialsupport_core.model import (
    Capabilities,
    Event,
    Identifier,
    Intent,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    Receipt,
    Reply,
    SendMessage,
    Thread,
)
from socialsupport_core.text import plain


@dataclass(frozen=True)
class Release:
    """The ask: let a dove fly."""

    to: str
    text: str
    password: SecretStr


@dataclass(frozen=True)
class Released:
    """The answer."""

    ring: str


class DoveSettings(Settings):
    secret: SecretStr
    password: SecretStr


class Dove(Connector[DoveSettings]):
    name = "dove"
    settings_model: ClassVar[type[Settings]] = DoveSettings
    capabilities = Capabilities(
        receives=frozenset({"webhook"}),
        verification="shared_secret",
        events=frozenset({"interaction.received"}),
        intents=frozenset({"send.message"}),
        sends=frozenset({"private"}),
    )

    def handshake(self, payload: Payload) -> Reply | None:
        if not self.matches(self.settings.secret.get_secret_value(), self.told(payload)):
            raise SignatureError("the parameter secret is not ours")
        return Reply.of_text(payload.query.get("challenge", ""))

    def told(self, payload: Payload) -> str:
        return payload.query.get("secret", "")

    def verify(self, payload: Payload) -> None:
        given = payload.header("Dove-Secret") or ""
        if not self.matches(self.settings.secret.get_secret_value(), given):
            raise SignatureError("Dove-Secret is not ours")

    def matches(self, secret: str, given: str) -> bool:
        return bool(secret) and hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogateescape"))

    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            form = payload.form
            yield InteractionReceived(id=form["id"], interaction=self.read(form))
        except (LookupError, ValueError) as error:
            raise MalformedPayload(f"not a dove's letter: {error}") from error

    def read(self, form: dict[str, str]) -> Interaction:
        return Interaction(
            network="dove",
            native_id=form["id"],
            kind="message",
            direction="inbound",
            own_account="nest",
            thread=Thread(id=form["from"], visibility="private"),
            author=Party(identifiers=(Identifier(kind="dove.ring", value=form["from"]),)),
            text=form["text"],
            sent_at=datetime.fromisoformat(form["at"]),
        )

    def send(self, intent: Intent) -> Flow[Receipt]:
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"doves cannot {intent.type}")
        answer = yield Release(intent.thread.id, plain(intent.text or ""), self.settings.password)
        return Receipt(native_id=answer.ring)
