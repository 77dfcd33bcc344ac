"""All that a tenant says about guidance: `[tenants.TENANT.guidance]`."""

from socialsupport_core.guidance.routing import Routing
from socialsupport_core.guidance.service import Service


class Guidance(Service):
    """Each part is optional, and harmless as it is shipped."""

    routing: Routing = Routing()
    """Who gets what waits and is nobody's."""
