"""The kit is content with what is right: signed and over HTTP, with a shared secret and asks of its own, or refreshed."""

from pigeon.connector import Pigeon
from pigeon.dove import Dove
from pigeon.swift import Swift

from socialsupport_core.testing import ConnectorConformance


class TestPigeon(ConnectorConformance):
    connector = Pigeon


class TestDove(ConnectorConformance):
    connector = Dove


class TestSwift(ConnectorConformance):
    connector = Swift
