"""Ravens that serve a court: one signs in there by OAuth, and their tokens expire."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr

from raven.connector import API, Raven, RavenSettings
from raven.events import message
from raven.roost import Clock, Roost
from raven.sky import Sky
from socialsupport_core.contract import Connector, Flow, Settings, SignIn
from socialsupport_core.model import Credentials, Facts
from socialsupport_core.store import credentials as table
from socialsupport_core.testing.oauth import SignInPages

PAGE = "https://court.raven.example/allow"


class CourtSettings(RavenSettings):
    client_id: str = "raven-client"
    client_secret: SecretStr = SecretStr("raven-client-secret")


class Courtier(Raven):
    """A raven with credentials of its own, in place of the token in the settings."""

    settings_model: ClassVar[type[Settings]] = CourtSettings

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        if credentials is not None and request.url.path != "/token":
            request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    def connect_with(self, sign_in: SignIn) -> str:
        asked = {
            "response_type": "code",
            "client_id": "raven-client",
            "redirect_uri": sign_in.redirect,
            "state": sign_in.state,
            "scope": "fly",
            "code_challenge": sign_in.challenge,
            "code_challenge_method": "S256",
        }
        return f"{PAGE}?{urlencode(asked)}"

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        verifier = sign_in.verifier.get_secret_value()
        return self.ask_for_token(
            grant_type="authorization_code", code=code, redirect_uri=sign_in.redirect, code_verifier=verifier
        )

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        assert credentials.refresh_token is not None
        return self.ask_for_token(
            grant_type="refresh_token", refresh_token=credentials.refresh_token.get_secret_value()
        )

    def ask_for_token(self, **form: str) -> Flow[Credentials]:
        response = yield httpx.Request("POST", f"{API}/token", data={**form, "client_id": "raven-client"})
        given = response.json()
        expires_at = datetime.fromisoformat(response.headers["at"]) + timedelta(seconds=given["expires_in"])
        return Credentials(
            access_token=given["access_token"], refresh_token=given["refresh_token"], expires_at=expires_at
        )


class Forgetful(Courtier):
    """Its network does not say when a token expires."""

    def ask_for_token(self, **form: str) -> Flow[Credentials]:
        found = yield from super().ask_for_token(**form)
        return found.model_copy(update={"expires_at": None})


class Court(Sky):
    """The same sky behind a sign-in."""

    hosts = frozenset({"api.raven.example", "court.raven.example"})

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.pages = SignInPages(self.clock, self.random, "raven-client")
        self.before_token: Callable[[], None] = lambda: None
        """Called when a token is asked for, before it is given."""
        self.after_token: Callable[[], None] = lambda: None
        """Called when it is given, before it is answered."""
        self.token_calls = 0
        self.refused = 0
        """Calls with a token that is not valid."""

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "court.raven.example":
            return self.pages.page(request)
        if request.url.path == "/token":
            return self.give(request)
        if not self.pages.accepts(request):
            self.refused += 1
            return httpx.Response(401, json={})
        return super().respond(request)

    def give(self, request: httpx.Request) -> httpx.Response:
        self.token_calls += 1
        self.before_token()
        answer = self.pages.token(request)
        answer.headers["at"] = self.clock().isoformat()
        self.after_token()
        return answer


TOWER = "channel/acme/tower"
"""Who holds the credentials of that channel."""


class Castle(Roost):
    """A roost whose tower in acme has been connected, and kerry has written to it."""

    sky: Court

    def __init__(self, folder: Path, store: str | Path, connector: type[Connector[Any]] = Forgetful) -> None:
        self.made_of = connector
        clock = Clock(datetime.now(UTC))
        super().__init__(folder, connector, store=store, clock=clock, sky=Court(clock=clock), random_bytes=os.urandom)
        self.connect()
        self.hear(message(1, "hello", at=self.clock.now))

    def restart(self) -> None:
        self.reopen(self.made_of)

    def connect(self, **more: Any) -> None:
        self.hub.keep_credentials("acme", "tower", self.granted(**more))

    def granted(self, **more: Any) -> Credentials:
        given = json.loads(self.sky.pages.grant().content)
        return Credentials(access_token=given["access_token"], refresh_token=given["refresh_token"], **more)

    def standing(self, holder: str = TOWER) -> table.Standing:
        found = self.hub._database.read(lambda tx: table.standing(tx, holder))
        assert found is not None
        return found

    def held(self) -> str:
        """The access token that is committed."""
        found = self.hub._database.read(lambda tx: table.get(tx, self.hub._secrets, TOWER))
        return found.access_token.get_secret_value()

    def channel(self, tenant: str = "acme") -> dict[str, Any]:
        return self.hub.list_channels(tenant)[0]

    def probe(self, tenant: str = "acme") -> Facts:
        live = self.hub.channels.get(tenant, "tower")

        async def ask() -> Facts:
            try:
                return await self.hub.wire.run(live.connector.probe(), live.connector, keeper=self.hub.keepers.of(live))
            finally:
                await self.hub.wire.aclose()

        return asyncio.run(ask())
