"""The kit, against our own simulator, whose clock is ahead, so that what has just happened is polled."""

from datetime import timedelta

from socialsupport_core.testing import CRMConformance
from socialsupport_freshdesk import Freshdesk
from socialsupport_freshdesk.simulator import FreshdeskSimulator


class Ahead(FreshdeskSimulator):
    ahead = timedelta(seconds=10)


class TestFreshdesk(CRMConformance):
    crm = Freshdesk
    simulator = Ahead
