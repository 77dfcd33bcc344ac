"""Files: https://docs.joinmastodon.org/methods/media/ (2026-11)."""

import httpx

from socialsupport_core.contract import ContentRejected, Flow, ReadBlob, Unavailable, Uncertain, Unsupported, Wait
from socialsupport_core.model import Attachment, Blob, MediaLimit
from socialsupport_mastodon import api

IMAGE, VIDEO = 16 * 1024 * 1024, 99 * 1024 * 1024
"""Bytes, https://docs.joinmastodon.org/user/posting/#attachments (2026-11); an instance may set others."""
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/heif", "image/avif")
OTHERS = (
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/flac",
    "audio/aac",
)
PAUSES = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Seconds between two questions whether a file has been processed."""
DESCRIPTION = 1500
"""Characters, the `description_limit` of https://docs.joinmastodon.org/entities/Instance/ (2026-11)."""


def limits(image: int = IMAGE, video: int = VIDEO) -> tuple[MediaLimit, ...]:
    pictures = tuple(MediaLimit(media_type=one, max_bytes=min(image, IMAGE)) for one in IMAGES)
    return pictures + tuple(MediaLimit(media_type=one, max_bytes=min(video, VIDEO)) for one in OTHERS)


def upload(host: str, attachment: Attachment) -> Flow[str]:
    """The id. A broken upload is not uncertain: nobody sees a file that no post shows."""
    if attachment.blob is None:
        raise ContentRejected("an attachment has no content to upload", code="media")
    blob: Blob = yield ReadBlob(attachment.blob)
    described = {"description": attachment.text[:DESCRIPTION]} if attachment.text else {}
    name = attachment.name or blob.name or "file"
    request = httpx.Request(
        "POST", api.at(host, "v2", "media"), data=described, files={"file": (name, blob.content, attachment.media_type)}
    )
    try:
        response: httpx.Response = yield request
        media_id = str(response.json()["id"])
        if response.status_code == 202:
            yield from _processed(host, media_id)
    except Uncertain as error:
        raise Unavailable(f"the upload broke off: {error}", code=error.code) from error
    return media_id


def _processed(host: str, media_id: str) -> Flow[None]:
    for pause in PAUSES:
        yield Wait(pause)
        response: httpx.Response = yield api.get(api.at(host, "v1", "media", media_id))
        if response.status_code != 206:
            return
    raise Unavailable("the instance is still processing the file", code="media", retry_after=60)


def fetch(attachment: Attachment, hosts: frozenset[str]) -> Flow[Blob]:
    """Files are public to whoever knows the address, so that no token goes along."""
    address = attachment.url or ""
    host = httpx.URL(address).host if address.startswith("https://") else ""
    if host not in hosts:
        raise Unsupported(
            f"the file lies at {host or 'no https address'}: run the connection test, or add the host to media_hosts"
        )
    response: httpx.Response = yield httpx.Request("GET", address)
    media_type = response.headers.get("content-type", attachment.media_type).partition(";")[0].strip()
    return Blob(content=response.content, media_type=media_type or attachment.media_type, name=attachment.name)
