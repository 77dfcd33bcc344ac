"""What an operator enters for one page, or for the app that many pages share."""

from typing import Literal

from socialsupport_meta.settings import AppSettings, Number


class FacebookSettings(AppSettings):
    page_id: Number | None = None
    """Our page. May be left out for an app whose door serves many."""
    human_agent: bool = False
    """The app has the permission Human Agent: people may answer for seven days, bots for one."""
    moderation: Literal["hide", "delete"] = "hide"
    """What deleting somebody else's comment does: hide it from all but its author's friends, or delete it."""
