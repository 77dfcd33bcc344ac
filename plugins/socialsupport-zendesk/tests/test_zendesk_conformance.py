"""The kit, against our own simulator; its export tells at once, so that both ways are tried."""

from socialsupport_core.testing import CRMConformance
from socialsupport_zendesk import Zendesk
from socialsupport_zendesk.simulator import ZendeskSimulator


class Prompt(ZendeskSimulator):
    lag = 0


class TestZendesk(CRMConformance):
    crm = Zendesk
    simulator = Prompt
