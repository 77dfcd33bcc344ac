"""From an interaction to a touch, as the store does it: what its text tells, asks and is about."""

from collections.abc import Mapping
from typing import Any

from socialsupport_core.conversation.conduct import DEFAULT
from socialsupport_core.conversation.context import extract
from socialsupport_core.insight import history
from socialsupport_core.insight.history import Touch
from socialsupport_core.model import Interaction
from socialsupport_core.pipeline.triaging import Triaging

_TRIAGE = Triaging()


def touch_of(row: Mapping[str, Any], interaction: Interaction, answers: str | None) -> Touch | None:
    """None for a note, and for what a customer's machine says. `row` as in `history.touch_of`,
    with its `customer`."""
    facts = extract(interaction)
    told = {one.kind for one in facts}
    is_worded = bool(interaction.text or interaction.subject)  # a history need not tell the words
    verdict = _TRIAGE.judge("", row["channel"], interaction, told, DEFAULT) if is_worded else None
    judged = verdict.model_dump(include={"kind", "language"}, exclude_none=True) if verdict else {}
    said = [(one.kind, one.value) for one in facts]
    return history.touch_of(row, row["customer"], interaction, said, answers, judged, DEFAULT)


def numbered(number: int) -> str:
    """The id of the touch that a line tells: of two at one moment the line that stands first came first."""
    return f"{number:09}"
