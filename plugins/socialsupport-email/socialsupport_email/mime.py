"""From bytes to `Mail`: headers and the tree of parts (RFC 5322, RFC 2045, RFC 2046).

Our own reader instead of the standard library's: that one recurses as deep as a stranger likes, passes every line
through every level of nesting, and fails in many ways on headers that are broken. Here the tree is bounded (what
lies deeper stays one opaque part), time is linear, and a nested mail keeps its very bytes.
"""

import hashlib
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from socialsupport_core.contract import MalformedPayload
from socialsupport_email import tnef
from socialsupport_email.words import decoded, moment, shown, transferred

MAX_PARTS = 500
MAX_DEPTH = 10
MAX_HEADERS = 2_000
MAX_HEADER = 64 * 1024  # bytes of one header; RFC 5322 2.1.1 limits its lines to 998, not their number
MAX_STRUCTURE_HEADER = 8 * 1024  # characters of Content-Type and Content-Disposition that are read

_HEADER = re.compile(rb"([!-9;-~]{1,200})[ \t]*:([^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+)(?:\r?\n|\Z)")
_FOLD = re.compile(rb"\r?\n")
_META = re.compile(rb"""<meta[^>]{1,200}charset\s*=\s*["']?([\w-]{2,30})""", re.IGNORECASE)
_BLANK = re.compile(rb"^[ \t]+(?=\r?$)", re.MULTILINE)
"""A line that looks empty, as some servers write between groups."""
_LINE_END = re.compile(r"\r\n?")
_MEDIA_TYPE = re.compile(r"\s*([\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100})\s*(?:;|$)", re.ASCII)
_PARAM = re.compile(r";\s*([^\s=;\"]++)\s*=\s*(?:\"((?:[^\"\\]|\\.)*+)\"|([^;\s]*+))", re.DOTALL)
_CONTINUED = re.compile(r"([^*]+)(?:\*([0-9]{1,2}))?(\*)?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_FROM_QUOTED = re.compile(r"^>+From ", re.MULTILINE)
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_REPORTS = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
     "message/global-disposition-notification", "message/feedback-report"}
)  # fmt: skip

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, values unfolded but not decoded."""


@dataclass(frozen=True, slots=True)
class Part:
    """One node of the tree. A leaf has `content`, without its transfer encoding."""

    media_type: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    name: str | None = None
    content: bytes = b""
    children: tuple["Part", ...] = ()

    @property
    def text(self) -> str:
        charset = self.params.get("charset")
        if charset is None and self.media_type == "text/html" and (found := _META.search(self.content[:2048])):
            charset = found[1].decode()  # a page that says so itself
        return decoded(self.content, charset)

    @property
    def is_attachment(self) -> bool:
        return self.disposition == "attachment" or self.media_type not in ("text/plain", "text/html")

    @property
    def fields(self) -> list[dict[str, str]]:
        """The groups of fields of a report (RFC 3464 2.1)."""
        if self.media_type not in _REPORTS:
            return []
        groups: list[dict[str, str]] = []
        rest = _BLANK.sub(b"", self.content).lstrip(b"\r\n")
        while rest and len(groups) < MAX_PARTS:
            headers, after = split(rest)
            groups.append(dict(headers))
            rest = b"" if after == rest else after.lstrip(b"\r\n")
        return groups

    def leaves(self) -> Iterator["Part"]:
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


@dataclass(frozen=True, slots=True)
class Mail:
    headers: Headers
    body: Part

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def shown(self, name: str) -> str | None:
        """The decoded value as one line; None if it is missing or empty."""
        return shown(self.first(name) or "") or None

    @property
    def date(self) -> datetime | None:
        return moment(self.first("date"))

    def digest(self) -> str:
        """The same for one mail however it came: over IMAP, in an mbox, with another transfer encoding."""
        written = hashlib.sha256()
        for name in ("from", "date", "subject"):
            written.update((shown(self.first(name) or "") + "\0").encode())
        for leaf in self.body.leaves():
            written.update(f"{leaf.media_type}\0".encode() + hashlib.sha256(_canonical(leaf)).digest())
        return written.hexdigest()[:16]


def read(raw: bytes) -> Mail:
    """Raises MalformedPayload, and nothing else, when the bytes are not a mail."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    raw = raw.lstrip(b"\r\n")
    if raw.startswith(b"From "):  # left over from a mailbox file
        raw = raw.partition(b"\n")[2]
    headers, body = split(raw)
    if not headers:
        raise MalformedPayload("not a mail: it does not begin with headers")
    tree = _Tree().part(dict(reversed(headers)), body, 0)
    charset = next((leaf.params["charset"] for leaf in tree.leaves() if leaf.params.get("charset")), None)
    if charset and not all(value.isascii() for _, value in headers):  # what a header does not say, the text may
        headers, _ = split(raw, charset)
    return Mail(headers, tree)


def split(raw: bytes, charset: str | None = None) -> tuple[Headers, bytes]:
    """The headers and what follows them; a line that is no header ends them."""
    found: list[tuple[str, str]] = []
    at = 0
    while len(found) < MAX_HEADERS and (match := _HEADER.match(raw, at)):
        found.append((match[1].decode("ascii").lower(), _unfolded(match[2], charset)))
        at = match.end()
    for empty in (b"\r\n", b"\n"):
        if raw.startswith(empty, at):
            return tuple(found), raw[at + len(empty) :]
    return tuple(found), raw[at:]


def _unfolded(value: bytes, charset: str | None) -> str:
    return decoded(_FOLD.sub(b"", value[:MAX_HEADER]), otherwise=charset).strip()


class _Tree:
    """Builds the parts and counts them."""

    def __init__(self) -> None:
        self._left = MAX_PARTS

    def part(self, headers: dict[str, str], body: bytes, depth: int) -> Part:
        media_type, params = structured(headers.get("content-type", ""))
        disposition, more = structured(headers.get("content-disposition", ""))
        about = {"params": params, "disposition": disposition}
        if media_type.startswith("multipart/"):
            if children := self._children(media_type, params.get("boundary"), body, depth):
                return Part(media_type, **about, children=children)  # type: ignore[arg-type]
            media_type = "text/plain"
        name = shown(more.get("filename") or params.get("name") or "") or None
        content = transferred(body, headers.get("content-transfer-encoding", "").strip().lower())
        if media_type in _TNEF and (inside := self._unpacked(content, alone=depth == 0)):
            return Part("multipart/mixed", children=inside)
        is_one = "/" in media_type  # otherwise plain text, RFC 2045 5.2
        return Part(media_type if is_one else "text/plain", **about, name=name, content=content)  # type: ignore[arg-type]

    def _unpacked(self, content: bytes, *, alone: bool) -> tuple[Part, ...]:
        """The files of a `winmail.dat`, and its words where no other part says them. Empty if there are none."""
        message = tnef.unpacked(content)
        if message is None:
            return ()
        kind, words = ("html", message.html) if message.html else ("plain", message.text)
        text = [Part(f"text/{kind}", {"charset": "utf-8"}, content=words.encode())] if alone and words.strip() else []
        files = [
            Part(_media_type(one), {}, "attachment", one.name, one.content) for one in message.files if one.content
        ]
        self._left -= len(files)
        return (*text, *files) if self._left > 0 else ()

    def _children(self, media_type: str, boundary: str | None, body: bytes, depth: int) -> tuple[Part, ...]:
        if not boundary or depth >= MAX_DEPTH:
            return ()
        default = {"content-type": "message/rfc822"} if media_type == "multipart/digest" else {}
        found = []
        for raw in self._pieces(boundary, body):
            headers, content = split(raw)
            found.append(self.part(default | dict(reversed(headers)), content, depth + 1))
        return tuple(found)

    def _pieces(self, boundary: str, body: bytes) -> Iterator[bytes]:
        """What lies between the boundaries; a missing last one is forgiven, what follows it is not read."""
        delimiter = rb"(?:\A|\r?\n)--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*(?=\r?\n|\Z)"
        start: int | None = None
        for match in re.finditer(delimiter, body):
            if start is not None:
                if self._left <= 1:
                    break
                self._left -= 1
                yield _without_line_end(body[start : match.start()])
            start = None if match[1] else match.end()
            if match[1]:
                break
        if start is not None:
            yield _without_line_end(body[start:])


def _media_type(file: tnef.File) -> str:
    told, guessed = structured(file.media_type or "")[0], mimetypes.guess_type(file.name or "")[0]
    return told if "/" in told else guessed or "application/octet-stream"


def _without_line_end(piece: bytes) -> bytes:
    """Without the end of the line on which the boundary stood."""
    return piece[2:] if piece.startswith(b"\r\n") else piece.removeprefix(b"\n")


def structured(value: str) -> tuple[str, dict[str, str]]:
    """`text/plain; charset=utf-8` taken apart; the first word is empty if it is not one."""
    value = value[:MAX_STRUCTURE_HEADER]
    match = _MEDIA_TYPE.match(value)
    first = match[1] if match else value.partition(";")[0].strip()
    params: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, str, bool]]] = {}
    for name, quoted, bare in _PARAM.findall(value):
        written = _ESCAPE.sub(r"\1", quoted) if quoted else bare
        parts = _CONTINUED.fullmatch(name.lower())
        if parts and (parts[2] or parts[3]):
            pieces.setdefault(parts[1], []).append((int(parts[2] or 0), written, bool(parts[3])))
        else:
            params.setdefault(name.lower(), written)
    return first.lower(), params | {name: _joined(found) for name, found in pieces.items()}


def _joined(pieces: list[tuple[int, str, bool]]) -> str:
    """A long or foreign value, in pieces and percent-encoded: `utf-8'en'caf%C3%A9` (RFC 2231)."""
    pieces.sort()
    charset = None
    raw = b""
    for number, (_at, written, is_encoded) in enumerate(pieces):
        if is_encoded and number == 0 and written.count("'") >= 2:
            charset, _language, written = written.split("'", 2)  # noqa: PLW2901
        raw += _percent_decoded(written) if is_encoded else written.encode("utf-8", "replace")
    return decoded(raw, charset)


def _percent_decoded(written: str) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), written.encode("utf-8", "replace"))


def _canonical(leaf: Part) -> bytes:
    if not leaf.media_type.startswith(("text/", "message/")):
        return leaf.content
    lines = _LINE_END.sub("\n", leaf.text).split("\n")
    text = "\n".join(line.rstrip(" \t") for line in lines)
    return _FROM_QUOTED.sub("From ", text).strip("\n").encode("utf-8", "replace")
