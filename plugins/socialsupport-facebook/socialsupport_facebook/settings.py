"""What an operator enters for one page, or for the app that many pages share."""

from typing import Literal

from socialsupport_meta.settings import MessengerSettings, Number


class FacebookSettings(MessengerSettings):
    page_id: Number | None = None
    """Our page. May be left out for an app whose door serves many."""
    moderation: Literal["hide", "delete"] = "hide"
    """What deleting somebody else's comment does: hide it from all but its author's friends, or delete it."""
