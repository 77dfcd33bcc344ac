"""A mail as bytes, the same for the same input: a flow that is resumed must ask the same again.

Written by us rather than by the standard library's generator, which encodes long Message-IDs as if they were words
and chooses its boundaries at random. The Date is missing: whoever sends the mail knows the time.
"""

import hashlib
import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from urllib.parse import quote

from socialsupport_core.contract import ContentRejected
from socialsupport_core.model import Blob
from socialsupport_core.text import to_html

MAX_LINE = 76  # characters, RFC 2045 6.7 and RFC 2047 2
MAX_REFERENCES = 8_000  # characters of that header; some servers refuse longer ones
_INJECTION = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}", re.IGNORECASE)
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")  # a display name that needs no quotes
_REPLY = re.compile(r"\s*(?:re|aw|sv|vs|antw|odp|ynt|rif|res)(?:\[\d+\]|\(\d+\))?\s*:\s*", re.IGNORECASE)
_CHARSET = "utf-8''"
_EXECUTES = frozenset({"message/rfc822", "message/partial", "message/external-body"})
"""Sent as octets, so that no reader acts on them."""


@dataclass(frozen=True, slots=True)
class Address:
    address: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    message_id: str
    sender: Address
    recipient: Address
    subject: str
    text: str
    """CommonMark."""
    reply_to: Address | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[Blob, ...] = ()
    ask_receipt: bool = False


def compose(draft: Draft) -> bytes:
    """The mail with CRLF line ends. Raises ContentRejected for text that would change its headers."""
    headers = [
        ("From", _address(draft.sender)),
        ("To", _address(draft.recipient)),
        *([("Reply-To", _address(draft.reply_to))] if draft.reply_to else []),
        ("Subject", _words("Subject", draft.subject)),
        ("Message-ID", f"<{draft.message_id}>"),
        *_thread(draft.references),
        *([("Disposition-Notification-To", draft.sender.address)] if draft.ask_receipt else []),
        ("MIME-Version", "1.0"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode() + _body(draft)


def reply_subject(subject: str | None, otherwise: str) -> str:
    """`Re: ` once, however often and in whichever language it was there."""
    bare = subject or ""
    while match := _REPLY.match(bare):
        bare = bare[match.end() :]
    return f"Re: {bare.strip()}" if bare.strip() else otherwise


def checked(text: str, what: str) -> str:
    """Refuses what would begin a new header; `what` names the place in the error."""
    if found := _INJECTION.search(text):
        raise ContentRejected(f"the {what} contains U+{ord(found[0]):04X}, which no header may hold; remove it")
    return text


def _thread(references: Sequence[str]) -> list[tuple[str, str]]:
    """The first reference names the thread, the last one is what we answer (RFC 5322 3.6.4)."""
    if not references:
        return []
    first, *rest = (f"<{checked(one, 'reference')}>" for one in references)
    while rest[1:] and len(first) + sum(map(len, rest)) > MAX_REFERENCES:
        del rest[0]
    last = (rest or [first])[-1]
    return [("In-Reply-To", last), ("References", "\r\n ".join([first, *rest]))]


def _address(one: Address) -> str:
    address = checked(one.address, "address")
    name = checked(one.name or "", "name").strip()
    if not name:
        return address
    if not name.isascii() or "=?" in name or len(name) > MAX_LINE:
        name = _words("Reply-To", name)  # the longest of the headers that hold one
    elif not _ATOM.fullmatch(name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    fits = len(name) + len(address) < MAX_LINE - len("Reply-To: <>")
    return f"{name} <{address}>" if fits else f"{name}\r\n <{address}>"


def _words(header: str, text: str) -> str:
    """Encoded where ASCII does not do, folded at 76 characters."""
    text = checked(text, header.lower())
    longest = max(map(len, text.split(" ")), default=0)
    charset = "us-ascii" if text.isascii() and "=?" not in text and longest < MAX_LINE - 10 else "utf-8"
    return Header(text, charset, maxlinelen=MAX_LINE, header_name=header).encode(linesep="\r\n")


def _body(draft: Draft) -> bytes:
    page = f"<!doctype html>\n<html><body>\n{to_html(draft.text)}\n</body></html>\n"
    versions = _multipart(draft, "alternative", [_text("plain", draft.text), _text("html", page)])
    if not draft.attachments:
        return versions
    return _multipart(draft, "mixed", [versions, *map(_attachment, draft.attachments)])


def _multipart(draft: Draft, kind: str, parts: Sequence[bytes]) -> bytes:
    """`=_` cannot occur in quoted-printable or base64, so no boundary occurs inside (RFC 2045 6.7)."""
    name = hashlib.sha256(draft.message_id.encode()).hexdigest()[:24]
    boundary = f"=_{kind}_{name}"
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    delimiter = f"--{boundary}\r\n".encode()
    return head + b"".join(delimiter + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()


def _text(kind: str, text: str) -> bytes:
    if "\0" in text:
        raise ContentRejected("the text contains NUL, which no mail may hold; remove it")
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    unix = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    return head.encode() + b2a_qp(unix, istext=True).replace(b"\n", b"\r\n")


def _attachment(blob: Blob) -> bytes:
    media_type = blob.media_type.lower()
    if not _MEDIA_TYPE.fullmatch(media_type) or media_type in _EXECUTES or media_type.startswith("multipart/"):
        media_type = "application/octet-stream"
    name = _file_name(blob.name or "attachment")
    head = (
        f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {name}\r\n\r\n"
    )
    return head.encode() + encodebytes(blob.content).replace(b"\n", b"\r\n")


def _file_name(name: str) -> str:
    """The parameter, plain or percent-encoded (RFC 2231), without a path."""
    name = _INJECTION.sub("", re.split(r"[/\\]", name)[-1])[:120] or "attachment"
    if name.isascii() and '"' not in name and len(name) <= 60:
        return f'filename="{name}"'
    pieces = [quote(name[at : at + 16], safe="") for at in range(0, len(name), 16)]
    numbers = [f"*{number}" for number in range(len(pieces))] if len(pieces) > 1 else [""]
    return ";\r\n ".join(
        f"filename{number}*={_CHARSET if at == 0 else ''}{piece}"
        for at, (number, piece) in enumerate(zip(numbers, pieces, strict=True))
    )
