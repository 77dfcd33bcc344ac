"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_whatsapp import WhatsApp


class TestWhatsApp(ConnectorConformance):
    connector = WhatsApp
