"""The kit, against our own simulator."""

from socialsupport_core.testing import CRMConformance
from socialsupport_zammad import Zammad
from socialsupport_zammad.simulator import ZammadSimulator


class TestZammad(CRMConformance):
    crm = Zammad
    simulator = ZammadSimulator
