"""What no network tells: a call, a visit, a form, written down by an agent or a program through the API."""

from collections.abc import Iterable

from pydantic import ValidationError

from socialsupport_core.contract import Connector, MalformedPayload, Settings
from socialsupport_core.model import Capabilities, Event, Interaction, InteractionReceived, Payload

CHANNEL = "manual"


class Manual(Connector[Settings]):
    """Its payloads are interactions in our own JSON; the door is the API, which has checked the token."""

    name = "manual"
    settings_model = Settings
    capabilities = Capabilities(receives=frozenset({"file"}), events=frozenset({"interaction.received"}))

    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            interaction = Interaction.model_validate_json(payload.body)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "the interaction"
            raise MalformedPayload(f"{place}: {first['msg']}") from error
        yield InteractionReceived(id=f"{interaction.network}:{interaction.native_id}", interaction=interaction)
