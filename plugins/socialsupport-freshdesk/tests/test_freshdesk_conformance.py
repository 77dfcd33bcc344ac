"""The kit, against our own simulator."""

from socialsupport_core.testing import CRMConformance
from socialsupport_freshdesk import Freshdesk
from socialsupport_freshdesk.simulator import FreshdeskSimulator


class TestFreshdesk(CRMConformance):
    crm = Freshdesk
    simulator = FreshdeskSimulator
