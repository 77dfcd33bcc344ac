"""The web chat played: what browsers would send, and what their visitors would read."""

import hashlib
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from socialsupport_core.model import DeleteMessage, EditMessage, Intent, Payload, SendMessage
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_webchat import protocol
from socialsupport_webchat.connector import WebchatSettings
from socialsupport_webchat.protocol import Identity


class WebchatSimulator(Simulator):
    """The connector calls nobody, so `heard` knows our replies only when the host tells them to `hear`."""

    network = "webchat"
    hosts = frozenset()
    places: ClassVar[tuple[Place, ...]] = (Place("chat", "Web chat", "private"),)
    identity: ClassVar[type[Identity]] = Identity
    settings: WebchatSettings

    def respond(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="the web chat has no calls to answer")

    def speak(
        self,
        person: str,
        text: str,
        place: str = "",
        **more: Any,
    ) -> Said:
        """`more` is `choice`, `reply_to` and `handoff`, as in the protocol."""
        if unknown := more.keys() - {"choice", "reply_to", "handoff"}:
            raise TypeError(f"a web chat message has no {', '.join(sorted(unknown))}")
        now = self.clock()
        message = protocol.Message(
            visitor=self.visitor(person),
            id=str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            text=text,
            at=now,
            **more,
        )
        said = Said(message.id, place or "chat", message.visitor, person, text, now)
        self.said.append(said)
        self._emit(message)
        return said

    def identify(self, person: str, identity: Identity, *, signed: bool = True, handoff: str | None = None) -> None:
        """The host page tells who is logged in. A signed identity lives for an hour unless it says otherwise."""
        text, signature = self.signed(identity) if signed else (identity.model_dump_json(exclude_none=True), None)
        visitor = self.visitor(person)
        said = protocol.Identify(visitor=visitor, identity=text, signature=signature, handoff=handoff)
        self._emit(said)

    def signed(self, identity: Identity) -> tuple[str, str]:
        """What the host page's server writes into the page: the identity as JSON, and its signature."""
        if identity.expires is None:
            expires = int((self.clock() + timedelta(hours=1)).timestamp())
            identity = identity.model_copy(update={"expires": expires})
        text = identity.model_dump_json(exclude_none=True)
        return text, self._signature(text)

    def read(self, person: str, *messages: str) -> None:
        self._emit(protocol.Read(visitor=self.visitor(person), messages=messages))

    def type(self, person: str) -> None:
        drawn = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self._emit(protocol.Typing(visitor=self.visitor(person), id=drawn))

    def hear(self, intent: Intent, native_id: str) -> None:
        """The host has recorded this intent under `native_id`: the visitor's page shows it."""
        match intent:
            case SendMessage():
                choices = tuple(choice.title for choice in intent.choices)
                thread, text = intent.thread.id, intent.text or ""
                self.said.append(Said(native_id, "chat", thread, "us", text, self.clock(), choices))
            case EditMessage():
                self._change(native_id, text=intent.text, edited=True)
            case DeleteMessage():
                self._change(native_id, text="", deleted=True)

    def visitor(self, person: str) -> str:
        return hashlib.sha256(f"{self.settings.own_account}\n{person}".encode()).hexdigest()[:32]

    def _signature(self, text: str) -> str:
        if self.settings.identity_secret is None:
            raise ValueError("set `identity_secret`; without it a host page cannot sign who is logged in")
        return protocol.sign(self.settings.identity_secret, text.encode())

    def _change(self, native_id: str, **changes: object) -> None:
        self.said = [
            replace(said, **changes) if said.id == native_id else said  # type: ignore[arg-type]
            for said in self.said
        ]

    def _emit(self, said: protocol.Said) -> None:
        body = protocol.write(said)
        headers = (
            ("content-type", "application/json"),
            (protocol.SIGNATURE_HEADER, protocol.sign(self.settings.secret, body)),
        )
        self.emit(Payload(url=self.door, headers=headers, body=body, received_at=self.clock()))
