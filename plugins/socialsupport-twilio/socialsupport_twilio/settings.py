"""What an operator enters for one number (https://console.twilio.com)."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings

Secret = Annotated[SecretStr, Field(min_length=8)]
TRANSCRIBED = 119
"""Seconds: longer recordings are not transcribed. https://www.twilio.com/docs/api/errors/13617 (2026-11)"""


class TwilioSettings(Settings):
    account_sid: Annotated[str, StringConstraints(pattern=r"^AC[0-9a-fA-F]{32}$")]
    auth_token: Secret
    """Signs webhooks, and calls the API where there is no key."""
    previous_auth_token: Secret | None = None
    """Still accepted on webhooks while the token is being rotated."""
    api_key_sid: Annotated[str, StringConstraints(pattern=r"^SK[0-9a-fA-F]{32}$")] | None = None
    api_key_secret: Secret | None = None
    """With `api_key_sid`: calls the API in place of the token."""
    number: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
    """Ours, as Twilio writes it: `+15550001111`."""
    callback_url: Annotated[str, StringConstraints(pattern=r"^https://[^\s?#]+$", max_length=1024)] | None = None
    """The channel's door: where Twilio reports what became of a message. Without it nothing is reported."""
    voice: Literal["off", "calls", "voicemail"] = "off"
    """What `subscribe` asks for: nothing; calls that have ended; or that we answer calls and record voicemails."""
    greeting: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]+$")] = (
        "Please leave a message after the tone."
    )
    greeting_language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}-[A-Z]{2}$")] = "en-US"
    voicemail_seconds: int = Field(default=TRANSCRIBED, ge=5, le=3600)
    transcribe: bool = False
    """By Twilio: English only, and it costs."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret belong together; set both or neither")
        if self.transcribe and self.voicemail_seconds > TRANSCRIBED:
            raise ValueError(
                f"Twilio transcribes less than two minutes; set voicemail_seconds to {TRANSCRIBED} or less"
            )
        return self

    def signing(self) -> list[str]:
        """Whatever may have signed a webhook."""
        return [one.get_secret_value() for one in (self.auth_token, self.previous_auth_token) if one]

    def basic(self) -> tuple[str, str]:
        """User and password of the API."""
        if self.api_key_sid and self.api_key_secret:
            return self.api_key_sid, self.api_key_secret.get_secret_value()
        return self.account_sid, self.auth_token.get_secret_value()

    def secrets(self) -> list[str]:
        """Every credential, for redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
