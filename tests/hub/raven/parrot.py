"""A network that can do all that an agent may want to do to a message."""

from raven.connector import Raven
from socialsupport_core.contract import Flow
from socialsupport_core.model import Capabilities, DeleteMessage, EditMessage, Intent, React, Receipt, Typing


class Parrot(Raven):
    """A raven that can do all of it; what it does is a message of its kind."""

    capabilities: Capabilities = Raven.capabilities.model_copy(
        update={"intents": Raven.capabilities.intents | {"edit.message", "delete.message", "react", "typing"}}
    )

    def send(self, intent: Intent) -> Flow[Receipt]:
        if not isinstance(intent, EditMessage | DeleteMessage | React | Typing):
            return (yield from super().send(intent))
        said = getattr(intent, "text", None) or getattr(intent, "reaction", "")
        about = intent.target.native_id if intent.target else ""
        content = {"thread": intent.thread.id, "text": f"{intent.type} {about} {said}".strip(), "key": intent.key}
        response = yield self.ask("POST", "/messages", json=content)
        response.json()
        return Receipt()
