"""All that a tenant says about guidance: `[tenants.TENANT.guidance]`."""

from socialsupport_core.guidance.ranking import QueueSection
from socialsupport_core.guidance.service import Service
from socialsupport_core.guidance.triage import TriageSection


class Guidance(Service):
    """Each part is optional, and harmless as it is shipped."""

    triage: TriageSection = TriageSection()
    queue: QueueSection = QueueSection()
