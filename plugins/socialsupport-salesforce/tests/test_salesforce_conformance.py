from socialsupport_core.testing import CRMConformance
from socialsupport_salesforce import Salesforce
from socialsupport_salesforce.simulator import SalesforceServer


class TestSalesforce(CRMConformance):
    crm = Salesforce
    simulator = SalesforceServer
