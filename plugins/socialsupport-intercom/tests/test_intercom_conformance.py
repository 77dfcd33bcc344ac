"""The kit, against our own simulator."""

from socialsupport_core.testing import CRMConformance
from socialsupport_intercom import Intercom
from socialsupport_intercom.simulator import IntercomSimulator


class TestIntercom(CRMConformance):
    crm = Intercom
    simulator = IntercomSimulator
