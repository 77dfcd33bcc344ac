from socialsupport_core.testing import ConnectorConformance
from socialsupport_phone import Phone


class TestPhone(ConnectorConformance):
    connector = Phone
