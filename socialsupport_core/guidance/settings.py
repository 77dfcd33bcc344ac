"""All that a tenant says about guidance: `[tenants.TENANT.guidance]`."""

from socialsupport_core.guidance.answers import Answers
from socialsupport_core.guidance.away import Acknowledge
from socialsupport_core.guidance.codes import Codes
from socialsupport_core.guidance.policy import Rules
from socialsupport_core.guidance.ranking import QueueSection
from socialsupport_core.guidance.rating import Rating
from socialsupport_core.guidance.routing import Routing
from socialsupport_core.guidance.service import Service
from socialsupport_core.guidance.spikes import Spikes
from socialsupport_core.guidance.triage import TriageSection


class Guidance(Service):
    """Each part is optional, and harmless as it is shipped."""

    policy: Rules = Rules()
    """What is asked before anything goes out."""
    answers: Answers = Answers()
    """Which answers are shown beside the reply box."""
    triage: TriageSection = TriageSection()
    queue: QueueSection = QueueSection()
    routing: Routing = Routing()
    """Who gets what waits and is nobody's."""
    acknowledge: Acknowledge = Acknowledge()
    """What is said to who writes out of hours."""
    rating: Rating = Rating()
    """Whether customers are asked how it went."""
    codes: Codes = Codes()
    """What is said to who types a one-time code."""
    spikes: Spikes = Spikes()
    """Whether many customers at once are told of."""

    @property
    def acts(self) -> bool:
        """Whether anything is done by itself."""
        parts = (self.routing, self.acknowledge, self.rating, self.spikes)
        return any(one.enabled for one in parts)
