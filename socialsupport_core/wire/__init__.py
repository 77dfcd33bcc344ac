"""The only module that talks to networks."""

from socialsupport_core.wire.keeper import Keeper
from socialsupport_core.wire.run import NetworkWire, Step

__all__ = ["Keeper", "NetworkWire", "Step"]
