"""The kit, against our own simulator."""

from socialsupport_chatwoot import Chatwoot
from socialsupport_chatwoot.simulator import ChatwootSimulator
from socialsupport_core.testing import CRMConformance


class TestChatwoot(CRMConformance):
    crm = Chatwoot
    simulator = ChatwootSimulator
