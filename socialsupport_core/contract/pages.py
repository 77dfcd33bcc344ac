"""What the pages of surfaces share: how fast somebody may be, what a form was made for, what was filled in. Pure."""

import asyncio
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from socialsupport_core.contract.errors import MalformedPayload

MAX_BUCKETS = 10_000
MAX_PARTS = 100  # fields and files of one form
MAX_HEAD = 4096  # bytes of what stands above one of them

_BOUNDARY = re.compile(r'boundary=(?:"([!-~][ -~]{0,68}[!-~]|[!-~])"|([!-:<-~]{1,70}))', re.IGNORECASE)
_SAID = re.compile(r'(?<![a-z*])(name|filename)="([^"\r\n]*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then one every `seconds`."""

    burst: int
    seconds: float


class Buckets:
    """Token buckets in memory, one a key: each worker counts for itself, which is enough to slow a flood down. The
    least recently used is forgotten when there are too many."""

    def __init__(self, rate: Rate, clock: Callable[[], float], size: int = MAX_BUCKETS) -> None:
        """`clock` gives seconds."""
        self._rate = rate
        self._clock = clock
        self._size = size
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> float:
        """0 when there was one to take, otherwise the seconds until there will be."""
        now = self._clock()
        full_at = max(self._full_at.pop(key, now), now)
        wait = full_at + self._rate.seconds - (now + self._rate.burst * self._rate.seconds)
        self._full_at[key] = full_at if wait > 0 else full_at + self._rate.seconds
        if len(self._full_at) > self._size:
            self._full_at.popitem(last=False)
        return max(wait, 0.0)


# tokens


def make_token(key: bytes, purpose: str, name: str, issued: float) -> str:
    """Proves that we have made it, when, and for what. `name` holds no full stop: a nonce, or who it is for."""
    head = f"{name}.{int(issued)}"
    return f"{head}.{_signature(key, purpose, head)}"


def read_token(keys: tuple[bytes, ...], purpose: str, token: str) -> tuple[str, int] | None:
    """Its name and when it was made; None if we have not made it for this purpose."""
    head, _, given = token.rpartition(".")
    good = [
        hmac.compare_digest(_signature(key, purpose, head).encode(), given.encode("utf-8", "replace")) for key in keys
    ]
    name, _, issued = head.partition(".")
    return (name, int(issued)) if any(good) else None


def _signature(key: bytes, purpose: str, head: str) -> str:
    return hmac.new(key, f"{purpose}\n{head}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


# what was filled in


class TooMuch(ValueError):
    """The body is longer than is read."""


async def read_body(chunks: AsyncIterator[bytes], limit: int, seconds: float) -> bytes:
    """Raises TooMuch, and TimeoutError if it does not come in time."""
    body = bytearray()
    async with asyncio.timeout(seconds):
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise TooMuch(f"at most {limit:,} bytes are taken")
    return bytes(body)


@dataclass(frozen=True, slots=True)
class Uploaded:
    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as a browser sends it. Of several fields of one name the last counts."""

    fields: Mapping[str, str]
    files: tuple[Uploaded, ...] = ()

    def text(self, name: str) -> str:
        """Without what cannot be kept, with one form of line break, and without blanks around it."""
        return self.fields.get(name, "").replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").strip()


def read_form(content_type: str, body: bytes) -> Filled:
    """`multipart/form-data` (RFC 7578) or `application/x-www-form-urlencoded`. Raises MalformedPayload."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    boundary = _BOUNDARY.search(content_type)
    if kind != "multipart/form-data" or boundary is None:
        raise MalformedPayload("the body is no form: send application/x-www-form-urlencoded or multipart/form-data")
    return _multipart((boundary[1] or boundary[2]).encode(), body)


def _urlencoded(body: bytes) -> Filled:
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_PARTS)
    except ValueError:
        raise MalformedPayload(f"the form has more than {MAX_PARTS} fields") from None
    return Filled(dict(pairs))


def _multipart(boundary: bytes, body: bytes) -> Filled:
    """The simple form that browsers send: no parts within parts, no encoding of their own."""
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 1)
    if len(parts) > MAX_PARTS + 1:
        raise MalformedPayload(f"the form has more than {MAX_PARTS} parts")
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise MalformedPayload("the form is cut short, or its boundary is not the one in the content type")
    fields: dict[str, str] = {}
    files: list[Uploaded] = []
    for part in parts[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        said = {name: _unescaped(value) for name, value in _SAID.findall(head[:MAX_HEAD].decode("utf-8", "replace"))}
        if "name" in said and "filename" not in said:
            fields[said["name"]] = content.decode("utf-8", "replace")
        elif said.get("filename") or ("name" in said and content):  # an empty part where no file was chosen
            files.append(Uploaded(said.get("filename", ""), content))
    return Filled(fields, tuple(files))


def _unescaped(value: str) -> str:
    """As browsers write names: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    (2026-11)."""
    return value.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


# how they look


def readable_on(colour: str) -> str:
    """Black or white on `#rrggbb`, whichever stands out more: relative luminance of WCAG 2.2."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def page_headers(ancestors: str = "'self'") -> dict[str, str]:
    """Of a page that loads and is sent nowhere but its own address. `ancestors`: who may frame it."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "cache-control": "no-store",
    }
