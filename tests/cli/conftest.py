"""A connector that exists only here, registered as if it were installed; the command, run in this process."""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import Field, SecretStr, field_validator

from socialsupport_core.cli.main import main
from socialsupport_core.contract import (
    Connector,
    Flow,
    MalformedPayload,
    ReadBlob,
    Registry,
    Settings,
    SignatureError,
    Unsupported,
    hookimpl,
)
from socialsupport_core.model import (
    Capabilities,
    Credentials,
    Event,
    Identifier,
    Intent,
    Interaction,
    InteractionReceived,
    MediaLimit,
    Party,
    Payload,
    Receipt,
    SendMessage,
    TextLimit,
    Thread,
    Typing,
    Unrecognised,
)


class ParrotSettings(Settings):
    token: SecretStr
    secret: SecretStr = Field(min_length=3)
    account: str = "polly"

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr) -> SecretStr:
        if not token.get_secret_value().isprintable():
            raise ValueError("is no token; copy it once more")
        return token


@dataclass(frozen=True)
class Squawk:
    """An ask that is not HTTP."""

    words: tuple[str, ...]
    loud: bytes


class Parrot(Connector[ParrotSettings]):
    name = "parrot"
    settings_model = ParrotSettings
    capabilities = Capabilities(
        receives=frozenset({"webhook", "file"}),
        verification="shared_secret",
        events=frozenset({"interaction.received", "unrecognised"}),
        intents=frozenset({"send.message", "typing"}),
        unsupported=frozenset({"react"}),
        sends=frozenset({"private"}),
        text=TextLimit(limit=40, unit="characters"),
        media=(MediaLimit(media_type="image/*", max_bytes=1000),),
        reply_window=timedelta(hours=24),
    )

    def verify(self, payload: Payload) -> None:
        if payload.header("x-secret") != self.settings.secret.get_secret_value():
            raise SignatureError("x-secret is missing or wrong")

    def parse(self, payload: Payload) -> Iterable[Event]:
        for line in payload.body.decode().splitlines():
            yield self._event(line, payload)

    def _event(self, line: str, payload: Payload) -> Event:
        try:
            said = json.loads(line)
        except ValueError as error:
            raise MalformedPayload(f"not JSON: {error}") from error
        if said["kind"] == "dance":
            return Unrecognised(id=said["id"], native_type=f"{payload.source} {payload.method} {payload.url}")
        interaction = Interaction(
            network=self.name,
            native_id=said["id"],
            kind="message",
            direction="inbound",
            own_account=self.settings.account,
            thread=Thread(id=said["from"], visibility="private"),
            author=Party(identifiers=(Identifier(kind="parrot.bird", value=said["from"]),)),
            text=said["text"],
            sent_at=payload.received_at,
        )
        return InteractionReceived(id=said["id"], interaction=interaction)

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        request.headers["x-proof"] = f"{now.year} {nonce} {self.settings.secret.get_secret_value()}"
        return request

    def send(self, intent: Intent) -> Flow[Receipt]:
        if isinstance(intent, Typing):
            yield Squawk(("typing",), b"\x01")
            return Receipt()
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"no {intent.type} here")
        for file in intent.attachments:
            yield from self._upload((yield ReadBlob(file.blob or "")))
        return (yield from self._say(intent))

    def _upload(self, blob: Any) -> Flow[None]:
        yield httpx.Request(
            "POST",
            "https://parrot.example/files",
            data={"purpose": "chat"},
            files={"file": (blob.name, blob.content, "image/png")},
        )

    def _say(self, intent: SendMessage) -> Flow[Receipt]:
        token = self.settings.token.get_secret_value()
        secret = self.settings.secret.get_secret_value()
        basic = base64.b64encode(f"{self.settings.account}:{secret}".encode()).decode()
        yield httpx.Request("POST", f"https://parrot.example/{token}/wake", data={"secret": secret, "to": ["a", "b"]})
        answer = yield httpx.Request(
            "POST",
            "https://parrot.example/say",
            params={"token": token},
            headers={"authorization": f"Basic {basic}"},
            json={"text": intent.text, "key": intent.key, "proof": [secret]},
        )
        return Receipt(native_id=str(answer.json()["id"]))


def plugin() -> SimpleNamespace:
    @hookimpl
    def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
        return (Parrot,)

    return SimpleNamespace(__name__="parrot", socialsupport_connectors=socialsupport_connectors)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """What every verb takes for the installed plugins."""
    found = Registry.of(plugin())
    found.plugins["parrot"] = "1.2"
    monkeypatch.setattr(Registry, "discover", lambda only=None: found)
    return found


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]
Write = Callable[[str, Any], str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line; stdout and stderr stay apart."""

    def ran(*arguments: str) -> Ran:
        status = main(arguments)
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    return ran


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the working directory and gives its name; what is no text is written as JSON."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, content: Any) -> str:
        if isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return written


@pytest.fixture
def settings(write: Write) -> str:
    return write("settings.toml", 'token = "42:t/k+n&"\nsecret = "s3cr3t!"\naccount = "ara"\n')
