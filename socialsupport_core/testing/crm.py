"""The conformance kit for CRM and helpdesk adapters.

    class TestZendesk(CRMConformance):
        crm = Zendesk

The package ships `cases/settings.json` and call cases: `{"name", "source", "call": "open_case", "arguments",
"exchange", "result" or "error"}`. Where it also ships a simulator (`make_simulator`), everything is done to that
as well, twice.
"""
