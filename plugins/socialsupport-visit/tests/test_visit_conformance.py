from socialsupport_core.testing import ConnectorConformance
from socialsupport_visit.connector import Visit


class TestVisit(ConnectorConformance):
    connector = Visit
