"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_linkedin import LinkedIn


class TestLinkedIn(ConnectorConformance):
    connector = LinkedIn
