"""What an operator enters for one professional account, or for the app that many share."""

from typing import Literal

from pydantic import SecretStr

from socialsupport_meta.settings import Filled, MessengerSettings, Number


class InstagramSettings(MessengerSettings):
    account_id: Number | None = None
    """Our professional account, as webhooks name it. May be left out for an app whose door serves many."""
    login: Literal["facebook", "instagram"] = "facebook"
    """Whose the token is: that of the page which the account is linked to, or the account's own."""
    instagram_app_id: Number | None = None
    """With login by Instagram, where the app has a second number; needed for signing in."""
    instagram_app_secret: Filled | None = None
    """With login by Instagram, where the app has a second secret."""
    moderation: Literal["hide", "delete"] = "hide"
    """What deleting somebody else's comment does."""

    def signing(self) -> list[SecretStr]:
        return [*super().signing(), *([self.instagram_app_secret] if self.instagram_app_secret else [])]
