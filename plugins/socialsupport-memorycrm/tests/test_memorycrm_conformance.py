from socialsupport_core.testing import CRMConformance
from socialsupport_memorycrm import MemoryCRM
from socialsupport_memorycrm.simulator import MemoryCRMServer


class TestMemoryCRM(CRMConformance):
    crm = MemoryCRM
    simulator = MemoryCRMServer
