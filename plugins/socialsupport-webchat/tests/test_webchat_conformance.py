"""The kit that every connector must pass."""

from socialsupport_core.testing.conformance import ConnectorConformance
from socialsupport_webchat import Webchat


class TestWebchat(ConnectorConformance):
    connector = Webchat
