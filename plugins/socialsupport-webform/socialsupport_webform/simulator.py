"""People who fill in the form, and never hear from it again."""

import base64
from collections.abc import Sequence
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import standard_webhooks as signing
from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_webform import protocol
from socialsupport_webform.settings import WebformSettings


class WebformSimulator(Simulator):
    """What the surface would write. Answers come to people by other ways: by mail, by telephone."""

    network: ClassVar[str] = "webform"
    hosts: ClassVar[frozenset[str]] = frozenset()
    places: ClassVar[tuple[Place, ...]] = (Place("form", "Contact form", "private"),)
    settings: WebformSettings
    _before = 0

    def resume(self, sent: Sequence[Payload]) -> None:
        super().resume(sent)
        self._before = len(sent)

    def respond(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="the form has no calls to answer")

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`more`: name, email, phone, order, subject; files as {name: content}."""
        files = [
            {"name": name, "content": base64.b64encode(content).decode()}
            for name, content in more.pop("files", {}).items()
        ]
        now, number = self.clock(), self._before + len(self.said) + 1
        written = {"id": f"form-{number:06}", "at": now, "name": person.title(), "text": text, "files": files}
        submission = protocol.Submission.model_validate(written | more)
        said = Said(submission.id, "form", submission.id, person, text, now)
        self.said.append(said)
        self.emit(self.signed(protocol.write(submission)))
        return said

    def due(self) -> list[Payload]:
        """Signed as they leave: a late or repeated one carries a fresh signature."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        now = self.clock()
        id_, at = f"msg_{self.random.getrandbits(64):016x}", str(int(now.timestamp()))
        proof = {signing.ID: id_, signing.TIMESTAMP: at}
        proof[signing.SIGNATURE] = signing.sign(self.settings.keys[:1], id_, at, body)
        headers = (("content-type", "application/json"), *proof.items())
        return Payload(url=self.door, headers=headers, body=body, received_at=now)
