from socialsupport_core.testing.conformance import ConnectorConformance
from socialsupport_x import X


class TestX(ConnectorConformance):
    connector = X
