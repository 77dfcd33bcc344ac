"""Calls (https://atproto.com/specs/xrpc, 2026-11)."""

from typing import Any

import httpx

CHAT = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
"""The account's server hands the call on: https://docs.bsky.app/docs/api/chat-bsky-convo-send-message (2026-11)"""
Parameters = list[tuple[str, str | int | float | bool | None]]


def query(host: str, method: str, parameters: Parameters | None = None, *, chat: bool = False) -> httpx.Request:
    return httpx.Request("GET", _at(host, method), params=parameters or None, headers=CHAT if chat else {})


def procedure(host: str, method: str, body: dict[str, Any], *, chat: bool = False) -> httpx.Request:
    return httpx.Request("POST", _at(host, method), json=body, headers=CHAT if chat else {})


def _at(host: str, method: str) -> str:
    return f"https://{host}/xrpc/{method}"
