"""The sign-in of a simulated network: its consent page, its token endpoint, and tokens that expire.

Authorization code with PKCE and refresh as RFC 6749 and RFC 7636 have them. No I/O: a simulator hands its requests on.
"""

import base64
import hashlib
import html
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import httpx

Wording = Callable[[str, str], httpx.Response]
"""How this network words the refusal of a token: from the error of RFC 6749, 5.2 and its description."""


def plainly(error: str, description: str) -> httpx.Response:
    return httpx.Response(400, json={"error": error, "error_description": description})


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody has agreed to."""

    redirect: str
    challenge: str | None
    scope: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Token:
    until: datetime
    scope: str


@dataclass
class SignInPages:
    """One app at one network. `single_use` refresh tokens are void once they have been used."""

    clock: Callable[[], datetime]
    chance: random.Random
    client_id: str
    client_secret: str | None = None
    """Of a confidential client, which proves itself by HTTP Basic."""
    lifetime: timedelta = timedelta(hours=2)
    code_lifetime: timedelta = timedelta(minutes=1)
    single_use: bool = True
    refuse: Wording = plainly
    refreshes: int = 0
    """How often a refresh has been granted."""
    tokens: dict[str, Token] = field(default_factory=dict)
    """Access tokens."""
    renewable: dict[str, str] = field(default_factory=dict)
    """Refresh tokens that are valid, and their scope."""
    _codes: dict[str, Grant] = field(default_factory=dict)

    # the page

    def page(self, request: httpx.Request) -> httpx.Response:
        """What the operator sees at the address of `connect`, and where their choice leads."""
        asked = dict(request.url.params)
        if fault := self._fault(asked):
            return httpx.Response(400, text=fault)
        choice = asked.get("choice")
        if choice in {"allow", "deny"}:
            answer = self.allow(str(request.url)) if choice == "allow" else self.deny(str(request.url))
            return httpx.Response(302, headers={"location": answer})
        links = (
            f'<a href="{html.escape(str(request.url.copy_merge_params({"choice": one})))}">{one}</a>'
            for one in ("allow", "deny")
        )
        text = f"<h1>Allow access?</h1><p>{html.escape(asked.get('scope', ''))}</p><p>{' '.join(links)}</p>"
        return httpx.Response(200, html=text)

    def allow(self, address: str) -> str:
        """The operator agrees: the address to which the browser is sent back. Raises ValueError for a wrong one."""
        asked = self._asked(address)
        code = self._token("code")
        until = self.clock() + self.code_lifetime
        self._codes[code] = Grant(asked["redirect_uri"], asked.get("code_challenge"), asked.get("scope", ""), until)
        return self._back(asked, code=code)

    def deny(self, address: str) -> str:
        return self._back(self._asked(address), error="access_denied", error_description="The user said no")

    def _asked(self, address: str) -> dict[str, str]:
        asked = dict(httpx.URL(address).params)
        if fault := self._fault(asked):
            raise ValueError(fault)
        return asked

    def _back(self, asked: dict[str, str], **answer: str) -> str:
        state = {"state": asked["state"]} if "state" in asked else {}
        return str(httpx.URL(asked["redirect_uri"]).copy_merge_params({**state, **answer}))

    def _fault(self, asked: dict[str, str]) -> str | None:
        if asked.get("response_type") != "code":
            return "response_type must be code"
        if asked.get("client_id") != self.client_id:
            return "client_id is not known here"
        if not asked.get("redirect_uri", "").startswith("https://"):
            return "redirect_uri must be https"
        return None if asked.get("code_challenge_method", "S256") == "S256" else "code_challenge_method must be S256"

    # the token endpoint

    def token(self, request: httpx.Request) -> httpx.Response:
        asked = dict(parse_qsl(request.read().decode()))
        if self.client_secret is not None and not self._is_client(request):
            return httpx.Response(401, json={"error": "invalid_client"})
        if self.client_secret is None and asked.get("client_id") != self.client_id:
            return self.refuse("invalid_client", "client_id is not known here")
        match asked.get("grant_type"):
            case "authorization_code":
                return self._exchanged(asked)
            case "refresh_token":
                return self._refreshed(asked)
        return self.refuse("unsupported_grant_type", "grant_type is not known here")

    def _exchanged(self, asked: dict[str, str]) -> httpx.Response:
        grant = self._codes.pop(asked.get("code", ""), None)
        if grant is None or grant.until <= self.clock():
            return self.refuse("invalid_grant", "the authorization code was invalid")
        if asked.get("redirect_uri") != grant.redirect:
            return self.refuse("invalid_grant", "redirect_uri is not the one of the authorization")
        if grant.challenge is not None and challenge_of(asked.get("code_verifier", "")) != grant.challenge:
            return self.refuse("invalid_grant", "code_verifier does not fit the challenge")
        return self.grant(grant.scope)

    def _refreshed(self, asked: dict[str, str]) -> httpx.Response:
        given = asked.get("refresh_token", "")
        scope = self.renewable.pop(given, None) if self.single_use else self.renewable.get(given)
        if scope is None:
            return self.refuse("invalid_grant", "the refresh token was invalid")
        self.refreshes += 1
        return self.grant(scope)

    def grant(self, scope: str = "") -> httpx.Response:
        """New tokens, as the token endpoint words them."""
        access, renewing = self._token("access"), self._token("refresh")
        self.tokens[access] = Token(self.clock() + self.lifetime, scope)
        self.renewable[renewing] = scope
        content = {
            "token_type": "bearer",
            "expires_in": int(self.lifetime.total_seconds()),
            "access_token": access,
            "refresh_token": renewing,
            "scope": scope,
        }
        return httpx.Response(200, json=content)

    def _is_client(self, request: httpx.Request) -> bool:
        pair = f"{self.client_id}:{self.client_secret}"
        wanted = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return bool(request.headers.get("authorization", "") == wanted)

    # tokens

    def accepts(self, request: httpx.Request) -> bool:
        """Whether the request carries a token that is valid now."""
        return self.token_of(request) is not None

    def token_of(self, request: httpx.Request) -> Token | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        found = self.tokens.get(given) if scheme == "Bearer" else None
        return found if found and found.until > self.clock() else None

    def expire(self) -> None:
        """No access token is valid any more; each can be renewed."""
        self.tokens.clear()

    def revoke(self) -> None:
        """The account has withdrawn its access."""
        self.tokens.clear()
        self.renewable.clear()

    def _token(self, kind: str) -> str:
        return f"{kind}-{self.chance.randbytes(12).hex()}"


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636, 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
