"""Addresses of profiles, and the account that they name for ever.

An address with a handle names whoever has the handle today, so it is no account: only those with an id count.
"""

import re

from socialsupport_core.model import Identifier

_WEB = re.compile(r"https?://(?:www\.|m\.|mobile\.)?([^/?#]+)([^#]*)", re.IGNORECASE)
PROFILES: tuple[tuple[str, str, str], ...] = (
    ("x.com|twitter.com", r"/i/user/(\d+)/?", "x.user"),
    ("twitter.com|x.com", r"/intent/user\?user_id=(\d+)", "x.user"),
    ("facebook.com", r"/profile\.php\?(?:[^#]*&)?id=(\d+)(?:&[^#]*)?", "facebook.user"),
    ("youtube.com", r"/channel/(UC[\w-]{22})(?:[/?].*)?", "youtube.channel"),
    ("discord.com|discordapp.com", r"/users/(\d+)/?", "discord.user"),
    ("bsky.app", r"/profile/(did:[a-z]+:[\w.:%-]+)/?", "bluesky.user"),
    ("vk.com", r"/id(\d+)/?", "vk.user"),
    ("wa.me", r"/\+?(\d{6,15})(?:\?.*)?", "phone"),
    ("api.whatsapp.com", r"/send/?\?(?:[^#]*&)?phone=\+?(\d{6,15})(?:&[^#]*)?", "phone"),
)
"""Host, path and query, and the kind of identifier: as the networks' own pages link to profiles (2026-11)."""


def account_at(address: str) -> Identifier | None:
    """The account whose profile this is; None if the address names only a handle, or no profile at all."""
    written = address.strip()
    for scheme, kind in (("mailto:", "email"), ("tel:", "phone")):
        if written.lower().startswith(scheme) and (value := written[len(scheme) :].partition("?")[0]):
            return Identifier(kind=kind, value=value)
    found = _WEB.fullmatch(written)
    if found is None:
        return None
    host, rest = found[1].lower(), found[2]
    for hosts, path, kind in PROFILES:
        if host in hosts.split("|") and (named := re.fullmatch(path, rest)):
            return Identifier(kind=kind, value=f"+{named[1]}" if kind == "phone" else named[1])
    return None
