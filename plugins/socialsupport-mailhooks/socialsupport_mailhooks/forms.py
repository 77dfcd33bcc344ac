"""Forms of webhooks, their fields as bytes: a mail must come out as it came in."""

import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import Payload
from socialsupport_mailhooks.parsed import File

MOST_FIELDS = 1_000
_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=? -]{1,70}?)[ \t]*\r?\n")


def fields(payload: Payload) -> dict[str, bytes]:
    """Of two fields with one name the first. Raises MalformedPayload."""
    found: dict[str, bytes] = {}
    for name, file in _read(payload):
        found.setdefault(name, file.content)
    return found


def files(payload: Payload, name: str) -> list[File]:
    """Those whose field begins with `name` and ends in a number. Raises MalformedPayload."""
    numbered = re.compile(re.escape(name) + r"-?[0-9]{1,4}")
    return [file for found, file in _read(payload) if numbered.fullmatch(found)]


def text(form: dict[str, bytes], name: str, charset: str = "utf-8") -> str:
    content = form.get(name, b"")
    try:
        return content.decode(charset)
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def json_of(form: dict[str, bytes], name: str) -> Any:
    """What a field says in JSON; None if it does not."""
    try:
        return from_json(form.get(name, b""), allow_inf_nan=False)
    except ValueError:
        return None


def _read(payload: Payload) -> list[tuple[str, File]]:
    kind = payload.header("content-type") or _guessed(payload.body)
    try:
        is_multipart = kind.lower().startswith("multipart/")
        return list(_parts(kind, payload.body) if is_multipart else _pairs(payload.body))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedPayload(f"the form cannot be read ({type(error).__name__})") from error


def _guessed(body: bytes) -> str:
    """Of a stored form, whose header is lost: a boundary is its first line."""
    found = _BOUNDARY.match(body)
    return f'multipart/form-data; boundary="{found[1].decode()}"' if found else ""


def _pairs(body: bytes) -> Iterator[tuple[str, File]]:
    """Percent-encoded bytes, whatever their charset."""
    decoded = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=MOST_FIELDS)
    for name, value in decoded:
        yield name, File("", "", value.encode("latin-1", "replace"))


def _parts(kind: str, body: bytes) -> Iterator[tuple[str, File]]:
    """A multipart form is a MIME message without its first header."""
    head = f"content-type: {kind}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + body)
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        inside = part.get_payload(0) if part.is_multipart() else None  # a mail in a form is read as one by itself
        content = inside.as_bytes() if isinstance(inside, Message) else part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            yield name, File(part.get_filename() or "", part.get_content_type(), content)
