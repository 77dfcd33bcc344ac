"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_instagram import Instagram


class TestInstagram(ConnectorConformance):
    connector = Instagram
