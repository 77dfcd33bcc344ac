"""Rankers: how much two texts are alike in meaning, for plugins that know better than words do."""

from collections.abc import Callable, Sequence

from socialsupport_core.model import Value


class Asked(Value):
    """What the customer wrote last, and the texts of which some may answer it. They never leave the process by us."""

    tenant: str
    question: str
    texts: tuple[str, ...]


Ranker = Callable[[Asked], Sequence[float] | None]
"""For each text 0 (nothing to do with it) to 1 (answers it); None if it has no opinion. It is called while an agent
waits: answer within some hundred milliseconds."""
