"""Everything that the kit demands of a connector."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_telegram import Telegram


class TestTelegram(ConnectorConformance):
    connector = Telegram
