"""Calls of one instance's REST API (https://docs.joinmastodon.org/methods/, 2026-11)."""

from typing import Any
from urllib.parse import quote

import httpx

Parameters = list[tuple[str, str | int | float | bool | None]]


def at(host: str, *path: str) -> str:
    return f"https://{host}/api/" + "/".join(quote(part, safe="") for part in path)


def get(url: str, parameters: Parameters | None = None) -> httpx.Request:
    return httpx.Request("GET", url, params=parameters or None)


def send(method: str, url: str, body: dict[str, Any] | None = None, key: str | None = None) -> httpx.Request:
    headers = {"idempotency-key": key} if key else {}
    return httpx.Request(method, url, json=body, headers=headers)
