"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_facebook import Facebook


class TestFacebook(ConnectorConformance):
    connector = Facebook
