"""Against mastodon-mock, a stateful emulator of somebody else's: not Mastodon itself, but not ours either."""

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import AuthExpired, ContentRejected, Flow, drive
from socialsupport_core.model import (
    Attachment,
    Blob,
    DeleteMessage,
    EditMessage,
    Facts,
    Interaction,
    InteractionReceived,
    React,
    SendMessage,
)
from socialsupport_mastodon import Mastodon, MastodonSettings

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(
        importlib.util.find_spec("mastodon_mock") is None,
        reason="mastodon-mock is not installed: pip install mastodon-mock",
    ),
]
HOST = "mastodon.example"
CONFIG = """
[[seed.accounts]]
username = "acme"
access_token = "acme-token"
[[seed.accounts]]
username = "kerry"
access_token = "kerry-token"
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301"
    "0100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mastodon")
    Path(folder, "mock.toml").write_text(CONFIG)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mastodon_mock", "serve", "--in-memory", "--config", str(folder / "mock.toml")]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--domain", HOST],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield _ready(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _ready(address: str) -> str:
    for _ in range(300):
        try:
            httpx.get(f"{address}/api/v2/instance", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return address
    pytest.fail("mastodon-mock did not start within thirty seconds")


class Account:
    def __init__(self, server: str, token: str) -> None:
        self.server, self.settings = server, MastodonSettings(instance=HOST, access_token=token)
        self.client = httpx.Client(trust_env=False)
        self.mastodon = Mastodon(self.settings)
        self.facts = Facts()

    def tested(self) -> "Account":
        self.facts = self.run(self.mastodon.probe())
        self.mastodon = Mastodon(self.settings, self.facts)
        return self

    def run(self, flow: Flow[Any]) -> Any:
        return drive(flow, self._respond, self.mastodon.failure)

    def _respond(self, ask: Any) -> Any:
        if not isinstance(ask, httpx.Request):
            return Blob(content=PNG, media_type="image/png", name="a.png") if hasattr(ask, "digest") else None
        signed = self.mastodon.authorize(ask, None, None, "0" * 32)  # type: ignore[arg-type]
        signed.read()
        url = signed.url.copy_with(scheme="http", host="127.0.0.1", port=httpx.URL(self.server).port)
        headers = [(name, value) for name, value in signed.headers.items() if name != "host"]
        return self.client.send(httpx.Request(signed.method, url, headers=headers, content=signed.content))

    def raw(self, method: str, path: str, **more: Any) -> Any:
        token = self.settings.access_token
        assert token
        headers = {"authorization": f"Bearer {token.get_secret_value()}"}
        return self.client.request(method, self.server + path, headers=headers, **more).json()

    def heard(self) -> list[Interaction]:
        page = self.run(self.mastodon.poll(None))
        events = [event for payload in page.payloads for event in self.mastodon.parse(payload)]
        return [event.interaction for event in events if isinstance(event, InteractionReceived)]

    def do(self, kind: Any, about: Interaction, key: str = "k-1", **more: Any) -> Any:
        intent = kind(key=key, own_account=self.facts.own_account, thread=about.thread, target=about, **more)
        return self.run(self.mastodon.send(intent))


@pytest.fixture
def acme(server: str) -> Iterator[Account]:
    made = Account(server, "acme-token").tested()
    yield made
    made.client.close()


@pytest.fixture
def kerry(server: str) -> Iterator[Account]:
    made = Account(server, "kerry-token").tested()
    yield made
    made.client.close()


def test_the_connection_test_learns_who_we_are(acme: Account) -> None:
    assert acme.facts.handle == "acme"
    assert acme.facts.limits["characters_reserved_per_url"] == 23


def test_a_question_and_its_answer(acme: Account, kerry: Account) -> None:
    kerry.raw("POST", "/api/v1/statuses", data={"status": "@acme where is my parcel?", "visibility": "unlisted"})
    question = acme.heard()[-1]
    assert question.text is not None
    assert question.text.endswith("where is my parcel?")
    receipt = acme.do(SendMessage, question, "answer", text="It is **on its way**.")
    assert acme.do(SendMessage, question, "answer", text="It is **on its way**.").native_id == receipt.native_id
    sent = SendMessage(
        key="answer", own_account=acme.facts.own_account or "", thread=question.thread, target=question,
        text="It is **on its way**.",
    )  # fmt: skip
    found = acme.run(acme.mastodon.lookup(sent, question.sent_at))
    assert found.native_id == receipt.native_id
    answer = kerry.heard()[-1]
    assert (answer.native_id, answer.in_reply_to) == (receipt.native_id, question.native_id)
    assert acme.raw("GET", f"/api/v1/statuses/{receipt.native_id}")["visibility"] == "unlisted"


def test_a_direct_post_is_answered_direct_with_a_picture(acme: Account, kerry: Account) -> None:
    kerry.raw("POST", "/api/v1/statuses", data={"status": "@acme my number is 4711", "visibility": "direct"})
    question = acme.heard()[-1]
    assert question.thread.visibility == "private"
    picture = Attachment(media_type="image/png", name="a.png", blob="a" * 64, text="a dot")
    receipt = acme.do(SendMessage, question, "direct", text="Thank you", attachments=(picture,))
    assert receipt.thread == question.thread
    told = acme.raw("GET", f"/api/v1/statuses/{receipt.native_id}")
    assert (told["visibility"], told["media_attachments"][0]["description"]) == ("direct", "a dot")


def test_changing_and_deleting(acme: Account, kerry: Account) -> None:
    kerry.raw("POST", "/api/v1/statuses", data={"status": "@acme hello"})
    question = acme.heard()[-1]
    sent = acme.do(SendMessage, question, "edited", text="Helo")
    ours = question.model_copy(update={"native_id": sent.native_id, "direction": "outbound"})
    acme.do(EditMessage, ours, "edit", text="Hello")
    assert "Hello" in acme.raw("GET", f"/api/v1/statuses/{sent.native_id}")["content"]
    acme.do(React, question, "react", reaction="⭐")
    assert acme.raw("GET", f"/api/v1/statuses/{question.native_id}")["favourited"] is True
    acme.do(DeleteMessage, ours, "delete")
    assert "error" in acme.raw("GET", f"/api/v1/statuses/{sent.native_id}")


def test_what_is_too_long_is_refused(acme: Account, kerry: Account) -> None:
    kerry.raw("POST", "/api/v1/statuses", data={"status": "@acme hello"})
    with pytest.raises(ContentRejected):
        acme.do(SendMessage, acme.heard()[-1], "long", text="x" * 600)


def test_a_wrong_token_is_told(server: str) -> None:
    nobody = Account(server, "nobody")
    with nobody.client, pytest.raises(AuthExpired):
        nobody.tested()
