"""Whether our own mail server vouches for the author (RFC 8601, RFC 7489)."""

import re

from socialsupport_email.address import domain_of
from socialsupport_email.mime import Mail

_COMMENT = re.compile(r"\([^()]*\)")
_DMARC = re.compile(r";\s*dmarc\s*=\s*([a-z]+)\b([^;]*)", re.IGNORECASE)
_FROM = re.compile(r"\bheader\.from\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


def dmarc(mail: Mail, author: str, trusted: str | None) -> str | None:
    """`pass`, `fail` and so on, as our server has found for the author's domain; None if it says nothing.

    Only the topmost header of that name counts: our server adds its own above what a stranger wrote.
    """
    for value in mail.all("authentication-results"):
        said = _COMMENT.sub(" ", value)
        server = said.partition(";")[0].split()
        if trusted and server and server[0].lower() == trusted.lower():
            return _result(said, author)
    return None


def _result(said: str, author: str) -> str | None:
    match = _DMARC.search(said)
    domain = _FROM.search(match[2]) if match else None
    if match is None or domain is None:
        return None
    named = domain[1].rpartition("@")[2].rstrip(".").lower()
    return match[1].lower() if named == domain_of(author) else None
