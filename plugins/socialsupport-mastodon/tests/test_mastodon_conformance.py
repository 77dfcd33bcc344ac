"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_mastodon import Mastodon


class TestMastodon(ConnectorConformance):
    connector = Mastodon
