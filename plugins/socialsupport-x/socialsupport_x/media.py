"""Uploading and fetching files.

https://docs.x.com/x-api/media/quickstart/media-upload-chunked, …/best-practices,
https://docs.x.com/x-api/direct-messages/media/introduction (2026-07)
"""

import re
from collections.abc import Mapping

import httpx

from socialsupport_core.contract import (
    ContentRejected,
    Flow,
    ReadBlob,
    Unavailable,
    Uncertain,
    Unsupported,
    Wait,
)
from socialsupport_core.contract.lax import Json, object_of, text_of, whole_of
from socialsupport_core.model import Attachment, Blob, MediaLimit
from socialsupport_core.model.interaction import Visibility
from socialsupport_x.api import API, get, send

MEGABYTE = 1024 * 1024
LIMITS = (
    MediaLimit(media_type="image/jpeg", max_bytes=5 * MEGABYTE),
    MediaLimit(media_type="image/png", max_bytes=5 * MEGABYTE),
    MediaLimit(media_type="image/webp", max_bytes=5 * MEGABYTE),
    MediaLimit(media_type="image/gif", max_bytes=15 * MEGABYTE),
    MediaLimit(media_type="video/mp4", max_bytes=512 * MEGABYTE),
)
"""The tighter of post and direct message: a video in a post may have 8 GB."""
CATEGORIES: Mapping[str, str] = {"image/gif": "gif", "video/mp4": "video"}
"""Everything else is an `image`."""
PREFIXES: Mapping[Visibility, str] = {"public": "tweet", "private": "dm"}
SEGMENT = 4 * MEGABYTE
CHECKS = 60
"""How often we ask whether X has finished with a file before we give up."""
CDN = frozenset({"pbs.twimg.com", "video.twimg.com"})
PRIVATE_FILE = re.compile(r"https://ton\.(?:twitter|x)\.com/1\.1/ton/data/dm/([0-9]+)/([0-9]+)/([\w.-]+)", re.ASCII)


def upload(attachment: Attachment, visibility: Visibility) -> Flow[str]:
    """The media id. A broken upload is not uncertain: nobody sees a file that no message shows."""
    if attachment.blob is None:
        raise ContentRejected("an attachment has no content to upload", code="media")
    blob: Blob = yield ReadBlob(attachment.blob)
    kind = CATEGORIES.get(attachment.media_type, "image")
    category = f"{PREFIXES[visibility]}_{kind}"
    try:
        if kind == "image":
            media_id = yield from _at_once(blob, attachment.media_type, category)
        else:
            media_id = yield from _in_segments(blob, attachment.media_type, category)
    except Uncertain as error:
        raise Unavailable(f"the upload broke off: {error}", code=error.code) from error
    return media_id


def _at_once(blob: Blob, media_type: str, category: str) -> Flow[str]:
    files = {"media": (blob.name or "file", blob.content, media_type)}
    url = f"{API}/2/media/upload"
    response = yield httpx.Request("POST", url, data={"media_category": category}, files=files)
    return _media_id(response)


def _in_segments(blob: Blob, media_type: str, category: str) -> Flow[str]:
    start = {"media_type": media_type, "total_bytes": len(blob.content), "media_category": category}
    media_id = _media_id((yield send("POST", "/2/media/upload/initialize", start)))
    for index, offset in enumerate(range(0, len(blob.content), SEGMENT)):
        yield _segment(media_id, index, blob.content[offset : offset + SEGMENT])
    response = yield send("POST", f"/2/media/upload/{media_id}/finalize")
    yield from _processed(media_id, response)
    return media_id


def _segment(media_id: str, index: int, content: bytes) -> httpx.Request:
    url = f"{API}/2/media/upload/{media_id}/append"
    return httpx.Request("POST", url, data={"segment_index": str(index)}, files={"media": ("segment", content)})


def _processed(media_id: str, response: httpx.Response) -> Flow[None]:
    """Waits until X can show the file."""
    for _ in range(CHECKS):
        progress = object_of(response.json()["data"], "processing_info")
        state = text_of(progress, "state")
        if state == "failed":
            raise ContentRejected("X cannot process this file; send another format", code="324")
        if state not in {"pending", "in_progress"}:
            return
        yield Wait(_pause(progress))
        response = yield get("/2/media/upload", command="STATUS", media_id=media_id)
    raise Unavailable("X is still processing the file", code="media", retry_after=60)


def _pause(progress: Json) -> float:
    return float(min(max(whole_of(progress, "check_after_secs") or 1, 1), 60))


def _media_id(response: httpx.Response) -> str:
    return str(response.json()["data"]["id"])


def fetch(attachment: Attachment, *, by_oauth2: bool) -> Flow[Blob]:
    address = file_address(attachment.url or "", by_oauth2=by_oauth2)
    response = yield httpx.Request("GET", address)
    media_type = response.headers.get("content-type", attachment.media_type).partition(";")[0].strip()
    name = attachment.name or httpx.URL(address).path.rpartition("/")[2] or None
    return Blob(content=response.content, media_type=media_type, name=name)


def file_address(address: str, *, by_oauth2: bool) -> str:
    """Files of direct messages are private: by OAuth 1.0a where they lie, by OAuth 2.0 through the API."""
    if match := PRIVATE_FILE.match(address):
        return f"{API}/2/dm_conversations/media/{'/'.join(match.groups())}" if by_oauth2 else address
    if not address.startswith("https://") or httpx.URL(address).host not in CDN:
        raise Unsupported("the attachment has no address at X to fetch it from")
    return address
