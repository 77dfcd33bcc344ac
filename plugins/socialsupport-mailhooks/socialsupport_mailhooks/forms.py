"""Forms of webhooks, their fields as bytes: a mail must come out as it came in."""

import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from urllib.parse import parse_qsl

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import Payload

MOST_FIELDS = 1_000


def fields(payload: Payload) -> dict[str, bytes]:
    """Of two fields with one name the first. Raises MalformedPayload."""
    kind = payload.header("content-type") or ""
    try:
        pairs = _parts(kind, payload.body) if kind.lower().startswith("multipart/") else _pairs(payload.body)
        found: dict[str, bytes] = {}
        for name, value in pairs:
            found.setdefault(name, value)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedPayload(f"the form cannot be read ({type(error).__name__})") from error
    return found


def text(form: dict[str, bytes], name: str) -> str:
    return form.get(name, b"").decode("utf-8", "replace")


def _pairs(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Percent-encoded bytes, whatever their charset."""
    decoded = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=MOST_FIELDS)
    for name, value in decoded:
        yield name, value.encode("latin-1", "replace")


def _parts(kind: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """A multipart form is a MIME message without its first header."""
    head = f"content-type: {kind}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + body)
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            yield name, content
