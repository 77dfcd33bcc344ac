from socialsupport_core.testing import ConnectorConformance
from socialsupport_generic.connector import Generic


class TestGeneric(ConnectorConformance):
    connector = Generic
