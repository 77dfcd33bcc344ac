from socialsupport_core.testing import ConnectorConformance
from socialsupport_email import Email


class TestEmail(ConnectorConformance):
    connector = Email
