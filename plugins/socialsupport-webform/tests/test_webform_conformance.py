from socialsupport_core.testing import ConnectorConformance
from socialsupport_webform.connector import Webform


class TestWebform(ConnectorConformance):
    connector = Webform
