"""How an answer is worded, and how long Mastodon finds it.

https://docs.joinmastodon.org/user/posting/#text (2026-11): an address counts as 23 characters whatever its length, and
of a mention the part behind the second @ does not count.
"""

import re

from socialsupport_core.text import plain, urls

URL_LENGTH = 23
"""Where the instance does not say otherwise: `characters_reserved_per_url`."""
MENTION = 32
"""Characters kept free for whom we answer: an @, a name of thirty, a space. Longer names are rare, and refused."""
_MENTION = re.compile(r"(?<![\w/=])@(?=\w)")
_BROKEN = "@\u200b"


def body(markdown: str) -> str:
    """Plain text in which nobody is mentioned: a mention lets a stranger read a direct post."""
    return _MENTION.sub(_BROKEN, plain(markdown))


def addressed(acct: str, text: str | None) -> str:
    return f"@{acct} {text}" if text else f"@{acct}"


def read_back(text: str) -> str:
    """What `body` did is nothing that an agent wrote."""
    return text.replace(_BROKEN, "@")


def counted(markdown: str, url_length: int) -> str:
    """As long as Mastodon finds it."""
    text = body(markdown)
    parts, at = [], 0
    for one in urls(text):
        if text[one.start : one.end].lower().startswith(("http://", "https://")):
            parts += [text[at : one.start], "x" * url_length]
            at = one.end
    return "".join(parts) + text[at:]
