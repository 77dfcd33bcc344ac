"""What strangers wrote, marked as such: an assistant is to read it, and never to obey it.

Whatever is not known to be ours is a stranger's. So a field that is added elsewhere comes out marked until somebody
says that it is safe.
"""

from collections.abc import Set
from typing import Any

MARK = "untrusted"
"""The only member of the object that stands in place of a stranger's text."""
LONGEST = 4_000  # characters of one text
SAFE = frozenset(
    {
        "id", "conversation", "conversations", "customer_id", "before", "cursor", "leg", "channel", "channels",
        "network", "networks", "rule", "status", "state", "states", "visibility", "direction", "kind", "type",
        "at", "received_at", "opened_at", "updated_at", "waiting_since", "answered_at", "edited_at",
        "deleted_at", "decided_at", "sent_at", "last_inbound", "ended_at", "undone_at", "assignee", "agent",
        "ended_by", "undone_by", "superseded_by", "how", "tier", "proof", "source", "since", "until", "from",
        "to", "aliases", "unit", "media_type", "move", "origin", "target", "can", "interaction_id", "key",
    }
)  # fmt: skip
"""Names of fields that hold our own ids, words of a fixed set, or times."""
OURS = SAFE | {
    "reason",
    "reasons",
    "remedy",
    "what",
    "explanation",
    "verdict",
    "would_change",
    "currency",
    "zone",
    "by",
}
"""Those of answers in which every sentence is written by us: plans, verdicts, targets, reports."""
DROPPED = frozenset({"html", "context_token", "client_key", "native_id"})
"""The same again, or of no use."""


def marked(value: Any, safe: Set[str] = SAFE, name: str = "") -> Any:
    """The value with each text of a field that is not `safe` put into an object `{"untrusted": text}`."""
    if isinstance(value, dict):
        return {key: marked(one, safe, key) for key, one in value.items() if key not in DROPPED}
    if isinstance(value, list | tuple):
        return [marked(one, safe, name) for one in value]
    if isinstance(value, str) and name not in safe:
        return {MARK: shortened(value)}
    return value


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text) - LONGEST:,} characters more)"
