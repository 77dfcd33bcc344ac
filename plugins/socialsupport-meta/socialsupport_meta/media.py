"""Fetching what somebody sent, from where Meta's networks keep files.

Addresses in webhooks are public for a while and want no token; the hosts below these domains change.
"""

import httpx

from socialsupport_core.contract import Flow, Unsupported, declares
from socialsupport_core.model import Attachment, Blob
from socialsupport_meta.content import HOSTS, STORY

__all__ = ["HOSTS", "fetch"]


def fetch(attachment: Attachment) -> Flow[Blob]:
    if (attachment.native_id or "").startswith(STORY):
        raise Unsupported("a story may be looked at while it lasts, and not be kept")
    try:
        url = httpx.URL(attachment.url or "")
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme != "https" or not declares(HOSTS, url.host):
        raise Unsupported("the attachment has no address at Meta to fetch it from")
    response = yield httpx.Request("GET", url)
    media_type = response.headers.get("content-type", attachment.media_type).partition(";")[0].strip()
    return Blob(
        content=response.content, media_type=media_type, name=attachment.name or url.path.rpartition("/")[2] or None
    )
