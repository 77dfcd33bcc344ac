"""What we ask has the form that Discord's published description gives it, as far as we use it.

`discord_requests.json` holds the fields that we send, narrowed from that description (2026-11): 2,000 characters where it
allows some accounts 4,000, and no mention at all.
"""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from socialsupport_core.contract import drive
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    EditMessage,
    Intent,
    Interaction,
    OpenPrivate,
    Party,
    SendMessage,
    Thread,
)
from socialsupport_core.text import split
from socialsupport_discord import Discord, DiscordSettings
from socialsupport_discord.inbound import USER, party

FORMS = json.loads(Path(__file__).with_name("discord_requests.json").read_text())
PATHS = {
    ("POST", r"/channels/\d+/messages"): "create message",
    ("PATCH", r"/channels/\d+/messages/\d+"): "edit message",
    ("POST", "/users/@me/channels"): "create dm",
    ("PATCH", "/applications/@me"): "edit application",
}
OWN = "1100000000000000001"
SERVER = Thread(id="41771983423143937", visibility="public")
KERRY = party({"id": "80351110224678912", "username": "kerry"}, {})


@pytest.fixture
def discord() -> Discord:
    return made()


def made() -> Discord:
    return Discord(DiscordSettings.model_validate({"application_id": OWN, "bot_token": "a-bot-token"}))


def question() -> Interaction:
    return Interaction.model_validate(
        {
            "network": "discord",
            "native_id": "1456225438924800001",
            "kind": "message",
            "direction": "inbound",
            "own_account": OWN,
            "thread": SERVER,
            "author": KERRY,
            "text": "Where?",
            "sent_at": "2026-01-01T10:00:00Z",
        }
    )


def checked(request: httpx.Request) -> str:
    """The name of the form that the request has; raises if it has not."""
    path = request.url.path.removeprefix("/api/v10")
    name = next(
        name for (method, known), name in PATHS.items() if method == request.method and re.fullmatch(known, path)
    )
    body = request.read()
    if request.headers["content-type"].startswith("multipart/form-data"):
        body = body.partition(b'name="payload_json"\r\n\r\n')[2].partition(b"\r\n--")[0]
    Draft202012Validator({**FORMS[name], "$defs": FORMS["$defs"]}).validate(json.loads(body))
    return name


def asked(connector: Discord, intent: Intent) -> list[str]:
    found = []

    def respond(ask: Any) -> Any:
        if not isinstance(ask, httpx.Request):
            return Blob(content=b"x", name="a.txt")
        found.append(checked(ask))
        return httpx.Response(200, json={"id": "1456225438924800050"})

    drive(connector.send(intent), respond, connector.failure)
    return found


def intent(kind: Any, **more: Any) -> Any:
    return kind(key="k-1", own_account=OWN, thread=SERVER, **more)


@given(st.text(min_size=1, max_size=3000).filter(lambda text: text.strip()), st.booleans())
def test_any_text_that_was_split_fits(text: str, is_reply: bool) -> None:
    connector = made()
    for part in split(text, 2000, lambda one: len(connector.measured(one))):
        if connector.measured(part).strip():
            assert asked(connector, intent(SendMessage, text=part, target=question() if is_reply else None)) == [
                "create message"
            ]


def test_buttons_and_files_fit(discord: Discord) -> None:
    choices = tuple(Choice(title="x" * 80, value=f"{number:0100}") for number in range(25))
    assert asked(discord, intent(SendMessage, text="?", choices=choices)) == ["create message"]
    files = tuple(Attachment(blob="0" * 64, name=f"{number}.txt", text="t" * 2000) for number in range(10))
    assert asked(discord, intent(SendMessage, attachments=files)) == ["create message"]


def test_edits_and_private_words_fit(discord: Discord) -> None:
    assert asked(discord, intent(EditMessage, text="x", target=question())) == ["edit message"]
    assert KERRY.account is not None
    assert KERRY.account.kind == USER
    private = intent(OpenPrivate, text="x", recipient=Party(identifiers=KERRY.identifiers))
    assert asked(discord, private) == ["create dm", "create message"]


def test_the_door_fits(discord: Discord) -> None:
    request = next(discord.subscribe("https://hub.example/hooks/1"))
    assert checked(request) == "edit application"
