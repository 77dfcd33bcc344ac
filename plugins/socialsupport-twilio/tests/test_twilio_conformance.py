"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_twilio import Twilio


class TestTwilio(ConnectorConformance):
    connector = Twilio
