"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_slack import Slack


class TestSlack(ConnectorConformance):
    connector = Slack
