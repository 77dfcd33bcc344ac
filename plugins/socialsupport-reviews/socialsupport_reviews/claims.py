"""What the sites have in common."""

from datetime import timedelta

from socialsupport_core.model import Capabilities, TextLimit


def capabilities(text: TextLimit, history: timedelta | None, *, deletes: bool) -> Capabilities:
    nowhere = {
        "interaction.deleted",
        "reaction.added",
        "reaction.removed",
        "delivery.updated",
        "typing.started",
        "identity.claimed",
        "erasure.requested",
        "react",
        "open.private",
        "mark.read",
        "typing",
    }
    intents = {"send.message", "edit.message"}
    (intents if deletes else nowhere).add("delete.message")
    return Capabilities.model_validate(
        {
            "receives": ["poll"],
            "events": ["interaction.received", "interaction.edited", "unrecognised"],
            "intents": sorted(intents),
            "unsupported": sorted(nowhere),
            "sends": ["public"],
            "text": text,
            "settles": "lookup",
            "history": history,
        }
    )
