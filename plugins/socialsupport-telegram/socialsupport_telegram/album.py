"""Several files in one message: an album, which on Telegram is several messages sent at once.

https://core.telegram.org/bots/api#sendmediagroup (Bot API 10.1, 2026-11)
"""

import json
from collections.abc import Sequence
from typing import Any

from socialsupport_core.model import Interaction

MOST = 10
"""Files of one album; at least two make one."""
SHOWN_TOGETHER = (frozenset({"photo", "video"}), frozenset({"audio"}))
"""What may be mixed in an album; everything else goes as documents, and those only among themselves."""


def kinds(fields: Sequence[str]) -> list[str]:
    """How each file is shown beside the others, for what it would be alone."""
    if any(set(fields) <= together for together in SHOWN_TOGETHER):
        return list(fields)
    return ["document"] * len(fields)


def kept(messages: Sequence[dict[str, Any]]) -> str:
    """What is to be known of an album when it is deleted: it is one message here and several there."""
    return json.dumps({"album": [message["message_id"] for message in messages]}, separators=(",", ":"))


def ids(target: Interaction) -> list[int]:
    """The messages that it is on Telegram."""
    try:
        found = json.loads(target.context or "{}").get("album")
    except (ValueError, AttributeError):
        found = None
    is_album = isinstance(found, list) and all(isinstance(one, int) for one in found)
    return found if found and is_album else [int(target.native_id)]
