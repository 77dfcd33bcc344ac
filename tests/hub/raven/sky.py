"""The network's side: it keeps what was sent, answers as told, and can be made to fail."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from raven.connector import ACCOUNT, RavenSettings
from socialsupport_core.testing import Simulator


class Sky(Simulator):
    network = "raven"
    hosts = frozenset({"api.raven.example"})

    def __init__(self, **given: Any) -> None:
        super().__init__(RavenSettings(), **given)
        self.messages: list[dict[str, str]] = []
        """Everything that really went out, in order."""
        self.blocked: set[str] = set()
        self.letters: list[Any] = []
        """Events that wait to be polled."""
        self.files: dict[str, bytes] = {}
        self.before: Callable[[httpx.Request], None] = lambda request: None
        """Called with each request before it is carried out."""
        self.forgets_keys = True
        """A network that does not know idempotency keys."""

    def texts(self) -> list[str]:
        return [one["text"] for one in self.messages]

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        match request.method, request.url.path.split("/")[1]:
            case "POST", "messages":
                return self.take(json.loads(request.read()))
            case "GET", "messages":
                wanted = request.url.params["key"]
                return httpx.Response(200, json=next((one for one in self.messages if one["key"] == wanted), {}))
            case "GET", "letters":
                return self.page(int(request.url.params["after"]))
            case "GET", "files":
                content = self.files.get(request.url.path.rsplit("/", 1)[1])
                return httpx.Response(404) if content is None else httpx.Response(200, content=content)
            case "GET", "me":
                return httpx.Response(200, json={"account": ACCOUNT})
        return httpx.Response(404)

    def take(self, asked: dict[str, str]) -> httpx.Response:
        if asked["thread"] in self.blocked:
            return httpx.Response(403, text="blocked")
        known = [one for one in self.messages if one["key"] == asked["key"]]
        if known and not self.forgets_keys:
            return httpx.Response(200, json={"id": known[0]["id"]})
        one = {**asked, "id": f"raven-{len(self.messages) + 1}"}
        self.messages.append(one)
        return httpx.Response(201, json={"id": one["id"]})

    def page(self, after: int) -> httpx.Response:
        letters = self.letters[after : after + 2]
        end = after + len(letters)
        more = end < len(self.letters)
        at = self.clock().isoformat()
        return httpx.Response(200, json={"letters": letters, "next": str(end), "more": more, "at": at})
