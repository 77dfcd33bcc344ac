"""Reviews: ratings and texts in, one public answer each out."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import Connector, hookimpl
from socialsupport_reviews.appstore import AppStore
from socialsupport_reviews.googlebusiness import GoogleBusiness
from socialsupport_reviews.googleplay import GooglePlay
from socialsupport_reviews.settings import AppStoreSettings, GoogleBusinessSettings, GooglePlaySettings

__all__ = [
    "AppStore",
    "AppStoreSettings",
    "GoogleBusiness",
    "GoogleBusinessSettings",
    "GooglePlay",
    "GooglePlaySettings",
]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (GooglePlay, AppStore, GoogleBusiness)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_reviews.simulator import (  # noqa: PLC0415 - only hosts that simulate pay for it
        AppStoreServer,
        GoogleBusinessServer,
        GooglePlayServer,
    )

    return (GooglePlayServer, AppStoreServer, GoogleBusinessServer)
