"""The only module that talks to networks."""

from socialsupport_core.wire.run import NetworkWire, Step

__all__ = ["NetworkWire", "Step"]
