"""E-mail addresses, and which of them are ours."""

import re
import unicodedata

import idna

LONGEST = 254  # octets of a path without its angle brackets, RFC 5321 4.5.3.1.3 and erratum 1690
_SHAPE = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f-\x9f\u2028\u2029]+@[^\s@<>()\\,;:\"\x00-\x1f\x7f-\x9f]+")
_TAGGED = re.compile(r"([^+]+)\+([^@]+)@(.+)")


def canonical(written: str) -> str | None:
    """The address as an identifier, or None if it is not one.

    All of it in lower case, the domain in its ASCII form. RFC 5321 leaves the case of the local part to the
    receiving server; no large one distinguishes it, and two spellings of one mailbox must be one person.
    Quoted local parts are refused.
    """
    address = written.strip()
    if not any(map(_becomes_ascii, address.rpartition("@")[0])):
        address = unicodedata.normalize("NFC", address)
    if len(address) > LONGEST or not _SHAPE.fullmatch(address):
        return None
    local, _, domain = address.rpartition("@")
    found = f"{''.join(c if _becomes_ascii(c) else c.lower() for c in local)}@{_ascii(domain)}"
    return found if len(found.encode()) <= LONGEST else None


def _becomes_ascii(c: str) -> bool:
    """Such as the sign of the Kelvin (U+212A): a mailbox with it is somebody else's than that with the letter."""
    return not c.isascii() and unicodedata.normalize("NFC", c).lower().isascii()


def _ascii(domain: str) -> str:
    domain = domain.rstrip(".").lower()
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return domain


def split_tag(address: str) -> tuple[str, str | None]:
    """`support+x@acme.example` is (`support@acme.example`, `x`)."""
    match = _TAGGED.fullmatch(address)
    return (f"{match[1]}@{match[3]}", match[2]) if match else (address, None)


def tagged(address: str, tag: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}+{tag}@{domain}"


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]
