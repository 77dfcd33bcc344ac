"""Files: those of customers as downloads, and those that agents give along with a reply."""

import mimetypes
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from socialsupport_core.hub import Hub
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.store.accounts import Access
from socialsupport_core.text import file_name
from socialsupport_core.web.endpoint import Misread, audit, id_of, route

MAX_FILE = 25 * 1024 * 1024  # bytes; what mail servers take, and more than most networks do
OPAQUE = "application/octet-stream"
UNTOLD = frozenset({"", OPAQUE, "application/x-www-form-urlencoded"})
"""The last is what curl's `--data-binary` says of itself."""
MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")


def attachment(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "read")
    kept, content = hub.attachment(access.agent.tenant, id_of(request))
    return download(content, kept.name or "attachment")


def download(content: bytes, name: str) -> Response:
    """A file to keep, never to show: what is inside comes from strangers."""
    return Response(content, media_type=OPAQUE, headers={"content-disposition": disposition(file_name(name))})


def disposition(name: str) -> str:
    """With the name twice: in ASCII for all, and whole (RFC 6266, 4.3)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "'")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def upload(request: Request, hub: Hub, _access: Access) -> Any:
    """The body is the file. What comes back goes into a reply's `attachments` as it is."""
    content: bytes = request.state.body
    if not content:
        raise Misread([("", "is empty; send the file itself as the body")])
    name = file_name(request.query_params.get("name") or "attachment")
    made = Attachment(
        media_type=_media_type(request.headers.get("content-type", ""), name),
        name=name,
        size=len(content),
        blob=hub.blobs.put(content),
    )
    return JSONResponse(made.model_dump(exclude_none=True), 201)


def _media_type(told: str, name: str) -> str:
    """What the request says, unless that is what a client says that has not been told."""
    given = told.partition(";")[0].strip().lower()
    if given in UNTOLD:
        return mimetypes.guess_type(name, strict=False)[0] or OPAQUE
    if not MEDIA_TYPE.fullmatch(given):
        raise HTTPException(400, f"the Content-Type {given[:40]!r} is none; write one such as image/png")
    return given


def attached(hub: Hub, given: Iterable[Attachment]) -> list[dict[str, Any]]:
    """The files of a reply, with the size that they have. Raises Misread for one that was not uploaded."""
    return [
        {**one.model_dump(), "size": _size(hub, one, f"attachments.{position}.blob")}
        for position, one in enumerate(given)
    ]


def _size(hub: Hub, one: Attachment, field: str) -> int:
    try:
        return len(hub.blobs.get(one.blob or ""))
    except KeyError:
        told = "is not a file that is here; upload it with POST /api/attachments and give what that answers"
        raise Misread([(field, told)]) from None


ROUTES = [
    route("/attachments", "POST", "reply", upload, query=("name",), limit=MAX_FILE),
    route("/attachments/{id}", "GET", "read", attachment),
]
