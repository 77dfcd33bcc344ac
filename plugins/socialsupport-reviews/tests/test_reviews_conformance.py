"""Everything that the kit demands of connectors."""

from socialsupport_core.testing import ConnectorConformance
from socialsupport_reviews import AppStore, GoogleBusiness, GooglePlay


class TestGooglePlay(ConnectorConformance):
    connector = GooglePlay


class TestAppStore(ConnectorConformance):
    connector = AppStore


class TestGoogleBusiness(ConnectorConformance):
    connector = GoogleBusiness
