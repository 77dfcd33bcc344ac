"""All that a tenant says about guidance: `[tenants.TENANT.guidance]`."""

from socialsupport_core.guidance.away import Acknowledge
from socialsupport_core.guidance.routing import Routing
from socialsupport_core.guidance.service import Service
from socialsupport_core.guidance.spikes import Spikes


class Guidance(Service):
    """Each part is optional, and harmless as it is shipped."""

    routing: Routing = Routing()
    """Who gets what waits and is nobody's."""
    acknowledge: Acknowledge = Acknowledge()
    """What is said to who writes out of hours."""
    spikes: Spikes = Spikes()
    """Whether many customers at once are told of."""

    @property
    def acts(self) -> bool:
        """Whether anything is done by itself."""
        return self.routing.enabled or self.acknowledge.enabled or self.spikes.enabled
