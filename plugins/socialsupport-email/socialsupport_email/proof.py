"""Whether our own mail server vouches for the author (RFC 8601, RFC 7489)."""

import re

from socialsupport_email.address import domain_of
from socialsupport_email.mime import Mail

_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|$)')
_PLAIN = re.compile(r"[\w.@+-]*")
_LONGEST = 8_000  # characters of a header that are read
_DMARC = re.compile(r";\s*dmarc\s*=\s*([a-z]+)\b([^;]*)", re.IGNORECASE)
_FROM = re.compile(r"\bheader\.from\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


def dmarc(mail: Mail, author: str, trusted: str | None) -> str | None:
    """`pass`, `fail` and so on, as our server has found for the author's domain; None if it says nothing.

    Only the topmost header of that name counts: our server adds its own above what a stranger wrote.
    """
    for value in mail.all("authentication-results"):
        said = _without_comments(_QUOTED.sub(_bare, value))
        server = said.partition(";")[0].split()
        if trusted and server and server[0].lower() == trusted.lower():
            return _result(said, author)
    return None


def _without_comments(value: str) -> str:
    """From the innermost outwards, for they nest (RFC 5322 3.2.2); what is left open hides the rest."""
    shorter = _COMMENT.sub(" ", value[:_LONGEST])
    while shorter != value:
        value, shorter = shorter, _COMMENT.sub(" ", shorter)
    return value.partition("(")[0]


def _bare(quoted: re.Match[str]) -> str:
    """What stands in quotes may be the sender's own, such as the local part of an address: it says no result."""
    return quoted[1] if _PLAIN.fullmatch(quoted[1]) else "quoted"


def _result(said: str, author: str) -> str | None:
    """None as well if there are two results: one of them is not our server's."""
    found = list(_DMARC.finditer(said))
    domain = _FROM.search(found[0][2]) if len(found) == 1 else None
    if domain is None:
        return None
    named = domain[1].rpartition("@")[2].rstrip(".").lower()
    return found[0][1].lower() if named == domain_of(author) else None
