"""The form for the staff, as an ASGI application. Whoever knows a branch's secret signs in for that branch."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from socialsupport_core.contract import MalformedPayload, SurfaceHost
from socialsupport_core.contract import standard_webhooks as signing
from socialsupport_core.contract.pages import (
    Buckets,
    Filled,
    Rate,
    TooMuch,
    make_token,
    page_headers,
    read_body,
    read_form,
    read_token,
)
from socialsupport_core.model import Payload
from socialsupport_visit.connector import Visit
from socialsupport_visit.page import FIELDS, Page
from socialsupport_visit.records import record

MAX_BODY = 100_000
BODY_SECONDS = 20.0
COOKIE = "visit"
STAY = 12 * 3600
"""Seconds for which somebody stays signed in: a working day."""
TRIES = Rate(burst=5, seconds=30)  # to sign in, from one address
TRIES_OF_BRANCH = Rate(burst=20, seconds=10)
VISITS = Rate(burst=30, seconds=2)  # of one branch


@dataclass(slots=True)
class Refused(Exception):
    status: int
    trouble: str = ""
    problems: dict[str, str] = field(default_factory=dict)


class Surface:
    def __init__(
        self, connector: Visit, host: SurfaceHost, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.connector = connector
        self.settings = connector.settings
        self.host = host
        self.clock = clock
        self.page = Page(self.settings)
        rates = (TRIES, TRIES_OF_BRANCH, VISITS)
        self._tries, self._tries_of_branch, self._visits = (Buckets(one, lambda: clock().timestamp()) for one in rates)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.show, methods=["GET"]),
                Route("/", self.take, methods=["POST"]),
                Route("/sign-in", self.sign_in, methods=["POST"]),
                Route("/sign-out", self.sign_out, methods=["POST"]),
                *(Route(f"/{name}", _file(*found)) for name, found in self.page.files().items()),
            ]
        )

    async def show(self, request: Request) -> Response:
        branch = self._signed_in(request)
        if branch is None:
            return self._html(self.page.sign_in(self._token("sign-in")))
        staff = {"staff": request.query_params.get("staff", "")[:200]}
        kept = "kept" in request.query_params
        return self._html(self.page.form(branch, self._token(branch), staff, kept=kept))

    async def take(self, request: Request) -> Response:
        """303 only after the hub has committed it."""
        branch, filled = self._signed_in(request), Filled({})
        if branch is None:
            return self._html(self.page.sign_in(self._token("sign-in"), trouble="Sign in to write a visit down."), 401)
        try:
            filled = await self._read(request)
            nonce = self._nonce(filled, branch)
            await self._keep(branch, nonce, filled)
        except Refused as refused:
            token = filled.text("token") or self._token(branch)
            page = self.page.form(branch, token, filled.fields, refused.problems, refused.trouble)
            return self._html(page, refused.status)
        return self._on(request, f"/?kept=1&staff={quote(filled.text('staff'), safe='')}")

    async def sign_in(self, request: Request) -> Response:
        branch = ""
        try:
            filled = await self._read(request)
            branch = filled.text("branch")
            self._nonce(filled, "sign-in")
            self._check_secret(request, branch, filled.text("secret"))
        except Refused as refused:
            page = self.page.sign_in(self._token("sign-in"), branch, refused.trouble)
            return self._html(page, refused.status)
        answer = self._on(request, "/")
        self._set_cookie(request, answer, self._pass(branch), STAY)
        return answer

    async def sign_out(self, request: Request) -> Response:
        answer = self._on(request, "/")
        if _same_site(request, self.host.public_url):
            self._set_cookie(request, answer, "", 0)
        return answer

    # who is it

    def _check_secret(self, request: Request, branch: str, given: str) -> None:
        address = request.client.host if request.client else ""
        if self._tries.take(address) or self._tries_of_branch.take(branch):
            raise Refused(429, "Too many tries. Wait a minute, and try again.")
        known = self.settings.branches.get(branch)
        right = known.secret.get_secret_value() if known and known.secret else secrets.token_hex(16)
        if not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
            raise Refused(401, "This is not the secret of that branch.")

    def _pass(self, branch: str) -> str:
        return make_token(self.settings.keys[0], self._purpose(branch), branch, self.clock().timestamp())

    def _signed_in(self, request: Request) -> str | None:
        """The branch; it ends with the day, and with the secret of its branch."""
        written = request.cookies.get(COOKIE, "")
        branch = written.partition(".")[0]
        known = self.settings.branches.get(branch)
        if known is None or known.secret is None:
            return None
        found = read_token(self.settings.keys, self._purpose(branch), written)
        return branch if found and self.clock().timestamp() - found[1] < STAY else None

    def _purpose(self, branch: str) -> str:
        secret = self.settings.branches[branch].secret
        mark = hashlib.sha256(secret.get_secret_value().encode()).hexdigest() if secret else ""
        return f"stay {self.settings.own_account} {mark}"

    def _set_cookie(self, request: Request, answer: Response, value: str, age: int) -> None:
        secure = self.host.public_url.startswith("https://")
        path = request.scope.get("root_path", "") or "/"
        answer.set_cookie(COOKIE, value, max_age=age, path=path, httponly=True, secure=secure, samesite="strict")

    # what is written down

    async def _read(self, request: Request) -> Filled:
        if not _same_site(request, self.host.public_url):
            raise Refused(403, "This came from a page of another site.")
        try:
            body = await read_body(request.stream(), MAX_BODY, BODY_SECONDS)
            return await asyncio.to_thread(read_form, request.headers.get("content-type", ""), body)
        except (TooMuch, MalformedPayload, ClientDisconnect, TimeoutError):
            raise Refused(400, "The form did not arrive whole. Try again.") from None

    def _nonce(self, filled: Filled, purpose: str) -> str:
        found = read_token(self.settings.keys, f"form {self.settings.own_account} {purpose}", filled.text("token"))
        if found is None or self.clock().timestamp() - found[1] > STAY:
            raise Refused(422, "The page was open for a long time. Load it again.")
        return found[0]

    def _token(self, purpose: str) -> str:
        purpose = f"form {self.settings.own_account} {purpose}"
        return make_token(self.settings.keys[0], purpose, secrets.token_hex(12), self.clock().timestamp())

    async def _keep(self, branch: str, nonce: str, filled: Filled) -> None:
        """The same form sent twice is one visit; filled in otherwise it is another."""
        written = {name: value for name in FIELDS if (value := filled.text(name))}
        mark = hashlib.sha256(repr(sorted(written.items())).encode("utf-8", "replace")).hexdigest()[:16]
        written = {"branch": branch, "at": self.clock().isoformat(), "id": f"{nonce}-{mark}"} | written
        try:
            record(written)
        except ValueError as error:
            raise Refused(422, problems=_by_field(str(error))) from None
        if self._visits.take(branch):
            raise Refused(429, "So many visits at once? Wait a little, and keep it again.")
        reply = await self.host.accept(self._payload(json.dumps(written).encode()))
        if reply.status >= 300:
            raise Refused(503, "It could not be kept just now. Try again in a minute.")

    def _payload(self, body: bytes) -> Payload:
        now = self.clock()
        id_, at = f"msg_{secrets.token_hex(8)}", str(int(now.timestamp()))
        proof = {signing.ID: id_, signing.TIMESTAMP: at}
        proof[signing.SIGNATURE] = signing.sign(self.settings.keys[:1], id_, at, body)
        headers = (("content-type", "application/json"), *proof.items())
        return Payload(url=f"{self.host.public_url}/", headers=headers, body=body, received_at=now)

    def _html(self, page: str, status: int = 200) -> Response:
        return HTMLResponse(page, status, headers=page_headers())

    def _on(self, request: Request, path: str) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}{path}", 303, headers=page_headers())


def make_surface(connector: Visit, host: SurfaceHost) -> Starlette:
    return Surface(connector, host).app()


def _same_site(request: Request, public_url: str) -> bool:
    origin, parts = request.headers.get("origin"), urlsplit(public_url)
    if origin is None or origin == f"{parts.scheme}://{parts.netloc}":
        return True
    return request.headers.get("sec-fetch-site") == "same-origin"


def _by_field(told: str) -> dict[str, str]:
    """`field: what is wrong`, parted by semicolons."""
    return {name: said for name, _, said in (one.partition(": ") for one in told.split("; ")) if name in FIELDS}


def _file(content: str, media_type: str) -> Callable[[Request], Response]:
    headers = {"cache-control": "max-age=300", "x-content-type-options": "nosniff"}
    return lambda _request: Response(content, media_type=media_type, headers=headers)
