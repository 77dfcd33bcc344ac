"""How a touch reads in a helpdesk that knows only texts: a line about who and where, and what was said."""

import base64
import hashlib
import re

from socialsupport_core.model import Interaction

_LABEL = re.compile(r"\s*(\[[a-z2-7]{12}\])\s*$")
_SAYS = {"inbound": "{who} on {network}", "outbound": "{who}, answering on {network}", "internal": "Note by {who}"}


def headline(interaction: Interaction) -> str:
    """`Kerry Fisher on telegram`. One line."""
    author = interaction.author
    who = author.name or author.handle or (author.account.value if author.account else "somebody")
    said = _SAYS[interaction.direction].format(who=who, network=interaction.network)
    public = " (in public)" if interaction.thread.visibility == "public" else ""
    return " ".join(f"{said}{public}".split())


def body(interaction: Interaction) -> str:
    """What was said, and what came along that is no text; never empty."""
    lines = [interaction.subject, interaction.text, interaction.choice and f"[pressed: {interaction.choice}]"]
    lines += [f"[{interaction.rating:g} stars]" if interaction.rating is not None else None]
    if place := interaction.location:
        lines.append(f"[{place.name or place.address or 'location'}: {place.latitude}, {place.longitude}]")
    lines += [f"[{file.name or file.media_type}]" for file in interaction.attachments]
    return "\n\n".join(line for line in lines if line) or f"[{interaction.kind} without a text]"


def mark(key: str) -> str:
    """Names a record in a CRM that has no place for our key: 26 letters and digits, the same for the same key."""
    digest = hashlib.sha256(key.encode()).digest()[:16]
    return base64.b32encode(digest).decode().rstrip("=").lower()


def label(key: str) -> str:
    """`[4mzq2h7wkd5c]`: the beginning of the mark, for the title of a case where that is the only place."""
    return f"[{mark(key)[:12]}]"


def unlabelled(title: str) -> tuple[str, str]:
    """What people read of such a title, and its label; empty if there is none."""
    found = _LABEL.search(title)
    return (title[: found.start()], found[1]) if found else (title, "")
