"""Everything that the kit demands of a connector."""

from socialsupport_bluesky import Bluesky
from socialsupport_core.testing import ConnectorConformance


class TestBluesky(ConnectorConformance):
    connector = Bluesky
