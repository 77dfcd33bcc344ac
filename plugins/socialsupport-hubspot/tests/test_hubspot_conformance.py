from socialsupport_core.testing import CRMConformance
from socialsupport_hubspot import HubSpot
from socialsupport_hubspot.simulator import HubSpotServer


class TestHubSpot(CRMConformance):
    crm = HubSpot
    simulator = HubSpotServer
