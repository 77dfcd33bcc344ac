from socialsupport_core.testing import CRMConformance
from socialsupport_memorycrm import MemoryCRM


class TestMemoryCRM(CRMConformance):
    crm = MemoryCRM
