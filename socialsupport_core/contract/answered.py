"""What an answer says: when, by the network's clock, since a plugin has none; what came; that nothing is there."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from socialsupport_core.contract.errors import Unreachable
from socialsupport_core.model import Attachment, Blob, Payload

if TYPE_CHECKING:
    import httpx

    from socialsupport_core.contract.flow import Flow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def answered_at(response: "httpx.Response") -> datetime:
    """The Date header (RFC 9110, 6.6.1) in UTC; the epoch if there is none that can be read."""
    try:
        at = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return EPOCH
    return at.astimezone(UTC) if at.tzinfo else EPOCH


def downloaded(answer: "httpx.Response", attachment: Attachment, name: str | None = None) -> Blob:
    """The file that was asked for. Its type is what the answer says; `name` is for one that has none."""
    media_type = answer.headers.get("content-type", attachment.media_type).partition(";")[0]
    return Blob(content=answer.content, media_type=media_type, name=attachment.name or name)


def gathered(answer: "httpx.Response", content: Any) -> Payload:
    """One payload of all that a poll has put together; the answer that came first gives its address and time."""
    body = json.dumps(content, sort_keys=True).encode()
    url = str(answer.request.url)
    return Payload(source="poll", method="GET", url=url, body=body, received_at=answered_at(answer))


def if_there(request: "httpx.Request", *absent: str) -> "Flow[bool]":
    """Asks. False if the answer says that it is not there: by 404, or by another code that is named."""
    try:
        yield request
    except Unreachable as error:
        if error.code not in ("404", *absent):
            raise
        return False
    return True
