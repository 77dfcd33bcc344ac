"""The kit against our own simulator; against the real one see test_djangohelpdesk_server.py."""

from socialsupport_core.testing import CRMConformance
from socialsupport_djangohelpdesk import DjangoHelpdesk
from socialsupport_djangohelpdesk.simulator import DjangoHelpdeskSimulator


class TestDjangoHelpdesk(CRMConformance):
    crm = DjangoHelpdesk
    simulator = DjangoHelpdeskSimulator
