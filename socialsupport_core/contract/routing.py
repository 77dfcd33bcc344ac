"""Who is to have a conversation: what is asked, who could have it, and a plugin's own choice among them."""

from collections.abc import Callable

from socialsupport_core.model import Value


class Candidate(Value):
    """An agent who may have the conversation now: has the skill, the language, the channel, room and time."""

    agent: str
    load: int
    """Open conversations now."""
    capacity: int
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    knows: int | None = None
    """0 who spoke last with this customer, 1 who did before, and so on; None who never did."""
    idle_since: int = 0
    """When something was last given to them by routing, in microseconds since 1970; 0 if nothing ever was."""


class RoutingCase(Value):
    """The conversation, and what it needs. Texts of the customer are not in it."""

    tenant: str
    conversation: str
    channels: tuple[str, ...] = ()
    language: str | None = None
    skills: frozenset[str] = frozenset()
    waiting_since: int = 0
    """Microseconds since 1970."""
    group: str | None = None
    """Only this group may have it, since it was escalated."""
    candidates: tuple[Candidate, ...] = ()


class RoutingChoice(Value):
    """`reason` stands beside the assignment, in the log and on the page."""

    agent: str
    reason: str


Router = Callable[[RoutingCase], RoutingChoice | None]
"""None: no opinion. An agent who is no candidate is not taken, and the default decides."""
