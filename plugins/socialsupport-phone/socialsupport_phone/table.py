"""The columns of a table of calls."""

from collections.abc import Iterator

from socialsupport_core.contract import table

NEEDED = ("from", "to", "start", "duration", "outcome")
OPTIONAL = ("agent", "notes", "direction", "recording", "transcript", "type", "id")


def rows(body: bytes) -> Iterator[table.Row]:
    """Raises MalformedPayload where the table as a whole cannot be read."""
    return table.rows(body, "calls", NEEDED, OPTIONAL)
