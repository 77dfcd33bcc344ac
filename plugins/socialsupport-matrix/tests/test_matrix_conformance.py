"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_matrix import Matrix


class TestMatrix(ConnectorConformance):
    connector = Matrix
