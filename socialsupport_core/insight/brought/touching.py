"""From an interaction to a touch, as the store does it: what its text tells, asks and is about."""

from collections.abc import Mapping
from typing import Any

from socialsupport_core.contract import Heard
from socialsupport_core.conversation.conduct import DEFAULT
from socialsupport_core.conversation.context import extract
from socialsupport_core.guidance.triage import MOST, judge
from socialsupport_core.insight import history
from socialsupport_core.insight.history import Touch
from socialsupport_core.model import Interaction


def touch_of(row: Mapping[str, Any], interaction: Interaction, answers: str | None) -> Touch | None:
    """None for a note, and for what a customer's machine says. `row` as in `history.touch_of`,
    with its `customer`."""
    facts = extract(interaction)
    told = {one.kind for one in facts}
    judged = _judged(row["channel"], interaction, tuple(told)) if interaction.direction == "inbound" else {}
    said = [(one.kind, one.value) for one in facts]
    return history.touch_of(row, row["customer"], interaction, said, answers, judged, DEFAULT)


def _judged(channel: str, interaction: Interaction, told: tuple[str, ...]) -> dict[str, Any]:
    text = "\n".join(part for part in ((interaction.subject or "")[:200], (interaction.text or "")[:MOST]) if part)
    if not text:
        return {}
    heard = Heard(
        tenant="",
        network=interaction.network,
        channel=channel,
        visibility=interaction.thread.visibility,
        text=text,
        language=interaction.language,
        followers=(interaction.reach.followers or 0) if interaction.reach else 0,
        told=told,
    )
    return judge(heard).model_dump(include={"kind", "language"}, exclude_none=True)


def numbered(number: int) -> str:
    """The id of the touch that a line tells: of two at one moment the line that stands first came first."""
    return f"{number:09}"
