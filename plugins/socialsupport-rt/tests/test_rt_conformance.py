"""The kit, against our own simulator and against a real server."""

from socialsupport_core.testing import CRMConformance
from socialsupport_rt import RT
from socialsupport_rt.simulator import RTSimulator


class TestRT(CRMConformance):
    crm = RT
    simulator = RTSimulator
