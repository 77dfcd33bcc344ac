"""What makes a reply find its thread: tokens in our reply addresses and in our Message-IDs, both signed.

A reply address is `support+t.TOKEN@acme.example`, a Message-ID `<KEY.THREAD.MAC@acme.example>`. An address may
be changed to upper case on its way, a Message-ID is opaque to everybody (RFC 5322 3.6.4).
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable

_THREAD = re.compile(r"e[0-9a-f]{16}")
_TOKEN = re.compile(r"t\.([a-z2-7]{29})")
_HANDOFF = re.compile(r"h\.([a-z2-7]{26})")
_OURS = re.compile(r"([A-Za-z0-9_-]+)\.(e[0-9a-f]{16})\.([a-z2-7]{16})@[^@]+")
_MAC_BYTES = 10  # 80 bits: 2**79 mails to guess one thread


def thread_id(root: str) -> str:
    """The thread that begins with the Message-ID `root`."""
    return "e" + hashlib.sha256(root.encode()).hexdigest()[:16]


def is_thread(thread: str) -> bool:
    return _THREAD.fullmatch(thread) is not None


def tag_of(thread: str, secret: str) -> str:
    """The tag of the reply address: 8 bytes of thread, 10 of signature, as 13 + 16 characters."""
    return f"t.{_base32(bytes.fromhex(thread[1:]))}{_mac(secret, 'thread', thread)}"


def thread_of(tag: str, secrets: Iterable[str]) -> str | None:
    """The thread that the tag names, None unless its signature is right."""
    match = _TOKEN.fullmatch(tag.lower())
    if match is None:
        return None
    raw = base64.b32decode(match[1][:13].upper() + "===")
    thread = "e" + raw.hex()
    right = any(_same(match[1][13:], _mac(secret, "thread", thread)) for secret in secrets)
    return thread if right else None


def handoff_tag(token: str) -> str:
    return f"h.{token}"


def handoff_of(tag: str) -> str | None:
    """The hand-off token that the tag carries. The hub knows whether it is valid."""
    match = _HANDOFF.fullmatch(tag.lower())
    return match[1] if match else None


def message_id(key: str, thread: str, domain: str, secret: str) -> str:
    """The Message-ID, without angle brackets, of the mail that carries out the intent `key`."""
    written = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    return f"{written}.{thread}.{_mac(secret, 'message', key, thread)}@{domain}"


def read_message_id(message_id: str, secrets: Iterable[str]) -> tuple[str, str] | None:
    """(intent key, thread) if we have made this Message-ID, else None."""
    match = _OURS.fullmatch(message_id)
    if match is None:
        return None
    written, thread, mac = match.groups()
    try:
        key = base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    right = any(_same(mac, _mac(secret, "message", key, thread)) for secret in secrets)
    return (key, thread) if right else None


def _mac(secret: str, *what: str) -> str:
    written = "\0".join(what).encode()
    return _base32(hmac.digest(secret.encode(), written, "sha256")[:_MAC_BYTES])


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
