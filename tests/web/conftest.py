"""The roost over HTTP."""

from typing import Any

import pytest
from raven import Roost
from raven.web import Web

from socialsupport_core.web import create_app


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


@pytest.fixture
def web(roost: Roost) -> Web:
    """The application, its workers driven by hand with `roost.hub.drain()`."""
    return Web(create_app(roost.hub, inbox=True, run_workers=False))


@pytest.fixture
def acme(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "acme")


@pytest.fixture
def rival(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "rival")
