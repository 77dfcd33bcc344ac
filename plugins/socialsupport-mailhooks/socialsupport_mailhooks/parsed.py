"""A mail put together again from what a provider has taken apart, where the raw mail does not come along.

https://postmarkapp.com/developer/webhooks/inbound-webhook,
https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http,
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook (2026-11).
The same webhook always gives the same bytes: attachments are fetched from them later.
"""

import re
from base64 import encodebytes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from socialsupport_core.contract import MalformedPayload

Header = tuple[str, str]
_NAME = re.compile(r"[!-9;-~]{1,200}")
_LINES = re.compile(r"[\r\n\x00]+[ \t]*")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    content: bytes


def mail(headers: Iterable[Header], told: Iterable[Header], text: str, html: str, files: Sequence[File] = ()) -> bytes:
    """`told`: what the provider tells of headers that it does not hand on. Raises MalformedPayload."""
    kept = [(name, value) for name, value in headers if _NAME.fullmatch(name) and not _describes(name)]
    beside = {name.lower(): value for name, value in reversed([*told]) if value}  # of two the first
    known = {name.lower() for name, _ in kept}
    kept += [(name, value) for name, value in beside.items() if name not in known]
    if not kept:
        raise MalformedPayload("the webhook brings neither a raw mail nor the headers of one")
    versions = [("plain", text), *([("html", html)] if html else [])]
    parts = [_multipart("alternative", [_text(*one) for one in versions]), *map(_file, files)]
    head = "".join(f"{name}: {_LINES.sub(' ', value).strip()}\r\n" for name, value in kept)
    return head.encode("utf-8", "replace") + _multipart("mixed", parts)


def _describes(name: str) -> bool:
    """The body of the mail as it was, which is another now."""
    return name.lower().startswith("content-") or name.lower() == "mime-version"


def _text(kind: str, words: str) -> bytes:
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + encodebytes(words.encode("utf-8", "replace"))


def _file(file: File) -> bytes:
    media_type = file.media_type.partition(";")[0].strip()
    if not _MEDIA_TYPE.fullmatch(media_type) or media_type.startswith("multipart/"):
        media_type = "application/octet-stream"
    head = f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment"
    named = f"; filename*=utf-8''{quote(file.name[-200:], safe='')}" if file.name else ""
    return f"{head}{named}\r\n\r\n".encode("ascii", "replace") + encodebytes(file.content)


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    """`=_` occurs in no base64, so no boundary occurs inside."""
    boundary = f"=_{kind}_{sha256(b''.join(parts)).hexdigest()[:24]}"
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    between = f"--{boundary}\r\n".encode()
    return head + b"".join(between + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
