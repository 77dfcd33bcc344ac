"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_line import Line


class TestLine(ConnectorConformance):
    connector = Line
