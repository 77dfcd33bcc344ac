"""The kit is content with what is right: signed and over HTTP, or with a shared secret and asks of its own."""

from pigeon.connector import Pigeon
from pigeon.dove import Dove

from socialsupport_core.testing import ConnectorConformance


class TestPigeon(ConnectorConformance):
    connector = Pigeon


class TestDove(ConnectorConformance):
    connector = Dove
