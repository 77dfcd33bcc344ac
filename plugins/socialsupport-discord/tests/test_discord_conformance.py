"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_discord import Discord


class TestDiscord(ConnectorConformance):
    connector = Discord
