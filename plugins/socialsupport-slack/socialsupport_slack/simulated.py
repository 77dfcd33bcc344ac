"""Forms that the simulated Slack knows: what clients send, what is shown, and what it refuses."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import httpx

Json = dict[str, Any]
TEAM, APP, BOT, BOT_ID = "T0ACME", "A0ACME", "U0ACMEBOT", "B0ACMEBOT"


@dataclass
class Refusal(Exception):
    error: str


def fields_of(request: httpx.Request) -> Json:
    if request.method == "GET":
        return dict(request.url.params)
    if "json" in request.headers.get("content-type", ""):
        given: Json = json.loads(request.read() or b"{}")
        return given
    return dict(parse_qsl(request.read().decode()))


def whoami() -> Json:
    return {
        "url": "https://acme.slack.com/",
        "team": "Acme",
        "user": "acme",
        "team_id": TEAM,
        "user_id": BOT,
        "bot_id": BOT_ID,
    }


def typed(text: str) -> list[Json]:
    """As people's clients send it: exactly what was typed."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return [{"type": "rich_text", "block_id": "b", "elements": [section]}] if text else []


def shown(message: Json) -> str:
    """The words of the blocks: that is what is read."""
    found: list[str] = []
    for block in message.get("blocks", ()):
        waiting = list(block.get("elements", ())) if block["type"] == "rich_text" else []
        while waiting:
            one = waiting.pop(0)
            found += [one["text"]] if one["type"] in {"text", "link"} else []
            waiting = [*one.get("elements", ()), *waiting]
    return "".join(found)


def check_blocks(given: list[Json]) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks (2026-11)"""
    for block in given:
        if block["type"] not in {"rich_text", "actions"} or not 1 <= len(block["elements"]) <= 3000:
            raise Refusal("invalid_blocks")
        for element in block["elements"]:
            if block["type"] == "actions" and not (
                1 <= len(element["text"]["text"]) <= 75 and len(element["value"]) <= 2000 and element["action_id"]
            ):
                raise Refusal("invalid_blocks")
            if block["type"] == "rich_text" and not (
                element["type"].startswith("rich_text_") and all(_is_filled(one) for one in element["elements"])
            ):
                raise Refusal("invalid_blocks")


def _is_filled(element: Json) -> bool:
    return element["type"] in {"text", "link"} and bool(element["text"])
