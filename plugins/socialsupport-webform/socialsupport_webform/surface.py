"""The form as an ASGI application: shown by GET, filled in by POST. It needs no script and no third party."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

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
from socialsupport_core.contract.typed import is_email, is_phone
from socialsupport_core.model import Payload
from socialsupport_webform import protocol
from socialsupport_webform.connector import Webform
from socialsupport_webform.page import TRAP, Page

MAX_BODY = protocol.MAX_FILE_BYTES + 100_000
BODY_SECONDS = 60.0
QUICKEST = 3.0
"""Seconds in which nobody fills in a form."""
LIFETIME = 12 * 3600.0
"""Seconds for which a form may lie open."""
BY_ADDRESS = Rate(burst=5, seconds=60)
BY_FORM = Rate(burst=60, seconds=1)
REMEMBERED = 10_000
PREFILLED = ("name", "order", "subject")
"""What an address may fill in beforehand: nothing that would send our answer to somebody else."""


@dataclass(slots=True)
class Refused(Exception):
    """Why it was not taken; the form is shown again with what was written in it."""

    status: int
    trouble: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    fresh: bool = True
    """With a new token."""


class Surface:
    def __init__(
        self, connector: Webform, host: SurfaceHost, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.connector = connector
        self.settings = connector.settings
        self.host = host
        self.clock = clock
        self.page = Page(self.settings)
        self._purpose = f"webform {self.settings.own_account}"
        self._headers = page_headers(" ".join(("'self'", *self.settings.allowed_origins)))
        self._by_address, self._by_form = (Buckets(one, lambda: clock().timestamp()) for one in (BY_ADDRESS, BY_FORM))
        self._used: dict[str, None] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.show, methods=["GET"]),
                Route("/", self.take, methods=["POST"]),
                Route("/sent", self.sent, methods=["GET"]),
                *(Route(f"/{name}", _file(*found)) for name, found in self.page.files().items()),
            ]
        )

    async def show(self, request: Request) -> Response:
        values = {name: request.query_params.get(name, "")[: protocol.LENGTHS[name]] for name in PREFILLED}
        return self._html(self.page.form(self._token(), values))

    async def sent(self, _request: Request) -> Response:
        return self._html(self.page.thanks())

    async def take(self, request: Request) -> Response:
        """303 only after the hub has committed it."""
        filled = Filled({})
        try:
            filled = await self._read(request)
            await self._accept(request, filled)
        except Refused as refused:
            if filled.files and not refused.problems.get("files"):
                refused.problems["files"] = self.page.problem("files_again")
            token = self._token() if refused.fresh else filled.text("token")
            page = self.page.form(token, filled.fields, refused.problems, refused.trouble)
            return self._html(page, refused.status)
        return RedirectResponse(f"{request.scope.get('root_path', '')}/sent", 303, headers=self._headers)

    async def _accept(self, request: Request, filled: Filled) -> None:
        nonce = self._nonce(filled)
        self._check(filled)
        self._spend(request)
        reply = await self.host.accept(self._payload(await asyncio.to_thread(self._submission, nonce, filled)))
        if reply.status >= 300:
            self._used.pop(nonce, None)
            raise Refused(503, self.page.problem("unavailable"))

    # what is let in

    async def _read(self, request: Request) -> Filled:
        origin = request.headers.get("origin")
        if origin is not None and origin != _origin(self.host.public_url) and not _is_same(request):
            raise Refused(403, self.page.problem("unavailable"))
        try:
            body = await read_body(request.stream(), MAX_BODY, BODY_SECONDS)
            return await asyncio.to_thread(read_form, request.headers.get("content-type", ""), body)
        except TooMuch:
            raise Refused(413, problems={"files": self.page.problem("too_big")}) from None
        except (MalformedPayload, ClientDisconnect):
            raise Refused(400, self.page.problem("unavailable")) from None
        except TimeoutError:
            raise Refused(408, self.page.problem("unavailable")) from None

    def _nonce(self, filled: Filled) -> str:
        """Of a form that we have made, not long ago and not just now, and that was not sent before."""
        if filled.text(TRAP):
            raise Refused(422, self.page.problem("machine"))
        found = read_token(self.settings.keys, self._purpose, filled.text("token"))
        if found is None or self.clock().timestamp() - found[1] > LIFETIME:
            raise Refused(422, self.page.problem("old"))
        if self.clock().timestamp() - found[1] < QUICKEST:
            raise Refused(422, self.page.problem("too_quick"), fresh=False)
        if found[0] in self._used:
            raise Refused(422, self.page.problem("sent_before"))
        return found[0]

    def _check(self, filled: Filled) -> None:
        wrong: dict[str, str] = {}
        for name in (*self.settings.fields, "text"):
            value, most = filled.text(name), protocol.LENGTHS[name]
            if not value and (name == "text" or name in self.settings.required):
                wrong[name] = self.page.problem("missing")
            elif len(value) > most:
                wrong[name] = self.page.problem("too_long", most=f"{most:,}")
            elif value and name in _KINDS and not _KINDS[name](value):
                wrong[name] = self.page.problem(f"bad_{name}")
        size = sum(len(one.content) for one in filled.files)
        if filled.files and (len(filled.files) > protocol.MAX_FILES or size > protocol.MAX_FILE_BYTES):
            wrong["files"] = self.page.problem("too_big")
        if wrong:
            raise Refused(422, problems=wrong, fresh=False)

    def _spend(self, request: Request) -> None:
        address = request.client.host if request.client else ""
        if self._by_address.take(address) or self._by_form.take(""):
            raise Refused(429, self.page.problem("too_much"), fresh=False)

    # inside

    def _submission(self, nonce: str, filled: Filled) -> protocol.Submission:
        """The same form filled in otherwise is another one, in whichever worker it comes in."""
        fields = {name: filled.text(name) or None for name in (*self.settings.fields, "text")}
        files = filled.files if self.settings.files else ()
        content = repr((fields, [(one.name, hashlib.sha256(one.content).digest()) for one in files]))
        self._remember(nonce)
        return protocol.Submission.model_validate(
            {
                "id": f"{nonce}-{hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()[:16]}",
                "at": self.clock(),
                "files": [
                    {"name": one.name[:255] or "file", "content": base64.b64encode(one.content).decode()}
                    for one in files
                ],
                **fields,
            }
        )

    def _remember(self, nonce: str) -> None:
        self._used[nonce] = None
        if len(self._used) > REMEMBERED:
            self._used.pop(next(iter(self._used)))

    def _payload(self, said: protocol.Submission) -> Payload:
        body, now = protocol.write(said), self.clock()
        at = str(int(now.timestamp()))
        proof = {signing.ID: said.id, signing.TIMESTAMP: at}
        proof[signing.SIGNATURE] = signing.sign(self.settings.keys[:1], said.id, at, body)
        headers = (("content-type", "application/json"), *proof.items())
        return Payload(url=f"{self.host.public_url}/", headers=headers, body=body, received_at=now)

    def _token(self) -> str:
        return make_token(self.settings.keys[0], self._purpose, secrets.token_hex(16), self.clock().timestamp())

    def _html(self, page: str, status: int = HTTPStatus.OK) -> Response:
        return HTMLResponse(page, status, headers=self._headers)


_KINDS: Mapping[str, Callable[[str], bool]] = {"email": is_email, "phone": is_phone}


def make_surface(connector: Webform, host: SurfaceHost) -> Starlette:
    return Surface(connector, host).app()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_same(request: Request) -> bool:
    """As the browser says, where the public address is another than the one that it knows."""
    return request.headers.get("sec-fetch-site") == "same-origin"


def _file(content: str, media_type: str) -> Callable[[Request], Response]:
    headers = {
        "cache-control": "max-age=300",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "cross-origin",  # a page that embeds the form loads `embed.js`
    }
    return lambda _request: Response(content, media_type=media_type, headers=headers)
