"""Swifts: they only fly out, with a token that runs out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import AuthExpired, Connector, Flow, MalformedPayload, Settings, Unsupported
from socialsupport_core.model import Capabilities, Credentials, Event, Intent, Payload, Receipt, SendMessage
from socialsupport_core.text import plain

API = "https://api.swift.example"


class SwiftSettings(Settings):
    client_secret: SecretStr


class Swift(Connector[SwiftSettings]):
    name = "swift"
    settings_model: ClassVar[type[Settings]] = SwiftSettings
    capabilities = Capabilities(intents=frozenset({"send.message"}), sends=frozenset({"private"}))

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"api.swift.example"})

    def parse(self, payload: Payload) -> Iterable[Event]:
        raise MalformedPayload("swifts bring nothing")

    def send(self, intent: Intent) -> Flow[Receipt]:
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"swifts cannot {intent.type}")
        content = {"to": intent.thread.id, "text": plain(intent.text or ""), "key": intent.key}
        answer = yield httpx.Request("POST", f"{API}/letters", json=content)
        return Receipt(native_id=answer.json()["id"])

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        if credentials and request.url.path != "/token":
            request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        if credentials.refresh_token is None:
            raise AuthExpired("there is no refresh token; connect the account again")
        answer = yield self.ask_for_token(credentials.refresh_token.get_secret_value())
        return self.granted(answer.json(), credentials)

    def ask_for_token(self, token: str) -> httpx.Request:
        form = {"token": token, "client_secret": self.settings.client_secret.get_secret_value()}
        return httpx.Request("POST", f"{API}/token", data=form)

    def granted(self, answer: Any, old: Credentials) -> Credentials:
        new = answer.get("refresh_token")
        return Credentials(access_token=answer["access_token"], refresh_token=new or old.refresh_token)
