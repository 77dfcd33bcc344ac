"""Everything that the kit demands of connectors."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_mailhooks import Mailgun, Postmark, SendGrid


class TestPostmark(ConnectorConformance):
    connector = Postmark


class TestMailgun(ConnectorConformance):
    connector = Mailgun


class TestSendGrid(ConnectorConformance):
    connector = SendGrid
