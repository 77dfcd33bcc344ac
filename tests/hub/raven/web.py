"""A client of an application in this process, without a socket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from raven.roost import Roost


class Web:
    def __init__(self, app: Any, base_url: str = "https://hub.example") -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._base = base_url
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """An iterator as `content` is sent as a stream without a length."""
        if isinstance(more.get("content"), Iterator):
            more["content"] = _stream(more["content"])
        return asyncio.run(self._ask(method, path, more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    async def _ask(self, method: str, path: str, more: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=self._transport, base_url=self._base, cookies=self.cookies, timeout=30
        ) as client:
            answer = await client.request(method, path, **more)
            self.cookies = client.cookies
            return answer


class Desk:
    """An agent's own client; `acme.get("/api/…")` speaks for dana of acme."""

    def __init__(self, roost: Roost, client: Web, tenant: str, *scopes: Any) -> None:
        token = roost.hub.issue_token(tenant, "dana", scopes or ("read", "reply", "link", "configure"))
        self.client, self.token = client, token

    def get(self, path: str, **more: Any) -> Any:
        return self.ask("GET", path, **more)

    def post(self, path: str, content: Any = None, **more: Any) -> Any:
        return self.ask("POST", path, json={} if content is None else content, **more)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)


async def _stream(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
