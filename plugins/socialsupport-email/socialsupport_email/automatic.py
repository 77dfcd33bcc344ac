"""Mail that no person has written, so that nothing ever answers it by itself (RFC 3834)."""

import re
from collections.abc import Callable

from socialsupport_email.mime import Mail

_ROBOT = re.compile(r"(?:mailer-daemon|mdaemon|postmaster|(?:no|do-?not|not)[._-]?reply|bounces?)(?:[._+-].*)?@.*")

SIGNS: dict[str, Callable[[str], bool]] = {
    "auto-submitted": lambda value: not value.startswith("no"),  # RFC 3834 5
    "precedence": lambda value: value in ("bulk", "junk", "list", "auto_reply"),  # RFC 2076 3.9, RFC 3834 3.1.8
    "list-id": bool,  # RFC 2919
    "list-unsubscribe": bool,  # RFC 2369 3.2
    "return-path": lambda value: value == "<>",  # RFC 5321 4.5.5
    # Exchange: [MS-OXCMAIL] 2.1.3.2.20, https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail
    # (2026-11). Programs that answer by themselves set it.
    "x-auto-response-suppress": lambda value: value not in ("", "none"),
    # In use before RFC 3834: vacation programs, autoresponders of web hosters.
    "x-autoreply": lambda value: value not in ("", "no"),
    "x-autorespond": bool,
    "x-autoresponse": bool,
}


def is_automatic(mail: Mail, author: str | None = None) -> bool:
    if (author and _ROBOT.fullmatch(author)) or mail.body.media_type == "multipart/report":  # RFC 6522
        return True
    return any(sign(value.strip().lower()) for name, sign in SIGNS.items() for value in mail.all(name))
