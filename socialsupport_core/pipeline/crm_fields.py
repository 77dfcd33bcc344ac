"""Fields of a case that both sides may change: what stands, and when it is a conflict.

Of every field three values are known: on what both agreed last, what it is here, and what it is there. Whoever has
changed it prevails; if both have, to different values, a rule decides and the conflict is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from socialsupport_core.contract import CaseFields, ConfigError
from socialsupport_core.mistakes import near
from socialsupport_core.store.conversations import Conversation

Rule = Literal["newest", "ours", "theirs"]
RULES: Mapping[str, Rule] = {"status": "newest", "assignee": "newest"}
"""Unless the operator says otherwise (`rules` of a CRM)."""
CHOICES = ("newest", "ours", "theirs")


@dataclass(frozen=True, slots=True)
class Decision:
    value: str
    side: Literal["ours", "theirs"]
    """Whose value it is; the other side is to be changed, unless it has it already."""
    conflict: bool
    rule: Rule


def checked(rules: Mapping[str, str], where: str) -> dict[str, str]:
    """Raises ConfigError."""
    for name, rule in rules.items():
        if name not in RULES:
            raise ConfigError(f"{where}: rules.{name}: there is no such field; {near(name, RULES)}")
        if rule not in CHOICES:
            raise ConfigError(f"{where}: rules.{name}: {rule!r} is no rule; {near(rule, CHOICES)}")
    return dict(rules)


def decide(
    field: str, agreed: str | None, ours: str, theirs: str, *, theirs_newer: bool, rules: Mapping[str, str]
) -> Decision | None:
    """None if both are the same."""
    rule: Rule = rules.get(field, RULES[field])  # type: ignore[assignment]  # checked when it was given
    if ours == theirs:
        return None
    if agreed in (None, ours):
        return Decision(theirs, "theirs", conflict=False, rule=rule)
    if agreed == theirs:
        return Decision(ours, "ours", conflict=False, rule=rule)
    take_theirs = theirs_newer if rule == "newest" else rule == "theirs"
    return Decision(theirs, "theirs", True, rule) if take_theirs else Decision(ours, "ours", True, rule)


def ours_of(conversation: Conversation, crm: str) -> dict[str, str]:
    """What a conversation's fields are in a CRM's words. An agent whom the CRM does not know is not told there."""
    fields = {"status": "closed" if conversation.status == "resolved" else "open"}
    agent = conversation.assignee or ""
    if not agent or agent.startswith(f"crm.{crm}."):
        fields["assignee"] = agent.removeprefix(f"crm.{crm}.")
    return fields


def theirs_of(fields: CaseFields) -> dict[str, str]:
    """Only what was said, and what is a field on both sides."""
    told = {"status": fields.status, "assignee": fields.assignee}
    return {name: value for name, value in told.items() if value is not None}
