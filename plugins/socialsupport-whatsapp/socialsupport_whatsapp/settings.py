"""What an operator enters for one number, or for the app that many numbers share."""

from typing import Annotated

from pydantic import StringConstraints

from socialsupport_meta.settings import AppSettings, Number


class WhatsAppSettings(AppSettings):
    phone_number_id: Number | None = None
    """Of our number, as WhatsApp Manager shows it beside the number. May be left out for an app's door."""
    business_account_id: Number | None = None
    """Of the WhatsApp Business Account; needed by `subscribe`."""
    list_button: Annotated[str, StringConstraints(min_length=1, max_length=20)] = "Choose"
    """What the button says that opens a list, where there are more choices than buttons fit."""
